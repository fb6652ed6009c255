//! Makes every decision about a published zone, from the request and from what exists. It makes no calls and
//! reads no clock.
//!
//! [`Plan::of`] is the only entry. It never changes a parameter without an owner, or one of another stack. It
//! transfers a parameter of another logical id only if `FormerLogicalIds` names that id. And it undoes only
//! what the undone request did. `tests/plans` has a plan for each important situation as text.
//! `plan/worlds.rs` checks these rules in all small worlds.

mod action;
#[cfg(test)]
mod situations;
#[cfg(test)]
mod store;
#[cfg(test)]
mod worlds;

pub(crate) use action::{Action, Change, Purpose};

use crate::{
    error::Refusal,
    observed::{Conflict, Delegations, Observed, Parameter, listed},
    properties::{DelegationsOnDelete, Of, Part, Place, Prefix, Publication, Task, Withdrawal},
};
use custom_resource::{Request, Success};
use hosted_zones::{HostedZone, HostedZoneId};
use ownership::{
    Requester, Stage, TagOwner,
    parameter::{Origin, Ownership, notes, notes_and_transfer, return_tags, transfer_tags},
};
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, SystemTime},
};

/// How long SSM reserves the name of a deleted parameter: at least 30 s according to
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html>, which names
/// no upper bound.
const NAME_IS_KEPT: Duration = Duration::from_secs(90);
/// The pause between two attempts to create a parameter whose name SSM reserves.
const PAUSE: Duration = Duration::from_secs(5);

/// What has to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    /// The decision needs the delegations of this zone: read them, and plan again.
    ReadDelegations(HostedZoneId),
    /// Carry out the actions one after another, then end so. If the answer of an action contradicts what was
    /// observed, the plan ends: observe and plan again.
    Do(Vec<Action>, End),
    /// Nothing is changed, and FAILED is answered.
    Refuse(Refusal),
}

/// How an attempt ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    Done(Success),
    /// Plan again at this moment, and remember this.
    Again(SystemTime, Phase),
}

/// What a request remembers between attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) enum Phase {
    #[default]
    First,
    /// SSM reserves the name of a deleted parameter, which was first seen at this second since 1970.
    NameKept(u64),
    /// An unanswered Create may still run until this second since 1970.
    SecondSearch(u64),
}

/// The request, with what a plan needs to know of its delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) request: &'a Request,
    pub(crate) phase: Phase,
    pub(crate) now: SystemTime,
    /// Whether an earlier delivery of the request may have been answered, and undone, already.
    pub(crate) may_be_repeat: bool,
    /// Until when an unanswered Create may still run.
    pub(crate) second_search: SystemTime,
}

impl Plan {
    pub(crate) fn of(task: &Task, observed: &Observed, delivery: &Delivery<'_>) -> Self {
        let plan = match task {
            Task::Publish(publication) => publish(publication, observed, delivery),
            Task::Withdraw(withdrawal) => withdraw(withdrawal, observed, delivery),
        };
        plan.unwrap_or_else(|stop| match stop {
            Stop::Refuse(refusal) => Self::Refuse(refusal),
            Stop::ReadDelegations(id) => Self::ReadDelegations(id),
            Stop::Again(at, phase) => Self::Do(Vec::new(), End::Again(at, phase)),
        })
    }
}

/// Why nothing is done now.
enum Stop {
    Refuse(Refusal),
    ReadDelegations(HostedZoneId),
    Again(SystemTime, Phase),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

/// Plans Create and Update.
fn publish(
    wanted: &Publication,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Stop> {
    let zone = public_zone(wanted, observed)?;
    if !observed.names_in_use.is_empty() {
        return Err(Stop::Refuse(Refusal::NamesInUse {
            prefix: wanted.prefix.clone(),
            names: listed(&observed.names_in_use, false),
            zone: zone.name.clone(),
            id: zone.id.clone(),
        }));
    }
    let existing = Held::all(&observed.parameters, delivery.request);
    for held in &existing {
        check_usable(wanted, held, delivery)?;
        check_not_superseded(wanted, held, zone, delivery)?;
    }
    let published = published_zone(observed.parameters.iter());
    if let Some(before) = published.filter(|before| *before != zone.id)
        && wanted.delegations_on_delete == DelegationsOnDelete::Fail
    {
        match &observed.delegations {
            // In a plain template, the policy may already be that of the new zone.
            Delegations::Denied(_) => {}
            delegations => check_no_delegations(&wanted.prefix, &before, delegations)?,
        }
    }
    let missing = missing(zone, &observed.parameters);
    let is_begun = existing.iter().any(|held| held.ownership.is_own());
    if delivery.may_be_repeat && !is_begun {
        let age = delivery.now.duration_since(delivery.request.requested_at);
        return Err(Stop::Refuse(Refusal::TooLate {
            prefix: wanted.prefix.clone(),
            age: age.unwrap_or_default().as_secs(),
        }));
    }
    match (&observed.conflict, missing.first()) {
        (Some(Conflict::NameTaken), Some((part, _))) => {
            return Err(name_kept(wanted.prefix.name(*part), delivery));
        }
        // A Delete that arrives while this request is carried out wins.
        (Some(Conflict::Gone), Some((part, _))) => {
            return Err(Stop::Refuse(Refusal::DeletedMeanwhile {
                name: wanted.prefix.name(*part),
            }));
        }
        _ => {}
    }
    let mut tags = wanted.tags.clone();
    tags.extend(delivery.request.ownership_tags());
    let other_values = existing.iter().filter(|held| !held.says(zone));
    let other_values = other_values.map(|held| (held.part(), held.part().value(zone)));
    let changes = [
        Change::Create(missing, tags),
        transfer(wanted, &existing, delivery.request),
        Change::Overwrite(other_values.collect()),
        settle(wanted, &existing, delivery.request),
    ];
    let mut actions = Action::below(&wanted.prefix, changes);
    if let Some(prefix) = &wanted.failed_prefix {
        let left = Held::all(&observed.of_failed_update, delivery.request);
        let changes = remove(Of::UnansweredCreate, &left, delivery.request);
        actions.extend(Action::below(prefix, changes));
    }
    // Last, because they cannot be restored.
    let changes = template_tags(wanted, &existing);
    actions.extend(Action::below(&wanted.prefix, changes));
    let success = Success::new(wanted.prefix.as_str())
        .attribute("HostedZoneId", zone.id.as_str())
        .attribute("HostedZoneName", zone.name.as_str())
        .attribute("NameServers", zone.name_servers.to_string())
        .attribute("ParameterPrefix", wanted.prefix.as_str());
    Ok(Plan::Do(actions, End::Done(success)))
}

fn public_zone<'a>(
    wanted: &Publication,
    observed: &'a Observed,
) -> Result<&'a HostedZone, Refusal> {
    match &observed.zone {
        None => Err(Refusal::NoZone(wanted.zone.clone())),
        Some(zone) if zone.private => Err(Refusal::PrivateZone(wanted.zone.clone())),
        Some(zone) => Ok(zone),
    }
}

/// Refuses a parameter of another owner.
fn check_usable(
    wanted: &Publication,
    held: &Held<'_>,
    delivery: &Delivery<'_>,
) -> Result<(), Refusal> {
    let name = wanted.prefix.name(held.part());
    match &held.ownership.owner {
        TagOwner::ThisResource { .. } => Ok(()),
        TagOwner::OtherLogicalId { logical_id, .. }
            if wanted.former_logical_ids.contains(logical_id) =>
        {
            Ok(())
        }
        TagOwner::OtherLogicalId { logical_id, .. } => Err(Refusal::OfAnotherLogicalId {
            name,
            owner: logical_id.clone(),
            asking: delivery.request.logical_resource_id.clone(),
        }),
        TagOwner::Nobody => Err(Refusal::WithoutOwner { name }),
        TagOwner::OtherStack(owner) => Err(Refusal::OfAnotherStack {
            name,
            owner: owner.clone(),
        }),
    }
}

/// Refuses a redelivered request after a later one has changed the parameter.
fn check_not_superseded(
    wanted: &Publication,
    held: &Held<'_>,
    zone: &HostedZone,
    delivery: &Delivery<'_>,
) -> Result<(), Refusal> {
    let is_of_later = !delivery
        .request
        .may_delete_named(held.ownership.since.as_ref());
    // An earlier delivery of this request would have written the values that this one wants. CloudFormation's
    // time is in whole seconds, rounded down.
    let next_second = delivery.request.requested_at + Duration::from_secs(1);
    let was_written_since = held.parameter.modified >= next_second;
    let is_changed_since = held.ownership.is_own() && !held.says(zone) && was_written_since;
    if is_of_later || delivery.may_be_repeat && is_changed_since {
        return Err(Refusal::Superseded {
            name: wanted.prefix.name(held.part()),
        });
    }
    Ok(())
}

/// Refuses while NS record sets of the zone delegate to consumers, who could not even delete these any more.
fn check_no_delegations(
    prefix: &Prefix,
    id: &HostedZoneId,
    delegations: &Delegations,
) -> Result<(), Stop> {
    match delegations {
        Delegations::Unread => Err(Stop::ReadDelegations(id.clone())),
        Delegations::Denied(error) => Err(Stop::Refuse(Refusal::Aws(error.clone()))),
        Delegations::Of { zone, names, more } if !names.is_empty() => {
            Err(Stop::Refuse(Refusal::Delegates {
                prefix: prefix.clone(),
                zone: zone.clone(),
                id: id.clone(),
                names: listed(names, *more),
            }))
        }
        // A zone that does not exist has no record sets either.
        Delegations::Of { .. } | Delegations::NoZone => Ok(()),
    }
}

fn name_kept(name: String, delivery: &Delivery<'_>) -> Stop {
    let now = seconds(delivery.now);
    let since = match delivery.phase {
        Phase::NameKept(since) => since,
        Phase::First | Phase::SecondSearch(_) => now,
    };
    if now.saturating_sub(since) >= NAME_IS_KEPT.as_secs() {
        return Stop::Refuse(Refusal::NameKept { name });
    }
    Stop::Again(delivery.now + PAUSE, Phase::NameKept(since))
}

fn seconds(moment: SystemTime) -> u64 {
    custom_resource::Clock::seconds(moment)
}

/// An existing parameter, and its owner.
struct Held<'a> {
    parameter: &'a Parameter,
    ownership: Ownership,
}

impl<'a> Held<'a> {
    fn all(parameters: &'a [Parameter], request: &Request) -> Vec<Self> {
        let held = |parameter| Self {
            parameter,
            ownership: Ownership::of(&parameter.value, &parameter.tags, request),
        };
        parameters.iter().map(held).collect()
    }

    fn part(&self) -> Part {
        self.parameter.part
    }

    /// Returns whether it has the value that publishes the zone.
    fn says(&self, zone: &HostedZone) -> bool {
        self.parameter.value == self.part().value(zone)
    }
}

/// Returns the zone that the parameters publish.
fn published_zone<'a>(mut parameters: impl Iterator<Item = &'a Parameter>) -> Option<HostedZoneId> {
    let id = parameters.find(|parameter| parameter.part == Part::HostedZoneId)?;
    HostedZoneId::parse(&id.value).ok()
}

fn missing(zone: &HostedZone, parameters: &[Parameter]) -> Vec<(Part, String)> {
    let is_missing = |part: &Part| !parameters.iter().any(|parameter| parameter.part == *part);
    let missing = Part::ALL.into_iter().filter(is_missing);
    missing.map(|part| (part, part.value(zone))).collect()
}

/// Transfers existing parameters to this resource, unless this request has already transferred or created
/// them.
fn transfer(wanted: &Publication, existing: &[Held<'_>], request: &Request) -> Change {
    let others = existing.iter().filter(|held| {
        let is_current = wanted.place == Place::Current || held.ownership.is_since(request);
        !(held.ownership.is_own() && is_current)
    });
    let tags = others.map(|held| {
        let Parameter { value, tags, .. } = held.parameter;
        let tags = transfer_tags(request, value, tags);
        (held.part(), tags)
    });
    let to = request.logical_resource_id.clone();
    Change::AddTags(Purpose::TransferTo(to), tags.collect())
}

/// Ends earlier transfers. An Update in place shows that the deployment which renamed a logical id has succeeded, so nothing
/// that an earlier request transferred will be returned.
fn settle(wanted: &Publication, existing: &[Held<'_>], request: &Request) -> Change {
    let transferred = existing.iter().filter(|Held { ownership, .. }| {
        wanted.place == Place::Current
            && ownership.is_own()
            && !ownership.is_since(request)
            && matches!(ownership.origin, Origin::Transferred(_))
    });
    let keys = transferred.map(|held| (held.part(), notes()));
    Change::RemoveTags(Purpose::Settle, keys.collect())
}

/// Sets the tags of the template on existing parameters. New ones are created with them.
///
/// A Create does not change those of a former logical id's parameters until the next Update, because its
/// rollback could not restore them.
fn template_tags(wanted: &Publication, existing: &[Held<'_>]) -> [Change; 2] {
    let is_settled =
        |ownership: &Ownership| ownership.is_own() && ownership.transferred_from().is_none();
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for Held {
        parameter,
        ownership,
    } in existing
    {
        if wanted.place == Place::New && !is_settled(ownership) {
            continue;
        }
        let mut new = wanted.tags.clone();
        new.retain(|key, value| parameter.tags.get(key) != Some(value));
        let mut old = wanted.removed_tags.clone();
        old.retain(|key| parameter.tags.contains_key(key));
        if !new.is_empty() {
            add.push((parameter.part, new));
        }
        if !old.is_empty() {
            remove.push((parameter.part, old));
        }
    }
    [
        Change::AddTags(Purpose::Template, add),
        Change::RemoveTags(Purpose::Template, remove),
    ]
}

/// Plans Delete.
fn withdraw(
    wanted: &Withdrawal,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Stop> {
    let done = End::Done(Success::new(delivery.request.physical_id()));
    let Some(prefix) = &wanted.prefix else {
        // The Create was refused because of its properties.
        return Ok(Plan::Do(Vec::new(), done));
    };
    let existing = Held::all(&observed.parameters, delivery.request);
    let changes = remove(wanted.of, &existing, delivery.request);
    let is_delete = |change: &&Change| matches!(change, Change::Delete(_));
    let deleted = changes.iter().find(is_delete);
    let deleted = deleted.map_or(0, |delete| delete.parts().len());
    if wanted.of == Of::Published
        && wanted.delegations_on_delete == DelegationsOnDelete::Fail
        && deleted > 0
    {
        // The parameter that names the zone may have been deleted, changed, or created by someone else.
        let own = existing.iter().filter(|held| held.ownership.is_own());
        let published = published_zone(own.map(|held| held.parameter));
        let published = published.or_else(|| wanted.zone.clone());
        if let Some(id) = published {
            check_no_delegations(prefix, &id, &observed.delegations)?;
        }
    }
    if let Some(Conflict::DeleteDenied { error, asked }) = &observed.conflict
        && deleted >= *asked
    {
        return Err(Stop::Refuse(Refusal::Aws(error.clone())));
    }
    let end = match (wanted.of, delivery.phase) {
        (Of::UnansweredCreate, Phase::SecondSearch(at)) if at > seconds(delivery.now) => {
            End::Again(custom_resource::Clock::moment(at), delivery.phase)
        }
        (Of::UnansweredCreate, Phase::First) if delivery.second_search > delivery.now => {
            let phase = Phase::SecondSearch(seconds(delivery.second_search));
            End::Again(delivery.second_search, phase)
        }
        _ => done,
    };
    Ok(Plan::Do(Action::below(prefix, changes), end))
}

/// Removes what a request created, and returns what it transferred.
fn remove(of: Of, existing: &[Held<'_>], request: &Request) -> Vec<Change> {
    let is_whole = existing
        .iter()
        .filter(|held| held.ownership.is_own())
        .count()
        == Part::ALL.len();
    let stage = if is_whole {
        Stage::Created
    } else {
        Stage::Creating
    };
    let (mut deleted, mut settled, mut returned) = (Vec::new(), Vec::new(), BTreeMap::new());
    for Held {
        parameter,
        ownership,
    } in existing
    {
        let since = ownership.since.as_ref();
        let is_meant = match of {
            Of::Published => request.may_delete_named(since),
            Of::RefusedCreate | Of::UnansweredCreate => request.may_delete_unnamed(since, stage),
        };
        let is_published = of == Of::Published;
        match (&ownership.owner, &ownership.origin) {
            _ if !is_meant => {}
            // If the old logical id exists, the Delete of a renamed one is a rollback.
            (TagOwner::ThisResource { transferred_from }, Origin::Transferred(before))
                if transferred_from.is_some() || !is_published =>
            {
                let to = returned.entry(&before.logical_id).or_insert_with(Vec::new);
                to.push((*parameter, &before.value));
            }
            (TagOwner::ThisResource { .. }, Origin::Settled) if !is_published => {}
            (TagOwner::ThisResource { .. }, _) => deleted.push(parameter.part),
            // The old logical id's Delete: the rename cannot be rolled back any more.
            (
                TagOwner::OtherLogicalId {
                    transferred_from_here: true,
                    ..
                },
                _,
            ) if is_published => settled.push((parameter.part, notes())),
            (TagOwner::OtherLogicalId { .. } | TagOwner::OtherStack(_) | TagOwner::Nobody, _) => {}
        }
    }
    let mut changes = vec![Change::RemoveTags(Purpose::Settle, settled)];
    for (logical_id, parameters) in returned {
        changes.extend(return_to(logical_id, &parameters, request));
    }
    changes.push(Change::Delete(deleted));
    changes
}

/// Returns parameters to their former logical id, with their former values. The notes are deleted last.
fn return_to(
    logical_id: &str,
    parameters: &[(&Parameter, &String)],
    request: &Request,
) -> [Change; 3] {
    let other_value = |(parameter, before): &(&Parameter, &String)| {
        (parameter.value != **before).then(|| (parameter.part, (*before).clone()))
    };
    let tags =
        |(parameter, _): &(&Parameter, &String)| (parameter.part, return_tags(request, logical_id));
    let keys = |(parameter, _): &(&Parameter, &String)| (parameter.part, notes_and_transfer());
    [
        Change::Overwrite(parameters.iter().filter_map(other_value).collect()),
        Change::AddTags(
            Purpose::ReturnTo(logical_id.to_owned()),
            parameters.iter().map(tags).collect(),
        ),
        Change::RemoveTags(Purpose::Settle, parameters.iter().map(keys).collect()),
    ]
}

/// Writes one line, or numbered lines with `{:#}`.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = match self {
            Self::ReadDelegations(id) => vec![format!("read the delegations of {id}")],
            Self::Refuse(refusal) => vec![format!("refuse: {refusal}")],
            Self::Do(actions, end) => {
                let mut steps: Vec<_> = actions.iter().map(ToString::to_string).collect();
                steps.push(end.to_string());
                steps
            }
        };
        if !f.alternate() {
            return f.write_str(&steps.join("; "));
        }
        for (number, step) in (1..).zip(steps) {
            writeln!(f, "{number}. {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(success) => write!(f, "done: {}", success.physical_resource_id),
            Self::Again(_, Phase::SecondSearch(_)) => f.write_str(
                "search again when a Create that was never answered cannot run any more",
            ),
            Self::Again(..) => write!(f, "observe again in {} s", PAUSE.as_secs()),
        }
    }
}
