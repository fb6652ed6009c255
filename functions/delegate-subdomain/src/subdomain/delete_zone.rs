//! The end of a zone: asked for before anything is touched, and done last.

use super::{Subdomains, delegation::Delegation, properties::RecordsOnDelete};
use crate::error::{Error, LISTED};
use dns_zones::{Change, ChangeError, DomainName, HostedZone, RecordSet, batches, dns::Transport};
use futures::try_join;

/// How many record sets are read before they are deleted: one page of an answer.
const READ: usize = 300;

impl<T: Transport> Subdomains<T> {
    /// Refuses, before anything is touched, where the zone could not be deleted in the end. Answers what has to go
    /// before it, the first of it.
    pub(super) async fn check_deletable(
        &self,
        delegation: &Delegation,
        records: RecordsOnDelete,
    ) -> Result<Vec<RecordSet>, Error> {
        let (name, id) = (delegation.name.clone(), delegation.zone.clone());
        let mut going = Vec::new();
        let blocking = |set: &RecordSet| {
            if goes(set, &name, records) && going.len() < READ {
                going.push(set.clone());
            }
            match records {
                RecordsOnDelete::Fail => !is_apex(set, &name) && !set.is_acm_validation(),
                RecordsOnDelete::Delete => set.kind() == "NS" && !is_apex(set, &name),
            }
        };
        let (sets, signed, protections) = try_join!(
            self.route53
                .record_sets_from(&id, &name, LISTED + 1, blocking),
            self.route53.is_signed(&id),
            self.route53.protections(&id),
        )?;
        if sets.iter().any(|set| set.kind() == "NS") {
            let sets = sets.into_iter().filter(|set| set.kind() == "NS").collect();
            return Err(Error::Delegates {
                name,
                zone: id,
                sets,
            });
        }
        if !sets.is_empty() {
            return Err(Error::NotEmpty {
                name,
                zone: id,
                sets,
            });
        }
        if signed {
            return Err(Error::Signed { name, zone: id });
        }
        if !protections.is_empty() {
            let shown = protections
                .iter()
                .take(LISTED)
                .map(|p| format!("{} {}", p.kind, p.name));
            return Err(Error::Protected {
                name,
                zone: id,
                protections: shown.collect::<Vec<_>>().join(", "),
            });
        }
        Ok(going)
    }

    /// Deletes the zone, and first what is in it where that may go. `known` is what was seen of it.
    pub(super) async fn delete_zone(
        &self,
        zone: &HostedZone,
        records: RecordsOnDelete,
        known: Vec<RecordSet>,
    ) -> Result<(), Error> {
        self.delete_records(zone, known).await?;
        loop {
            // As a rule nothing is left, so that this is all.
            let not_empty = match self.route53.delete_zone(&zone.id).await {
                Err(error) if error.is("HostedZoneNotEmpty") => error,
                deleted => return Ok(deleted?),
            };
            let left = self
                .route53
                .record_sets_from(&zone.id, &zone.name, READ, |set| {
                    goes(set, &zone.name, records)
                })
                .await?;
            if left.is_empty() {
                return Err(not_empty.into());
            }
            self.delete_records(zone, left).await?;
        }
    }

    async fn delete_records(&self, zone: &HostedZone, sets: Vec<RecordSet>) -> Result<(), Error> {
        let deletes = sets.into_iter().map(Change::Delete).collect();
        for batch in batches(deletes) {
            // Their INSYNC does not matter: nobody is led here any more.
            match self.route53.change(&zone.id, batch).await {
                // What was changed since it was read is read again, because the zone is not empty then.
                Ok(_) | Err(ChangeError::Stale(_)) => {}
                Err(ChangeError::Guardrail { guardrail, error }) => {
                    let (name, zone) = (zone.name.clone(), zone.id.clone());
                    return Err(Error::RecordsGuarded {
                        guardrail,
                        name,
                        zone,
                        error,
                    });
                }
                Err(ChangeError::Aws(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Whether a record set goes with its zone.
fn goes(set: &RecordSet, zone: &DomainName, records: RecordsOnDelete) -> bool {
    !is_apex(set, zone) && (records == RecordsOnDelete::Delete || set.is_acm_validation())
}

fn is_apex(set: &RecordSet, zone: &DomainName) -> bool {
    set.name() == *zone && matches!(set.kind(), "SOA" | "NS")
}
