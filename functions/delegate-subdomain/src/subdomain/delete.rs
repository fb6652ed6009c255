use super::{
    Delegation, Subdomains,
    create::subdomain,
    ownership::Hold,
    parent::Parent,
    properties::{ParentReference, RecordsOnDelete, Wanted},
    remove::{Progress, Removal, Removed},
};
use crate::error::Error;
use custom_resource::{Clock, Invocation, Request, Step, Success, Wait, is_refused_id};
use dns_zones::{ListedZone, dns::Transport};
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
        let wanted = Wanted::parse(&request.properties);
        let removal = Removal {
            request,
            invocation,
            parent: wanted
                .as_ref()
                .map(|wanted| &wanted.parent)
                .map_err(ToString::to_string),
            labels: request
                .properties
                .text("Subdomain")
                .map_or(1, |labels| labels.trim_end_matches('.').split('.').count()),
            ttl: wanted.as_ref().ok().map(|wanted| wanted.ttl),
            given_zone: wanted
                .as_ref()
                .ok()
                .and_then(|wanted| wanted.given_zone.as_ref()),
            records_on_delete: wanted
                .as_ref()
                .map_or(RecordsOnDelete::Fail, |wanted| wanted.records_on_delete),
            drain: wanted
                .as_ref()
                .map_or(Duration::ZERO, |wanted| wanted.drain),
            by_marks: false,
        };
        let removed = match (Delegation::parse(request.physical_id()), &wanted) {
            (Some(delegation), _) => self.remove(&delegation, &removal, &mut progress).await?,
            // A Create with these properties was refused before it made anything.
            (None, Err(error)) => {
                tracing::info!(%error, "nothing was made with these properties, so nothing is to be deleted");
                Removed::Wholly
            }
            (None, Ok(wanted)) => self.sweep(wanted, &removal, &mut progress).await?,
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
        wanted: &Wanted,
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
                    self.undelegate_swept(wanted, removal).await?;
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
        let (swept, unread) = self.swept_for_delete(wanted, removal).await?;
        let removal = Removal {
            parent: unread.map_or(removal.parent.clone(), Err),
            // The first sweep took it out as a rule.
            ttl: None,
            by_marks: true,
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
    async fn undelegate_swept(&self, wanted: &Wanted, removal: &Removal<'_>) -> Result<(), Error> {
        let (swept, unread) = self.swept_for_delete(wanted, removal).await?;
        if unread.is_some() {
            return Ok(());
        }
        for delegation in swept {
            let held = self
                .held_zone(&removal.request.owner(), &delegation.zone)
                .await?;
            let Some((
                zone,
                Hold::Own {
                    made,
                    taken_from: None,
                    previous_ttl: None,
                    ..
                },
            )) = held
            else {
                continue;
            };
            if made && removal.given_zone != Some(&zone.id) {
                // What the second sweep would refuse is refused before anything is touched.
                self.check_deletable(&delegation, removal.records_on_delete, false)
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
        wanted: &Wanted,
        removal: &Removal<'_>,
    ) -> Result<(Vec<Delegation>, Option<String>), Error> {
        let parent = self
            .confirmed_parent(&wanted.parent, removal.request, removal.invocation)
            .await;
        match self.swept(wanted, parent, removal).await? {
            // What stands waits for its parent to be read. A parent that nothing of this resource was made under keeps no
            // Delete waiting.
            (swept, Some(error)) if error.passes() && !swept.is_empty() => Err(error),
            (swept, unread) => Ok((swept, unread.map(|error| error.to_string()))),
        }
    }

    /// What the resource has, by the marks that it writes, and why the parent could not be read where it could not.
    pub(super) async fn swept(
        &self,
        wanted: &Wanted,
        parent: Result<Parent, Error>,
        removal: &Removal<'_>,
    ) -> Result<(Vec<Delegation>, Option<Error>), Error> {
        let request = removal.request;
        let owner = request.owner();
        let (zones, parent, unread) = match parent {
            Ok(parent) => {
                // Its Create was refused for the name.
                let Ok(name) = subdomain(wanted, &parent) else {
                    return Ok((Vec::new(), None));
                };
                let named = self.route53.zones_named(&name).await?;
                (named, Some(parent.id), None)
            }
            // Its name is not known then, so every zone of the account is looked at, for the marks in its
            // CallerReference, and for the first labels of the name where it was taken over.
            Err(error) => {
                let labels = format!("{}.", wanted.labels.to_ascii_lowercase());
                let ours = |zone: &ListedZone| {
                    owner.made(&zone.caller_reference) || zone.name.as_str().starts_with(&labels)
                };
                let zones = self.route53.zones_where(ours).await?;
                match &wanted.parent {
                    ParentReference::Own(_) if error.passes() => {
                        return Err(error);
                    }
                    ParentReference::Own(id) => (zones, Some(id.clone()), None),
                    ParentReference::Published(_) => (zones, None, Some(error)),
                }
            }
        };
        // Where the id says which Create was refused, only the zone of that one: the Delete may be delivered late, when
        // the logical id has another.
        let of_request = request.refused_caller_reference();
        let mut swept = Vec::new();
        for listed in zones {
            let Some((
                zone,
                Hold::Own {
                    made, taken_from, ..
                },
            )) = self.held_zone(&owner, &listed.id).await?
            else {
                continue;
            };
            if made
                && taken_from.is_none()
                && of_request
                    .as_ref()
                    .is_some_and(|reference| *reference != zone.caller_reference)
            {
                continue;
            }
            // Without rights in the parent its id is not used, so any will do.
            swept.push(Delegation::new(&zone, parent.as_ref().unwrap_or(&zone.id)));
        }
        Ok((swept, unread))
    }
}
