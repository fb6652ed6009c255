//! The CNAMEs by which ACM validates names.

use super::{
    Certificates, described::ValidationRecord, error::Error, validation_zones::ValidationZones,
};
use aws_calls::{AwsError, at_once};
use dns_check::Transport;
use hosted_zones::{Change, ChangeError, DomainName, HostedZoneId, RecordSet, RrType};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds. ACM asks Route 53's own servers; nothing else has a use for these records.
const TTL: u32 = 300;

/// CNAMEs by the zone that they stand, or are to stand, in.
pub(super) type ByZone = BTreeMap<HostedZoneId, Vec<ValidationRecord>>;

impl<T: Transport> Certificates<T> {
    /// Returns those of the CNAMEs that do not exist. One that exists with the same value is used as it is: another
    /// certificate may need it too.
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
        let states = records.iter().map(|record| self.state_of(zone, record));
        let states = at_once(states).await?;
        let mut missing = Vec::new();
        for (record, state) in records.into_iter().zip(states) {
            match state {
                // In a zone that does not exist they cannot be created, which Route 53 says then.
                RecordState::Missing | RecordState::NoZone => missing.push(record),
                RecordState::Exists(_) => {}
                RecordState::Other(set) => {
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

    /// Deletes CNAMEs. One that does not exist with this value any more is left alone.
    pub(super) async fn delete_records(&self, records: &ByZone) -> Result<(), Error> {
        for (zone, records) in records {
            for record in records {
                let RecordState::Exists(set) = self.state_of(zone, record).await? else {
                    continue;
                };
                match self.route53.change(zone, vec![Change::Delete(set)]).await {
                    Ok(_) => {}
                    // The zone was deleted meanwhile, and its records with it.
                    Err(ChangeError::Aws(error)) if error.is("NoSuchHostedZone") => break,
                    Err(error) => {
                        return Err(Error::of_change(error, zone.clone(), record.name.clone()));
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads whether a CNAME exists.
    pub(super) async fn state_of(
        &self,
        zone: &HostedZoneId,
        record: &ValidationRecord,
    ) -> Result<RecordState, AwsError> {
        let found = self.route53.record_set(zone, &record.name, RrType::Cname);
        Ok(match found.await {
            Ok(None) => RecordState::Missing,
            Ok(Some(set)) if is_of(&set, record) => RecordState::Exists(set),
            Ok(Some(set)) => RecordState::Other(set),
            Err(error) if error.is_no_such_zone() => RecordState::NoZone,
            Err(error) => return Err(error.into()),
        })
    }
}

/// Whether a CNAME exists.
#[derive(Clone, Debug)]
pub(super) enum RecordState {
    Missing,
    /// With the value that ACM wants.
    Exists(RecordSet),
    /// With another value.
    Other(RecordSet),
    NoZone,
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
