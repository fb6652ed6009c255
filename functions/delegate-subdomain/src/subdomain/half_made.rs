//! What an Update that fails leaves: its rollback, and where that may fail too, the Update itself, removes it.

use super::{
    Delegation, Subdomains,
    parent::Parent,
    properties::{Leaving, Wanted},
    remove::{ACTIVE_PAUSE, Progress, Removal, Removed, TakenOut},
    update::Current,
};
use crate::error::Error;
use custom_resource::{Invocation, Request};
use dns_check::Transport;
use std::time::Duration;
use tokio::time::{sleep, timeout};

impl<T: Transport> Subdomains<T> {
    /// Removes what an Update that failed has made for the properties that are now the old ones. `current` is the
    /// request's own id, which CloudFormation deletes by itself where it is not the one that is `answered`.
    pub(super) async fn remove_half_made(
        &self,
        request: &Request,
        invocation: &Invocation,
        wanted: &Wanted,
        parent: &Parent,
        current: Option<Current>,
        answered: Option<Delegation>,
    ) -> Result<(), Error> {
        // With bad properties nothing was made.
        let Ok(old) = Wanted::parse(&request.old_properties) else {
            return Ok(());
        };
        let old_parent = if old.parent == wanted.parent {
            Ok(parent.clone())
        } else {
            self.confirmed_parent(&old.parent, request, invocation)
                .await
        };
        // In an Update that goes forward, and in a rollback that carries the new id, the old properties' delegation is
        // the request's own. What else stands there then was left by an earlier replacement, for a reason.
        if let (Ok(parent), Some(current)) = (&old_parent, &current)
            && current.is_of(&old, parent)
        {
            return Ok(());
        }
        let leaving = Leaving::of(&old);
        let removal = Removal::of_half_made(request, invocation, &leaving);
        let (swept, unread) = self.swept(&old.parent, old_parent, &removal).await?;
        let labels = format!("{}.", old.labels.to_ascii_lowercase());
        let unreadable = unread.is_some();
        let is_passing = unread.as_ref().is_some_and(Error::passes);
        let removal = Removal {
            parent: unread
                .as_ref()
                .map_or(removal.parent, |error| Err(error.to_string())),
            ..removal
        };
        let current = current.map(|current| current.delegation);
        for half_made in swept {
            let mut kept = answered.iter().chain(&current);
            if kept.clone().any(|kept| kept.is_same(&half_made))
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
            if is_passing && let Some(error) = unread {
                return Err(error);
            }
            tracing::info!(
                zone = half_made.zone.as_str(),
                "removing what a failed update has made"
            );
            self.remove_one_half_made(&half_made, &removal).await?;
        }
        Ok(())
    }

    /// Removes what an Update that fails has made, as far as it stands apart from what stood before. The rollback would
    /// do it as well, but a rollback may fail, and then nobody knows of it. What a record set was swapped for is left
    /// to the rollback, which swaps it back.
    pub(super) async fn take_back(
        &self,
        made: &Delegation,
        request: &Request,
        invocation: &Invocation,
    ) {
        let Ok(wanted) = Wanted::parse(&request.properties) else {
            return;
        };
        let current = Delegation::parse(request.physical_id());
        if current.is_some_and(|current| {
            current.zone == made.zone
                || (current.name == made.name && current.parent == made.parent)
        }) {
            return;
        }
        let leaving = Leaving::of(&wanted);
        let removal = Removal::of_half_made(request, invocation, &leaving);
        let is_made_by_this = async {
            let zone = self.route53.zone(&made.zone).await?;
            Ok::<_, Error>(zone.is_some_and(|zone| {
                zone.caller_reference == request.caller_reference()
                    || wanted.given_zone.as_ref() == Some(&zone.id)
            }))
        };
        let take_back = async {
            if is_made_by_this.await? {
                self.remove_one_half_made(made, &removal).await?;
            }
            Ok::<_, Error>(())
        };
        // Time must be left to answer why the Update has failed.
        match timeout(invocation.remaining() / 2, take_back).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%made, %error, "left to the rollback"),
            Err(_) => tracing::warn!(%made, "left to the rollback: no time"),
        }
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
                Err(error @ Error::Kept { .. }) => {
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
        let owner = removal.request.owner();
        while let TakenOut::Followed = self
            .take_out(half_made, removal, None, |servers| {
                half_made.is_to(servers, &owner)
            })
            .await?
        {
            tracing::info!("waiting for the parent to let the record set go");
            sleep(ACTIVE_PAUSE).await;
        }
        Ok(())
    }
}

impl<'a> Removal<'a> {
    /// How what was made for these properties is removed. Nobody has used it yet, so there is no drain.
    fn of_half_made(
        request: &'a Request,
        invocation: &'a Invocation,
        leaving: &'a Leaving,
    ) -> Self {
        Self {
            request,
            invocation,
            parent: leaving.parent.as_ref().map_err(ToString::to_string),
            leaving,
            // Usually it does not exist.
            ttl: None,
            drain: Duration::ZERO,
            by_tags: true,
        }
    }
}
