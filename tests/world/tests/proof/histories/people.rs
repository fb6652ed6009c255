//! The changes of people in a history.

use std::time::Duration;

use world::cloudformation::Stack;
use world::{Edit, Guardrail, Hand, Name, RecordKey, Zone};

use super::choice::{NAMES, PREFIXES};
use super::step::Act;
use crate::cast::{BUILD, CONSUMER, Cast, NAMES as RIGHTS, NETWORK, PREFIX, REGION};
use crate::exclusions::{LOGICAL_ID_RETAGGED, TAGS_TAKEN_OFF, ZONE_NEVER_KNOWN};
use crate::invariants::Promise;
use crate::roles;

/// The ownership tags that say whose a zone is.
const STACK_TAG: &str = "zone-delegation:stack-id";
const LOGICAL_TAG: &str = "zone-delegation:logical-id";

/// Returns the consumers' zones with that name.
fn zones_named(cast: &Cast, name: &str) -> Vec<Zone> {
    let name = Name::of(name);
    cast.world
        .zones()
        .into_values()
        .filter(|zone| zone.account != NETWORK && zone.name == name)
        .collect()
}

/// Performs an act, and ignores what is impossible.
pub(crate) fn act(cast: &mut Cast, stacks: &[&Stack], act: Act) {
    let world = cast.world.clone();
    let world = &world;
    let name = |at: usize| format!("{}.{BUILD}", NAMES[at]);
    let edit = |zone: &str, edit: Edit| drop(world.edit_records(zone, &[edit]));
    match act {
        Act::ForeignDelegation(at) => edit(
            &cast.build_zone,
            Edit::create(&name(at), "NS", 900, &["ns.example.net"]),
        ),
        Act::DelegateZone(at) => {
            if let Ok(zone) = world.make_zone(CONSUMER, &name(at)) {
                let hosts = world.zone(&zone).expect("it was just created").hosts();
                let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
                edit(
                    &cast.build_zone,
                    Edit::create(&name(at), "NS", 3_600, &hosts),
                );
            }
        }
        Act::Ds(at) => cast.write_stale_ds(&name(at)),
        Act::Secure(at) => {
            cast.sign_parents();
            for zone in zones_named(cast, &name(at)) {
                if let Ok(ds) = world.sign_zone(&zone.id) {
                    edit(&cast.build_zone, Edit::create(&name(at), "DS", 900, &[&ds]));
                }
            }
        }
        Act::Retag(at, to) => retag(cast, stacks, &name(at), to, true),
        Act::RetagStack(at, to) => retag(cast, stacks, &name(at), to, false),
        Act::Stick(at) => {
            let stick = |zone: &mut Zone, goes: &dyn Fn(&RecordKey) -> bool| {
                let keys = zone.records.keys().filter(|key| goes(key)).cloned();
                let keys: Vec<RecordKey> = keys.collect();
                zone.undeletable.extend(keys);
            };
            let delegation = RecordKey::new(&Name::of(&name(at)), "NS");
            let is_delegation = |key: &RecordKey| *key == delegation;
            drop(world.edit_zone(&cast.build_zone, |zone| stick(zone, &is_delegation)));
            for zone in zones_named(cast, &name(at)) {
                drop(world.edit_zone(&zone.id, |zone| stick(zone, &|_| true)));
            }
        }
        Act::Lie(lie) => {
            world.change_settings(|settings| settings.resolvers_lie = Some((Name::of(BUILD), lie)));
        }
        Act::RemoveDelegation(at) => edit(&cast.build_zone, Edit::delete(&name(at), "NS")),
        Act::RecordBelow(at) => edit(
            &cast.build_zone,
            Edit::create(&format!("www.{}", name(at)), "A", 60, &["192.0.2.1"]),
        ),
        Act::RecordInside(at) => {
            for zone in zones_named(cast, &name(at)) {
                let record = Edit::create(&format!("www.{}", name(at)), "A", 60, &["192.0.2.1"]);
                edit(&zone.id, record);
            }
        }
        Act::MakeZone(at) => drop(world.make_zone(CONSUMER, &name(at))),
        Act::RemoveZones(at) => {
            for zone in zones_named(cast, &name(at)) {
                let is_functions = zone.made_by != Hand::Person;
                if is_functions && !ZONE_NEVER_KNOWN.covers(!is_known(&zone, stacks)) {
                    empty(cast, &zone, |_| true);
                    drop(world.remove_zone(&zone.id));
                }
            }
        }
        Act::RemoveMarks(at) => {
            for zone in zones_named(cast, &name(at)) {
                if TAGS_TAKEN_OFF.covers(was_taken_over(&zone)) {
                    // It belongs to its former logical id again, whose late Delete may delete it.
                    let touched = [
                        (zone.id.clone(), Promise::Leftover),
                        (name(at), Promise::Zone),
                        (name(at), Promise::Delegation),
                    ];
                    cast.exempt.touched.extend(touched);
                    drop(world.disown_zone(&zone.id));
                } else {
                    drop(world.edit_zone(&zone.id, |zone| zone.tags.clear()));
                }
            }
        }
        Act::Sign(at) => {
            for zone in zones_named(cast, &name(at)) {
                drop(world.edit_zone(&zone.id, |zone| zone.signed = true));
            }
        }
        Act::Protect(at) => {
            let key = (Name::of(&name(at)), "NS".to_owned());
            let protect = |zone: &mut Zone| drop(zone.protections.insert(key, "ours".into()));
            drop(world.edit_zone(&cast.build_zone, protect));
        }
        Act::TakeRole(at) => world.delete_role(&roles::delegation_role(RIGHTS[at].0)),
        Act::UseCertificates => {
            for arn in world.certificates().keys() {
                let user = "arn:aws:cloudfront::1:distribution/X".to_owned();
                drop(world.edit_certificate(arn, |found| found.in_use_by = vec![user]));
            }
        }
        Act::Guardrails => {
            let turn_on = |zone: &mut Zone| zone.guardrails = Guardrail::ALL.into();
            drop(world.edit_zone(&cast.build_zone, turn_on));
        }
        Act::Follow(at, seconds) => {
            let until = world.now() + Duration::from_secs(seconds.into());
            let name = Name::of(&name(at));
            let follow = |zone: &mut Zone| {
                zone.followed_until.insert(name, until);
            };
            drop(world.edit_zone(&cast.build_zone, follow));
        }
        Act::WriteParameter(at) => {
            let parameter = format!("{}/hosted-zone-name", PREFIXES[at]);
            let place = (NETWORK.to_owned(), REGION.to_owned(), parameter.clone());
            if !world.parameters().contains_key(&place) {
                world.write_parameter(NETWORK, REGION, &parameter, "by hand");
            }
        }
        Act::RemoveParameter(at) => {
            let parameter = format!("{}/name-servers", PREFIXES[at]);
            world.remove_parameter(NETWORK, REGION, &parameter);
        }
        Act::Tidy => tidy(cast),
    }
}

/// Returns whether CloudFormation knows a zone.
fn is_known(zone: &Zone, stacks: &[&Stack]) -> bool {
    let mut resources = stacks.iter().flat_map(|stack| stack.resources.values());
    resources.any(|resource| resource.physical_id.contains(&zone.id))
}

/// Writes the ownership tags of a stack's resource to zones, or only the tag with its stack.
fn retag(cast: &mut Cast, stacks: &[&Stack], name: &str, to: usize, wholly: bool) {
    for zone in zones_named(cast, name) {
        let is_of_it =
            |hand: &Hand| matches!(hand, Hand::Function(work) if work.stack_id == stacks[to].id);
        if LOGICAL_ID_RETAGGED.covers(is_of_it(&zone.made_by)) {
            continue;
        }
        cast.retagged.entry(zone.id.clone()).or_insert(zone.tags);
        drop(cast.world.edit_zone(&zone.id, |zone| {
            let stack_id = stacks[to].id.clone();
            zone.tags.insert(STACK_TAG.to_owned(), stack_id);
            if wholly {
                zone.tags.insert(LOGICAL_TAG.to_owned(), "A".to_owned());
            }
        }));
    }
}

/// Restores the ownership tags of zones.
fn untag(cast: &mut Cast) {
    for (id, tags) in std::mem::take(&mut cast.retagged) {
        drop(cast.world.edit_zone(&id, |zone| {
            for key in [STACK_TAG, LOGICAL_TAG] {
                match tags.get(key) {
                    Some(value) => zone.tags.insert(key.to_owned(), value.clone()),
                    None => zone.tags.remove(key),
                };
            }
        }));
    }
}

fn was_taken_over(zone: &Zone) -> bool {
    let Hand::Function(maker) = &zone.made_by else {
        return false;
    };
    let marked = zone.tags.get("zone-delegation:logical-id");
    marked.is_some_and(|marked| *marked != maker.logical_id)
}

/// Deletes the remaining parameters under the first prefix if one of them is missing, and returns whether it
/// did.
pub(crate) fn delete_incomplete_parameters(cast: &Cast) -> bool {
    let names = ["hosted-zone-id", "hosted-zone-name", "name-servers"];
    let parameters = cast.world.parameters();
    let place = |name: &str| {
        let parameter = format!("{}/{name}", PREFIXES[0]);
        (NETWORK.to_owned(), REGION.to_owned(), parameter)
    };
    let torn = names
        .iter()
        .any(|name| !parameters.contains_key(&place(name)));
    if torn {
        for (account, region, name) in names.map(place) {
            cast.world.remove_parameter(&account, &region, &name);
        }
    }
    torn
}

/// Deletes record sets of a zone other than those of its apex.
fn empty(cast: &Cast, zone: &Zone, goes: impl Fn(&Hand) -> bool) {
    let edits: Vec<Edit> = zone
        .other_records()
        .filter(|(_, set)| goes(&set.written_by))
        .map(|(key, _)| Edit::delete(&key.name.to_string(), &key.kind))
        .collect();
    if !edits.is_empty() {
        drop(cast.world.edit_records(&zone.id, &edits));
    }
}

/// Repairs everything that people may have broken.
pub(crate) fn tidy(cast: &mut Cast) {
    untag(cast);
    let world = &cast.world;
    world.change_settings(|settings| settings.resolvers_lie = None);
    roles::put_delegation_roles(world, &cast.build_zone, PREFIX);
    for zone in world.zones().into_values() {
        drop(world.edit_zone(&zone.id, |zone| {
            zone.signed = false;
            zone.protections.clear();
            zone.guardrails.clear();
            zone.followed_until.clear();
            zone.undeletable.clear();
        }));
        if zone.id != cast.base_zone {
            // A delegation that a stack has adopted was created by people, too.
            let delegations = zone
                .other_records()
                .filter(|(key, set)| key.kind == "NS" && set.written_by == Hand::Person);
            let names = delegations.map(|(key, _)| (key.name.normalized(), Promise::Delegation));
            cast.exempt.touched.extend(names);
            empty(cast, &zone, |hand| *hand == Hand::Person);
        }
    }
    for arn in world.certificates().keys() {
        drop(world.edit_certificate(arn, |found| found.in_use_by.clear()));
    }
    for ((account, region, name), parameter) in world.parameters() {
        if parameter.made_by == Hand::Person {
            world.remove_parameter(&account, &region, &name);
        }
    }
}

/// Deletes the NS record sets that lead to zones which people have deleted.
pub(crate) fn delete_dangling(cast: &Cast) {
    let Some(build) = cast.world.zone(&cast.build_zone) else {
        return;
    };
    let zones = cast.world.zones();
    for (key, set) in build.other_records().filter(|(key, _)| key.kind == "NS") {
        let leads_to = |zone: &Zone| {
            let hosts = zone.hosts();
            let is_host =
                |value: &String| hosts.contains(&value.trim_end_matches('.').to_lowercase());
            zone.name == key.name && set.values.iter().all(is_host)
        };
        let name = key.name.normalized();
        if cast.exempt.is(&name, Promise::Zone) && !zones.values().any(leads_to) {
            let edit = Edit::delete(&name, "NS");
            drop(cast.world.edit_records(&cast.build_zone, &[edit]));
        }
    }
}

/// Deletes what CloudFormation forgot after a clean-up that failed with a reason.
pub(crate) fn delete_orphans(cast: &Cast) {
    if let Some(zone) = cast.world.zone(&cast.build_zone) {
        empty(cast, &zone, |_| true);
    }
}
