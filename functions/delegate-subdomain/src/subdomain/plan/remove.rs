//! Delete, and the deletion of what a failed update has left.
//!
//! The order keeps a name from being taken over by others: the NS record set in the parent, INSYNC, the drain, and only
//! then the zone. A zone whose delegation exists, or may exist, is never deleted.

use super::{Action, End, MOST_CONFLICTS, PAUSE, Plan, Purpose, Stop, Turn, Why, is_of};
use crate::{
    error::{Error, Keeps, LISTED, Left},
    subdomain::{
        delegation::Delegation,
        memory::Phase,
        observed::{Conflict, Contents, Observed, Question, SetInParent, Zone},
        properties::{ParentReference, RecordsOnDelete},
        task::{Remove, Which},
    },
};
use custom_resource::{Clock, Wait, is_refused_id};
use dns_check::Standing;
use hosted_zones::{DomainName, HostedZoneId, NameServers, PROPAGATION, RecordSet};
use ownership::{
    Owner, Requester, Stage,
    zone::{Ownership, Tagging},
};
use std::time::Duration;

/// Between two attempts while a parent keeps a delegation that resolvers still use.
const ACTIVE_PAUSE: Duration = Duration::from_secs(60);
/// Between two queries while name servers still delegate to the zone.
const SEEN_PAUSE: Duration = Duration::from_secs(15);
/// What deleting the zone and answering need, if a drain has to be shortened.
const RESERVE: Duration = Duration::from_secs(60);

/// What a Delete, or the end of an Update, is about.
struct Case<'a> {
    task: &'a Remove,
    observed: &'a Observed,
    turn: &'a Turn<'a>,
    owner: Owner,
}

/// A delegation to be removed.
struct Item<'a> {
    delegation: Delegation,
    zone: &'a Zone,
    extent: Extent,
}

/// How much of a delegation is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// All that this resource has.
    Whole,
    /// Its NS record set: the zone existed before, or serves another parent too.
    RecordSet,
}

/// What becomes of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Leave(Whose),
    /// To this logical id, from which it was transferred.
    Return(String),
    /// Its delegation was adopted by the request that failed: only the ownership tags are deleted.
    Release,
    /// It was transferred to another logical id, and this one is deleted.
    Forget,
    /// Its NS record set and itself. If its request was never complete, no resolver was led to it.
    Delete {
        complete: bool,
    },
    /// Its NS record set and the ownership tags.
    Undelegate {
        delegated_from: Option<HostedZoneId>,
    },
}

/// Whose a zone is that is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    LaterRequest,
    Other,
    Nobody,
}

pub(super) fn plan(task: &Remove, observed: &Observed, turn: &Turn<'_>) -> Result<Plan, Stop> {
    let case = Case {
        task,
        observed,
        turn,
        owner: turn.request.owner(),
    };
    if let Some((delegation, servers)) = turn.memory.deleted() {
        return case.after_deletion(delegation, &servers);
    }
    if let Which::Named(delegation) = &task.which {
        return case.named(delegation);
    }
    let items = case.items()?;
    if matches!(task.which, Which::Tagged) && !is_refused_id(turn.request.physical_id()) {
        match turn.memory.second_look.map(Clock::moment) {
            None => return case.first_look(&items),
            Some(until) if turn.now < until => return Err(second_look(until)),
            Some(_) => {}
        }
    }
    for item in &items {
        if let Some(plan) = case.item(item)? {
            return Ok(plan);
        }
    }
    Ok(turn.plan([], case.done()))
}

impl Case<'_> {
    /// The delegation that the physical id names. The id is a hint, not a proof.
    fn named(&self, delegation: &Delegation) -> Result<Plan, Stop> {
        if self.is_finished(&delegation.zone) {
            return Ok(self.turn.plan([], self.done()));
        }
        let Some(zone) = self.observed.zone(&delegation.zone) else {
            return self.without_zone(delegation);
        };
        let item = Item {
            delegation: delegation.clone(),
            zone,
            extent: Extent::Whole,
        };
        let plan = self.item(&item)?;
        Ok(plan.unwrap_or_else(|| self.turn.plan([], self.done())))
    }

    /// What the ownership tags name.
    fn items(&self) -> Result<Vec<Item<'_>>, Stop> {
        let leaving = &self.task.leaving;
        let Some(parent) = &self.observed.parent else {
            unreachable!("the parent is read to find what the ownership tags name");
        };
        let parent_id = match (parent, &leaving.parent) {
            (Ok(parent), _) => Some(&parent.id),
            (Err(error), Ok(ParentReference::Own(_))) if error.passes() => {
                return Err(error.clone().into());
            }
            (Err(_), Ok(ParentReference::Own(id))) => Some(id),
            (Err(_), _) => None,
        };
        let mut items = Vec::new();
        for zone in &self.observed.zones {
            let ownership = self.ownership(zone);
            // Without the parent its id is not used, so any will do.
            let parent_id = parent_id.unwrap_or(&zone.id);
            let proof = ownership.proof(zone);
            let delegation = Delegation::new(&zone.zone, parent_id, &self.owner, proof);
            let extent = if let Ownership::Contradicting {
                created_here: true,
                tags,
            } = ownership
            {
                return Err(contradicting(zone, tags));
            } else if ownership.was_left_by(self.turn.request) {
                Extent::Whole
            } else if ownership.was_delegated_by(self.turn.request) && parent.is_ok() {
                Extent::RecordSet
            } else {
                continue;
            };
            items.push(Item {
                delegation,
                zone,
                extent,
            });
        }
        if let Which::Leftovers { kept } = &self.task.which {
            self.retain_leftovers(&mut items, kept, parent.is_ok());
        }
        match parent {
            // What exists waits until its parent can be read. A parent in which nothing of this resource exists delays nothing.
            Err(error) if error.passes() && !items.is_empty() => Err(error.clone().into()),
            _ => Ok(items),
        }
    }

    /// Leaves what the resource has now.
    fn retain_leftovers(&self, items: &mut Vec<Item<'_>>, kept: &[Delegation], is_readable: bool) {
        let leaving = &self.task.leaving;
        let is_kept = |item: &Item<'_>| kept.iter().any(|kept| kept.is_same(&item.delegation));
        let is_forward = |zone: &Zone| match &self.observed.parent {
            Some(Ok(parent)) => (kept.iter().filter(|kept| kept.zone == zone.id))
                .any(|kept| is_of(leaving, parent, kept, &self.ownership(zone))),
            _ => false,
        };
        if self.observed.zones.iter().any(is_forward) {
            items.clear();
        }
        let labels = format!("{}.", leaving.labels);
        items.retain(|item| {
            !is_kept(item) && (is_readable || item.delegation.name.as_str().starts_with(&labels))
        });
        for item in items.iter_mut() {
            if kept.iter().any(|kept| kept.zone == item.zone.id) {
                item.extent = Extent::RecordSet;
            }
        }
        items.retain(|item| is_readable || item.extent == Extent::Whole);
    }

    /// The first of the two looks of a Delete that never heard of its Create, which may still run, and create what this
    /// Delete has already looked for. So the second look comes when no such Create can run any more. The first deletes
    /// the NS record sets; the zones stay, because a Create that still runs could delegate to them again.
    fn first_look(&self, items: &[Item<'_>]) -> Result<Plan, Stop> {
        let mut actions = Vec::new();
        for item in items {
            match self.fate(item)? {
                // What the second look would refuse is refused before anything is changed.
                Fate::Delete { .. } if item.extent == Extent::Whole => {
                    let contents = self.contents(item)?;
                    if let Some(keeps) = self.keeps(contents) {
                        return Err(self.kept(item, keeps, Left::Untouched));
                    }
                }
                Fate::Delete { .. } | Fate::Undelegate { .. } => {}
                _ => continue,
            }
            let refused = matches!(
                self.observed.conflict,
                Some(Conflict::NoPermission(_) | Conflict::Active)
            );
            if let SetInParent::Present(set) = self.set(&item.delegation)?
                && set.name_servers() == item.zone.name_servers
                && !refused
            {
                self.check_conflict(&item.delegation)?;
                actions.push(delete(&item.delegation, &set));
            }
        }
        let until = self.turn.second_look;
        let mut remember = self.turn.memory.clone();
        remember.second_look = Some(Clock::seconds(until));
        let waiting_for = Wait::second_sweep();
        let end = End::Wait { until, waiting_for };
        Ok(self.turn.remember(actions, remember, end))
    }

    /// The next plan for one delegation, or none if nothing is left to do.
    fn item(&self, item: &Item<'_>) -> Result<Option<Plan>, Stop> {
        let zone = item.zone;
        if self.is_finished(&zone.id) {
            return Ok(None);
        }
        if item.extent == Extent::RecordSet {
            return match self.delegation(item)? {
                Some(set) => Ok(Some(self.finished(item, [delete(&item.delegation, &set)]))),
                None => Ok(None),
            };
        }
        let tag = |tagging, purpose| Action::Tag {
            zone: zone.id.clone(),
            tagging,
            purpose,
        };
        let request = self.turn.request;
        Ok(Some(match self.fate(item)? {
            Fate::Leave(whose) => {
                let why = match whose {
                    Whose::LaterRequest => Why::LaterRequest,
                    Whose::Other => Why::NotThisResources,
                    Whose::Nobody => Why::WithoutTags,
                };
                self.finished(item, [leave(zone, why)])
            }
            Fate::Return(to) => self.finished(
                item,
                [tag(Tagging::returned(request, &to), Purpose::Return)],
            ),
            Fate::Release => self.finished(item, [tag(Tagging::untagged(), Purpose::Release)]),
            Fate::Forget => {
                self.finished(item, [tag(Tagging::previous_deleted(), Purpose::Settle)])
            }
            Fate::Undelegate { delegated_from } => {
                let mut actions = Vec::new();
                if let Some(set) = self.delegation(item)? {
                    actions.push(delete(&item.delegation, &set));
                }
                // If this resource delegates it from another parent by now, the zone keeps its tags.
                if delegated_from.is_none_or(|parent| parent == item.delegation.parent) {
                    actions.push(tag(Tagging::untagged(), Purpose::Release));
                }
                self.finished(item, actions)
            }
            Fate::Delete { complete } => return self.delete(item, complete).map(Some),
        }))
    }

    /// What becomes of a zone.
    fn fate(&self, item: &Item<'_>) -> Result<Fate, Stop> {
        let zone = item.zone;
        let is_named = matches!(self.task.which, Which::Named(_));
        let is_external = self.task.leaving.external_zone.as_ref() == Some(&zone.id);
        let managed = |complete| {
            if is_external {
                Fate::Undelegate {
                    delegated_from: None,
                }
            } else {
                Fate::Delete { complete }
            }
        };
        let ownership = self.ownership(zone);
        if is_named && ownership.is_later_than(self.turn.request) {
            return Ok(Fate::Leave(Whose::LaterRequest));
        }
        Ok(match ownership {
            Ownership::Managed { transfer, .. } | Ownership::External { transfer, .. }
                if transfer.from.is_some() =>
            {
                Fate::Return(transfer.from.unwrap_or_default())
            }
            Ownership::External {
                adopted: true,
                parent,
                ..
            } if !is_named
                && (self.is_parent_unreadable()
                    || parent.as_ref() == Some(&item.delegation.parent)) =>
            {
                Fate::Release
            }
            Ownership::Managed { stage, .. } => managed(stage == Stage::Created),
            Ownership::External { parent, .. } => Fate::Undelegate {
                delegated_from: parent,
            },
            Ownership::OtherLogicalId {
                transferred_from_here: true,
                stage: Stage::Created,
                ..
            } => Fate::Forget,
            // The Create of the logical id to which it was transferred was never complete, and its Delete did not return it.
            Ownership::OtherLogicalId {
                transferred_from_here: true,
                created_as: Some(_),
                ..
            } => managed(true),
            Ownership::OtherLogicalId {
                transferred_from_here: true,
                ..
            } => Fate::Undelegate {
                delegated_from: None,
            },
            Ownership::OtherLogicalId { .. } | Ownership::OtherStack(_) => {
                Fate::Leave(Whose::Other)
            }
            // The physical id says that this resource delegated it, and proves nothing.
            Ownership::Untagged => Fate::Leave(Whose::Nobody),
            Ownership::Contradicting { tags, .. } => return Err(contradicting(zone, tags)),
        })
    }

    /// A managed zone: its NS record set, INSYNC, the drain, then the zone.
    fn delete(&self, item: &Item<'_>, complete: bool) -> Result<Plan, Stop> {
        let (zone, memory) = (item.zone, self.turn.memory);
        let phase = memory.phase(&zone.id);
        match phase {
            Some(&Phase::Undelegated { ttl }) => {
                let drain = self.drain(complete);
                let phase = Phase::Draining {
                    until: self.turn.seconds(drain),
                    ttl: Some(ttl),
                };
                let remember = memory.with(&zone.id, phase);
                // Without a drain the next plan deletes the zone, by what exists then.
                let end = if drain.is_zero() {
                    End::Observe
                } else {
                    End::Plan
                };
                return Ok(self.turn.remember([], remember, end));
            }
            Some(&Phase::Draining { until, .. }) if self.turn.now < Clock::moment(until) => {
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
        if phase.is_none() && self.is_delegation_known(item) {
            // Usually the NS record set is as the Create made it. Route 53 deletes it only if it is exactly so, and the account
            // of the parent, which all consumers share, is spared a call.
            let ttl = self.task.leaving.ttl.unwrap_or_default();
            let set = RecordSet::ns(&item.delegation.name, ttl, &zone.name_servers);
            return Ok(self.undelegate(item, &set));
        }
        match self.set(&item.delegation)? {
            SetInParent::Present(set) if set.name_servers() == zone.name_servers => {
                if let Some(Conflict::NoPermission(cause)) = &self.observed.conflict {
                    return self.delete_without_permission(item, complete, cause);
                }
                self.check_conflict(&item.delegation)?;
                Ok(self.undelegate(item, &set))
            }
            SetInParent::NoPermission(cause) => {
                self.delete_without_permission(item, complete, &cause)
            }
            SetInParent::Present(_) | SetInParent::Absent if phase.is_some() => {
                self.delete_zone(item, contents, true)
            }
            // Another program or person deleted it, or an earlier attempt of this Delete whose INSYNC was not seen.
            SetInParent::Present(_) | SetInParent::Absent => match self.seen(item)? {
                // "Gone" may be "not yet": name servers may not have had the record set so far, and its change may still be on
                // its way.
                Standing::Gone | Standing::Unknown(_) => {
                    let drain = self.drain(complete).max(PROPAGATION);
                    Ok(self.drained(item, drain))
                }
                // Not INSYNC yet, or a record set that someone changed and that still names these name servers.
                Standing::Stands(said) => Err(self.turn.wait(
                    SEEN_PAUSE,
                    format!(
                        "{} to be delegated to its zone {} no longer: {said}",
                        item.delegation.name, zone.id
                    ),
                )),
            },
        }
    }

    /// Without permission in the parent, the zone may be deleted only if the parent's own name servers say that they no
    /// longer delegate to it.
    fn delete_without_permission(
        &self,
        item: &Item<'_>,
        complete: bool,
        cause: &Error,
    ) -> Result<Plan, Stop> {
        self.check_gone(item, cause)?;
        if self.turn.memory.phase(&item.zone.id).is_none() {
            return Ok(self.drained(item, self.drain(complete)));
        }
        self.delete_zone(item, self.contents(item)?, false)
    }

    /// Deletes the zone, and first what is in it that may be deleted. `reads_again` is whether the parent can be read once more
    /// after it.
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
            let conflicts = self.turn.memory.conflicts;
            if sets.is_empty() && matches!(self.observed.conflict, Some(Conflict::NotEmpty(_)))
                || conflicts >= MOST_CONFLICTS
            {
                return self.cannot_be_deleted(item, Keeps::Unknown(error.clone()));
            }
            if conflicts > 1 {
                let waiting_for = format!("the zone {} to be empty: {error}", zone.id);
                return Err(self.turn.wait(PAUSE, waiting_for));
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
            return Ok(self.turn.plan(actions, End::Observe));
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
        let remember = self.turn.memory.with(&zone.id, phase);
        Ok(self.turn.remember(actions, remember, End::Observe))
    }

    /// The zone cannot be deleted. A Delete is refused, and its delegation restored if this Delete has deleted it. A rollback is
    /// not refused, which would leave the stack stuck: nobody is led to the zone any more, and the log names it.
    fn cannot_be_deleted(&self, item: &Item<'_>, keeps: Keeps) -> Result<Plan, Stop> {
        if let Which::Leftovers { .. } = self.task.which {
            let why = Why::Leftover(self.error(item, keeps, Left::Deleted));
            let mut actions = Vec::new();
            if let Some(set) = self.delegation(item)? {
                actions.push(delete(&item.delegation, &set));
            }
            actions.push(leave(item.zone, why));
            return Ok(self.finished(item, actions));
        }
        let ttl = match self.turn.memory.phase(&item.zone.id) {
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
        Ok(self.turn.plan([restore], end))
    }

    /// The zone is deleted. A Create that was delivered twice may have delegated to it again just before.
    fn after_deletion(&self, delegation: &Delegation, servers: &NameServers) -> Result<Plan, Stop> {
        let finished = self.turn.memory.with(&delegation.zone, Phase::Finished);
        match self.set(delegation)? {
            SetInParent::Present(set) if set.name_servers() == *servers => {
                if let Some(Conflict::NoPermission(cause)) = &self.observed.conflict {
                    self.check_not_dangling(delegation, Some(servers), cause)?;
                    return Ok(self.turn.remember([], finished, End::Observe));
                }
                self.check_conflict(delegation)?;
                Ok(self.turn.plan([delete(delegation, &set)], End::Observe))
            }
            SetInParent::NoPermission(cause) => {
                self.check_not_dangling(delegation, Some(servers), &cause)?;
                Ok(self.turn.remember([], finished, End::Observe))
            }
            SetInParent::Present(_) | SetInParent::Absent => {
                Ok(self.turn.remember([], finished, End::Plan))
            }
        }
    }

    /// The zone of the physical id does not exist: a person or an earlier attempt deleted it. What may be left is the worst, an
    /// NS record set that delegates to nobody. It is deleted if the id proves that it led to this resource's zone, and no
    /// other zone of the account has these name servers.
    fn without_zone(&self, delegation: &Delegation) -> Result<Plan, Stop> {
        let done = || self.turn.plan([], self.done());
        let set = match self.set(delegation)? {
            SetInParent::Present(set) if delegation.is_to(&set.name_servers(), &self.owner) => set,
            SetInParent::Present(_) | SetInParent::Absent => return Ok(done()),
            SetInParent::NoPermission(cause) => {
                let unseen = self.check_not_dangling(delegation, None, &cause)?;
                return Ok(self.turn.plan(unseen, self.done()));
            }
        };
        let servers = set.name_servers();
        let Some(namesakes) = &self.observed.namesakes else {
            return Err(Stop::Read(Question::Namesakes(delegation.name.clone())));
        };
        if namesakes.iter().any(|(_, others)| *others == servers) {
            let zone = delegation.zone.clone();
            let why = Why::OtherZone;
            return Ok(self.turn.plan([Action::Leave { zone, why }], self.done()));
        }
        if !self.is_proven(delegation, &servers) {
            return Err(Stop::Refuse(Error::Unproven {
                name: delegation.name.clone(),
                zone: delegation.zone.clone(),
                parent: self.parent_name(delegation),
                parent_id: delegation.parent.clone(),
                set: Box::new(set),
            }));
        }
        if let Some(Conflict::NoPermission(cause)) = &self.observed.conflict {
            let unseen = self.check_not_dangling(delegation, Some(&servers), cause)?;
            return Ok(self.turn.plan(unseen, self.done()));
        }
        self.check_conflict(delegation)?;
        Ok(self.turn.plan([delete(delegation, &set)], self.done()))
    }
}

/// What is refused, and what is waited for.
impl Case<'_> {
    /// After a conflict about the NS record set, which exists and is this resource's.
    fn check_conflict(&self, delegation: &Delegation) -> Result<(), Stop> {
        let name = &delegation.name;
        match &self.observed.conflict {
            Some(Conflict::Active) => Err(self.turn.wait(
                ACTIVE_PAUSE,
                format!(
                    "the parent of {name} to accept the deletion of its NS record set, which resolvers still use \
                     (ACTIVE_DELEGATION_CHECK)"
                ),
            )),
            Some(Conflict::Refused(error)) => Err(Stop::Refuse(Error::NotUndelegated {
                parent: self.parent_name(delegation),
                name: name.clone(),
                error: error.clone(),
            })),
            Some(Conflict::Stale(error)) => self.turn.check_stale(error, || {
                format!("others to stop changing {name} in its parent: {error}")
            }),
            _ => Ok(()),
        }
    }

    /// Without permission in the parent: refuses unless its name servers say that they do not delegate to the zone any more.
    fn check_gone(&self, item: &Item<'_>, cause: &Error) -> Result<(), Stop> {
        let standing = match self.seen(item)? {
            Standing::Gone => return Ok(()),
            Standing::Stands(said) | Standing::Unknown(said) => said.clone(),
        };
        Err(Stop::Refuse(Error::StillDelegated {
            name: item.delegation.name.clone(),
            zone: item.zone.id.clone(),
            parent: self.parent_name(&item.delegation),
            cause: cause.to_string(),
            standing,
        }))
    }

    /// Without permission in the parent of a zone that does not exist: refuses if its name servers still delegate to it. If
    /// they do not answer, nothing more can be known.
    fn check_not_dangling(
        &self,
        delegation: &Delegation,
        to: Option<&NameServers>,
        cause: &Error,
    ) -> Result<Vec<Action>, Stop> {
        match self.seen_delegation(delegation, to)? {
            Standing::Gone => Ok(Vec::new()),
            Standing::Unknown(said) => {
                let why = Why::Unseen {
                    cause: cause.clone(),
                    said: said.clone(),
                };
                let zone = delegation.zone.clone();
                Ok(vec![Action::Leave { zone, why }])
            }
            Standing::Stands(standing) => Err(Stop::Refuse(Error::Dangling {
                name: delegation.name.clone(),
                zone: delegation.zone.clone(),
                parent: self.parent_name(delegation),
                cause: cause.to_string(),
                standing: standing.clone(),
            })),
        }
    }

    fn kept(&self, item: &Item<'_>, keeps: Keeps, left: Left) -> Stop {
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

    /// What keeps the zone from being deleted.
    fn keeps(&self, contents: &Contents) -> Option<Keeps> {
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

/// What the decisions are made of.
impl Case<'_> {
    fn ownership(&self, zone: &Zone) -> Ownership {
        zone.ownership(&self.owner, &self.task.leaving.former)
    }

    fn is_finished(&self, zone: &HostedZoneId) -> bool {
        self.turn.memory.phase(zone) == Some(&Phase::Finished)
    }

    fn is_parent_unreadable(&self) -> bool {
        self.task.leaving.parent.is_err() || matches!(self.observed.parent, Some(Err(_)))
    }

    /// Whether the NS record set is usually as the properties say, and nothing says that it is not.
    fn is_delegation_known(&self, item: &Item<'_>) -> bool {
        matches!(self.task.which, Which::Named(_))
            && self.task.leaving.ttl.is_some()
            && self.observed.conflict.is_none()
            && !self.observed.sets.contains_key(&item.zone.id)
    }

    /// The NS record set that leads to the zone, to be deleted for good. None if there is none, or if the parent's name servers say so
    /// where this function has no permission.
    fn delegation(&self, item: &Item<'_>) -> Result<Option<RecordSet>, Stop> {
        let cause = match (self.set(&item.delegation)?, &self.observed.conflict) {
            (SetInParent::NoPermission(cause), _) => cause,
            (SetInParent::Present(set), conflict)
                if set.name_servers() == item.zone.name_servers =>
            {
                match conflict {
                    Some(Conflict::NoPermission(cause)) => cause.clone(),
                    _ => {
                        self.check_conflict(&item.delegation)?;
                        return Ok(Some(set));
                    }
                }
            }
            _ => return Ok(None),
        };
        self.check_gone(item, &cause)?;
        Ok(None)
    }

    fn set(&self, delegation: &Delegation) -> Result<SetInParent, Stop> {
        if let (Some(Err(error)), false) = (
            &self.observed.parent,
            matches!(self.task.leaving.parent, Ok(ParentReference::Own(_))),
        ) {
            let error = Error::NoParent(error.to_string());
            return Ok(SetInParent::NoPermission(error));
        }
        match self.observed.sets.get(&delegation.zone) {
            Some(set) => Ok(set.clone()),
            None => Err(Stop::Read(Question::Set(delegation.clone()))),
        }
    }

    fn contents(&self, item: &Item<'_>) -> Result<&Contents, Stop> {
        let read = self.observed.contents.get(&item.zone.id);
        read.ok_or_else(|| {
            Stop::Read(Question::Contents {
                zone: item.zone.id.clone(),
                name: item.zone.name.clone(),
                records: self.task.leaving.records_on_delete,
            })
        })
    }

    fn seen(&self, item: &Item<'_>) -> Result<&Standing, Stop> {
        self.seen_delegation(&item.delegation, Some(&item.zone.name_servers))
    }

    fn seen_delegation(
        &self,
        delegation: &Delegation,
        to: Option<&NameServers>,
    ) -> Result<&Standing, Stop> {
        self.observed.seen.get(&delegation.zone).ok_or_else(|| {
            Stop::Read(Question::Seen {
                delegation: delegation.clone(),
                parent: self.parent_name(delegation),
                to: to.cloned(),
            })
        })
    }

    fn undelegate(&self, item: &Item<'_>, set: &RecordSet) -> Plan {
        let ttl = set.ttl().unwrap_or_default();
        let phase = Phase::Undelegated { ttl };
        let remember = self.turn.memory.with(&item.zone.id, phase);
        let delete = delete(&item.delegation, set);
        self.turn.remember([delete], remember, End::Plan)
    }

    fn drained(&self, item: &Item<'_>, drain: Duration) -> Plan {
        let phase = Phase::Draining {
            until: self.turn.seconds(drain),
            ttl: None,
        };
        let remember = self.turn.memory.with(&item.zone.id, phase);
        self.turn.remember([], remember, End::Observe)
    }

    /// How long resolvers may still use the delegation, cut to the time that is left. Nobody has used a leftover, what a Create
    /// that was never answered has created, or what was never complete.
    fn drain(&self, complete: bool) -> Duration {
        let is_used = match self.task.which {
            Which::Named(_) => complete,
            Which::Tagged => complete && is_refused_id(self.turn.request.physical_id()),
            Which::Leftovers { .. } => false,
        };
        let most = self.turn.time_left.saturating_sub(RESERVE);
        if is_used {
            self.task.leaving.drain.min(most)
        } else {
            Duration::ZERO
        }
    }

    fn finished(&self, item: &Item<'_>, actions: impl Into<Vec<Action>>) -> Plan {
        let remember = self.turn.memory.with(&item.zone.id, Phase::Finished);
        let end = match self.task.which {
            Which::Named(_) => self.done(),
            Which::Tagged | Which::Leftovers { .. } => End::Observe,
        };
        self.turn.remember(actions, remember, end)
    }

    fn done(&self) -> End {
        let established = self.turn.memory.established.as_ref();
        let answer = established.map(super::super::memory::Established::success);
        End::Done(answer.unwrap_or_else(|| self.turn.deleted()))
    }

    fn is_proven(&self, delegation: &Delegation, servers: &NameServers) -> bool {
        let labels = format!("{}.", self.task.leaving.labels);
        let proves = |logical_id: &String| {
            let owner = Owner {
                logical_id: logical_id.clone(),
                ..self.owner.clone()
            };
            delegation.is_proven_to(servers, &owner)
        };
        let former = &self.task.leaving.former;
        delegation.name.as_str().starts_with(&labels)
            && [&self.owner.logical_id]
                .into_iter()
                .chain(former)
                .any(proves)
    }

    /// The parent zone's name: the delegation's without the labels that the template gives it.
    fn parent_name(&self, delegation: &Delegation) -> DomainName {
        let ancestors = std::iter::successors(Some(delegation.name.clone()), DomainName::parent);
        let labels = self.task.leaving.labels.split('.').count();
        let parent = ancestors.take(labels + 1).last();
        parent.unwrap_or_else(|| delegation.name.clone())
    }
}

fn contradicting(zone: &Zone, tags: Owner) -> Stop {
    Stop::Refuse(Error::Contradicting {
        zone: zone.id.clone(),
        name: zone.name.clone(),
        tags,
    })
}

fn second_look(until: std::time::SystemTime) -> Stop {
    let waiting_for = Wait::second_sweep();
    Stop::Wait { until, waiting_for }
}

fn delete(delegation: &Delegation, set: &RecordSet) -> Action {
    Action::DeleteDelegation {
        parent: delegation.parent.clone(),
        set: set.clone(),
    }
}

fn leave(zone: &Zone, why: Why) -> Action {
    let zone = zone.id.clone();
    Action::Leave { zone, why }
}
