//! The CNAMEs by which ACM validates names.

use super::{
    Certificates,
    acm::{Acm, Listing},
    arn::CertificateArn,
    described::{Listed, ValidationRecord},
    error::Error,
    remove::RecordsPlace,
    validation_zones::ValidationZones,
};
use crate::region::partition_of;
use aws_calls::{AwsError, at_once};
use dns_zones::{Change, ChangeError, DomainName, HostedZoneId, RecordSet, RrType, dns::Transport};
use futures::future::{FutureExt as _, join_all};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds. ACM asks Route 53's own servers; nothing else has a use for these records.
const TTL: u32 = 300;
/// How many Regions are asked at once which certificates they have.
const REGIONS_AT_ONCE: usize = 8;

/// CNAMEs by the zone that they stand, or are to stand, in.
pub(super) type ByZone = BTreeMap<HostedZoneId, Vec<ValidationRecord>>;

impl<T: Transport> Certificates<T> {
    /// Puts the CNAMEs that are missing. One that stands with the same value is taken as it is: it may be another
    /// certificate's too.
    ///
    /// Their INSYNC is not waited for: that ACM sees them is what ISSUED says.
    pub(super) async fn put_records(
        &self,
        records: &BTreeSet<ValidationRecord>,
        zones: &ValidationZones,
    ) -> Result<(), Error> {
        let missing = self.missing_records(records, zones).await?;
        self.create_records(missing).await
    }

    /// Those of the CNAMEs that do not stand.
    pub(super) async fn missing_records(
        &self,
        records: &BTreeSet<ValidationRecord>,
        zones: &ValidationZones,
    ) -> Result<ByZone, Error> {
        let looks = by_zone(records, zones)
            .into_iter()
            .map(async |(zone, records)| {
                let missing = self.missing_in(&zone, records).await?;
                Ok::<_, Error>((zone, missing))
            });
        let mut missing = ByZone::new();
        missing.extend(at_once(looks).await?);
        Ok(missing)
    }

    async fn missing_in(
        &self,
        zone: &HostedZoneId,
        records: Vec<ValidationRecord>,
    ) -> Result<Vec<ValidationRecord>, Error> {
        let standing = records
            .iter()
            .map(|record| self.route53.record_set(zone, &record.name, RrType::Cname));
        let standing = at_once(standing).await?;
        let mut missing = Vec::new();
        for (record, standing) in records.into_iter().zip(standing) {
            match standing {
                None => missing.push(record),
                Some(set) if is_of(&set, &record) => {}
                Some(set) => {
                    return Err(Error::OtherRecord {
                        name: record.name,
                        zone: zone.clone(),
                        stands: set.values().collect::<Vec<_>>().join(", "),
                        wanted: record.value,
                    });
                }
            }
        }
        Ok(missing)
    }

    /// Puts CNAMEs that are missing as far as is known, by CREATE, all of a zone in one batch. Where one stands after
    /// all, Route 53 refuses its batch as a whole; then those are put that are missing indeed.
    pub(super) async fn create_records(&self, missing: ByZone) -> Result<(), Error> {
        let creates = missing
            .into_iter()
            .map(|(zone, missing)| self.create_in(zone, missing));
        at_once(creates).await?;
        Ok(())
    }

    async fn create_in(
        &self,
        zone: HostedZoneId,
        mut missing: Vec<ValidationRecord>,
    ) -> Result<(), Error> {
        // Twice: a batch that is refused because one of them exists is sent again without that one.
        for is_last in [false, true] {
            let Some(first) = missing.first() else {
                break;
            };
            let name = first.name.clone();
            let creates = missing.iter().map(record_set).map(Change::Create);
            let Err(error) = self.route53.change(&zone, creates.collect()).await else {
                break;
            };
            // Another certificate, or an earlier call of this one, may have created one before. A refusal for another
            // reason counts only if none of them exists.
            let before = missing.len();
            missing = self.missing_in(&zone, missing).await?;
            let was_stale = matches!(error, ChangeError::Stale(_)) || missing.len() < before;
            if !missing.is_empty() && (is_last || !was_stale) {
                return Err(Error::of_change(error, zone, name));
            }
        }
        Ok(())
    }

    /// Deletes CNAMEs that exist with these values.
    pub(super) async fn delete_records(
        &self,
        records: &BTreeSet<ValidationRecord>,
        zones: &ValidationZones,
    ) -> Result<(), Error> {
        for (zone, records) in by_zone(records, zones) {
            for record in records {
                let found = self.route53.record_set(&zone, &record.name, RrType::Cname);
                let set = match found.await {
                    Ok(set) => set.filter(|set| is_of(set, &record)),
                    // The zone was deleted meanwhile, and its records with it.
                    Err(error) if error.is("NoSuchHostedZone") => break,
                    Err(error) => return Err(error.into()),
                };
                let Some(set) = set else {
                    continue;
                };
                match self.route53.change(&zone, vec![Change::Delete(set)]).await {
                    Ok(_) => {}
                    Err(ChangeError::Aws(error)) if error.is("NoSuchHostedZone") => break,
                    Err(error) => return Err(Error::of_change(error, zone, record.name)),
                }
            }
        }
        Ok(())
    }

    /// Returns those of a certificate's CNAMEs that no other certificate of the account needs, to be issued or renewed.
    /// None if that is not known of a Region of the partition.
    ///
    /// ACM gives an account one CNAME for one name in every Region
    /// (<https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>), so another certificate needs it if it
    /// has the name, or its wildcard.
    pub(super) async fn of_no_other(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        records: &BTreeSet<ValidationRecord>,
        place: &RecordsPlace,
    ) -> Result<BTreeSet<ValidationRecord>, Error> {
        let free = |needed: &BTreeSet<DomainName>| -> BTreeSet<ValidationRecord> {
            let is_free = |record: &&ValidationRecord| {
                record
                    .validated()
                    .is_none_or(|name| !needed.contains(&name))
            };
            records.iter().filter(is_free).cloned().collect()
        };
        let mut needed = self.needed_names(acm, arn, records).await?;
        if free(&needed).is_empty() {
            return Ok(BTreeSet::new());
        }
        let Some(regions) = partition_of(arn.region()) else {
            let region = arn.region();
            tracing::warn!(
                region,
                "the CNAMEs stay: this release does not know the other Regions of its partition"
            );
            return Ok(BTreeSet::new());
        };
        let mut answers = Vec::new();
        for regions in regions.chunks(REGIONS_AT_ONCE) {
            let asked = regions.iter().filter(|region| **region != arn.region());
            let asked = asked.map(|region| self.needed_in(region, arn, records).boxed());
            answers.extend(join_all(asked).await);
        }
        for (region, names) in answers {
            match names {
                Ok(names) => needed.extend(names),
                // No certificate can be requested in a Region that is not enabled for the account.
                Err(error) if is_closed(&error) => {}
                Err(error) if error.passes() && place.waits_for_regions => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(region, %error, "the CNAMEs stay: a certificate of another Region may need them");
                    return Ok(BTreeSet::new());
                }
            }
        }
        Ok(free(&needed))
    }

    async fn needed_in(
        &self,
        region: &'static str,
        arn: &CertificateArn,
        records: &BTreeSet<ValidationRecord>,
    ) -> (&'static str, Result<BTreeSet<DomainName>, AwsError>) {
        let acm = self.acm(Some(region));
        (region, self.needed_names(&acm, arn, records).await)
    }

    /// The names of the other certificates of a Region that may share one of these CNAMEs.
    async fn needed_names(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        records: &BTreeSet<ValidationRecord>,
    ) -> Result<BTreeSet<DomainName>, AwsError> {
        let validated: BTreeSet<_> = records
            .iter()
            .filter_map(ValidationRecord::validated)
            .collect();
        let may_share = |other: &Listed| {
            other.arn != *arn
                && other.status.needs_records()
                && (other.has_more_names
                    || other
                        .names
                        .iter()
                        .any(|name| validated.contains(&name.base)))
        };
        let mut needed: BTreeSet<DomainName> = BTreeSet::new();
        for other in acm.list(Listing::Every, may_share).await? {
            needed.extend(other.names.into_iter().map(|name| name.base));
            if other.has_more_names
                && let Some(other) = acm.describe(&other.arn).await?
            {
                needed.extend(other.validations.into_iter().map(|known| known.name.base));
            }
        }
        Ok(needed)
    }
}

pub(super) fn by_zone(records: &BTreeSet<ValidationRecord>, zones: &ValidationZones) -> ByZone {
    let mut by_zone = ByZone::new();
    for record in records {
        if let Some(zone) = record.validated().as_ref().and_then(|name| zones.of(name)) {
            by_zone
                .entry(zone.id.clone())
                .or_default()
                .push(record.clone());
        }
    }
    by_zone
}

fn record_set(record: &ValidationRecord) -> RecordSet {
    RecordSet::cname(&record.name, TTL, &format!("{}.", record.value.as_str()))
}

/// Whether the Region is not enabled for the account: ACM then does not know its credentials.
pub(super) fn is_closed(error: &AwsError) -> bool {
    error.is("UnrecognizedClientException") || error.is("InvalidClientTokenId")
}

/// Whether the record set says what ACM asks for, in whatever spelling.
fn is_of(set: &RecordSet, record: &ValidationRecord) -> bool {
    set.values()
        .map(DomainName::from_service)
        .eq([record.value.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_in_every_spelling() {
        let name = DomainName::parse("_h.a.example.com").unwrap();
        let record = ValidationRecord {
            name: name.clone(),
            value: DomainName::from_service("_v.x.acm-validations.aws."),
        };
        assert!(is_of(&record_set(&record), &record));
        assert!(is_of(
            &RecordSet::cname(&name, 60, "_V.x.ACM-validations.aws"),
            &record
        ));
        assert!(!is_of(
            &RecordSet::cname(&name, 300, "_w.x.acm-validations.aws."),
            &record
        ));
    }
}
