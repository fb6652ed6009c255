use super::{
    Delegation, Subdomains,
    create::{check_drain, subdomain},
    delegate::Surroundings,
    delegation::Proof,
    ownership::{Hold, SETTLED_TAGS, external_zone_kept},
    parent::Parent,
    properties::Wanted,
    success,
};
use crate::error::Error;
use custom_resource::{Invocation, Owner, Request, Success};
use dns_check::Transport;
use futures::{join, try_join};
use hosted_zones::{DomainName, HostedZone, NameServers, RecordSet, RrType};

/// The delegation that the request's physical id names, with its zone as it stands.
pub(super) struct Current {
    pub(super) delegation: Delegation,
    zone: Option<(HostedZone, Hold)>,
}

impl Current {
    /// Its zone, and whether this project made it, where it is the delegation that is wanted.
    fn in_place(
        &self,
        wanted: &Wanted,
        parent: &Parent,
        name: &DomainName,
    ) -> Option<(&HostedZone, bool)> {
        match &self.zone {
            Some((zone, hold)) if self.is_same(wanted, parent, name) => match hold {
                Hold::Managed { .. } => Some((zone, true)),
                Hold::External { .. } if wanted.given_zone.is_some() => Some((zone, false)),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_same(&self, wanted: &Wanted, parent: &Parent, name: &DomainName) -> bool {
        let given = wanted.given_zone.as_ref();
        self.delegation.name == *name
            && self.delegation.parent == parent.id
            && given.is_none_or(|given| *given == self.delegation.zone)
    }

    /// Refuses to make a delegation anew of which neither the zone nor the record set is left: this may be the repeat
    /// of an Update that was answered before its Delete ran, and no used-up `CallerReference` says so. Where only the
    /// zone is gone, or its tags, someone else did it, and making it anew mends a name that leads nowhere.
    async fn check_not_deleted(
        &self,
        wanted: &Wanted,
        parent: &Parent,
        name: &DomainName,
        owner: &Owner,
    ) -> Result<(), Error> {
        let is_gone = matches!(self.zone, None | Some((_, Hold::Untagged)));
        if !is_gone || !self.is_same(wanted, parent, name) {
            return Ok(());
        }
        let standing = parent
            .route53
            .record_set(&parent.id, name, RrType::Ns)
            .await?;
        if standing.is_some_and(|set| self.delegation.is_to(&set.name_servers(), owner)) {
            return Ok(());
        }
        Err(Error::Deleted {
            name: name.clone(),
            zone: self.delegation.zone.clone(),
        })
    }

    /// Whether it is what these properties ask for, and stands.
    pub(super) fn is_of(&self, wanted: &Wanted, parent: &Parent) -> bool {
        subdomain(&wanted.labels, parent).is_ok_and(|name| name == self.delegation.name)
            && self.delegation.parent == parent.id
            && match (&self.zone, &wanted.given_zone) {
                (Some((zone, hold)), Some(given)) => hold.is_own() && *given == zone.id,
                (Some((_, Hold::Managed { .. })), None) => true,
                _ => false,
            }
    }
}

impl<T: Transport> Subdomains<T> {
    /// Changes a subdomain in place, or makes the one that replaces it: CloudFormation sends a Delete for the old one
    /// afterwards, so nothing of it is deleted here.
    ///
    /// A failed update is rolled back by another Update with the properties swapped, so this looks first for what the
    /// resource already has, and removes in the end what was half made for the other properties.
    pub(super) async fn update(
        &self,
        request: &Request,
        invocation: &Invocation,
        made: &mut Option<Delegation>,
    ) -> Result<Success, Error> {
        let wanted = Wanted::parse(&request.properties)?;
        check_drain(&wanted, request, invocation)?;
        let delegation = Delegation::parse(request.physical_id());
        let (parent, current) = try_join!(
            self.parent(&wanted.parent, request, invocation),
            self.current(request, &wanted, delegation),
        )?;
        let name = subdomain(&wanted.labels, &parent)?;
        let in_place = current
            .as_ref()
            .and_then(|current| current.in_place(&wanted, &parent, &name));
        let success = match in_place {
            Some((zone, is_made)) => {
                Box::pin(self.change_in_place(request, invocation, &wanted, &parent, zone, is_made))
                    .await?
            }
            None => {
                if let Some(current) = &current {
                    current
                        .check_not_deleted(&wanted, &parent, &name, &request.owner())
                        .await?;
                }
                let old = current.as_ref().map(|current| &current.delegation);
                Box::pin(self.establish(request, invocation, &wanted, &parent, old, made)).await?
            }
        };
        let answered = Delegation::parse(&success.physical_resource_id);
        self.release_rolled_back(request, current.as_ref(), answered.as_ref())
            .await?;
        invocation.doing("looking for what a failed update has made");
        self.remove_half_made(request, invocation, &wanted, &parent, current, answered)
            .await?;
        Ok(success)
    }

    /// Forgets a delegation that was adopted by an Update which is rolled back, so that the Delete that follows leaves it.
    ///
    /// A rollback finds the zone of the old properties; an Update that goes forward creates another, by this very request.
    async fn release_rolled_back(
        &self,
        request: &Request,
        current: Option<&Current>,
        answered: Option<&Delegation>,
    ) -> Result<(), Error> {
        let (Some(current), Some(answered)) = (current, answered) else {
            return Ok(());
        };
        let Some((adopted_zone, Hold::External { adopted: true, .. })) = &current.zone else {
            return Ok(());
        };
        if answered.zone == adopted_zone.id {
            return Ok(());
        }
        let now = self.route53.zone(&answered.zone).await?;
        if now.is_some_and(|zone| zone.caller_reference != request.caller_reference()) {
            self.unmark(&adopted_zone.id).await?;
        }
        Ok(())
    }

    /// What the request's physical id names, as it stands.
    async fn current(
        &self,
        request: &Request,
        wanted: &Wanted,
        delegation: Option<Delegation>,
    ) -> Result<Option<Current>, Error> {
        let Some(delegation) = delegation else {
            return Ok(None);
        };
        let held = self
            .held_zone(&request.owner(), &wanted.former, &delegation.zone)
            .await?;
        let zone = match held {
            Some((zone, hold)) => {
                let hold = hold.check(&zone)?;
                Some((zone, hold))
            }
            None => None,
        };
        Ok(Some(Current { delegation, zone }))
    }

    async fn change_in_place(
        &self,
        request: &Request,
        invocation: &Invocation,
        wanted: &Wanted,
        parent: &Parent,
        zone: &HostedZone,
        made: bool,
    ) -> Result<Success, Error> {
        let old = Wanted::parse(&request.old_properties).ok();
        invocation.doing(format!("looking at what stands at {}", zone.name));
        let (confirmed, around) = join!(parent.confirm(), Surroundings::look(parent, &zone.name));
        confirmed?;
        let around = around?;
        let standing = around.delegation.clone();
        let is_to_zone = |set: &&RecordSet| set.name_servers() == zone.name_servers;
        // An adopted delegation keeps its own TTL until the property changes.
        let is_wanted = standing
            .as_ref()
            .filter(is_to_zone)
            .is_some_and(|set| !made || set.ttl() == Some(i64::from(wanted.ttl)));
        // What an Update that failed has put there for another zone of ours is swapped back.
        let own = match standing.as_ref() {
            Some(set) if !is_to_zone(&set) => {
                self.own_name_servers(&request.owner(), &wanted.former, &zone.name)
                    .await?
            }
            _ => Vec::new(),
        };
        let ours = |servers: &NameServers| own.contains(servers);
        if standing.is_none() {
            // Someone took it out. What stands there since would be hidden, or would hide it.
            around.check(parent, &zone.name, ours)?;
        }
        // Where the record set was not to change, its INSYNC was waited for when it was made.
        let was_wanted = old
            .as_ref()
            .is_some_and(|old| old.ttl == wanted.ttl && old.given_zone == wanted.given_zone);
        let was_verified = old.as_ref().is_some_and(|old| old.verify);
        let is_standing = standing.as_ref().is_some_and(|set| is_to_zone(&set));
        invocation.doing(format!("changing {} in place", zone.name));
        let delegate = async {
            if is_wanted && was_wanted {
                return Ok(());
            }
            Box::pin(self.delegate(parent, zone, wanted.ttl, standing, &ours, None)).await
        };
        let mark = self.mark_in_place(request, wanted, old.as_ref(), parent, zone, made);
        try_join!(mark, delegate)?;
        match self.verify(invocation, wanted, parent, zone).await {
            // The delegation stood before, and this Update led nobody elsewhere: what is wrong above it is no reason to
            // refuse a comment, and again to refuse the rollback of that.
            Err(error) if is_standing && was_verified => {
                tracing::warn!(%error, "not refused for it");
            }
            verified => verified?,
        }
        // Its id names this delegation, so that it stays as it is.
        Ok(success(request, zone, parent, Proof::OfOwner))
    }

    /// Comment and tags of a zone of ours; of a given one only the marks. That the stack has come to an Update shows
    /// that it has moved on from a renaming, so nothing is to be given back any more.
    async fn mark_in_place(
        &self,
        request: &Request,
        wanted: &Wanted,
        old: Option<&Wanted>,
        parent: &Parent,
        zone: &HostedZone,
        made: bool,
    ) -> Result<(), Error> {
        let owner = request.owner();
        let settled = SETTLED_TAGS.map(str::to_owned);
        if !made {
            let tags = external_zone_kept(&owner, &parent.id);
            return Ok(self.route53.tag_zone(&zone.id, &tags, &settled).await?);
        }
        let before = old.into_iter().flat_map(|old| old.tags.keys());
        let dropped: Vec<String> = before
            .filter(|key| !wanted.tags.contains_key(*key))
            .cloned()
            .collect();
        let tags = async {
            // Ownership first, in a call of its own.
            let own = owner.tag_map();
            self.route53.tag_zone(&zone.id, &own, &settled).await?;
            let user = self.route53.tag_zone(&zone.id, &wanted.tags, &dropped);
            Ok(user.await?)
        };
        let comment = async {
            if zone.comment != wanted.comment {
                self.route53.set_comment(&zone.id, &wanted.comment).await?;
            }
            Ok::<_, Error>(())
        };
        try_join!(tags, comment)?;
        Ok(())
    }
}
