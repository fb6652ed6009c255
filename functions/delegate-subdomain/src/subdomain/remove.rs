use super::{
    Delegation, Subdomains,
    ownership::Hold,
    properties::{Leaving, ParentReference},
};
use crate::error::Error;
use aws_calls::Kind;
use custom_resource::{Clock, Creation, Invocation, Owner, Request, Stage};
use dns_check::{Standing, Transport};
use hosted_zones::{
    Change, ChangeError, DomainName, HostedZone, NameServers, PROPAGATION, RecordSet, Route53,
    RrType,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::sleep;

/// How a delegation is to be removed.
pub(super) struct Removal<'a> {
    pub(super) request: &'a Request,
    pub(super) invocation: &'a Invocation,
    /// Where the parent is, or why that is not known.
    pub(super) parent: Result<&'a ParentReference, String>,
    /// What the properties say.
    pub(super) leaving: &'a Leaving,
    /// Of the NS record set, as the properties have it; none where it has to be looked at first.
    pub(super) ttl: Option<u32>,
    /// Between the NS record set being gone and the zone being deleted.
    pub(super) drain: Duration,
    /// Found by its ownership tags, because no id that was answered names it: an adopted delegation is left as it is.
    pub(super) by_tags: bool,
}

/// What is remembered from one look to the next.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Progress {
    /// For each zone whose delegation is gone: when it may be deleted, in seconds since 1970.
    #[serde(default)]
    deletable_at: BTreeMap<String, u64>,
    /// When the second sweep is due, in seconds since 1970.
    #[serde(default)]
    pub(super) sweep_at: Option<u64>,
}

/// How far a removal is.
#[derive(Debug)]
pub(super) enum Removed {
    /// Nothing of it stands.
    Wholly,
    /// Something outside has to happen first.
    NotYet {
        waiting_for: String,
        retry_after: Duration,
    },
}

/// Between two looks at a parent that keeps a delegation which resolvers still follow.
pub(super) const ACTIVE_PAUSE: Duration = Duration::from_secs(60);
/// Between two looks at name servers that still delegate to the zone.
const STANDING_PAUSE: Duration = Duration::from_secs(15);
/// How often, and with which pause, a record set that changed since it was read is read again.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(5);
/// What deleting the zone and answering need, when a drain has to be cut.
const RESERVE: Duration = Duration::from_secs(60);

impl<T: Transport> Subdomains<T> {
    /// Removes a delegation in the order that keeps the name from being taken over: the NS record set in the parent,
    /// INSYNC, the drain, and only then the zone.
    pub(super) async fn remove(
        &self,
        delegation: &Delegation,
        how: &Removal<'_>,
        progress: &mut Progress,
    ) -> Result<Removed, Error> {
        let owner = how.request.owner();
        how.invocation
            .doing(format!("looking at {} and its zone", delegation.name));
        let undelegated = progress.deletable_at.contains_key(delegation.zone.as_str());
        let held = self
            .held_zone(&owner, &how.leaving.former, &delegation.zone)
            .await?;
        let Some((zone, hold)) = held else {
            return self.undelegate_gone_zone(delegation, how).await;
        };
        let may_delete =
            |creation: Option<&Creation>| how.by_tags || how.request.may_delete_named(creation);
        let spared = |why: &str| {
            tracing::warn!(zone = zone.id.as_str(), "left as it is: {why}");
            Ok(Removed::Wholly)
        };
        // No request that was answered SUCCESS has led resolvers to what is incomplete.
        let mut complete = true;
        let (made, delegated_from) = match hold.check(&zone)? {
            Hold::Managed {
                taken_from: Some(from),
                ..
            }
            | Hold::External {
                taken_from: Some(from),
                ..
            } => {
                self.give_back(&owner, &zone.id, &from).await?;
                return Ok(Removed::Wholly);
            }
            Hold::Managed { creation, .. } if !may_delete(creation.as_ref()) => {
                return spared("it was created after this Delete was requested");
            }
            Hold::External { creation, .. } if !may_delete(creation.as_ref()) => {
                return spared("it was delegated after this Delete was requested");
            }
            Hold::External {
                adopted: true,
                parent,
                ..
            } if how.by_tags
                && (how.parent.is_err() || parent.as_ref() == Some(&delegation.parent)) =>
            {
                self.unmark(&zone.id).await?;
                return Ok(Removed::Wholly);
            }
            Hold::Managed { stage, .. } => {
                complete = stage == Stage::Created;
                (how.leaving.given_zone.as_ref() != Some(&zone.id), None)
            }
            Hold::External { parent, .. } => (false, parent),
            Hold::Sibling {
                taken_from_us: true,
                logical_id,
                stage: Stage::Created,
                ..
            } => {
                tracing::info!(
                    zone = zone.id.as_str(),
                    logical_id,
                    "spared: it was transferred to another logical id"
                );
                self.forget_previous(&zone.id).await?;
                return Ok(Removed::Wholly);
            }
            // The Create of the logical id that took it never came to its end, and its Delete did not give it back.
            Hold::Sibling {
                taken_from_us: true,
                created_as,
                ..
            } => (
                created_as.is_some() && how.leaving.given_zone.as_ref() != Some(&zone.id),
                None,
            ),
            Hold::Sibling { .. } | Hold::Foreign(_) => {
                return spared("it is not this resource's");
            }
            // The physical id says that this resource delegated it, and proves nothing.
            Hold::Untagged => return spared("it carries no ownership tags"),
            Hold::Contradicting { .. } => unreachable!("checked"),
        };
        let known = if made {
            let records = how.leaving.records_on_delete;
            self.check_deletable(delegation, records, undelegated)
                .await?
        } else {
            Vec::new()
        };
        how.invocation.doing(format!(
            "taking the NS record set of {} out of its parent",
            delegation.name
        ));
        let by_right = match self
            .undelegate(delegation, &zone, &how.draining(complete), made, progress)
            .await?
        {
            Undelegated::NotYet(wait) => return Ok(wait),
            Undelegated::Done { by_right } => by_right,
        };
        if made {
            how.invocation
                .doing(format!("deleting the zone {} ({})", zone.name, zone.id));
            self.delete_zone(delegation, how.leaving.records_on_delete, known)
                .await?;
            if by_right {
                // A Create that was delivered twice may have delegated to the zone again just before it was deleted.
                return self
                    .undelegate_deleted(delegation, how, &zone.name_servers)
                    .await;
            }
        } else if delegated_from.is_none_or(|parent| parent == delegation.parent) {
            self.unmark(&zone.id).await?;
        } else {
            tracing::info!(
                zone = zone.id.as_str(),
                "keeps its tags: this resource delegates it from another parent now"
            );
        }
        Ok(Removed::Wholly)
    }

    /// Takes the NS record set out of the parent and waits until no name server of Route 53 has it, then for the
    /// drain. Says what it waits for where that takes longer.
    async fn undelegate(
        &self,
        delegation: &Delegation,
        zone: &HostedZone,
        how: &Removal<'_>,
        made: bool,
        progress: &mut Progress,
    ) -> Result<Undelegated, Error> {
        let ours = |servers: &NameServers| *servers == zone.name_servers;
        let mut by_right = true;
        let was_taken_out = progress.deletable_at.contains_key(zone.id.as_str());
        let known = how
            .ttl
            .filter(|_| !was_taken_out)
            .map(|ttl| RecordSet::ns(&delegation.name, ttl, &zone.name_servers));
        let taken_out = match self.take_out(delegation, how, known, ours).await {
            Ok(TakenOut::Followed) => {
                return Ok(Undelegated::NotYet(Removed::followed(delegation)));
            }
            Ok(taken_out) => taken_out,
            Err(error) if error.lacks_rights() => {
                self.ask_whether_gone(delegation, zone, how, error).await?;
                by_right = false;
                TakenOut::SeenGone
            }
            Err(error) => return Err(error),
        };
        if !made {
            return Ok(Undelegated::Done { by_right });
        }
        let clock = how.invocation.clock;
        let key = zone.id.as_str();
        let seen_gone = !matches!(taken_out, TakenOut::Confirmed);
        let end = match (taken_out, progress.deletable_at.get(key)) {
            (TakenOut::WasNotThere | TakenOut::SeenGone, Some(&at)) => Clock::moment(at),
            (TakenOut::WasNotThere, None) => {
                // Someone else took it out, or an earlier call of this one whose INSYNC was not seen.
                let parent = parent_name(delegation, how);
                let seen = self
                    .dns
                    .standing(&parent, &delegation.name, |found| {
                        found.shares_any(&zone.name_servers)
                    })
                    .await;
                let spread = match seen {
                    // "Gone" may be "not yet": name servers may not have the record set at all so far, and its change may
                    // still be on its way.
                    Standing::Gone | Standing::Unknown(_) => PROPAGATION,
                    // Not INSYNC yet, or a record set that someone changed and that still names our servers.
                    Standing::Stands(said) => {
                        return Ok(Undelegated::NotYet(Removed::NotYet {
                            waiting_for: format!(
                                "{} to be delegated to its zone {key} no longer: {said}",
                                delegation.name
                            ),
                            retry_after: STANDING_PAUSE,
                        }));
                    }
                };
                clock.now() + how.drain_left().max(spread)
            }
            _ => clock.now() + how.drain_left(),
        };
        let at = Clock::seconds(end);
        progress.deletable_at.insert(key.to_owned(), at);
        // As it is remembered, to the second, so that the next attempt finds it over.
        let left = clock.until(Clock::moment(at));
        // Before the zone is deleted, the parent is read once more: a Create that was delivered twice may have delegated to
        // the zone again.
        if left.is_zero() && seen_gone {
            return Ok(Undelegated::Done { by_right });
        }
        Ok(Undelegated::NotYet(Removed::NotYet {
            waiting_for: format!(
                "resolvers to forget the delegation of {} before its zone {key} goes",
                delegation.name
            ),
            retry_after: left,
        }))
    }

    /// The rights to change the parent.
    pub(super) async fn rights(&self, how: &Removal<'_>) -> Result<Route53, Error> {
        let reference = how.parent.clone().map_err(Error::NoParent)?;
        self.parent_rights(reference, how.request, how.invocation)
            .await
    }

    /// Deletes our NS record set in the parent and waits for INSYNC.
    ///
    /// `known` is how it stands, by all that is known without a look. It is deleted as such: Route 53 deletes nothing
    /// that differs. That is a round less, and a parent that many stacks leave at once is spared a call of each.
    pub(super) async fn take_out(
        &self,
        delegation: &Delegation,
        how: &Removal<'_>,
        mut known: Option<RecordSet>,
        ours: impl Fn(&NameServers) -> bool,
    ) -> Result<TakenOut, Error> {
        let rights = self.rights(how).await?;
        let mut tries = 0;
        loop {
            let unseen = known.is_some();
            let set = match known.take() {
                Some(set) => Some(set),
                None => match rights
                    .record_set(&delegation.parent, &delegation.name, RrType::Ns)
                    .await
                {
                    Ok(set) => set,
                    // The parent went, and the record set with it.
                    Err(error) if error.is("NoSuchHostedZone") => return Ok(TakenOut::WasNotThere),
                    Err(error) => return Err(error.into()),
                },
            };
            let Some(set) = set.filter(|set| ours(&set.name_servers())) else {
                return Ok(TakenOut::WasNotThere);
            };
            match rights
                .change(&delegation.parent, vec![Change::Delete(set)])
                .await
            {
                Ok(change) => {
                    rights.wait_in_sync(&change).await?;
                    return Ok(TakenOut::Confirmed);
                }
                Err(ChangeError::Stale(_)) if unseen => {}
                // Changed since it was read, by someone or by this very call sent twice: look again.
                Err(ChangeError::Stale(error)) => {
                    tries += 1;
                    if tries == TRIES {
                        return Err(error.into());
                    }
                    sleep(PAUSE).await;
                }
                // It may not stand at all, as where a Create was denied its record set: a look says whether the refusal
                // counts.
                Err(error) if unseen && is_refused(&error) => {}
                Err(ChangeError::Followed(_)) => return Ok(TakenOut::Followed),
                Err(ChangeError::Refused(error) | ChangeError::Guardrail { error, .. }) => {
                    let (parent, name) = (parent_name(delegation, how), delegation.name.clone());
                    return Err(Error::NotUndelegated {
                        parent,
                        name,
                        error,
                    });
                }
                Err(ChangeError::Aws(error)) => return Err(error.into()),
            }
        }
    }

    /// Without rights in the parent the zone may go only where the parent's own name servers say that they no longer
    /// delegate to it. `cause` is why the rights are lacking.
    async fn ask_whether_gone(
        &self,
        delegation: &Delegation,
        zone: &HostedZone,
        how: &Removal<'_>,
        cause: Error,
    ) -> Result<(), Error> {
        let parent = parent_name(delegation, how);
        let standing = match self
            .dns
            .standing(&parent, &delegation.name, |found| {
                found.shares_any(&zone.name_servers)
            })
            .await
        {
            Standing::Gone => return Ok(()),
            Standing::Stands(said) | Standing::Unknown(said) => said,
        };
        Err(Error::StillDelegated {
            name: delegation.name.clone(),
            zone: zone.id.clone(),
            parent: parent.to_string(),
            cause: cause.to_string(),
            standing,
        })
    }

    /// Without rights in the parent of a zone that is gone, only its name servers can say whether it still delegates
    /// to that zone, whose name anyone could take over. Where they cannot be heard, nothing more is to be known.
    async fn check_not_dangling(
        &self,
        delegation: &Delegation,
        how: &Removal<'_>,
        cause: Error,
    ) -> Result<(), Error> {
        let parent = parent_name(delegation, how);
        let owner = how.request.owner();
        let seen = self
            .dns
            .standing(&parent, &delegation.name, |found| {
                delegation.is_to(found, &owner)
            })
            .await;
        match seen {
            Standing::Gone => Ok(()),
            Standing::Unknown(said) => {
                tracing::warn!(
                    name = delegation.name.as_str(),
                    error = %cause,
                    said,
                    "the zone is gone, and whether the parent still delegates to it cannot be seen: have its owner check"
                );
                Ok(())
            }
            Standing::Stands(standing) => Err(Error::Dangling {
                name: delegation.name.clone(),
                zone: delegation.zone.clone(),
                parent,
                cause: cause.to_string(),
                standing,
            }),
        }
    }

    /// The zone does not exist: a person or an earlier attempt deleted it. What may be left is the worst, an NS record set
    /// that delegates to nobody. It is deleted if the physical id proves that it led to this resource's zone, and no other
    /// zone of the account has these name servers.
    async fn undelegate_gone_zone(
        &self,
        delegation: &Delegation,
        how: &Removal<'_>,
    ) -> Result<Removed, Error> {
        let owner = how.request.owner();
        let standing = async {
            let rights = self.rights(how).await?;
            match rights
                .record_set(&delegation.parent, &delegation.name, RrType::Ns)
                .await
            {
                // The parent was deleted, and the record set with it.
                Err(error) if error.is("NoSuchHostedZone") => Ok(None),
                set => Ok::<_, Error>(set?),
            }
        };
        let set = match standing.await {
            Ok(set) => set.filter(|set| delegation.is_to(&set.name_servers(), &owner)),
            Err(cause) if cause.lacks_rights() => {
                self.check_not_dangling(delegation, how, cause).await?;
                return Ok(Removed::Wholly);
            }
            Err(error) => return Err(error),
        };
        let Some(set) = set else {
            return Ok(Removed::Wholly);
        };
        let servers = set.name_servers();
        for listed in self.route53.zones_named(&delegation.name).await? {
            let zone = self.route53.zone(&listed.id).await?;
            if zone.is_some_and(|zone| zone.name_servers == servers) {
                tracing::warn!(
                    zone = listed.id.as_str(),
                    "left as it is: the NS record set leads to another zone"
                );
                return Ok(Removed::Wholly);
            }
        }
        let is_named = delegation
            .name
            .as_str()
            .starts_with(&format!("{}.", how.leaving.labels));
        let proves = |logical_id: &String| {
            let owner = Owner {
                logical_id: logical_id.clone(),
                ..owner.clone()
            };
            delegation.is_proven_to(&servers, &owner)
        };
        let mut logical_ids = [&owner.logical_id].into_iter().chain(&how.leaving.former);
        if !is_named || !logical_ids.any(proves) {
            return Err(Error::Unproven {
                name: delegation.name.clone(),
                zone: delegation.zone.clone(),
                parent: parent_name(delegation, how),
                parent_id: delegation.parent.clone(),
                set: Box::new(set),
            });
        }
        self.undelegate_deleted(delegation, how, &servers).await
    }

    /// Deletes an NS record set that leads to these name servers, of a zone that is deleted.
    async fn undelegate_deleted(
        &self,
        delegation: &Delegation,
        how: &Removal<'_>,
        name_servers: &NameServers,
    ) -> Result<Removed, Error> {
        match self
            .take_out(delegation, how, None, |servers| servers == name_servers)
            .await
        {
            Ok(TakenOut::Followed) => Ok(Removed::followed(delegation)),
            Ok(_) => Ok(Removed::Wholly),
            Err(cause) if cause.lacks_rights() => {
                self.check_not_dangling(delegation, how, cause).await?;
                Ok(Removed::Wholly)
            }
            Err(error) => Err(error),
        }
    }
}

/// How far an undelegation is.
enum Undelegated {
    /// Nobody is led to the zone any more.
    Done {
        /// Seen with the rights in the parent, not only over DNS.
        by_right: bool,
    },
    NotYet(Removed),
}

/// What became of the NS record set in the parent.
pub(super) enum TakenOut {
    /// Gone from every name server.
    Confirmed,
    /// None of ours stood there. It may have been taken out a moment ago.
    WasNotThere,
    /// Not to be seen without rights, and the parent's own name servers no longer have it.
    SeenGone,
    /// A guardrail keeps it while resolvers still follow it.
    Followed,
}

impl Removed {
    /// A guardrail of the parent keeps the NS record set while resolvers still follow it.
    fn followed(delegation: &Delegation) -> Self {
        Self::NotYet {
            waiting_for: format!(
                "the parent of {} to let its NS record set go: resolvers still follow it (ACTIVE_DELEGATION_CHECK)",
                delegation.name
            ),
            retry_after: ACTIVE_PAUSE,
        }
    }
}

impl<'a> Removal<'a> {
    /// Without a drain for what was never complete.
    fn draining(&self, complete: bool) -> Removal<'a> {
        let drain = if complete { self.drain } else { Duration::ZERO };
        Removal {
            parent: self.parent.clone(),
            drain,
            ..*self
        }
    }

    /// The drain, cut to what the request and, without a waiter, the invocation leave.
    fn drain_left(&self) -> Duration {
        let left = self.invocation.time_left(self.request);
        let drain = self.drain.min(left.saturating_sub(RESERVE));
        if drain < self.drain {
            tracing::warn!(
                wanted = self.drain.as_secs(),
                left = drain.as_secs(),
                "DrainSeconds is cut to the time that is left"
            );
        }
        drain
    }
}

/// Whether Route 53 has refused a change, and would again.
fn is_refused(error: &ChangeError) -> bool {
    match error {
        ChangeError::Aws(error) => matches!(error.kind, Kind::Denied | Kind::Refused),
        _ => true,
    }
}

/// The parent zone's name: the delegation's without the labels that the template gives it.
fn parent_name(delegation: &Delegation, how: &Removal<'_>) -> DomainName {
    let ancestors = std::iter::successors(Some(delegation.name.clone()), DomainName::parent);
    let labels = how.leaving.labels.split('.').count();
    let parent = ancestors.take(labels + 1).last();
    parent.unwrap_or_else(|| delegation.name.clone())
}
