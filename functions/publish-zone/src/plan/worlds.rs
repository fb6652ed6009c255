//! Checks all small worlds: each of the parameters may be absent, or have any owner, any history and either
//! of two values. For each kind of request, the plan is checked against the rules.

use super::{
    Action, Change, Delivery, Plan,
    store::{Event, OTHER_STACK, PREFIX, STACK, Store, at_once, name, zone},
};
use crate::{
    observed::Parameter,
    properties::{Part, Task},
};
use custom_resource::{Clock, Request};
use hosted_zones::{DomainName, HostedZoneId};
use ownership::{Requester, tags};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The times of requests, in seconds after the start. `NOW` is that of the request whose plan is checked.
const LONG_AGO: u64 = 100;
const RECENT: u64 = 100_000;
const BEFORE: u64 = 100_050;
const NOW: u64 = 100_100;
const AFTER: u64 = 100_200;
const LATER: u64 = 100_300;

/// The owner of a parameter and its history, from the point of view of the logical id `Zone`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Past {
    Absent,
    WithoutOwner,
    OfAnotherStack,
    /// Named in `FormerLogicalIds`.
    OfFormer,
    /// Of another logical id that `FormerLogicalIds` does not name.
    OfStranger,
    OfRelease020,
    CreatedLongAgo,
    CreatedRecently,
    CreatedNow,
    CreatedLater,
    /// From `Former`, by the recent request.
    Renamed,
    /// The same, by release 0.2.0.
    RenamedBy020,
    /// The same, after the old logical id was deleted.
    RenamedAndSettled,
    /// Created long ago, and found and overwritten by the recent request.
    Retained,
    /// Transferred from `Zone` to `Stranger`.
    TakenFromZone,
}

const PASTS: [Past; 15] = [
    Past::Absent,
    Past::WithoutOwner,
    Past::OfAnotherStack,
    Past::OfFormer,
    Past::OfStranger,
    Past::OfRelease020,
    Past::CreatedLongAgo,
    Past::CreatedRecently,
    Past::CreatedNow,
    Past::CreatedLater,
    Past::Renamed,
    Past::RenamedBy020,
    Past::RenamedAndSettled,
    Past::Retained,
    Past::TakenFromZone,
];

fn create_at(logical_id: &str, at: u64) -> Request {
    event("Create", logical_id, at).request()
}

fn event<'a>(kind: &'a str, logical_id: &'a str, at: u64) -> Event<'a> {
    Event {
        kind,
        logical_id,
        physical_id: PREFIX.to_owned(),
        properties: json!({
            "HostedZoneId": "Z1",
            "ParameterPrefix": PREFIX,
            "FormerLogicalIds": ["Former"],
        }),
        before: Value::Null,
        at,
    }
}

impl Past {
    fn parameter(self, part: Part, value: &str) -> Option<Parameter> {
        let created = |logical_id, at| create_at(logical_id, at).ownership_tags();
        let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect()
        };
        let owned_by = |stack, id| pairs(&[(tags::STACK_ID, stack), (tags::LOGICAL_ID, id)]);
        let before = pairs(&[
            ("zone-delegation:previous-logical-id", "Former"),
            ("zone-delegation:previous-value", "before"),
        ]);
        let request_tag = |at| {
            created("Zone", at)
                .remove("zone-delegation:request")
                .unwrap()
        };
        let transferred = |logical_id, at| {
            let mut tags = created("Former", LONG_AGO);
            tags.extend(owned_by(STACK, logical_id));
            tags.insert("zone-delegation:transfer".to_owned(), request_tag(at));
            tags
        };
        let with_notes = |mut tags: BTreeMap<String, String>, logical_id: &str| {
            tags.extend(before.clone());
            let key = "zone-delegation:previous-logical-id";
            tags.insert(key.to_owned(), logical_id.to_owned());
            tags
        };
        let tags = match self {
            Self::Absent => return None,
            Self::WithoutOwner => BTreeMap::new(),
            Self::OfAnotherStack => owned_by(OTHER_STACK, "Zone"),
            Self::OfFormer => created("Former", LONG_AGO),
            Self::OfStranger => created("Stranger", LONG_AGO),
            Self::OfRelease020 => owned_by(STACK, "Zone"),
            Self::CreatedLongAgo => created("Zone", LONG_AGO),
            Self::CreatedRecently => created("Zone", RECENT),
            Self::CreatedNow => created("Zone", NOW),
            Self::CreatedLater => created("Zone", LATER),
            Self::Renamed => with_notes(transferred("Zone", RECENT), "Former"),
            Self::RenamedBy020 => with_notes(owned_by(STACK, "Zone"), "Former"),
            Self::RenamedAndSettled => transferred("Zone", RECENT),
            Self::Retained => with_notes(transferred("Zone", RECENT), "Zone"),
            Self::TakenFromZone => with_notes(transferred("Stranger", RECENT), "Zone"),
        };
        Some(Parameter {
            part,
            value: value.to_owned(),
            modified: Clock::moment(super::store::START),
            tags,
        })
    }

    /// Returns whether `Zone` may publish with it.
    fn is_usable(self) -> bool {
        !matches!(
            self,
            Self::WithoutOwner
                | Self::OfAnotherStack
                | Self::OfStranger
                | Self::CreatedLater
                | Self::TakenFromZone
        )
    }

    /// Returns whether it neither belongs to this resource nor may be transferred to it.
    fn is_of_others(self) -> bool {
        !self.is_usable() && self != Self::CreatedLater
    }

    fn is_own(self) -> bool {
        self.is_usable() && !matches!(self, Self::Absent | Self::OfFormer)
    }
}

/// The history of the parameters.
#[derive(Clone, Copy, Debug)]
struct World {
    /// That of the id's parameter, and whether it names the wanted zone.
    id: (Past, bool),
    /// That of the two others.
    others: (Past, bool),
    is_delegating: bool,
}

impl World {
    fn all() -> impl Iterator<Item = Self> {
        let states = || {
            PASTS
                .into_iter()
                .flat_map(|past| [(past, true), (past, false)])
        };
        states().flat_map(move |id| {
            states().flat_map(move |others| {
                [true, false].map(|is_delegating| Self {
                    id,
                    others,
                    is_delegating,
                })
            })
        })
    }

    fn of(self, part: Part) -> (Past, bool) {
        match part {
            Part::HostedZoneId => self.id,
            Part::HostedZoneName | Part::NameServers => self.others,
        }
    }

    fn pasts(self) -> [Past; 3] {
        Part::ALL.map(|part| self.of(part).0)
    }

    fn store(self) -> Store {
        let mut store = Store::default();
        for part in Part::ALL {
            let (past, is_wanted) = self.of(part);
            let value = match part {
                // Another owner's value says nothing about the zone that this resource publishes.
                Part::HostedZoneId if past.is_of_others() => "Z404".to_owned(),
                _ => part.value(&zone_of(if is_wanted { "Z1" } else { "Z2" })),
            };
            if let Some(parameter) = past.parameter(part, &value) {
                store.parameters.insert(name(PREFIX, part), parameter);
            }
        }
        if self.is_delegating {
            let names = vec![DomainName::parse("app.example.com").unwrap()];
            for zone in ["Z1", "Z2"] {
                store.delegations.insert(zone.to_owned(), names.clone());
            }
        }
        store
    }
}

fn zone_of(id: &str) -> hosted_zones::HostedZone {
    zone(&HostedZoneId::parse(id).unwrap()).unwrap()
}

/// Returns the plan for a request, with its actions.
fn planned(store: &Store, request: &Request) -> (Plan, Vec<Action>) {
    let (_, plan) = store.plan(&at_once(request));
    let actions = match &plan {
        Plan::Do(actions, _) => actions.clone(),
        Plan::Refuse(_) | Plan::ReadDelegations(_) => Vec::new(),
    };
    (plan, actions)
}

fn publishing() -> [Event<'static>; 3] {
    let in_place = Event {
        before: event("Create", "Zone", NOW).properties,
        ..event("Update", "Zone", NOW)
    };
    let replacing = Event {
        physical_id: "/zone-delegation/old".to_owned(),
        before: json!({ "HostedZoneId": "Z1", "ParameterPrefix": "/zone-delegation/old" }),
        ..event("Update", "Zone", NOW)
    };
    [event("Create", "Zone", NOW), in_place, replacing]
}

/// Returns Deletes of the logical id at a time: with its physical id, of the recent refused Create, of
/// another one, and of an unanswered one.
fn deletes(at: u64) -> [Event<'static>; 4] {
    let refused = |created| create_at("Zone", created).refused_id();
    let physical_ids = [
        PREFIX.to_owned(),
        refused(RECENT),
        refused(LONG_AGO + 1),
        "networking-Zone-1A2B3C4D5E6F".to_owned(),
    ];
    physical_ids.map(|physical_id| Event {
        physical_id,
        ..event("Delete", "Zone", at)
    })
}

/// Returns the parameters without this function's own notes.
fn essence(store: &Store) -> BTreeMap<String, (String, BTreeMap<String, String>)> {
    let essence = |(name, parameter): (&String, &Parameter)| {
        let mut tags = parameter.tags.clone();
        tags.retain(|key, _| {
            !key.starts_with("zone-delegation:")
                || [tags::STACK_ID, tags::LOGICAL_ID, tags::REQUEST].contains(&key.as_str())
        });
        (name.clone(), (parameter.value.clone(), tags))
    };
    store.parameters.iter().map(essence).collect()
}

#[test]
fn parameters_of_other_owners_are_never_changed() {
    for world in World::all() {
        let store = world.store();
        for event in publishing().into_iter().chain(deletes(NOW)) {
            let request = event.request();
            let (plan, actions) = planned(&store, &request);
            let is_delete = event.kind == "Delete";
            for (action, part) in actions.iter().flat_map(|action| {
                action
                    .change
                    .parts()
                    .into_iter()
                    .map(move |part| (action, part))
            }) {
                let past = world.of(part).0;
                let is_allowed = match past {
                    Past::TakenFromZone => {
                        let settles = matches!(action.change, Change::RemoveTags(..));
                        settles && event.physical_id == PREFIX && is_delete
                    }
                    Past::Absent | Past::OfFormer => !is_delete,
                    _ => past.is_own(),
                };
                assert!(is_allowed, "{world:?} {}: {plan}", event.kind);
                let deletes = matches!(action.change, Change::Delete(_));
                assert!(is_delete || !deletes, "{world:?} {}: {plan}", event.kind);
            }
        }
    }
}

#[test]
fn a_publication_is_complete_or_refused() {
    for world in World::all() {
        let usable = world.pasts().into_iter().all(Past::is_usable);
        let moves = world.is_delegating && world.id.0 != Past::Absent && !world.id.1;
        for event in publishing() {
            let mut store = world.store();
            let request = event.request();
            let (plan, _) = planned(&store, &request);
            let is_done = store.carry_out(&plan, Clock::moment(0));
            assert_eq!(
                is_done,
                usable && !moves,
                "{world:?} {}: {plan}",
                event.kind
            );
            if !is_done {
                continue;
            }
            for part in Part::ALL {
                let parameter = &store.parameters[&name(PREFIX, part)];
                assert_eq!(
                    parameter.value,
                    part.value(&zone_of("Z1")),
                    "{world:?}: {plan}"
                );
                let owner = &parameter.tags[tags::LOGICAL_ID];
                assert_eq!(owner, "Zone", "{world:?}: {plan}");
            }
            let (again, actions) = planned(&store, &request);
            assert!(actions.is_empty(), "{world:?} done twice: {again}");
        }
    }
}

#[test]
fn a_delete_removes_what_its_request_can_have_created() {
    for world in World::all() {
        let store = world.store();
        for (of, event) in deletes(NOW).into_iter().enumerate() {
            let request = event.request();
            let (plan, actions) = planned(&store, &request);
            let deleted: Vec<Past> = actions
                .iter()
                .filter(|action| matches!(action.change, Change::Delete(_)))
                .flat_map(|action| action.change.parts())
                .map(|part| world.of(part).0)
                .collect();
            for past in &deleted {
                let is_meant = match of {
                    0 => !matches!(past, Past::Renamed | Past::RenamedBy020),
                    1 => *past == Past::CreatedRecently,
                    2 => false,
                    // Incomplete or recently completed things.
                    _ => !matches!(past, Past::OfRelease020 | Past::Renamed | Past::Retained),
                };
                assert!(is_meant, "{world:?} {}: {plan}", event.physical_id);
            }
            let is_whole = world.pasts().into_iter().all(Past::is_own);
            if of == 3 && is_whole {
                assert!(
                    !deleted.contains(&Past::CreatedLongAgo),
                    "{world:?}: {plan}"
                );
            }
            if of == 0 && (!world.is_delegating || deleted.is_empty()) {
                let all = world.pasts().into_iter();
                let own = all.filter(|past| {
                    past.is_own() && !matches!(past, Past::Renamed | Past::RenamedBy020)
                });
                let refused = matches!(plan, Plan::Refuse(_));
                assert!(refused || deleted.len() == own.count(), "{world:?}: {plan}");
            }
        }
    }
}

#[test]
fn nothing_is_deleted_while_the_zone_delegates() {
    for world in World::all().filter(|world| world.is_delegating) {
        let [named, ..] = deletes(NOW);
        let (plan, actions) = planned(&world.store(), &named.request());
        let deletes = |action: &Action| matches!(action.change, Change::Delete(_));
        assert!(!actions.iter().any(deletes), "{world:?}: {plan}");
    }
}

#[test]
fn the_delete_of_a_refused_create_does_not_change_what_existed() {
    let create = create_at("Zone", NOW);
    let delete = Event {
        physical_id: create.refused_id(),
        ..event("Delete", "Zone", AFTER)
    }
    .request();
    // What this Create has created in an earlier delivery did not exist before. A rename that is not final is
    // returned to the first logical id.
    let is_plain = |past| !matches!(past, Past::CreatedNow | Past::Renamed | Past::RenamedBy020);
    let worlds = World::all().filter(|world| world.pasts().into_iter().all(is_plain));
    for world in worlds {
        let before = world.store();
        let (plan, actions) = planned(&before, &create);
        // It fails, or dies, after any of its calls.
        let mut store = before.clone();
        let mut states = vec![store.clone()];
        for action in actions.iter().flat_map(one_by_one) {
            store.act(&action, create.requested_at);
            states.push(store.clone());
        }
        for mut store in states {
            let (undo, _) = planned(&store, &delete);
            assert!(
                store.carry_out(&undo, delete.requested_at),
                "{world:?}: {undo}"
            );
            assert_eq!(
                essence(&store),
                essence(&before),
                "{world:?}: {plan}, then {undo}"
            );
        }
    }
}

/// Returns an action as its single calls.
fn one_by_one(action: &Action) -> Vec<Action> {
    let one = |change| Action {
        prefix: action.prefix.clone(),
        change,
    };
    match action.change.clone() {
        Change::Create(values, tags) => values
            .into_iter()
            .map(|value| one(Change::Create(vec![value], tags.clone())))
            .collect(),
        Change::Overwrite(values) => {
            let values = values.into_iter();
            values
                .map(|value| one(Change::Overwrite(vec![value])))
                .collect()
        }
        Change::AddTags(why, tags) => {
            let tags = tags.into_iter();
            tags.map(|tags| one(Change::AddTags(why.clone(), vec![tags])))
                .collect()
        }
        Change::RemoveTags(why, keys) => {
            let keys = keys.into_iter();
            keys.map(|keys| one(Change::RemoveTags(why.clone(), vec![keys])))
                .collect()
        }
        delete @ Change::Delete(_) => vec![one(delete)],
    }
}

#[test]
fn a_redelivered_delete_changes_nothing_of_a_later_create() {
    let [create, update, _] = publishing();
    let update = Event {
        at: AFTER,
        ..update
    };
    for world in World::all() {
        let mut store = world.store();
        for event in [&create, &update] {
            let request = event.request();
            let (plan, _) = planned(&store, &request);
            if !store.carry_out(&plan, request.requested_at) {
                break;
            }
            for delete in deletes(BEFORE) {
                let (again, actions) = planned(&store, &delete.request());
                assert!(actions.is_empty(), "{world:?}: {plan}, then {again}");
            }
        }
    }
}

#[test]
fn a_rename_that_is_rolled_back_restores_everything() {
    let [create, ..] = publishing();
    let [delete, ..] = deletes(AFTER);
    let [create, delete] = [create, delete].map(|event| event.request());
    let is_formers = |past| matches!(past, Past::OfFormer | Past::Absent);
    for world in World::all().filter(|world| world.pasts().into_iter().all(is_formers)) {
        let before = world.store();
        let mut store = before.clone();
        let (plan, _) = planned(&store, &create);
        if !store.carry_out(&plan, create.requested_at) {
            continue;
        }
        // The Delete may die after any of its calls, and is then delivered again.
        let (undo, actions) = planned(&store, &delete);
        let mut states = vec![store.clone()];
        for action in actions.iter().flat_map(one_by_one) {
            store.act(&action, delete.requested_at);
            states.push(store.clone());
        }
        if world.is_delegating && world.pasts().contains(&Past::Absent) {
            assert!(
                actions.is_empty(),
                "it deletes what publishes a zone in use: {undo}"
            );
            continue;
        }
        for mut store in states {
            let (undo, _) = planned(&store, &delete);
            assert!(
                store.carry_out(&undo, delete.requested_at),
                "{world:?}: {undo}"
            );
            assert_eq!(
                essence(&store),
                essence(&before),
                "{world:?}: {plan}, then {undo}"
            );
        }
    }
}

#[test]
fn a_rollback_of_a_change_of_prefix_removes_what_the_failed_update_can_have_created() {
    let rollback = Event {
        properties: json!({ "HostedZoneId": "Z1", "ParameterPrefix": "/zone-delegation/old" }),
        physical_id: "/zone-delegation/old".to_owned(),
        before: event("Update", "Zone", NOW).properties,
        ..event("Update", "Zone", NOW)
    }
    .request();
    for world in World::all() {
        let mut store = world.store();
        let (plan, actions) = planned(&store, &rollback);
        for part in actions
            .iter()
            .filter(|action| action.prefix.as_str() == PREFIX)
            .flat_map(|action| action.change.parts())
        {
            assert!(world.of(part).0.is_own(), "{world:?}: {plan}");
        }
        assert!(
            store.carry_out(&plan, rollback.requested_at),
            "{world:?}: {plan}"
        );
        for part in Part::ALL {
            let left = store.parameters.get(&name(PREFIX, part));
            match world.of(part).0 {
                Past::CreatedRecently => assert_eq!(left, None, "{world:?}: {plan}"),
                Past::Renamed => assert_eq!(left.unwrap().value, "before", "{world:?}: {plan}"),
                Past::OfRelease020 | Past::OfFormer => assert!(left.is_some(), "{world:?}: {plan}"),
                _ => {}
            }
        }
    }
}

#[test]
fn the_state_of_every_world_is_read_from_its_tags() {
    // A world that a rule excludes by mistake would prove nothing.
    let request = create_at("Zone", NOW);
    let task = Task::of(&request).unwrap();
    for past in PASTS.into_iter().filter(|past| *past != Past::Absent) {
        let world = World {
            id: (past, true),
            others: (past, true),
            is_delegating: false,
        };
        let observed = world.store().observe(&task);
        assert_eq!(observed.parameters.len(), 3);
        let delivery: Delivery<'_> = at_once(&request);
        let refused = matches!(Plan::of(&task, &observed, &delivery), Plan::Refuse(_));
        assert_eq!(refused, !past.is_usable(), "{past:?}");
    }
}
