use super::{
    Delegation, Subdomains,
    create::{check_drain, made_zone_tags, subdomain},
    delegate::Surroundings,
    ownership::{GIVEN_ZONE_MARKS, Hold, given_zone_marks},
    parent::Parent,
    properties::Wanted,
    success,
};
use crate::error::Error;
use custom_resource::{Invocation, PREVIOUS_LOGICAL_ID_TAG, Request, Success};
use dns_zones::{DomainName, HostedZone, NameServers, RecordSet, RrType, dns::Transport};
use futures::{join, try_join};

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
            Some((zone, Hold::Own { made, .. }))
                if self.is_same(wanted, parent, name) && (*made || wanted.given_zone.is_some()) =>
            {
                Some((zone, *made))
            }
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
    ) -> Result<(), Error> {
        let is_gone = matches!(self.zone, None | Some((_, Hold::Nobody)));
        if !is_gone || !self.is_same(wanted, parent, name) {
            return Ok(());
        }
        let standing = parent
            .route53
            .record_set(&parent.id, name, RrType::Ns)
            .await?;
        if standing.is_some_and(|set| self.delegation.is_to(&set.name_servers())) {
            return Ok(());
        }
        Err(Error::Deleted {
            name: name.clone(),
            zone: self.delegation.zone.clone(),
        })
    }

    /// Whether it is what these properties ask for, and stands.
    pub(super) fn is_of(&self, wanted: &Wanted, parent: &Parent) -> bool {
        subdomain(wanted, parent).is_ok_and(|name| name == self.delegation.name)
            && self.delegation.parent == parent.id
            && match (&self.zone, &wanted.given_zone) {
                (Some((zone, Hold::Own { .. })), Some(given)) => *given == zone.id,
                (Some((_, Hold::Own { made, .. })), None) => *made,
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
            self.current(request, delegation),
        )?;
        let name = subdomain(&wanted, &parent)?;
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
                    current.check_not_deleted(&wanted, &parent, &name).await?;
                }
                let old = current.as_ref().map(|current| &current.delegation);
                Box::pin(self.establish(request, invocation, &wanted, &parent, old, made)).await?
            }
        };
        let answered = Delegation::parse(&success.physical_resource_id);
        invocation.doing("looking for what a failed update has made");
        self.remove_half_made(request, invocation, &wanted, &parent, current, answered)
            .await?;
        Ok(success)
    }

    /// What the request's physical id names, as it stands.
    async fn current(
        &self,
        request: &Request,
        delegation: Option<Delegation>,
    ) -> Result<Option<Current>, Error> {
        let Some(delegation) = delegation else {
            return Ok(None);
        };
        let zone = self.held_zone(&request.owner(), &delegation.zone).await?;
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
        let is_wanted = standing
            .as_ref()
            .filter(is_to_zone)
            .is_some_and(|set| set.ttl() == Some(i64::from(wanted.ttl)));
        // What an Update that failed has put there for another zone of ours is swapped back.
        let own = match standing.as_ref() {
            Some(set) if !is_to_zone(&set) => {
                self.own_name_servers(&request.owner(), &zone.name).await?
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
            Box::pin(self.delegate(parent, zone, wanted.ttl, standing, ours, None)).await
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
        Ok(success(zone, parent))
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
        if !made || wanted.given_zone.is_some() {
            let marks = given_zone_marks(owner.tag_map(), &parent.id);
            let note = [PREVIOUS_LOGICAL_ID_TAG.to_owned()];
            return Ok(self.route53.tag_zone(&zone.id, &marks, &note).await?);
        }
        let tags = made_zone_tags(wanted, owner.tag_map());
        let before = old.into_iter().flat_map(|old| old.tags.keys());
        let marks = GIVEN_ZONE_MARKS.map(str::to_owned);
        let dropped: Vec<String> = before
            .chain(&marks)
            .filter(|key| !tags.contains_key(*key))
            .cloned()
            .collect();
        let comment = async {
            if zone.comment != wanted.comment {
                self.route53.set_comment(&zone.id, &wanted.comment).await?;
            }
            Ok(())
        };
        try_join!(self.route53.tag_zone(&zone.id, &tags, &dropped), comment)?;
        Ok(())
    }
}
