//! The end of a zone: asked for before anything is touched, and done last.

use super::{Subdomains, delegation::Delegation, properties::RecordsOnDelete};
use crate::error::{Error, LISTED};
use dns_zones::{Change, ChangeError, DomainName, HostedZone, RecordSet, batches, dns::Transport};
use futures::try_join;

impl<T: Transport> Subdomains<T> {
    /// Refuses, before anything is touched, where the zone could not be deleted in the end.
    pub(super) async fn check_deletable(
        &self,
        delegation: &Delegation,
        records: RecordsOnDelete,
    ) -> Result<(), Error> {
        let (name, id) = (delegation.name.clone(), delegation.zone.clone());
        let blocking = |set: &RecordSet| match records {
            RecordsOnDelete::Fail => !is_apex(set, &name) && !set.is_acm_validation(),
            RecordsOnDelete::Delete => set.kind() == "NS" && !is_apex(set, &name),
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
        Ok(())
    }

    /// Deletes the zone, and first what is left in it where that may go.
    pub(super) async fn delete_zone(
        &self,
        zone: &HostedZone,
        records: RecordsOnDelete,
    ) -> Result<(), Error> {
        // As a rule nothing is left, so that this is all.
        match self.route53.delete_zone(&zone.id).await {
            Err(error) if error.is("HostedZoneNotEmpty") => {}
            deleted => return Ok(deleted?),
        }
        let goes = |set: &RecordSet| {
            !is_apex(set, &zone.name)
                && (records == RecordsOnDelete::Delete || set.is_acm_validation())
        };
        // How many record sets are read before they are deleted: one page of an answer.
        const READ: usize = 300;
        loop {
            let sets = self
                .route53
                .record_sets_from(&zone.id, &zone.name, READ, goes)
                .await?;
            if sets.is_empty() {
                return Ok(self.route53.delete_zone(&zone.id).await?);
            }
            let deletes = sets.into_iter().map(Change::Delete).collect();
            for batch in batches(deletes) {
                // Their INSYNC does not matter: nobody is led here any more.
                match self.route53.change(&zone.id, batch).await {
                    Ok(_) | Err(ChangeError::Stale(_)) => {}
                    Err(ChangeError::Guardrail { guardrail, error }) => {
                        let name = zone.name.clone();
                        return Err(Error::RecordsGuarded {
                            guardrail,
                            name,
                            zone: zone.id.clone(),
                            error,
                        });
                    }
                    Err(ChangeError::Aws(error)) => return Err(error.into()),
                }
            }
        }
    }
}

fn is_apex(set: &RecordSet, zone: &DomainName) -> bool {
    set.name() == *zone && matches!(set.kind(), "SOA" | "NS")
}
