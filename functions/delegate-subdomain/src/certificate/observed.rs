//! What exists, as a plan has to know it: reads without decisions.

use super::{
    Certificates,
    acm::{Acm, ListError, Listing},
    arn::CertificateArn,
    described::{Listed, ValidationRecord},
    error::Error,
    plan::Phase,
    remove::RecordsPlace,
    validation_records::{ByZone, RecordState, by_zone},
    validation_zones::ValidationZones,
};
use crate::region::partition_of;
use dns_check::Transport;
use futures::future::{FutureExt as _, join_all};
use hosted_zones::DomainName;
use std::{collections::BTreeSet, fmt};

/// How many Regions are asked at once which certificates they have.
const REGIONS_AT_ONCE: usize = 8;

/// What exists of a certificate that is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Observed {
    /// What uses the certificate, or none if the certificate does not exist.
    pub(super) in_use_by: Option<Vec<String>>,
    /// Its CNAMEs, or none if they are to stay.
    pub(super) cnames: Option<Cnames>,
}

/// The CNAMEs of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cnames {
    /// Those that exist with the value that ACM wants.
    pub(super) existing: ByZone,
    /// Those whose name has no CNAME.
    pub(super) missing: ByZone,
    pub(super) listed_by: Sharers,
}

/// The certificates of the account that can need a CNAME, the one in question among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sharers {
    Known(Vec<Sharer>),
    /// A Region could not be asked.
    Unknown {
        region: String,
        why: String,
    },
    /// None of the CNAMEs can be deleted, whatever lists them.
    NotAsked,
}

/// A certificate that needs the CNAMEs of these names, to be issued or renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sharer {
    pub(super) arn: CertificateArn,
    /// Without `*.`: ACM gives an account one CNAME for a name and its wildcard, in every Region
    /// (<https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>).
    pub(super) names: BTreeSet<DomainName>,
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.in_use_by {
            None => f.write_str("it does not exist")?,
            Some(users) if users.is_empty() => f.write_str("nothing uses it")?,
            Some(users) => write!(f, "in use by {}", users.join(", "))?,
        }
        let Some(cnames) = &self.cnames else {
            return f.write_str("; no CNAME is to be deleted");
        };
        let count = |cnames: &ByZone| cnames.values().map(Vec::len).sum::<usize>();
        let (existing, missing) = (count(&cnames.existing), count(&cnames.missing));
        write!(f, "; {existing} CNAMEs exist, {missing} do not")?;
        match &cnames.listed_by {
            Sharers::NotAsked => Ok(()),
            Sharers::Known(sharers) => {
                f.write_str(", listed by")?;
                for sharer in sharers {
                    write!(f, " {}", sharer.arn)?;
                }
                Ok(())
            }
            Sharers::Unknown { region, why } => write!(
                f,
                "; the CNAMEs stay, because certificates of {region} may need them: {why}"
            ),
        }
    }
}

impl<T: Transport> Certificates<T> {
    /// Reads what exists of a certificate that is to be deleted, and of its CNAMEs if these are to be deleted too.
    pub(super) async fn observe(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        phase: &Phase,
        place: &RecordsPlace,
    ) -> Result<Observed, Error> {
        // A certificate that was deleted without an answer does not exist any more.
        let certificate = match phase {
            Phase::Certificate | Phase::Refused(_) => acm.describe(arn).await?,
            Phase::Cnames(_) | Phase::Deleted => None,
        };
        let records = match (phase, &certificate) {
            (Phase::Cnames(records), _) => records.clone(),
            (_, Some(certificate)) => certificate.known_records(),
            (_, None) => BTreeSet::new(),
        };
        let in_use_by = certificate.map(|certificate| certificate.in_use_by);
        let stays = matches!(phase, Phase::Refused(_))
            || in_use_by.as_ref().is_some_and(|users| !users.is_empty());
        let mut observed = Observed {
            in_use_by,
            cnames: None,
        };
        if let Some(zones) = &place.zones
            && !records.is_empty()
        {
            let mut cnames = self.existing(&records, zones).await?;
            if !stays && !cnames.existing.is_empty() {
                cnames.listed_by = self.sharers(arn.region(), &records, place).await?;
            }
            observed.cnames = Some(cnames);
        }
        Ok(observed)
    }

    /// Reads which of these CNAMEs exist.
    async fn existing(
        &self,
        records: &BTreeSet<ValidationRecord>,
        zones: &ValidationZones,
    ) -> Result<Cnames, Error> {
        let mut cnames = Cnames {
            existing: ByZone::new(),
            missing: ByZone::new(),
            listed_by: Sharers::NotAsked,
        };
        for (zone, records) in by_zone(records, zones) {
            for record in records {
                let group = match self.state_of(&zone, &record).await? {
                    RecordState::Exists(_) => &mut cnames.existing,
                    RecordState::Missing => &mut cnames.missing,
                    RecordState::Other(_) | RecordState::NoZone => continue,
                };
                group.entry(zone.clone()).or_default().push(record);
            }
        }
        Ok(cnames)
    }

    /// Reads which certificates of the account need one of these CNAMEs, in every Region of the partition.
    async fn sharers(
        &self,
        own: &str,
        records: &BTreeSet<ValidationRecord>,
        place: &RecordsPlace,
    ) -> Result<Sharers, Error> {
        let names: BTreeSet<_> = records
            .iter()
            .filter_map(ValidationRecord::validated)
            .collect();
        let mut sharers = self.sharers_in(own, &names).await?;
        let Some(regions) = partition_of(own) else {
            return Ok(Sharers::Unknown {
                region: own.to_owned(),
                why: "this release does not know the other Regions of its partition".to_owned(),
            });
        };
        let others: Vec<&str> = regions
            .iter()
            .copied()
            .filter(|region| *region != own)
            .collect();
        for some in others.chunks(REGIONS_AT_ONCE) {
            let asked = some
                .iter()
                .map(|region| self.sharers_in(region, &names).boxed());
            for (region, found) in some.iter().zip(join_all(asked).await) {
                match found {
                    Ok(found) => sharers.extend(found),
                    // No certificate can be requested in a Region that is not enabled for the account.
                    Err(ListError::Closed(_)) => {}
                    Err(ListError::Aws(error)) if error.passes() && place.waits_for_regions => {
                        return Err(error.into());
                    }
                    Err(error) => {
                        return Ok(Sharers::Unknown {
                            region: (*region).to_owned(),
                            why: error.to_string(),
                        });
                    }
                }
            }
        }
        Ok(Sharers::Known(sharers))
    }

    /// Reads which certificates of a Region need the CNAME of one of these names.
    async fn sharers_in(
        &self,
        region: &str,
        names: &BTreeSet<DomainName>,
    ) -> Result<Vec<Sharer>, ListError> {
        let acm = self.acm(Some(region));
        let may_share = |listed: &Listed| {
            listed.status.needs_records()
                && (listed.has_more_names
                    || listed.names.iter().any(|name| names.contains(&name.base)))
        };
        let mut sharers = Vec::new();
        for listed in acm.list(Listing::Every, may_share).await? {
            let mut names: BTreeSet<_> = listed.names.into_iter().map(|name| name.base).collect();
            if listed.has_more_names {
                let described = acm.describe(&listed.arn).await.map_err(ListError::of)?;
                let validations = described.into_iter().flat_map(|one| one.validations);
                names.extend(validations.map(|known| known.name.base));
            }
            let arn = listed.arn;
            sharers.push(Sharer { arn, names });
        }
        Ok(sharers)
    }
}
