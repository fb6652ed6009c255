//! Plans Create and Update.

use super::{Action, Delivery, Do, End, OnFault, Plan, Purpose, Stop, is_of};
use crate::{
    error::Error,
    public_zone::Unusable,
    subdomain::{
        access::ParentZone,
        delegation::Delegation,
        memory::{Established, Made},
        observed::{Around, Conflict, Observed, Question, Zone},
        properties::{Leaving, Wanted, check_name},
        task::Establish,
    },
};
use custom_resource::{Clock, RequestType};
use dns_check::Fault;
use hosted_zones::{DomainName, HostedZoneId, NameServers, PROPAGATION, RecordSet};
use ownership::{
    Creation, Owner, Requester, Stage,
    zone::{Ownership, Proof, Tagging},
};
use std::{collections::BTreeMap, time::Duration};

/// What a Delete needs in addition to the drain: the INSYNC of its change, the deletion of the zone and the
/// answer.
const DELETE_WITHOUT_DRAIN: Duration = PROPAGATION.saturating_mul(2);
/// The pause between two attempts at an NS record set that the parent refuses while it may not know the new
/// zone yet.
const PAUSE: Duration = Duration::from_secs(5);
/// How long that is attempted: until the zone is INSYNC, and a minute longer. Neither a guardrail's treatment
/// of a new zone nor the words of its refusal are documented.
const REFUSED_FOR: Duration = PROPAGATION.saturating_mul(2);

/// A Create or Update, with what exists.
struct Case<'a> {
    task: &'a Establish,
    wanted: &'a Wanted,
    observed: &'a Observed,
    delivery: &'a Delivery<'a>,
    owner: Owner,
    parent: &'a ParentZone,
    around: &'a Around,
    name: DomainName,
}

/// The existing zone that has to be delegated.
struct Target<'a> {
    zone: &'a Zone,
    kind: Kind,
    proof: Proof,
    /// The tags that it needs before anything else is changed.
    tagging: Tagging,
    purpose: Purpose,
}

/// How the resource got the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// This request created it, in this or an earlier delivery.
    Created,
    /// This request created it, and an earlier delivery completed its work.
    Complete,
    /// An earlier request or another logical id created it. A request that fails does not change it.
    Kept,
    /// It is external, and has no owner yet.
    ExternalNew,
    /// It is external, and an earlier delivery of this request began to delegate it.
    ExternalBegun,
    /// It is external, and an earlier request delegated it.
    ExternalKept,
    /// It is external, and its delegation is adopted, which is not changed.
    Adopted,
}

pub(super) fn plan(
    task: &Establish,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Stop> {
    let (Some(Ok(parent)), Some(around)) = (&observed.parent, &observed.around) else {
        unreachable!("the observation of a Create or Update fails without its parent zone");
    };
    let case = Case {
        task,
        wanted: &task.wanted,
        observed,
        delivery,
        owner: delivery.request.owner(),
        parent,
        around,
        name: task.wanted.name(&parent.name)?,
    };
    case.check_drain()?;
    case.check_stale()?;
    if let Some(Conflict::ZoneDeleted(set)) = &observed.conflict {
        return Ok(case.zone_deleted(set));
    }
    if let Some(current) = &task.current {
        if let Some(zone) = observed.zone(&current.zone) {
            case.check_consistent(zone)?;
        }
        if let Some((zone, ownership)) = case.in_place(current) {
            return case.change_in_place(zone, &ownership);
        }
        case.check_not_deleted(current)?;
    }
    let target = match &case.wanted.external_zone {
        Some(id) => Some(case.external(id)?),
        None => case.managed()?,
    };
    case.establish(target)
}

impl Case<'_> {
    fn establish(&self, target: Option<Target<'_>>) -> Result<Plan, Stop> {
        self.check_free(target.as_ref().map(|target| &target.zone.name_servers))?;
        let Some(target) = target else {
            return self.create_zone();
        };
        let zone = target.zone;
        let existing = self.around.delegation.clone();
        let existing = existing.filter(|set| set.name_servers() == zone.name_servers);
        let delegation = self.delegation(zone, target.proof);
        let (mut actions, names) = match target.kind {
            // Later changes do not concern this delivery.
            Kind::Complete => (Vec::new(), None),
            Kind::Created => (self.delegate_created(zone)?, Some(delegation.clone())),
            _ => {
                let adopts = target.kind == Kind::ExternalNew && existing.is_some();
                let is_new = matches!(target.kind, Kind::ExternalNew | Kind::ExternalBegun);
                let names = (is_new && !adopts).then(|| delegation.clone());
                (self.delegate_existing(&target, existing)?, names)
            }
        };
        actions.extend(self.release_adopted(zone));
        Ok(self.established(actions, self.answer(delegation, zone), names))
    }

    fn create_zone(&self) -> Result<Plan, Stop> {
        check_name(&self.wanted.labels, &self.parent.name)?;
        if self.delivery.is_too_late {
            return Err(self.too_late());
        }
        if let Some(Conflict::ReferenceUsed(error)) = &self.observed.conflict {
            // The zone that it created does not exist any more, or belongs to another logical id now.
            return Err(Stop::Refuse(Error::ReferenceUsed {
                name: self.name.clone(),
                error: error.clone(),
            }));
        }
        let create = Action::CreateZone {
            name: self.name.clone(),
            caller_reference: self.delivery.request.caller_reference(),
            comment: self.wanted.comment.clone(),
        };
        Ok(self.delivery.plan([create], End::Plan))
    }

    /// Plans the delegation of a zone that this request created.
    fn delegate_created(&self, zone: &Zone) -> Result<Vec<Action>, Stop> {
        self.check_refused(REFUSED_FOR)?;
        let mut actions = Vec::new();
        if !self.has_made(zone) {
            actions = vec![
                // Its CallerReference names the owner before the tags do.
                tag(zone, Tagging::created(self.delivery.request), Purpose::Own),
                // Before the NS record set in the parent, so that no resolver caches the TTL of two days.
                Action::SetApexTtl {
                    zone: zone.zone.clone(),
                    ttl: self.wanted.ttl,
                },
            ];
            // The name resolves by the old zone. It is switched only when the new one answers.
            let replaces = self.around.delegation.is_some();
            actions.extend(replaces.then(|| Action::AwaitZone(zone.zone.clone())));
        }
        actions.extend(self.delegate(zone));
        actions.extend(self.verify(zone, OnFault::Fail));
        actions.extend(self.complete(zone, &self.wanted.tags));
        Ok(actions)
    }

    /// Plans the delegation of an existing zone, which is not changed until nothing can fail any more.
    fn delegate_existing(
        &self,
        target: &Target<'_>,
        existing: Option<RecordSet>,
    ) -> Result<Vec<Action>, Stop> {
        self.check_refused(Duration::ZERO)?;
        let Target { zone, kind, .. } = target;
        let mut tagging = target.tagging.clone();
        if *kind == Kind::ExternalNew {
            tagging = match existing {
                None => Tagging::external(self.delivery.request, &self.parent.id),
                Some(_) if self.wanted.adopts => {
                    Tagging::adopted(self.delivery.request, &self.parent.id)
                }
                Some(_) => {
                    return Err(Stop::Refuse(Error::NotAdopted {
                        name: self.name.clone(),
                        parent: self.parent.name.clone(),
                        zone: zone.id.clone(),
                    }));
                }
            };
        }
        if existing.is_none() {
            check_name(&self.wanted.labels, &self.parent.name)?;
            if *kind == Kind::Kept {
                tagging = tagging.delegated_by(self.delivery.request);
            }
        }
        // Before its NS record set is created, so that a Delete finds by the tags what this request did.
        let mut actions = vec![tag(zone, tagging, target.purpose)];
        let delegates = existing.is_none() || *kind == Kind::ExternalBegun;
        if delegates {
            actions.extend(self.delegate(zone));
        }
        actions.extend(self.verify(zone, OnFault::Fail));
        let has_other_ttl = existing.is_some_and(|set| !self.has_ttl(&set));
        if !delegates && has_other_ttl && matches!(kind, Kind::Kept | Kind::ExternalKept) {
            actions.extend(self.delegate(zone));
        }
        if *kind == Kind::Kept {
            actions.extend(self.comment(zone));
            actions.extend(self.complete(zone, &self.wanted.tags));
        } else {
            actions.extend(self.complete(zone, &BTreeMap::new()));
        }
        Ok(actions)
    }

    /// Plans an Update of the delegation that the physical id names, which is the wanted one.
    fn change_in_place(&self, zone: &Zone, ownership: &Ownership) -> Result<Plan, Stop> {
        self.check_refused(Duration::ZERO)?;
        let is_managed = matches!(ownership, Ownership::Managed { .. });
        let existing = self.around.delegation.as_ref();
        let leads_here = existing.filter(|set| set.name_servers() == zone.name_servers);
        match existing {
            // Another program or person deleted it. Record sets that exist there since would be occluded, or
            // would occlude it.
            None => self.check_surroundings()?,
            // The NS record set of a failed Update for another zone of this resource is replaced.
            Some(set) if leads_here.is_none() && !self.is_of_own_zone(&set.name_servers()) => {
                return Err(self.occupied(set));
            }
            Some(_) => {}
        }
        let before = self.task.before.as_ref();
        // If the record set was not to change, its INSYNC was waited for when it was created.
        let was_wanted = before.is_some_and(|before| {
            before.ttl == self.wanted.ttl && before.external_zone == self.wanted.external_zone
        });
        // An adopted delegation keeps its own TTL until the property changes.
        let is_as_wanted = leads_here.is_some_and(|set| !is_managed || self.has_ttl(set));
        let request = self.delivery.request;
        let mut actions = Vec::new();
        if is_managed {
            let settled = Tagging::settled(request, None);
            actions.push(tag(zone, settled, Purpose::Settle));
            let tags_before = before.map(|before| before.tags.clone());
            let user = Tagging::of_user(&self.wanted.tags, &tags_before.unwrap_or_default());
            actions.extend((!user.is_empty()).then(|| tag(zone, user, Purpose::User)));
            actions.extend(self.comment(zone));
        } else {
            let settled = Tagging::settled(request, Some(&self.parent.id));
            actions.push(tag(zone, settled, Purpose::Settle));
        }
        if !(is_as_wanted && was_wanted) {
            actions.extend(self.delegate(zone));
        }
        // The delegation existed before, and this Update did not change it: a fault above it is no reason to
        // refuse a comment, and then to refuse the rollback of that.
        let was_verified = before.is_some_and(|before| before.verify);
        let on_fault = if leads_here.is_some() && was_verified {
            OnFault::Warn
        } else {
            OnFault::Fail
        };
        actions.extend(self.verify(zone, on_fault));
        // The physical id names this delegation, so it does not change.
        let delegation = self.delegation(zone, Proof::OfOwner);
        Ok(self.established(actions, self.answer(delegation, zone), None))
    }

    /// Plans what follows if the zone was deleted while this request created its NS record set.
    ///
    /// A Create may be delivered twice, answered once, and deleted while the other delivery still runs. This
    /// delivery reads the zone after it has created the record set; the Delete reads the record set after it
    /// has deleted the zone. So one of the two sees the other, and no delegation to a missing zone remains.
    fn zone_deleted(&self, set: &RecordSet) -> Plan {
        let delete = Action::DeleteDelegation {
            parent: self.parent.id.clone(),
            set: set.clone(),
        };
        let name = self.name.clone();
        self.delivery
            .plan([delete], End::Refuse(Error::ZoneGone { name }))
    }

    fn established(
        &self,
        actions: Vec<Action>,
        answer: Established,
        names: Option<Delegation>,
    ) -> Plan {
        let mut remember = self.delivery.memory.clone();
        let end = if self.may_have_leftovers() {
            remember.established = Some(answer);
            End::Observe
        } else {
            End::Done(answer.success())
        };
        Plan::Do(Box::new(Do {
            actions,
            remember,
            end,
            names,
        }))
    }

    /// Returns whether a failed update may have left something. In an Update that is not a rollback, and in a
    /// rollback with the new id, the delegation of the old properties is the request's own, and everything
    /// else was left by an earlier replacement, for a reason.
    fn may_have_leftovers(&self) -> bool {
        let Some(before) = &self.task.before else {
            return false;
        };
        let is_current = self.task.current.as_ref().is_some_and(|current| {
            let zone = self.observed.zone(&current.zone);
            before.parent == self.wanted.parent
                && zone.is_some_and(|zone| {
                    let leaving = Leaving::of(before);
                    is_of(&leaving, self.parent, current, &self.ownership(zone))
                })
        });
        !is_current
    }

    fn answer(&self, delegation: Delegation, zone: &Zone) -> Established {
        Established {
            delegation,
            name_servers: zone.name_servers.to_string(),
            parent_name: self.parent.name.to_string(),
        }
    }

    /// Returns the delegation of the zone, with the request's own physical id if that names it.
    fn delegation(&self, zone: &Zone, proof: Proof) -> Delegation {
        let delegation = Delegation::new(&zone.zone, &self.parent.id, &self.owner, proof);
        match &self.task.current {
            Some(current) if current.is_same(&delegation) => current.clone(),
            _ => delegation,
        }
    }
}

/// Finds the zone that has to be delegated.
impl Case<'_> {
    /// Returns the zone that `HostedZoneId` names, if this resource can delegate it.
    fn external(&self, id: &HostedZoneId) -> Result<Target<'_>, Stop> {
        let property = "HostedZoneId";
        let (id, request) = (id.clone(), self.delivery.request);
        let Some(zone) = self.observed.zone(&id) else {
            return Err(Unusable::NoZone { property, id }.into());
        };
        if zone.private {
            return Err(Unusable::PrivateZone { property, id }.into());
        }
        if zone.name != self.name {
            return Err(Stop::Refuse(Error::OtherName {
                id,
                is: zone.name.clone(),
                wanted: self.name.clone(),
            }));
        }
        self.check_consistent(zone)?;
        let ownership = self.ownership(zone);
        let own = (Tagging::own(request), Purpose::Own);
        let (kind, (tagging, purpose)) = match &ownership {
            Ownership::OtherStack(owner) => {
                return Err(Stop::Refuse(Error::OthersZone {
                    id,
                    name: self.name.clone(),
                    owner: owner.clone(),
                }));
            }
            Ownership::External { adopted: true, .. } => (Kind::Adopted, own),
            Ownership::External {
                creation: Some(creation),
                ..
            } if creation.is_by(request) => (Kind::ExternalBegun, own),
            Ownership::External { .. } => (Kind::ExternalKept, own),
            Ownership::Managed { .. } => (Kind::Kept, own),
            Ownership::OtherLogicalId {
                logical_id,
                created_as,
                ..
            } => {
                self.check_former(zone, logical_id)?;
                let kind = if created_as.is_some() {
                    Kind::Kept
                } else {
                    Kind::ExternalKept
                };
                let tagging = Tagging::transferred(request, logical_id, created_as.as_deref());
                (kind, (tagging, Purpose::Transfer))
            }
            // An earlier delivery may have been undone, which deleted its tags again.
            Ownership::Untagged if self.delivery.may_be_repeat => return Err(self.too_late()),
            Ownership::Untagged if Creation::of_reference(&zone.caller_reference).is_some() => {
                return Err(Stop::Refuse(Error::Contradicting {
                    zone: id,
                    name: self.name.clone(),
                    tags: self.owner.clone(),
                }));
            }
            Ownership::Untagged => (Kind::ExternalNew, own),
            Ownership::Contradicting { .. } => unreachable!("checked"),
        };
        Ok(Target {
            zone,
            kind,
            proof: ownership.proof(zone),
            tagging,
            purpose,
        })
    }

    /// Returns the zone with this name that this resource has, or may get from another logical id. None if it
    /// has to be created.
    fn managed(&self) -> Result<Option<Target<'_>>, Stop> {
        let request = self.delivery.request;
        let zones = self.observed.zones.iter();
        let zones: Vec<&Zone> = zones.filter(|zone| zone.name == self.name).collect();
        for zone in &zones {
            self.check_consistent(zone)?;
        }
        let target = |zone, kind, tagging, purpose| {
            let proof = self.ownership(zone).proof(zone);
            Ok(Some(Target {
                zone,
                kind,
                proof,
                tagging,
                purpose,
            }))
        };
        for zone in zones.iter().copied() {
            match self.ownership(zone) {
                Ownership::Managed { stage, .. } if !self.serves_another_parent(zone) => {
                    let created = Creation::of_reference(&zone.caller_reference);
                    let is_created = created.is_some_and(|creation| creation.is_by(request));
                    let kind = match (is_created, stage) {
                        (true, Stage::Creating) => Kind::Created,
                        (true, Stage::Created) => Kind::Complete,
                        (false, _) => Kind::Kept,
                    };
                    return target(zone, kind, Tagging::own(request), Purpose::Own);
                }
                // Another logical id took the name while this one stayed in the template with another name, and that is rolled
                // back: this Update needs the zone again. The other logical id is deleted later.
                Ownership::OtherLogicalId {
                    transferred_from_here: true,
                    created_as: Some(_),
                    ..
                } if request.request_type == RequestType::Update => {
                    let tagging = Tagging::returned(request, &self.owner.logical_id);
                    return target(zone, Kind::Kept, tagging, Purpose::Return);
                }
                _ => {}
            }
        }
        // Another logical id's zone is transferred only if the parent delegates the name to it.
        let delegated = self.around.delegation.as_ref().map(RecordSet::name_servers);
        for zone in zones {
            if let Ownership::OtherLogicalId {
                logical_id,
                created_as: Some(created_as),
                ..
            } = self.ownership(zone)
                && delegated.as_ref() == Some(&zone.name_servers)
            {
                self.check_former(zone, &logical_id)?;
                let tagging = Tagging::transferred(request, &logical_id, Some(&created_as));
                return target(zone, Kind::Kept, tagging, Purpose::Transfer);
            }
        }
        Ok(None)
    }

    /// Returns whether an Update replaces this zone, which has the same name, because of another parent: it
    /// serves that parent until CloudFormation deletes it, or permanently if the Update is rolled back.
    fn serves_another_parent(&self, zone: &Zone) -> bool {
        let current = self.task.current.as_ref();
        current.is_some_and(|old| old.zone == zone.id && old.parent != self.parent.id)
    }

    /// Returns the zone of the physical id, if that is the wanted delegation.
    fn in_place(&self, current: &Delegation) -> Option<(&Zone, Ownership)> {
        let zone = self.observed.zone(&current.zone)?;
        let ownership = self.ownership(zone);
        let is_usable = match ownership {
            Ownership::Managed { .. } => true,
            Ownership::External { .. } => self.wanted.external_zone.is_some(),
            _ => false,
        };
        (is_usable && self.is_wanted(current)).then_some((zone, ownership))
    }

    fn is_wanted(&self, current: &Delegation) -> bool {
        let external = self.wanted.external_zone.as_ref();
        current.name == self.name
            && current.parent == self.parent.id
            && external.is_none_or(|id| *id == current.zone)
    }
}

/// Refuses requests.
impl Case<'_> {
    /// Refuses a drain for which a Delete has no time: better now than when the stack is deleted.
    fn check_drain(&self) -> Result<(), Stop> {
        let most = self
            .delivery
            .time_of_delete
            .saturating_sub(DELETE_WITHOUT_DRAIN);
        match self.wanted.drain {
            Some(drain) if drain > most => Err(Stop::Refuse(Error::LongDrain {
                seconds: drain.as_secs(),
                most: most.as_secs(),
            })),
            _ => Ok(()),
        }
    }

    /// Refuses a zone whose tags and `CallerReference` disagree.
    fn check_consistent(&self, zone: &Zone) -> Result<(), Stop> {
        match self.ownership(zone) {
            Ownership::Contradicting { tags, .. } => Err(Stop::Refuse(Error::Contradicting {
                zone: zone.id.clone(),
                name: zone.name.clone(),
                tags,
            })),
            _ => Ok(()),
        }
    }

    /// Refuses the zone of another logical id that `FormerLogicalIds` does not list.
    fn check_former(&self, zone: &Zone, logical_id: &str) -> Result<(), Stop> {
        if !self.wanted.former.iter().any(|id| id == logical_id) {
            return Err(Stop::Refuse(Error::HeldBySibling {
                name: self.name.clone(),
                zone: zone.id.clone(),
                logical_id: logical_id.to_owned(),
            }));
        }
        // An earlier delivery may have been undone, and the zone returned since.
        if self.delivery.may_be_repeat {
            return Err(self.too_late());
        }
        Ok(())
    }

    /// Refuses to create a delegation again of which neither the zone nor the record set exists: this may be
    /// a redelivery of an Update that was answered before its Delete ran, and no used `CallerReference` shows
    /// that. If only the zone or its tags do not exist, someone else deleted them, and creating the zone
    /// again repairs a dangling name. An earlier attempt may have begun with that.
    fn check_not_deleted(&self, current: &Delegation) -> Result<(), Stop> {
        let zone = self.observed.zone(&current.zone);
        let is_gone = zone.is_none_or(|zone| self.ownership(zone) == Ownership::Untagged);
        let delegation = self.around.delegation.as_ref();
        let is_delegated =
            delegation.is_some_and(|set| current.is_to(&set.name_servers(), &self.owner));
        let is_begun = self.observed.zones.iter().any(|zone| {
            let creation = Creation::of_reference(&zone.caller_reference);
            creation.is_some_and(|creation| creation.is_by(self.delivery.request))
        });
        if is_gone && !is_delegated && !is_begun && self.is_wanted(current) {
            return Err(Stop::Refuse(Error::Deleted {
                name: self.name.clone(),
                zone: current.zone.clone(),
            }));
        }
        Ok(())
    }

    /// Refuses if a delegation of the name would overwrite or occlude record sets, or if record sets occlude
    /// the name.
    fn check_free(&self, target: Option<&NameServers>) -> Result<(), Stop> {
        let replaced = self.task.current.as_ref();
        let replaced = replaced.filter(|old| old.name == self.name && old.parent == self.parent.id);
        if let Some(set) = &self.around.delegation {
            let servers = set.name_servers();
            // The record set of the zone that an Update replaces belongs to this resource too.
            let is_replaced = replaced.is_some_and(|old| {
                old.is_to(&servers, &self.owner) || self.is_of_own_zone(&servers)
            });
            if target != Some(&servers) && !is_replaced {
                return Err(self.occupied(set));
            }
        }
        self.check_surroundings()
    }

    fn check_surroundings(&self) -> Result<(), Stop> {
        let Around {
            occluded, above, ..
        } = self.around;
        let (name, parent, zone) = (
            self.name.clone(),
            self.parent.name.clone(),
            self.parent.id.clone(),
        );
        if !above.is_empty() {
            return Err(Stop::Refuse(Error::Occluded {
                name,
                parent,
                zone,
                sets: above.clone(),
            }));
        }
        if !occluded.is_empty() {
            let validations = occluded.iter().filter(|set| set.is_acm_validation());
            return Err(Stop::Refuse(Error::Occludes {
                name,
                parent,
                zone,
                sets: occluded.clone(),
                validations: validations.cloned().collect(),
            }));
        }
        Ok(())
    }

    /// Returns the refusal for an NS record set that occupies the name, which says whether its name servers
    /// serve the name.
    fn occupied(&self, set: &RecordSet) -> Stop {
        let (name, parent, zone) = (
            self.name.clone(),
            self.parent.name.clone(),
            self.parent.id.clone(),
        );
        let set = Box::new(set.clone());
        Stop::Refuse(match &self.observed.occupant {
            None => return Stop::Read(Question::Occupant(*set)),
            Some(Some(fault @ Fault::ChildRefused { .. })) => Error::DanglingSet {
                name,
                parent,
                zone,
                set,
                fault: fault.clone(),
            },
            Some(_) => Error::Occupied {
                name,
                parent,
                zone,
                set,
            },
        })
    }

    /// Continues after the NS record set has changed since it was read.
    fn check_stale(&self) -> Result<(), Stop> {
        match &self.observed.conflict {
            Some(Conflict::Stale(error)) => self.delivery.check_stale(error, || {
                format!("others to stop changing {}: {error}", self.name)
            }),
            _ => Ok(()),
        }
    }

    /// Waits for at most this long if the parent refuses the NS record set of a zone that it may not know
    /// yet.
    fn check_refused(&self, most: Duration) -> Result<(), Stop> {
        let Some(Conflict::Refused(error)) = &self.observed.conflict else {
            return Ok(());
        };
        let since = self.delivery.memory.refused_since.map(Clock::moment);
        let since = since.unwrap_or(self.delivery.now);
        let refused_for = self.delivery.now.duration_since(since).unwrap_or_default();
        if refused_for >= most {
            return Err(error.clone().into());
        }
        Err(self.delivery.wait(
            PAUSE,
            format!(
                "{} to accept the NS record set of {}: {error}",
                self.parent.name, self.name
            ),
        ))
    }

    fn too_late(&self) -> Stop {
        Stop::Refuse(Error::TooLate {
            name: self.name.clone(),
            age: self.delivery.age.as_secs(),
        })
    }
}

/// Helpers for the actions.
impl Case<'_> {
    fn ownership(&self, zone: &Zone) -> Ownership {
        zone.ownership(&self.owner, &self.wanted.former)
    }

    /// Returns whether these are the name servers of a zone with this name that this resource has.
    fn is_of_own_zone(&self, servers: &NameServers) -> bool {
        let mut zones = self.observed.zones.iter();
        zones.any(|zone| {
            zone.name == self.name && zone.name_servers == *servers && self.ownership(zone).is_own()
        })
    }

    fn has_ttl(&self, set: &RecordSet) -> bool {
        set.ttl() == Some(i64::from(self.wanted.ttl))
    }

    /// Replaces every NS record set of this resource at the name, even an equal one: only a new batch shows
    /// when a change of an earlier delivery is INSYNC. None if an earlier attempt of this delivery has made
    /// the change and seen it INSYNC.
    fn delegate(&self, zone: &Zone) -> Option<Action> {
        let existing = self.around.delegation.as_ref();
        let exists = existing
            .is_some_and(|set| set.name_servers() == zone.name_servers && self.has_ttl(set));
        let made = Made::Delegation {
            zone: zone.id.clone(),
            ttl: self.wanted.ttl.into(),
        };
        let is_made = exists && self.delivery.memory.made.as_ref() == Some(&made);
        (!is_made).then(|| Action::Delegate {
            zone: zone.zone.clone(),
            parent: self.parent.id.clone(),
            set: RecordSet::ns(&self.name, self.wanted.ttl, &zone.name_servers),
            replaces: existing.cloned(),
        })
    }

    /// Returns whether an earlier attempt of this delivery has prepared the zone for its delegation.
    fn has_made(&self, zone: &Zone) -> bool {
        match &self.delivery.memory.made {
            Some(Made::Zone(made) | Made::Delegation { zone: made, .. }) => *made == zone.id,
            None => false,
        }
    }

    fn verify(&self, zone: &Zone, on_fault: OnFault) -> Option<Action> {
        self.wanted.verify.then(|| Action::Verify {
            zone: zone.zone.clone(),
            parent: self.parent.clone(),
            on_fault,
        })
    }

    fn comment(&self, zone: &Zone) -> Option<Action> {
        (zone.comment != self.wanted.comment).then(|| Action::SetComment {
            zone: zone.id.clone(),
            comment: self.wanted.comment.clone(),
        })
    }

    /// Returns the actions that set the user's tags, and then that the work is complete.
    fn complete(&self, zone: &Zone, tags: &BTreeMap<String, String>) -> Vec<Action> {
        let user = Tagging::of_user(tags, &BTreeMap::new());
        let user = (!user.is_empty()).then(|| tag(zone, user, Purpose::User));
        let complete = tag(zone, Tagging::complete(), Purpose::Complete);
        user.into_iter().chain([complete]).collect()
    }

    /// Releases an external zone whose delegation the failed update adopted that this Update rolls back, so
    /// that the following Delete keeps that delegation. A rollback finds the zone of the old properties; an
    /// Update that is not a rollback has created another itself.
    fn release_adopted(&self, established: &Zone) -> Option<Action> {
        let current = self.task.current.as_ref()?;
        let adopted = self.observed.zone(&current.zone)?;
        let is_adopted = matches!(
            self.ownership(adopted),
            Ownership::External { adopted: true, .. }
        );
        let is_rolled_back = established.id != adopted.id
            && established.caller_reference != self.delivery.request.caller_reference();
        (is_adopted && is_rolled_back).then(|| tag(adopted, Tagging::untagged(), Purpose::Release))
    }
}

fn tag(zone: &Zone, tagging: Tagging, purpose: Purpose) -> Action {
    Action::Tag {
        zone: zone.id.clone(),
        tagging,
        purpose,
    }
}
