//! Deletes a managed zone in this order: the NS record set in the parent, INSYNC, the drain, the zone.

use super::{Case, Item, delete, leave};
use crate::{
    error::{Error, Keeps, LISTED, Left},
    subdomain::{
        memory::Phase,
        observed::{Conflict, Contents, SetInParent},
        plan::{Action, End, MOST_CONFLICTS, PAUSE, Plan, Stop, Why},
        properties::RecordsOnDelete,
        task::Which,
    },
};
use custom_resource::{Clock, is_refused_id};
use dns_check::Standing;
use hosted_zones::{PROPAGATION, RecordSet};
use std::time::Duration;

/// The pause between two checks over DNS while name servers still delegate to the zone.
const SEEN_PAUSE: Duration = Duration::from_secs(15);
/// How long a change may take to reach Route 53's name servers in an incident. Usually it takes less than
/// [`PROPAGATION`].
const LONGEST_PROPAGATION: Duration = Duration::from_secs(600);
/// The time to delete the zone and to answer, if a drain has to be shortened.
const RESERVE: Duration = Duration::from_secs(60);

impl Case<'_> {
    /// Plans the deletion of a managed zone: its NS record set, INSYNC, the drain, then the zone.
    pub(super) fn delete(&self, item: &Item<'_>, complete: bool) -> Result<Plan, Stop> {
        let (zone, memory) = (item.zone, self.delivery.memory);
        let phase = memory.phase(&zone.id);
        match phase {
            Some(&Phase::DelegationDeleted { ttl, apex_ttl }) => {
                let drain = self.drain(complete, ttl.max(apex_ttl));
                let phase = Phase::Draining {
                    until: self.delivery.seconds(drain),
                    ttl: Some(ttl),
                };
                let remember = memory.with(&zone.id, phase);
                // Without a drain, the next plan deletes the zone after another observation.
                let end = if drain.is_zero() {
                    End::Observe
                } else {
                    End::Plan
                };
                return Ok(self.delivery.remember([], remember, end));
            }
            Some(&Phase::Draining { until, .. }) if self.delivery.now < Clock::moment(until) => {
                return Err(Stop::Wait {
                    until: Clock::moment(until),
                    waiting_for: format!(
                        "resolvers to forget the delegation of {}, before its zone {} is deleted",
                        item.delegation.name, zone.id
                    ),
                });
            }
            _ => {}
        }
        let contents = self.contents(item)?;
        if let Some(keeps) = self.keeps(contents) {
            return self.cannot_be_deleted(item, keeps);
        }
        if phase.is_none() && self.may_delete_unread(item) {
            // Usually the NS record set is as the Create created it. Route 53 deletes it only if it is
            // exactly so, and this saves a call of the parent's account, which all consumers share.
            let ttl = self.task.leaving.ttl.unwrap_or_default();
            let set = RecordSet::ns(&item.delegation.name, ttl, &zone.name_servers);
            return self.delete_delegation(item, &set);
        }
        match self.set(&item.delegation)? {
            SetInParent::Present(set) if set.name_servers() == zone.name_servers => {
                if let Some(Conflict::NoPermission(cause)) = &self.observed.conflict {
                    return self.delete_without_permission(item, complete, cause);
                }
                self.check_conflict(&item.delegation)?;
                self.delete_delegation(item, &set)
            }
            SetInParent::NoPermission(cause) => {
                self.delete_without_permission(item, complete, &cause)
            }
            SetInParent::Present(_) | SetInParent::Absent if phase.is_some() => {
                self.delete_zone(item, contents, true)
            }
            // Another program or person deleted it, or an earlier attempt of this Delete whose INSYNC was not
            // seen.
            SetInParent::Present(_) | SetInParent::Absent => match self.seen(item)? {
                // The answer may also mean "not yet": name servers may not have had the record set so far,
                // and its change may still be propagating.
                Standing::Gone | Standing::Unknown(_) => {
                    let ttl = contents.apex_ttl.unwrap_or_default();
                    let drain = self.drain(complete, ttl).max(PROPAGATION);
                    Ok(self.start_drain(item, drain))
                }
                // Not INSYNC yet, or a changed record set that still names these name servers.
                Standing::Stands(said) => Err(self.delivery.wait(
                    SEEN_PAUSE,
                    format!(
                        "{} to be delegated to its zone {} no longer: {said}",
                        item.delegation.name, zone.id
                    ),
                )),
            },
        }
    }

    /// Without permission in the parent, the zone may be deleted only if the parent's own name servers say
    /// that they do not delegate to it any more.
    fn delete_without_permission(
        &self,
        item: &Item<'_>,
        complete: bool,
        cause: &Error,
    ) -> Result<Plan, Stop> {
        self.check_not_delegated(item, cause)?;
        let contents = self.contents(item)?;
        if self.delivery.memory.phase(&item.zone.id).is_none() {
            // A delegation that was never seen INSYNC may not have reached the name servers yet. If the Delete has no time to
            // learn that, it times out, and the zone is kept.
            let drain = if complete {
                self.drain(complete, contents.apex_ttl.unwrap_or_default())
            } else {
                LONGEST_PROPAGATION
            };
            return Ok(self.start_drain(item, drain));
        }
        self.delete_zone(item, contents, false)
    }

    /// Deletes the zone, and before it the contents that may be deleted. `reads_again` says whether the
    /// parent can be read again afterwards.
    fn delete_zone(
        &self,
        item: &Item<'_>,
        contents: &Contents,
        reads_again: bool,
    ) -> Result<Plan, Stop> {
        let zone = item.zone;
        let mut sets = contents.validations.clone();
        if self.task.leaving.records_on_delete == RecordsOnDelete::Delete {
            sets.extend(contents.records.iter().cloned());
        }
        if let Some(Conflict::NotEmpty(error) | Conflict::Stale(error)) = &self.observed.conflict {
            let conflicts = self.delivery.memory.conflicts;
            if sets.is_empty() && matches!(self.observed.conflict, Some(Conflict::NotEmpty(_)))
                || conflicts >= MOST_CONFLICTS
            {
                return self.cannot_be_deleted(item, Keeps::Unknown(error.clone()));
            }
            if conflicts > 1 {
                let waiting_for = format!("the zone {} to be empty: {error}", zone.id);
                return Err(self.delivery.wait(PAUSE, waiting_for));
            }
        }
        let mut actions = Vec::new();
        if !sets.is_empty() {
            actions.push(Action::DeleteRecords {
                zone: zone.id.clone(),
                name: zone.name.clone(),
                sets,
            });
        }
        if contents.more {
            return Ok(self.delivery.plan(actions, End::Observe));
        }
        actions.push(Action::DeleteZone {
            zone: zone.id.clone(),
            name: zone.name.clone(),
        });
        let phase = if reads_again {
            Phase::Deleted {
                delegation: item.delegation.clone(),
                name_servers: zone.name_servers.to_string(),
            }
        } else {
            Phase::Finished
        };
        let remember = self.delivery.memory.with(&zone.id, phase);
        Ok(self.delivery.remember(actions, remember, End::Observe))
    }

    /// Plans what follows if the zone cannot be deleted. A Delete is refused, and its delegation restored if
    /// this Delete has deleted it. A rollback is not refused, because that would leave the stack stuck: no
    /// resolver is led to the zone any more, and the log names it.
    fn cannot_be_deleted(&self, item: &Item<'_>, keeps: Keeps) -> Result<Plan, Stop> {
        if let Which::Leftovers { .. } = self.task.which {
            let why = Why::Leftover(self.error(item, keeps, Left::Deleted));
            let mut actions = Vec::new();
            if let Some(set) = self.delegation(item)? {
                actions.push(delete(&item.delegation, &set));
            }
            actions.push(leave(item.zone, why));
            return Ok(self.finishing(item, actions));
        }
        let ttl = match self.delivery.memory.phase(&item.zone.id) {
            None => return Err(self.kept(item, keeps, Left::Untouched)),
            Some(&Phase::Draining { ttl: Some(ttl), .. }) => u32::try_from(ttl).ok(),
            Some(_) => None,
        };
        let is_free = matches!(self.set(&item.delegation)?, SetInParent::Absent);
        let Some(ttl) = ttl.filter(|_| is_free) else {
            return Err(self.kept(item, keeps, Left::Deleted));
        };
        let restore = Action::Delegate {
            zone: item.zone.zone.clone(),
            parent: item.delegation.parent.clone(),
            set: RecordSet::ns(&item.delegation.name, ttl, &item.zone.name_servers),
            replaces: None,
        };
        let end = End::Refuse(self.error(item, keeps, Left::Restored));
        Ok(self.delivery.plan([restore], end))
    }

    /// Deletes the NS record set.
    fn delete_delegation(&self, item: &Item<'_>, set: &RecordSet) -> Result<Plan, Stop> {
        let ttl = set.ttl().unwrap_or_default();
        let apex_ttl = self.contents(item)?.apex_ttl.unwrap_or_default();
        let phase = Phase::DelegationDeleted { ttl, apex_ttl };
        let remember = self.delivery.memory.with(&item.zone.id, phase);
        let delete = delete(&item.delegation, set);
        Ok(self.delivery.remember([delete], remember, End::Plan))
    }

    /// Begins to wait until resolvers have forgotten a delegation that this Delete has not deleted.
    fn start_drain(&self, item: &Item<'_>, drain: Duration) -> Plan {
        let phase = Phase::Draining {
            until: self.delivery.seconds(drain),
            ttl: None,
        };
        let remember = self.delivery.memory.with(&item.zone.id, phase);
        self.delivery.remember([], remember, End::Observe)
    }

    /// Returns how long resolvers that cached these TTLs may still use the delegation, at most the time that
    /// is left. Nobody has used a leftover, what an unanswered Create has created, or what was never complete.
    fn drain(&self, complete: bool, ttls: i64) -> Duration {
        let is_used = match self.task.which {
            Which::Named(_) => complete,
            Which::Tagged => complete && is_refused_id(self.delivery.request.physical_id()),
            Which::Leftovers { .. } => false,
        };
        let most = self.delivery.time_left.saturating_sub(RESERVE);
        if is_used {
            let ttls = u32::try_from(ttls).unwrap_or_default();
            self.task.leaving.drain(ttls).min(most)
        } else {
            Duration::ZERO
        }
    }

    /// Returns whether the NS record set may be deleted before it is read, because nothing shows that it
    /// differs from the properties. If it does, Route 53 refuses ([`Conflict::Stale`]), and it is read.
    fn may_delete_unread(&self, item: &Item<'_>) -> bool {
        matches!(self.task.which, Which::Named(_))
            && self.task.leaving.ttl.is_some()
            && self.observed.conflict.is_none()
            && !self.observed.sets.contains_key(&item.zone.id)
    }

    pub(super) fn kept(&self, item: &Item<'_>, keeps: Keeps, left: Left) -> Stop {
        Stop::Refuse(self.error(item, keeps, left))
    }

    fn error(&self, item: &Item<'_>, keeps: Keeps, left: Left) -> Error {
        Error::Kept {
            name: item.delegation.name.clone(),
            zone: item.zone.id.clone(),
            left,
            keeps,
        }
    }

    /// Returns what prevents the deletion of the zone.
    pub(super) fn keeps(&self, contents: &Contents) -> Option<Keeps> {
        let Contents {
            delegations,
            records,
            signed,
            protections,
            ..
        } = contents;
        let keeps_records = self.task.leaving.records_on_delete == RecordsOnDelete::Fail;
        let protections = protections.as_deref().unwrap_or_default();
        if !delegations.is_empty() {
            Some(Keeps::Delegations(delegations.clone()))
        } else if keeps_records && !records.is_empty() {
            Some(Keeps::Records(records.clone()))
        } else if *signed == Some(true) {
            Some(Keeps::Signature)
        } else if !protections.is_empty() {
            let listed = protections.iter().take(LISTED);
            Some(Keeps::Protections(listed.cloned().collect()))
        } else {
            None
        }
    }
}
