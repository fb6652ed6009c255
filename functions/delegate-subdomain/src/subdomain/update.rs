use super::{
    Delegation, Subdomains,
    create::{check_drain, made_zone_tags, subdomain},
    delegate::Surroundings,
    ownership::Hold,
    parent::Parent,
    properties::Wanted,
    remove::{ACTIVE_PAUSE, Progress, Removal, Removed, TakenOut},
    success,
};
use crate::error::Error;
use custom_resource::{Invocation, Owner, PREVIOUS_LOGICAL_ID_TAG, Request, Success};
use dns_zones::{HostedZone, NameServers, RecordSet, dns::Transport};
use std::time::Duration;
use tokio::time::sleep;

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
    ) -> Result<Success, Error> {
        let wanted = Wanted::parse(&request.properties)?;
        check_drain(&wanted, request)?;
        let parent = self.parent(&wanted.parent, request, invocation).await?;
        let current = Delegation::parse(request.physical_id());
        let success = match self
            .in_place(request, &wanted, &parent, current.as_ref())
            .await?
        {
            Some((zone, made)) => {
                self.change_in_place(request, &wanted, &parent, &zone, made)
                    .await?
            }
            None => {
                Box::pin(self.establish(request, &wanted, &parent, current.as_ref(), &mut None))
                    .await?
            }
        };
        let answered = Delegation::parse(&success.physical_resource_id);
        self.remove_half_made(request, invocation, current.as_ref(), answered)
            .await?;
        Ok(success)
    }

    /// The zone of the current delegation where it is the one that is wanted, and whether this project made it.
    async fn in_place(
        &self,
        request: &Request,
        wanted: &Wanted,
        parent: &Parent,
        current: Option<&Delegation>,
    ) -> Result<Option<(HostedZone, bool)>, Error> {
        let name = subdomain(wanted, parent)?;
        let same = |current: &&Delegation| current.name == name && current.parent == parent.zone.id;
        let Some(current) = current.filter(same) else {
            return Ok(None);
        };
        if wanted
            .given_zone
            .as_ref()
            .is_some_and(|given| *given != current.zone)
        {
            return Ok(None);
        }
        let Some(zone) = self.route53.zone(&current.zone).await? else {
            return Ok(None);
        };
        match self.hold(&request.owner(), &zone).await? {
            Hold::Own { made, .. } if made || wanted.given_zone.is_some() => Ok(Some((zone, made))),
            // A given zone without its tags: it is marked again by making the delegation anew.
            _ => Ok(None),
        }
    }

    async fn change_in_place(
        &self,
        request: &Request,
        wanted: &Wanted,
        parent: &Parent,
        zone: &HostedZone,
        made: bool,
    ) -> Result<Success, Error> {
        let old = Wanted::parse(&request.old_properties).ok();
        if made && wanted.given_zone.is_none() {
            if zone.comment != wanted.comment {
                self.route53.set_comment(&zone.id, &wanted.comment).await?;
            }
            let tags = made_zone_tags(wanted, request.owner().tag_map());
            let before = old.as_ref().map(|old| &old.tags);
            let dropped = before
                .into_iter()
                .flatten()
                .map(|(key, _)| key)
                .filter(|key| !tags.contains_key(*key));
            // This Update shows that the stack has moved on from a renaming, so nothing is to be given back.
            let dropped: Vec<String> = dropped
                .cloned()
                .chain([PREVIOUS_LOGICAL_ID_TAG.to_owned()])
                .collect();
            self.route53.tag_zone(&zone.id, &tags, &dropped).await?;
        } else {
            self.forget_previous(&zone.id).await?;
        }
        let standing = Surroundings::look(parent, &zone.name).await?.delegation;
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
        // Where the record set was not to change, its INSYNC was waited for when it was made.
        let was_wanted =
            old.is_some_and(|old| old.ttl == wanted.ttl && old.given_zone == wanted.given_zone);
        if !(is_wanted && was_wanted) {
            self.delegate(parent, zone, wanted.ttl, standing, ours, None)
                .await?;
        }
        self.verify(wanted, parent, zone).await?;
        Ok(success(zone, parent))
    }

    /// Removes what an Update that failed has made for the properties that are now the old ones. `current` is the
    /// request's own id, which CloudFormation deletes by itself where it is not the one that is `answered`.
    async fn remove_half_made(
        &self,
        request: &Request,
        invocation: &Invocation,
        current: Option<&Delegation>,
        answered: Option<Delegation>,
    ) -> Result<(), Error> {
        // With bad properties nothing was made.
        let Ok(old) = Wanted::parse(&request.old_properties) else {
            return Ok(());
        };
        let removal = Removal {
            request,
            invocation,
            parent: Ok(&old.parent),
            given_zone: old.given_zone.as_ref(),
            records_on_delete: old.records_on_delete,
            drain: Duration::ZERO,
        };
        let (swept, unread) = self.swept(&old, &removal).await?;
        let labels = format!("{}.", old.labels.to_ascii_lowercase());
        let unreadable = unread.is_some();
        let removal = Removal {
            parent: unread.map_or(removal.parent, Err),
            ..removal
        };
        // In an Update that goes forward, and in a rollback that carries the new id, the old properties' delegation is
        // the request's own. What else stands there then was left by an earlier replacement, for a reason.
        if let Some(current) = current
            && swept.contains(current)
            && self.is_of(current, &old, &request.owner()).await?
        {
            return Ok(());
        }
        for half_made in swept {
            let mut kept = answered.iter().chain(current);
            if kept.clone().any(|kept| *kept == half_made)
                || unreadable && !half_made.name.as_str().starts_with(&labels)
            {
                continue;
            }
            if kept.any(|kept| kept.zone == half_made.zone) {
                // The same zone, delegated from another parent too: only that record set goes.
                if !unreadable {
                    self.take_out_half_made(&half_made, &removal).await?;
                }
                continue;
            }
            tracing::info!(
                zone = half_made.zone.as_str(),
                "removing what a failed update has made"
            );
            self.remove_one_half_made(&half_made, &removal).await?;
        }
        Ok(())
    }

    /// Whether a delegation is the one that these properties ask for, as far as its zone goes.
    async fn is_of(
        &self,
        delegation: &Delegation,
        wanted: &Wanted,
        owner: &Owner,
    ) -> Result<bool, Error> {
        if let Some(given) = &wanted.given_zone {
            return Ok(*given == delegation.zone);
        }
        let Some(zone) = self.route53.zone(&delegation.zone).await? else {
            return Ok(false);
        };
        Ok(matches!(
            self.hold(owner, &zone).await?,
            Hold::Own { made: true, .. }
        ))
    }

    async fn remove_one_half_made(
        &self,
        half_made: &Delegation,
        removal: &Removal<'_>,
    ) -> Result<(), Error> {
        let mut progress = Progress::default();
        loop {
            match self.remove(half_made, removal, &mut progress).await {
                Ok(Removed::Wholly) => return Ok(()),
                Ok(Removed::NotYet {
                    retry_after,
                    waiting_for,
                }) => {
                    tracing::info!(waiting_for, "waiting");
                    sleep(retry_after).await;
                }
                // What the same stack has put into the zone goes only after this rollback. A rollback that fails for
                // it would leave the stack stuck, so nobody is led to the zone any more, and it is named.
                Err(
                    error @ (Error::NotEmpty { .. }
                    | Error::Delegates { .. }
                    | Error::Signed { .. }
                    | Error::Protected { .. }),
                ) => {
                    self.take_out_half_made(half_made, removal).await?;
                    tracing::error!(
                        zone = half_made.zone.as_str(),
                        %error,
                        "left behind by the rollback, delegated to by nobody: delete it by hand"
                    );
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes the record set of a half-made delegation out of its parent, also where the parent keeps it for a while.
    async fn take_out_half_made(
        &self,
        half_made: &Delegation,
        removal: &Removal<'_>,
    ) -> Result<(), Error> {
        while let TakenOut::Refused { guardrail } = self
            .take_out(half_made, removal, |servers| half_made.is_to(servers))
            .await?
        {
            tracing::info!(guardrail, "waiting for the parent to let the record set go");
            sleep(ACTIVE_PAUSE).await;
        }
        Ok(())
    }
}
