use super::{Subdomains, parent::Parent};
use crate::error::{Error, LISTED};
use aws_calls::at_once;
use dns_check::Transport;
use futures::try_join;
use hosted_zones::{
    Change, ChangeError, ChangeId, DomainName, HostedZone, NameServers, PROPAGATION, RecordSet,
    RrType,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often a batch is made anew after the record set changed under it.
const TRIES: u32 = 3;
/// Between two tries while the parent's Route 53 does not know yet that the child zone serves the name.
const PAUSE: Duration = Duration::from_secs(5);

/// What stands in a parent zone around a name, as far as a delegation of the name touches it.
#[derive(Debug)]
pub(super) struct Surroundings {
    /// The NS record set at the name itself.
    pub(super) delegation: Option<RecordSet>,
    /// What a delegation would hide: other record sets at the name, and all below it.
    hidden: Vec<RecordSet>,
    /// What would make it dead: NS record sets between the parent's apex and the name.
    above: Vec<RecordSet>,
}

impl Surroundings {
    /// Looks at the parent: one call, and one for each label between the parent and the name.
    pub(super) async fn look(parent: &Parent, name: &DomainName) -> Result<Self, Error> {
        let Parent { id, route53, .. } = parent;
        let between = name.between(&parent.name);
        // One more than are listed, and the delegation itself.
        let at_or_below = route53.record_sets_from(id, name, LISTED + 3, |_| true);
        let above = at_once(
            between
                .iter()
                .map(|name| route53.record_set(id, name, RrType::Ns)),
        );
        let (at_or_below, above) = try_join!(at_or_below, above)?;
        let is_delegation = |set: &RecordSet| set.name() == *name && set.kind() == "NS";
        // A DS record set belongs to the parent's side of the zone cut (RFC 4035, section 3.1.4.1).
        let is_ds = |set: &RecordSet| set.name() == *name && set.kind() == "DS";
        let (delegation, hidden) = at_or_below
            .into_iter()
            .filter(|set| !is_ds(set))
            .partition::<Vec<_>, _>(is_delegation);
        Ok(Self {
            delegation: delegation.into_iter().next(),
            hidden,
            above: above.into_iter().flatten().collect(),
        })
    }

    /// Refuses where a delegation would overwrite, hide or be hidden.
    pub(super) fn check(
        &self,
        parent: &Parent,
        name: &DomainName,
        ours: impl Fn(&NameServers) -> bool,
    ) -> Result<(), Error> {
        let (name, zone) = (name.clone(), parent.id.clone());
        let parent = parent.name.clone();
        if let Some(set) = self
            .delegation
            .clone()
            .filter(|set| !ours(&set.name_servers()))
        {
            return Err(Error::Occupied {
                name,
                parent,
                zone,
                set: Box::new(set),
            });
        }
        if !self.above.is_empty() {
            return Err(Error::Dead {
                name,
                parent,
                zone,
                sets: self.above.clone(),
            });
        }
        if !self.hidden.is_empty() {
            let is_acms = |set: &&RecordSet| set.is_acm_validation();
            let validations = self.hidden.iter().filter(is_acms).cloned().collect();
            return Err(Error::Hides {
                name,
                parent,
                zone,
                sets: self.hidden.clone(),
                validations,
            });
        }
        Ok(())
    }
}

impl<T: Transport> Subdomains<T> {
    /// Delegates the zone's name to it: the NS record set in the parent, then INSYNC of it and of the zone.
    ///
    /// `standing` is the NS record set that stands at the name. One that is `ours` is swapped for the wanted one in
    /// one batch, also where it is the same: a batch of its own is the only way to learn when a change that an earlier
    /// delivery made is INSYNC. `zone_change` is the change that makes the zone's own servers answer.
    pub(super) async fn delegate(
        &self,
        parent: &Parent,
        zone: &HostedZone,
        ttl: u32,
        standing: Option<RecordSet>,
        ours: &impl Fn(&NameServers) -> bool,
        zone_change: Option<&ChangeId>,
    ) -> Result<(), Error> {
        let zone_in_sync = async {
            match zone_change {
                Some(change) => Ok(self.route53.wait_in_sync(change).await?),
                None => Ok(()),
            }
        };
        let swaps = standing.is_some();
        let delegated = async {
            let wanted = RecordSet::ns(&zone.name, ttl, &zone.name_servers);
            let change = self
                .put_delegation(parent, zone, &wanted, standing, ours, zone_change.is_some())
                .await?;
            try_join!(
                async { Ok(parent.route53.wait_in_sync(&change).await?) },
                self.take_back_where_gone(parent, zone, wanted),
            )
        };
        if swaps {
            // The name resolves by the old zone. It moves only once the new one answers.
            zone_in_sync.await?;
            delegated.await?;
        } else {
            try_join!(zone_in_sync, delegated)?;
        }
        Ok(())
    }

    /// Takes the record set out again where its zone has been deleted meanwhile.
    ///
    /// A Create may be delivered twice, answered once, and deleted while the other delivery still runs. This looks for
    /// the zone after it has put the record set; the Delete looks for the record set after it has deleted the zone. So
    /// one of the two sees the other, and nobody is led to a zone that does not exist.
    async fn take_back_where_gone(
        &self,
        parent: &Parent,
        zone: &HostedZone,
        put: RecordSet,
    ) -> Result<(), Error> {
        if self.route53.zone(&zone.id).await?.is_some() {
            return Ok(());
        }
        match parent
            .route53
            .change(&parent.id, vec![Change::Delete(put)])
            .await
        {
            Ok(_) | Err(ChangeError::Stale(_)) => Err(Error::ZoneGone {
                name: zone.name.clone(),
                zone: zone.id.clone(),
            }),
            Err(error) => Err(error.into_aws().into()),
        }
    }

    async fn put_delegation(
        &self,
        parent: &Parent,
        zone: &HostedZone,
        wanted: &RecordSet,
        mut standing: Option<RecordSet>,
        ours: &impl Fn(&NameServers) -> bool,
        is_new: bool,
    ) -> Result<ChangeId, Error> {
        let until = Instant::now() + 2 * PROPAGATION;
        let mut tries = 0;
        let ours = |servers: &NameServers| *servers == zone.name_servers || ours(servers);
        loop {
            if let Some(set) = standing.clone().filter(|set| !ours(&set.name_servers())) {
                return Err(Error::Occupied {
                    name: zone.name.clone(),
                    parent: parent.name.clone(),
                    zone: parent.id.clone(),
                    set: Box::new(set),
                });
            }
            let delete = standing.take().map(Change::Delete);
            let changes = delete
                .into_iter()
                .chain([Change::Create(wanted.clone())])
                .collect();
            match parent.route53.change(&parent.id, changes).await {
                Ok(change) => return Ok(change),
                // Someone, or this very call sent twice, changed the record set since it was read.
                Err(ChangeError::Stale(error)) => {
                    tries += 1;
                    if tries == TRIES {
                        return Err(error.into());
                    }
                }
                // How a guardrail judges a zone that was just created is not documented, nor in which words it refuses: try
                // again until every name server has the zone, and a minute longer.
                Err(ChangeError::Refused(_) | ChangeError::Guardrail { .. })
                    if is_new && Instant::now() < until =>
                {
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into_aws().into()),
            }
            standing = parent
                .route53
                .record_set(&parent.id, &zone.name, RrType::Ns)
                .await?;
        }
    }
}
