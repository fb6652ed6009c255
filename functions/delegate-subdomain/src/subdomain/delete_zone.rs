//! The end of a zone: asked for before anything is touched, and done last.

use super::{Subdomains, delegation::Delegation, properties::RecordsOnDelete};
use crate::error::{Error, Keeps, LISTED};
use aws_calls::AwsError;
use dns_check::Transport;
use futures::join;
use hosted_zones::{Change, ChangeError, Deleted, DomainName, RecordSet, batches};
use std::time::Duration;
use tokio::time::sleep;

/// How many record sets are read before they are deleted: one page of an answer.
const READ: usize = 300;
/// How often record sets are read and deleted until the zone is empty, and the pause before each.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

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
        let (sets, signed, protections) = join!(
            self.route53
                .record_sets_from(&id, &name, LISTED + 1, blocking),
            self.route53.is_signed(&id),
            self.route53.protections(&id),
        );
        let sets = sets?;
        let signed = known(signed)?.unwrap_or_default();
        let protections = known(protections)?.unwrap_or_default();
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
        let mut stale = self.delete_records(delegation, known).await?;
        let mut tries = 0;
        loop {
            // Usually nothing is left, so that this is all.
            let not_empty = match self.route53.delete_zone(&delegation.zone).await? {
                Deleted::Yes => return Ok(()),
                Deleted::NotEmpty(error) => error,
            };
            let left = self.check_deletable(delegation, records, true).await?;
            tries += 1;
            if left.is_empty() || tries == TRIES {
                return Err(stale.unwrap_or(not_empty).into());
            }
            sleep(PAUSE).await;
            stale = self.delete_records(delegation, left).await?;
        }
    }

    /// Deletes record sets as they were read. Returns the refusal of those that changed since.
    async fn delete_records(
        &self,
        delegation: &Delegation,
        sets: Vec<RecordSet>,
    ) -> Result<Option<AwsError>, Error> {
        let mut stale = None;
        let deletes = sets.into_iter().map(Change::Delete).collect();
        for batch in batches(deletes) {
            // Their INSYNC does not matter: nobody is led here any more.
            match self.route53.change(&delegation.zone, batch).await {
                Ok(_) => {}
                // What was changed since it was read is read again, because the zone is not empty then.
                Err(ChangeError::Stale(error)) => stale = Some(error),
                Err(
                    ChangeError::Followed(error)
                    | ChangeError::Refused(error)
                    | ChangeError::Guardrail { error, .. },
                ) => {
                    let (name, zone) = (delegation.name.clone(), delegation.zone.clone());
                    return Err(Error::RecordsKept { name, zone, error });
                }
                Err(ChangeError::Aws(error)) => return Err(error.into()),
            }
        }
        Ok(stale)
    }
}

/// Returns what a check found, or none if it is denied or unknown: Route 53 itself refuses to delete such a zone.
fn known<T>(checked: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match checked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.passes() => Err(error),
        Err(error) => {
            tracing::warn!(%error, "not checked before the delete");
            Ok(None)
        }
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
