//! The end of a zone: asked for before anything is touched, and done last.

use super::{Subdomains, delegation::Delegation, properties::RecordsOnDelete};
use crate::error::{Error, Keeps, LISTED};
use dns_zones::{Change, ChangeError, DomainName, RecordSet, batches, dns::Transport};
use futures::try_join;

/// How many record sets are read before they are deleted: one page of an answer.
const READ: usize = 300;

impl<T: Transport> Subdomains<T> {
    /// Refuses where the zone could not be deleted in the end: before anything is touched, and once more when its
    /// delegation is gone, which may be an hour later. Answers what has to go before it, the first of it.
    pub(super) async fn check_deletable(
        &self,
        delegation: &Delegation,
        records: RecordsOnDelete,
        undelegated: bool,
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
        let further: Vec<RecordSet> = sets
            .iter()
            .filter(|set| set.kind() == "NS")
            .cloned()
            .collect();
        let keeps = if !further.is_empty() {
            Keeps::Delegations(further)
        } else if !sets.is_empty() {
            Keeps::Records(sets)
        } else if signed {
            Keeps::Signature
        } else if !protections.is_empty() {
            let shown = protections.iter().take(LISTED);
            Keeps::Protections(shown.map(|p| format!("{} {}", p.kind, p.name)).collect())
        } else {
            return Ok(going);
        };
        Err(Error::Kept {
            name,
            zone: id,
            undelegated,
            keeps,
        })
    }

    /// Deletes the zone, and first what is in it where that may go. `known` is what was seen of it.
    pub(super) async fn delete_zone(
        &self,
        delegation: &Delegation,
        records: RecordsOnDelete,
        known: Vec<RecordSet>,
    ) -> Result<(), Error> {
        self.delete_records(delegation, known).await?;
        loop {
            // As a rule nothing is left, so that this is all.
            let not_empty = match self.route53.delete_zone(&delegation.zone).await {
                Err(error) if error.is("HostedZoneNotEmpty") => error,
                deleted => return Ok(deleted?),
            };
            let left = self.check_deletable(delegation, records, true).await?;
            if left.is_empty() {
                return Err(not_empty.into());
            }
            self.delete_records(delegation, left).await?;
        }
    }

    async fn delete_records(
        &self,
        delegation: &Delegation,
        sets: Vec<RecordSet>,
    ) -> Result<(), Error> {
        let deletes = sets.into_iter().map(Change::Delete).collect();
        for batch in batches(deletes) {
            // Their INSYNC does not matter: nobody is led here any more.
            match self.route53.change(&delegation.zone, batch).await {
                // What was changed since it was read is read again, because the zone is not empty then.
                Ok(_) | Err(ChangeError::Stale(_)) => {}
                Err(ChangeError::Guardrail { guardrail, error }) => {
                    let (name, zone) = (delegation.name.clone(), delegation.zone.clone());
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
    !is_apex(set, zone)
        && set.kind() != "NS"
        && (records == RecordsOnDelete::Delete || set.is_acm_validation())
}

fn is_apex(set: &RecordSet, zone: &DomainName) -> bool {
    set.name() == *zone && matches!(set.kind(), "SOA" | "NS")
}
