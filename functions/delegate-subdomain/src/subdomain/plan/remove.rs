//! Plans Delete, and the deletion of a failed update's leftovers.
//!
//! The order prevents a takeover of the name: the NS record set in the parent, INSYNC, the drain,
//! and only then the zone. A zone whose delegation exists, or may exist, is never deleted.

mod found;
mod managed_zone;
mod missing_zone;

use super::{Action, Delivery, End, Plan, Purpose, Stop, Why};
use crate::{
    error::Error,
    subdomain::{
        delegation::Delegation,
        memory::Phase,
        observed::{Conflict, Contents, Observed, Question, SetInParent, Zone},
        properties::ParentReference,
        task::{Remove, Which},
    },
};
use custom_resource::{Clock, Wait, is_refused_id};
use dns_check::Standing;
use hosted_zones::{DomainName, HostedZoneId, NameServers, RecordSet};
use ownership::{
    Owner, Requester, Stage,
    zone::{Ownership, Tagging},
};
use std::time::Duration;

/// The pause between two attempts while a guardrail of the parent protects a delegation that resolvers still
/// use.
const ACTIVE_PAUSE: Duration = Duration::from_secs(60);

/// A Delete, or the end of an Update, with what exists.
struct Case<'a> {
    task: &'a Remove,
    observed: &'a Observed,
    delivery: &'a Delivery<'a>,
    owner: Owner,
}

/// A delegation that has to be removed.
struct Item<'a> {
    delegation: Delegation,
    zone: &'a Zone,
    extent: Extent,
}

/// The parts of a delegation that are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Everything that this resource has.
    Whole,
    /// Only its NS record set: the zone existed before, or serves another parent too.
    RecordSet,
}

/// What is done with a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Leave(Whose),
    /// Return it to this logical id, from which it was transferred.
    Return(String),
    /// Delete only its ownership tags, because the request that failed adopted its delegation.
    Release,
    /// Nothing: it was transferred to another logical id, and this one is deleted.
    Forget,
    /// Delete its NS record set and the zone itself. If its request was never complete, no resolver has used
    /// it.
    Delete {
        complete: bool,
    },
    /// Delete its NS record set and the ownership tags.
    Undelegate {
        delegated_from: Option<HostedZoneId>,
    },
}

/// The owner of a zone that is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    LaterRequest,
    Other,
    Nobody,
}

pub(super) fn plan(
    task: &Remove,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Stop> {
    let case = Case {
        task,
        observed,
        delivery,
        owner: delivery.request.owner(),
    };
    if let Some((delegation, servers)) = delivery.memory.deleted() {
        return case.after_deletion(delegation, &servers);
    }
    if let Which::Named(delegation) = &task.which {
        return case.named(delegation);
    }
    let items = case.items()?;
    if matches!(task.which, Which::Tagged) && !is_refused_id(delivery.request.physical_id()) {
        match delivery.memory.second_search.map(Clock::moment) {
            None => return case.first_search(&items),
            Some(until) if delivery.now < until => return Err(second_search(until)),
            Some(_) => {}
        }
    }
    for item in &items {
        if let Some(plan) = case.item(item)? {
            return Ok(plan);
        }
    }
    Ok(delivery.plan([], case.done()))
}

impl Case<'_> {
    /// Plans the removal of the delegation that the physical id names. The id is a hint, not a proof.
    fn named(&self, delegation: &Delegation) -> Result<Plan, Stop> {
        if self.is_finished(&delegation.zone) {
            return Ok(self.delivery.plan([], self.done()));
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
        Ok(plan.unwrap_or_else(|| self.delivery.plan([], self.done())))
    }

    /// Returns the next plan for one delegation, or none if there is nothing left to do.
    fn item(&self, item: &Item<'_>) -> Result<Option<Plan>, Stop> {
        let zone = item.zone;
        if self.is_finished(&zone.id) {
            return Ok(None);
        }
        if item.extent == Extent::RecordSet {
            return match self.delegation(item)? {
                Some(set) => Ok(Some(self.finishing(item, [delete(&item.delegation, &set)]))),
                None => Ok(None),
            };
        }
        let tag = |tagging, purpose| Action::Tag {
            zone: zone.id.clone(),
            tagging,
            purpose,
        };
        let request = self.delivery.request;
        Ok(Some(match self.fate(item)? {
            Fate::Leave(whose) => {
                let why = match whose {
                    Whose::LaterRequest => Why::LaterRequest,
                    Whose::Other => Why::NotThisResources,
                    Whose::Nobody => Why::WithoutTags,
                };
                self.finishing(item, [leave(zone, why)])
            }
            Fate::Return(to) => self.finishing(
                item,
                [tag(Tagging::returned(request, &to), Purpose::Return)],
            ),
            Fate::Release => self.finishing(item, [tag(Tagging::untagged(), Purpose::Release)]),
            Fate::Forget => {
                self.finishing(item, [tag(Tagging::previous_deleted(), Purpose::Settle)])
            }
            Fate::Undelegate { delegated_from } => {
                let mut actions = Vec::new();
                if let Some(set) = self.delegation(item)? {
                    actions.push(delete(&item.delegation, &set));
                }
                // If this resource now delegates it from another parent, the zone keeps its tags.
                if delegated_from.is_none_or(|parent| parent == item.delegation.parent) {
                    actions.push(tag(Tagging::untagged(), Purpose::Release));
                }
                self.finishing(item, actions)
            }
            Fate::Delete { complete } => return self.delete(item, complete).map(Some),
        }))
    }

    /// Returns what is done with a zone.
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
        if is_named && ownership.is_later_than(self.delivery.request) {
            return Ok(Fate::Leave(Whose::LaterRequest));
        }
        Ok(match ownership {
            // The rollback of a rename. After a rename that succeeded, the Delete of the old logical id has removed this tag
            // ([`Fate::Forget`]), or an Update in place of the new one has.
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
            // The physical id says that this resource delegated it, which is no proof.
            Ownership::Untagged => Fate::Leave(Whose::Nobody),
            Ownership::Contradicting { tags, .. } => return Err(contradicting(zone, tags)),
        })
    }
}

/// Refuses requests, and waits.
impl Case<'_> {
    /// Continues after a conflict about the NS record set, which exists and belongs to this resource.
    fn check_conflict(&self, delegation: &Delegation) -> Result<(), Stop> {
        let name = &delegation.name;
        match &self.observed.conflict {
            Some(Conflict::Active) => Err(self.delivery.wait(
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
            Some(Conflict::Stale(error)) => self.delivery.check_stale(error, || {
                format!("others to stop changing {name} in its parent: {error}")
            }),
            _ => Ok(()),
        }
    }

    /// Without permission in the parent: refuses unless its name servers say that they do not delegate to the
    /// zone any more.
    fn check_not_delegated(&self, item: &Item<'_>, cause: &Error) -> Result<(), Stop> {
        let standing = match self.seen(item)? {
            Standing::Gone => return Ok(()),
            Standing::Stands(said) | Standing::Unknown(said) => said.clone(),
        };
        Err(Stop::Refuse(Error::StillDelegated {
            is_external: matches!(self.ownership(item.zone), Ownership::External { .. }),
            name: item.delegation.name.clone(),
            zone: item.zone.id.clone(),
            parent: self.parent_name(&item.delegation),
            cause: cause.to_string(),
            standing,
        }))
    }
}

/// Helpers for the decisions.
impl Case<'_> {
    fn ownership(&self, zone: &Zone) -> Ownership {
        zone.ownership(&self.owner, &self.task.leaving.former)
    }

    fn is_finished(&self, zone: &HostedZoneId) -> bool {
        self.delivery.memory.phase(zone) == Some(&Phase::Finished)
    }

    fn is_parent_unreadable(&self) -> bool {
        self.task.leaving.parent.is_err() || matches!(self.observed.parent, Some(Err(_)))
    }

    /// Returns the NS record set that leads to the zone and has to be deleted permanently. None if there is
    /// none, or if the parent's name servers say so and this function has no permission.
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
        self.check_not_delegated(item, &cause)?;
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

    /// Returns a plan after which nothing is left to do for this delegation.
    fn finishing(&self, item: &Item<'_>, actions: impl Into<Vec<Action>>) -> Plan {
        let remember = self.delivery.memory.with(&item.zone.id, Phase::Finished);
        let end = match self.task.which {
            Which::Named(_) => self.done(),
            Which::Tagged | Which::Leftovers { .. } => End::Observe,
        };
        self.delivery.remember(actions, remember, end)
    }

    fn done(&self) -> End {
        let established = self.delivery.memory.established.as_ref();
        let answer = established.map(super::super::memory::Established::success);
        End::Done(answer.unwrap_or_else(|| self.delivery.deleted()))
    }

    /// Returns the parent zone's name, which is the delegation's without the labels in the template.
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

fn second_search(until: std::time::SystemTime) -> Stop {
    let waiting_for = Wait::second_search();
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
