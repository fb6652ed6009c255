//! Checks what a request may change, by CloudFormation's requests and their answers.
//!
//! [`ownership`](crate::ownership) knows which stack created a thing. This module knows when, and for which
//! request:
//!
//! 1. A thing that a template says exists is never deleted, except by the Delete of its own resource.
//! 2. A Delete removes nothing that was created after it was requested.
//! 3. A Create that did not succeed, and its Delete, leave everything that existed before that Create exactly
//!    as it was.
//!
//! It sees every write of a function before it takes effect, and does not use tags to decide.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::principal::Hand;
use crate::route53::name::Name;
use crate::route53::record_set::RecordKey;
use crate::ssm::Place;
use crate::state::State;
use crate::time::Timestamp;

/// A thing that exists outside of the functions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// A zone, by its id.
    Zone(String),
    /// A record set: its zone's id and its key.
    Records(String, RecordKey),
    /// A parameter.
    Parameter(Place),
    /// A certificate, by its ARN.
    Certificate(String),
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Zone(id) => write!(f, "zone {id}"),
            Self::Records(zone, key) => write!(f, "{} {} in zone {zone}", key.name, key.kind),
            Self::Parameter((_, _, name)) => write!(f, "parameter {name}"),
            Self::Certificate(arn) => write!(f, "certificate {arn}"),
        }
    }
}

/// Whether a thing exists after a change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Exists,
    IsGone,
}

/// A resource as CloudFormation tracks it: stack, logical id, physical id.
type Tracked = (String, String, String);

/// The things of a resource.
#[derive(Clone, Debug)]
struct Live {
    things: Vec<Thing>,
    /// The last request that was answered with SUCCESS. What was created later is another thing of the same
    /// name.
    since: u64,
}

/// A request as CloudFormation sent it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) kind: &'static str,
    pub(crate) stack_id: String,
    pub(crate) logical_id: String,
    pub(crate) resource_type: String,
    pub(crate) physical_id: Option<String>,
    /// The account and the Region of its stack.
    pub(crate) place: (String, String),
    /// The Create, if this is the Delete of a Create that did not succeed.
    pub(crate) undoes: Option<u64>,
    /// Whether this is the Delete of a resource whose creation is rolled back.
    pub(crate) rolls_back: bool,
    pub(crate) at: Timestamp,
    /// Whether CloudFormation never sent it: somebody who may invoke the function invented it.
    pub(crate) forged: bool,
}

/// How often each of two settings kept something from being a violation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spared {
    /// [`Settings::unanswered`](crate::Settings::unanswered).
    pub unanswered: u64,
    /// [`Settings::adopted_may_be_deleted`](crate::Settings::adopted_may_be_deleted).
    pub adopted: u64,
}

/// All requests, and what exists because of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Custody {
    requests: BTreeMap<u64, Sent>,
    /// The request of each invocation.
    invocations: BTreeMap<u64, u64>,
    /// The things of each resource that a template says exists, or that a deletion policy kept.
    live: BTreeMap<Tracked, Live>,
    /// The state of things before a request first changed them.
    before: BTreeMap<(u64, Thing), Option<Picture>>,
    /// How often something was not judged.
    spared: Spared,
    /// The request that changed a thing last; none if a person did.
    changed_by: BTreeMap<Thing, Option<u64>>,
}

impl Custody {
    /// How often something was not judged.
    pub(crate) fn spared(&self) -> Spared {
        self.spared
    }

    /// The number of the last request and of the last invocation, from which another engine counts on.
    pub(crate) fn last_numbers(&self) -> (u64, u64) {
        let last = |key: Option<&u64>| key.copied().unwrap_or_default();
        let request = last(self.requests.keys().next_back());
        (request, last(self.invocations.keys().next_back()))
    }

    /// Notes a request of CloudFormation, and returns its number.
    pub(crate) fn send(&mut self, sent: Sent) -> u64 {
        if !sent.rolls_back {
            self.end_transfer(&sent);
        }
        if let (Some(id), "Delete", false) = (&sent.physical_id, sent.kind, sent.forged) {
            let tracked = (sent.stack_id.clone(), sent.logical_id.clone(), id.clone());
            self.live.remove(&tracked);
        }
        let number = self.last_numbers().0 + 1;
        self.requests.insert(number, sent);
        number
    }

    /// Ends a transfer: a resource to which things of another logical id of its stack were transferred is
    /// changed again, so a deletion policy does not keep them for the former logical id any more.
    fn end_transfer(&mut self, sent: &Sent) {
        let id = sent.physical_id.clone().unwrap_or_default();
        let tracked = (sent.stack_id.clone(), sent.logical_id.clone(), id);
        let Some(Live {
            things: taken,
            since,
        }) = self.live.get(&tracked).cloned()
        else {
            return;
        };
        for ((stack, logical_id, _), live) in &mut self.live {
            let is_former = live.since < since && *logical_id != sent.logical_id;
            if *stack == sent.stack_id && is_former {
                live.things.retain(|thing| !taken.contains(thing));
            }
        }
    }

    /// Notes that an invocation begins to work for a request.
    pub(crate) fn begin(&mut self, invocation: u64, request: u64) {
        self.invocations.insert(invocation, request);
    }

    /// Returns the request for which a hand works, or none for a person's, or if no request was sent.
    pub(crate) fn request_of(&self, hand: &Hand) -> Option<u64> {
        match hand {
            Hand::Person => None,
            Hand::Function(work) => self.invocations.get(&work.invocation).copied(),
        }
    }

    /// A person removes the ownership tags of a transferred zone, so that its owner is unknown.
    pub(crate) fn disowned(&mut self, zone: &str, name: &Name) {
        for live in self.live.values_mut() {
            live.things.retain(|thing| match thing {
                Thing::Zone(id) => id != zone,
                Thing::Records(_, key) => key.name != *name || key.kind != "NS",
                _ => true,
            });
        }
    }

    /// A person changes a resource.
    pub(crate) fn touched_by_person(&mut self, thing: Thing) {
        self.changed_by.insert(thing, None);
    }
}

/// Notes that a request was answered with SUCCESS: the things of its resource exist from now on.
pub(crate) fn succeeded(
    state: &mut State,
    number: u64,
    physical_id: &str,
    attributes: &BTreeMap<String, String>,
) {
    let sent = state.custody.requests[&number].clone();
    if sent.kind != "Delete" {
        let things = things_of(&sent, physical_id, attributes);
        let tracked = (sent.stack_id, sent.logical_id, physical_id.to_owned());
        let since = number;
        state.custody.live.insert(tracked, Live { things, since });
        return;
    }
    let Some(undone) = sent.undoes else { return };
    let changed: Vec<(Thing, Option<Picture>)> = (state.custody.before.iter())
        .filter(|((request, _), _)| *request == undone)
        .map(|((_, thing), before)| (thing.clone(), before.clone()))
        .collect();
    for (thing, before) in changed {
        let by = state.custody.changed_by.get(&thing).copied().flatten();
        let now = picture(state, &thing);
        let is_as_before = match (&before, &now) {
            // The rollback of a renaming returns what was transferred. What the template changed as well, it cannot know.
            (Some(before), Some(now)) if is_transferred(state, &sent, before) => {
                before.owner == now.owner && before.values == now.values
            }
            (before, now) => before == now,
        };
        if !is_as_before && by.is_some_and(|by| by == undone || by == number) {
            state.violate(format!(
                "{thing} existed before Create {}.{}, which failed: it was {before:?}, and is {now:?}",
                stack_name(&sent.stack_id),
                sent.logical_id
            ));
        }
    }
}

/// Checks that a function may change an existing thing. `then` says whether the thing exists afterwards.
pub(crate) fn changes(state: &mut State, hand: &Hand, thing: Thing, then: Then) {
    let Some(number) = state.custody.request_of(hand) else {
        if *hand == Hand::Person {
            state.custody.touched_by_person(thing);
        }
        return;
    };
    let creator = creator_of(state, &thing);
    let sent = state.custody.requests[&number].clone();
    let first = sent.undoes.unwrap_or(number);
    let is_before = creator.is_none_or(|creator| creator < first);
    if may_be_of_an_unanswered_create(state, &sent, creator) {
        state.custody.spared.unanswered += 1;
        state.custody.changed_by.insert(thing, None);
        return;
    }
    if is_before && !is_shared(state, &thing) && (sent.kind == "Create" || sent.undoes.is_some()) {
        let before = picture(state, &thing);
        let key = (first, thing.clone());
        state.custody.before.entry(key).or_insert(before);
    }
    if then == Then::IsGone {
        if sent.kind == "Delete" && creator.is_some_and(|creator| creator > number) {
            state.violate(format!(
                "{hand} deleted {thing}, which was created after this Delete was requested"
            ));
        }
        let was_persons = creator.is_none() && matches!(thing, Thing::Records(..));
        if sent.rolls_back && was_persons && state.settings.adopted_may_be_deleted {
            state.custody.spared.adopted += 1;
        } else if sent.rolls_back && was_persons {
            state.violate(format!(
                "{hand} deleted {thing}, which a person wrote, although the creation of its resource is rolled back"
            ));
        }
        let is_undone = sent.undoes.is_some() && sent.undoes == creator;
        if let Some(has_it) = live_elsewhere(state, &sent, &thing).filter(|_| !is_undone) {
            state.violate(format!("{hand} deleted {thing}, which {has_it} has"));
        }
    }
    state.custody.changed_by.insert(thing, Some(number));
}

/// Returns whether a Delete has an id that CloudFormation assigned, and the thing belongs to a Create of the
/// same resource that is so recent that its answer may have been lost
/// ([`Settings::unanswered`](crate::Settings::unanswered)).
fn may_be_of_an_unanswered_create(state: &State, sent: &Sent, creator: Option<u64>) -> bool {
    let Some(creator) = creator.map(|creator| &state.custody.requests[&creator]) else {
        return false;
    };
    let own_id = format!("{}-{}-", stack_name(&sent.stack_id), sent.logical_id);
    let id = sent.physical_id.as_deref().unwrap_or_default();
    sent.undoes.is_some()
        && id.starts_with(&own_id)
        && creator.stack_id == sent.stack_id
        && creator.logical_id == sent.logical_id
        && sent.at - creator.at < state.settings.unanswered
}

/// Returns whether a thing is a CNAME of ACM: certificates share it, so other rules decide whether it may be
/// deleted.
fn is_shared(state: &State, thing: &Thing) -> bool {
    let Thing::Records(zone, key) = thing else {
        return false;
    };
    let set = state
        .route53
        .zones
        .get(zone)
        .and_then(|zone| zone.records.get(key));
    set.is_some_and(|set| {
        let mut values = set.values.iter();
        key.kind == "CNAME" && values.all(|value| value.ends_with(".acm-validations.aws."))
    })
}

/// Returns the resource that has a thing and from which the request must not take it.
fn live_elsewhere(state: &State, sent: &Sent, thing: &Thing) -> Option<String> {
    // An NS record set that leads to no zone is of no use to anybody.
    if let Thing::Records(zone, key) = thing
        && key.kind == "NS"
        && !leads_to_a_zone(state, zone, key)
    {
        return None;
    }
    let may_take = |(stack, logical_id, physical_id): &Tracked| {
        // An update that is rolled back removes what it created itself, whichever id CloudFormation tracks.
        sent.kind == "Update"
            && *stack == sent.stack_id
            && *logical_id == sent.logical_id
            && Some(physical_id) != sent.physical_id.as_ref()
    };
    let mut live = state.custody.live.iter();
    let (found, _) = live.find(|(tracked, has)| {
        let is_it = has.things.contains(thing) && creator_of(state, thing) <= Some(has.since);
        is_it && !is_others(state, tracked, thing) && !may_take(tracked)
    })?;
    Some(format!("{}.{} {}", stack_name(&found.0), found.1, found.2))
}

/// Returns whether a thing was deleted meanwhile, and another stack has created one of the same name.
fn is_others(state: &State, (stack_id, ..): &Tracked, thing: &Thing) -> bool {
    let writer = creator_of(state, thing).map(|creator| &state.custody.requests[&creator]);
    writer.is_some_and(|sent| sent.stack_id != *stack_id)
}

fn leads_to_a_zone(state: &State, zone: &str, key: &RecordKey) -> bool {
    let Some(set) = (state.route53.zones.get(zone)).and_then(|zone| zone.records.get(key)) else {
        return false;
    };
    let plain = |value: &String| value.trim_end_matches('.').to_lowercase();
    let named: BTreeSet<String> = set.values.iter().map(plain).collect();
    let mut zones = state.route53.zones_named(&key.name);
    zones.any(|zone| zone.hosts().into_iter().collect::<BTreeSet<_>>() == named)
}

fn stack_name(stack_id: &str) -> &str {
    stack_id.split('/').nth(1).unwrap_or(stack_id)
}

/// Returns the things of a resource, according to its answer.
fn things_of(sent: &Sent, physical_id: &str, attributes: &BTreeMap<String, String>) -> Vec<Thing> {
    let attribute = |name: &str| attributes.get(name).cloned().unwrap_or_default();
    match sent.resource_type.as_str() {
        "Custom::DelegatedSubdomain" => {
            let key = RecordKey::new(&Name::of(&attribute("DomainName")), "NS");
            vec![
                Thing::Zone(attribute("HostedZoneId")),
                Thing::Records(attribute("ParentHostedZoneId"), key),
            ]
        }
        "Custom::SubdomainCertificate" => vec![Thing::Certificate(physical_id.to_owned())],
        _ => {
            let prefix = attribute("ParameterPrefix");
            let (account, region) = &sent.place;
            ["hosted-zone-id", "hosted-zone-name", "name-servers"]
                .map(|name| format!("{prefix}/{name}"))
                .map(|name| Thing::Parameter((account.clone(), region.clone(), name)))
                .into()
        }
    }
}

/// Returns the request that created a thing, or none if a person did.
fn creator_of(state: &State, thing: &Thing) -> Option<u64> {
    let hand = match thing {
        Thing::Zone(id) => state.route53.zones.get(id).map(|zone| &zone.made_by),
        // Route 53 creates the record sets of the apex together with the zone.
        Thing::Records(id, key) => (state.route53.zones.get(id))
            .and_then(|zone| zone.records.get(key).map(|set| (zone, set)))
            .map(|(zone, set)| {
                if key.name == zone.name {
                    &zone.made_by
                } else {
                    &set.written_by
                }
            }),
        Thing::Parameter(place) => state.ssm.parameters.get(place).map(|found| &found.made_by),
        Thing::Certificate(arn) => state.acm.certificates.get(arn).map(|found| &found.made_by),
    };
    state.custody.request_of(hand?)
}

/// Whether a thing was another logical id's of the stack. A record set does not say whose it was.
fn is_transferred(state: &State, sent: &Sent, before: &Picture) -> bool {
    match before.owner.get(OWNERSHIP[1]) {
        Some(logical_id) => *logical_id != sent.logical_id,
        None => before.values.is_some() && state.is_renamed(&sent.stack_id, &sent.logical_id),
    }
}

/// Whether a Delete with an id of CloudFormation's own was sent so long after the Create that created this that it may not take
/// it any more ([`Settings::unanswered`](crate::Settings::unanswered)).
pub(crate) fn is_deleted_too_late(state: &State, hand: &Hand) -> bool {
    let Some(creator) = state.custody.request_of(hand) else {
        return false;
    };
    let created = &state.custody.requests[&creator];
    let own_id = format!("{}-{}-", stack_name(&created.stack_id), created.logical_id);
    state.custody.requests.range(creator..).any(|(_, sent)| {
        let id = sent.physical_id.as_deref().unwrap_or_default();
        sent.kind == "Delete"
            && !sent.forged
            && sent.stack_id == created.stack_id
            && sent.logical_id == created.logical_id
            && id.starts_with(&own_id)
            && sent.at - created.at >= state.settings.unanswered
    })
}

/// The state of a thing that users see.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Picture {
    /// The owner, according to its ownership tags.
    owner: BTreeMap<String, String>,
    /// Of a record set.
    values: Option<BTreeSet<String>>,
    /// Of anything else.
    content: String,
}

impl Picture {
    fn new(tags: &BTreeMap<String, String>, content: &str) -> Self {
        let is_note = |key: &str| key.starts_with("zone-delegation:");
        let mut owner = tags.clone();
        owner.retain(|key, _| OWNERSHIP.contains(&&**key));
        // Users do not see the project's own notes.
        let mut users = tags.clone();
        users.retain(|key, _| !is_note(key));
        Self {
            owner,
            values: None,
            content: format!("{content} {users:?}"),
        }
    }
}

/// The tags that name the owner of a thing.
const OWNERSHIP: [&str; 2] = ["zone-delegation:stack-id", "zone-delegation:logical-id"];

/// Returns the state of a thing that users see, or none if it does not exist.
fn picture(state: &State, thing: &Thing) -> Option<Picture> {
    let none = BTreeMap::new();
    Some(match thing {
        Thing::Zone(id) => {
            let zone = state.route53.zones.get(id)?;
            Picture::new(&zone.tags, &zone.comment)
        }
        Thing::Records(id, key) => {
            let set = state.route53.zones.get(id)?.records.get(key)?;
            let plain = |value: &String| value.trim_end_matches('.').to_lowercase();
            let values: BTreeSet<String> = set.values.iter().map(plain).collect();
            Picture {
                values: Some(values),
                ..Picture::new(&none, &format!("{:?}", set.ttl))
            }
        }
        Thing::Parameter(place) => {
            let found = state.ssm.parameters.get(place)?;
            Picture::new(&found.tags, &found.value)
        }
        Thing::Certificate(arn) => {
            let found = state.acm.certificates.get(arn)?;
            Picture::new(&found.tags, "")
        }
    })
}
