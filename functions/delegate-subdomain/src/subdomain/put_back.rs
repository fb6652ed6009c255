//! What stood before a given zone was taken up, put back.

use super::{Delegation, Subdomains, remove::Removal};
use crate::error::Error;
use dns_zones::{Change, ChangeError, HostedZone, RecordSet, RrType, dns::Transport};

impl<T: Transport> Subdomains<T> {
    /// Puts the NS record set back as it stood before a request that failed took its zone up. The zone stays, and whoever
    /// delegated it counts on that, so a set that cannot be put back is left as it is.
    pub(super) async fn put_back(
        &self,
        delegation: &Delegation,
        zone: &HostedZone,
        how: &Removal<'_>,
        ttl: u32,
    ) -> Result<(), Error> {
        let put = async {
            let rights = self.rights(how).await?;
            let set = rights
                .record_set(&delegation.parent, &delegation.name, RrType::Ns)
                .await?;
            let is_changed = |set: &RecordSet| {
                set.name_servers() == zone.name_servers && set.ttl() != Some(ttl.into())
            };
            let Some(set) = set.filter(is_changed) else {
                return Ok::<_, Error>(());
            };
            let before = RecordSet::ns(&delegation.name, ttl, &zone.name_servers);
            let changes = vec![Change::Delete(set), Change::Create(before)];
            match rights.change(&delegation.parent, changes).await {
                // Someone changed it since it was read: it is theirs.
                Ok(_) | Err(ChangeError::Stale(_)) => Ok(()),
                Err(error) => Err(error.into_aws().into()),
            }
        };
        match put.await {
            Err(error) if !error.passes() => {
                tracing::warn!(
                    name = delegation.name.as_str(),
                    ttl,
                    %error,
                    "the NS record set may not have the TTL that it had before"
                );
                Ok(())
            }
            put => put,
        }
    }
}
