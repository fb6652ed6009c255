use super::{
    Delegation, Subdomains,
    create::subdomain,
    ownership::Hold,
    parent::Parent,
    properties::{Leaving, ParentReference, Wanted},
    remove::{Progress, Removal, Removed},
};
use crate::error::Error;
use custom_resource::{Clock, Invocation, Request, Step, Success, Wait, is_refused_id};
use dns_check::Transport;
use hosted_zones::ListedZone;
use serde_json::Value;
use std::time::Duration;

/// What the second sweep and the answer need, where the invocation's deadline decides when it comes.
const SWEEP: Duration = Duration::from_secs(90);

impl<T: Transport> Subdomains<T> {
    pub(super) async fn delete(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Error> {
        let mut progress: Progress = progress
            .and_then(|progress| serde_json::from_value(progress).ok())
            .unwrap_or_default();
        let leaving = Leaving::parse(&request.properties);
        let removal = Removal {
            request,
            invocation,
            parent: leaving.parent.as_ref().map_err(ToString::to_string),
            ttl: leaving.ttl,
            drain: leaving.drain,
            by_tags: false,
            leaving: &leaving,
        };
        let removed = match Delegation::parse(request.physical_id()) {
            Some(delegation) => self.remove(&delegation, &removal, &mut progress).await?,
            None => match Wanted::parse(&request.properties) {
                Ok(wanted) => self.sweep(&wanted.parent, &removal, &mut progress).await?,
                // A Create with these properties was refused before it created anything.
                Err(error) => {
                    tracing::info!(%error, "nothing was created with these properties, so nothing is to be deleted");
                    Removed::Wholly
                }
            },
        };
        Ok(match removed {
            Removed::Wholly => Step::Done(Success::new(request.physical_id())),
            Removed::NotYet {
                waiting_for,
                retry_after,
            } => Step::Wait(Wait {
                waiting_for,
                retry_after,
                progress: serde_json::to_value(&progress).expect("a map of numbers is JSON"),
            }),
        })
    }

    /// Deletes whatever the resource has, for a Delete whose id says nothing of it.
    ///
    /// Where no answer of the Create was ever received, that Create may still run, and make what this Delete has
    /// already looked for. So there are two sweeps, as far apart as a Create can live. The first takes the delegations
    /// out; the zones stay until the second, because a Create that still runs could delegate to them again.
    async fn sweep(
        &self,
        reference: &ParentReference,
        removal: &Removal<'_>,
        progress: &mut Progress,
    ) -> Result<Removed, Error> {
        let Removal {
            request,
            invocation,
            ..
        } = removal;
        let clock = invocation.clock;
        invocation.doing("looking for what this resource has made");
        if !is_refused_id(request.physical_id()) {
            let due = match progress.sweep_at {
                Some(at) => clock.until(Clock::moment(at)),
                None => {
                    self.undelegate_swept(reference, removal).await?;
                    let pause = invocation.until_second_sweep(request, SWEEP);
                    progress.sweep_at = Some(Clock::seconds(clock.now() + pause));
                    pause
                }
            };
            if !due.is_zero() {
                return Ok(Removed::NotYet {
                    waiting_for: Wait::second_sweep(),
                    retry_after: due,
                });
            }
        }
        let (swept, unread) = self.swept_for_delete(reference, removal).await?;
        let removal = Removal {
            parent: unread.map_or(removal.parent.clone(), Err),
            // Usually the first sweep has deleted the NS record set, long ago.
            ttl: None,
            drain: if is_refused_id(request.physical_id()) {
                removal.drain
            } else {
                Duration::ZERO
            },
            by_tags: true,
            ..*removal
        };
        for delegation in swept {
            if let not_yet @ Removed::NotYet { .. } =
                self.remove(&delegation, &removal, progress).await?
            {
                return Ok(not_yet);
            }
        }
        Ok(Removed::Wholly)
    }

    /// The first sweep: takes out the NS record sets of what this resource made. A parent without rights is left to
    /// the second.
    async fn undelegate_swept(
        &self,
        reference: &ParentReference,
        removal: &Removal<'_>,
    ) -> Result<(), Error> {
        let (swept, unread) = self.swept_for_delete(reference, removal).await?;
        if unread.is_some() {
            return Ok(());
        }
        for delegation in swept {
            let held = self
                .held_zone(
                    &removal.request.owner(),
                    &removal.leaving.former,
                    &delegation.zone,
                )
                .await?;
            let (zone, made) = match held {
                Some((
                    zone,
                    Hold::Managed {
                        taken_from: None, ..
                    },
                )) => (zone, true),
                Some((
                    zone,
                    Hold::External {
                        taken_from: None,
                        adopted: false,
                        ..
                    },
                )) => (zone, false),
                _ => continue,
            };
            if made && removal.leaving.given_zone.as_ref() != Some(&zone.id) {
                // What the second sweep would refuse is refused before anything is touched.
                self.check_deletable(&delegation, removal.leaving.records_on_delete, false)
                    .await?;
            }
            match self
                .take_out(&delegation, removal, None, |servers| {
                    *servers == zone.name_servers
                })
                .await
            {
                Err(error) if !error.lacks_rights() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// What the resource has, for a Delete whose id says nothing of it.
    async fn swept_for_delete(
        &self,
        reference: &ParentReference,
        removal: &Removal<'_>,
    ) -> Result<(Vec<Delegation>, Option<String>), Error> {
        let parent = self
            .confirmed_parent(reference, removal.request, removal.invocation)
            .await;
        match self.swept(reference, parent, removal).await? {
            // What stands waits for its parent to be read. A parent that nothing of this resource was made under keeps no
            // Delete waiting.
            (swept, Some(error)) if error.passes() && !swept.is_empty() => Err(error),
            (swept, unread) => Ok((swept, unread.map(|error| error.to_string()))),
        }
    }

    /// What the resource has, by the marks that it writes, and why the parent could not be read where it could not.
    pub(super) async fn swept(
        &self,
        reference: &ParentReference,
        parent: Result<Parent, Error>,
        removal: &Removal<'_>,
    ) -> Result<(Vec<Delegation>, Option<Error>), Error> {
        let request = removal.request;
        let owner = request.owner();
        let (zones, parent, unread) = match parent {
            Ok(parent) => {
                // Its Create was refused for the name.
                let Ok(name) = subdomain(&removal.leaving.labels, &parent) else {
                    return Ok((Vec::new(), None));
                };
                let named = self.route53.zones_named(&name).await?;
                (named, Some(parent.id), None)
            }
            // Its name is not known then, so every zone of the account is looked at, for the marks in its
            // CallerReference, and for the first labels of the name where it was taken over.
            Err(error) => {
                let labels = format!("{}.", removal.leaving.labels);
                let ours = |zone: &ListedZone| {
                    owner.made(&zone.caller_reference) || zone.name.as_str().starts_with(&labels)
                };
                let zones = self.route53.zones_where(ours).await?;
                match reference {
                    ParentReference::Own(_) if error.passes() => {
                        return Err(error);
                    }
                    ParentReference::Own(id) => (zones, Some(id.clone()), None),
                    ParentReference::Published(_) => (zones, None, Some(error)),
                }
            }
        };
        let mut swept = Vec::new();
        for listed in zones {
            let former = &removal.leaving.former;
            let Some((zone, hold)) = self.held_zone(&owner, former, &listed.id).await? else {
                continue;
            };
            // Without rights in the parent its id is not used, so any will do.
            let parent = parent.as_ref().unwrap_or(&zone.id);
            let delegation = Delegation::new(&zone, parent, &owner, hold.proof(&zone));
            if let Hold::Contradicting {
                created_here: true, ..
            } = hold
            {
                hold.check(&zone)?;
            } else if hold.was_left_by(request) {
                swept.push(delegation);
            } else if hold.was_delegated_by(request) && unread.is_none() {
                // The zone existed before; only the delegation is of this request.
                self.take_out(&delegation, removal, None, |servers| {
                    *servers == zone.name_servers
                })
                .await?;
            }
        }
        Ok((swept, unread))
    }
}
