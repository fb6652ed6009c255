//! Knows who created a thing, from what the world saw and never from the tags that functions write. A
//! function's write on a thing that another stack or a person created is a violation.

use crate::custody::{self, Then, Thing};
use crate::iam::principal::{Hand, Work};
use crate::route53::name_server::NameServer;
use crate::route53::record_set::{Action, Change, RecordKey, RecordSet};
use crate::ssm::Place;
use crate::state::State;

/// The prefix of this project's own tags.
const MARK: &str = "zone-delegation:";

/// Returns whether the same resource created it, or the same stack under a logical id that a template
/// renamed.
pub(crate) fn own(state: &State, made_by: &Hand, work: &Work) -> bool {
    match made_by {
        Hand::Person => false,
        Hand::Function(maker) => {
            maker.stack_id == work.stack_id
                && (maker.logical_id == work.logical_id
                    || state.renamed(&work.stack_id, &maker.logical_id, &work.logical_id))
        }
    }
}

/// Checks that a function may delete a zone.
pub(crate) fn zone_deleted(state: &mut State, id: &str, hand: &Hand) {
    custody::changes(state, hand, Thing::Zone(id.to_owned()), Then::IsGone);
    zone_is_own(state, id, hand, "the whole of it, by deleting it");
}

/// Checks that a function may change a zone itself.
pub(crate) fn zone_changed(state: &mut State, id: &str, hand: &Hand, what: &str) {
    custody::changes(state, hand, Thing::Zone(id.to_owned()), Then::Exists);
    zone_is_own(state, id, hand, what);
}

fn zone_is_own(state: &mut State, id: &str, hand: &Hand, what: &str) {
    let Hand::Function(work) = hand else { return };
    let zone = &state.route53.zones[id];
    if !own(state, &zone.made_by, work) {
        let (name, maker) = (zone.name.clone(), zone.made_by.clone());
        state.violate(format!(
            "{hand} changed {what} of zone {name} {id}, which {maker} made"
        ));
    }
}

/// Checks that a function may change a zone's tags. An existing zone has the project's tags while it is
/// delegated.
pub(crate) fn zone_tagged(
    state: &mut State,
    id: &str,
    hand: &Hand,
    add: &[(String, String)],
    remove: &[String],
) {
    custody::changes(state, hand, Thing::Zone(id.to_owned()), Then::Exists);
    let Hand::Function(work) = hand else { return };
    let ours = |key: &str| key.starts_with(MARK);
    let marks_only = add.iter().all(|(key, _)| ours(key)) && remove.iter().all(|key| ours(key));
    let zone = &state.route53.zones[id];
    // Both tags together say whose a zone is.
    let others_mark = zone.tags.contains_key("zone-delegation:logical-id")
        && zone
            .tags
            .get("zone-delegation:stack-id")
            .is_some_and(|stack| *stack != work.stack_id);
    if own(state, &zone.made_by, work) {
        return;
    }
    if zone.made_by == Hand::Person && marks_only && !others_mark {
        let stack = work.stack_id.clone();
        let zone = state.route53.zones.get_mut(id).expect("it exists");
        zone.delegated_by.insert(stack);
        return;
    }
    zone_is_own(state, id, hand, "tags");
}

/// Checks that a function may change record sets.
pub(crate) fn records_changed(state: &mut State, id: &str, changes: &[Change], hand: &Hand) {
    record_sets_in_custody(state, id, changes, hand);
    let Hand::Function(work) = hand else { return };
    for change in changes
        .iter()
        .filter(|change| change.action != Action::Create)
    {
        let zone = &state.route53.zones[id];
        if own(state, &zone.made_by, work) {
            continue;
        }
        let Some(current) = zone.records.get(&change.key) else {
            continue;
        };
        let account = &zone.account;
        let allowed = match change.key.kind.as_str() {
            "NS" => is_own_delegation(state, work, change, current),
            "CNAME" => {
                // ACM's value for this account and name has no other purpose, whoever created the record set.
                let is_acms = |value: &String| value.ends_with(".acm-validations.aws.");
                (current.written_by != Hand::Person || current.values.iter().all(is_acms))
                    && !crate::acm::is_listed(state, account, change, work)
            }
            _ => false,
        };
        if !allowed {
            let maker = current.written_by.clone();
            let (name, kind) = (change.key.name.clone(), change.key.kind.clone());
            state.violate(format!(
                "{hand} changed {name} {kind} in zone {id}: {maker} wrote it"
            ));
        }
    }
}

/// Tells [`custody`] which existing record sets change. What a batch deletes and creates again exists
/// afterwards.
fn record_sets_in_custody(state: &mut State, id: &str, changes: &[Change], hand: &Hand) {
    let records = &state.route53.zones[id].records;
    let exist: Vec<(RecordKey, Then)> = changes
        .iter()
        .filter(|change| change.action != Action::Create && records.contains_key(&change.key))
        .map(|change| {
            let creates =
                |other: &&Change| other.action != Action::Delete && other.key == change.key;
            let then = match changes.iter().find(creates) {
                Some(_) => Then::Exists,
                None => Then::IsGone,
            };
            (change.key.clone(), then)
        })
        .collect();
    for (key, then) in exist {
        custody::changes(state, hand, Thing::Records(id.to_owned(), key), then);
    }
}

/// Returns whether an NS record set names the name servers of a zone that this stack created or that its
/// template names.
fn is_own_delegation(state: &State, work: &Work, change: &Change, current: &RecordSet) -> bool {
    let mut named: Vec<Option<NameServer>> = current
        .values
        .iter()
        .map(|value| NameServer::by_host(value))
        .collect();
    named.sort();
    let is = |servers: &[NameServer]| {
        let mut servers: Vec<Option<NameServer>> = servers.iter().copied().map(Some).collect();
        servers.sort();
        servers == named
    };
    let standing = state.route53.zones.values().any(|zone| {
        zone.name == change.key.name
            && is(&zone.name_servers)
            && (own(state, &zone.made_by, work) || zone.delegated_by.contains(&work.stack_id))
    });
    standing
        || state.route53.former.values().any(|zone| {
            zone.name == change.key.name
                && is(&zone.name_servers)
                && (own(state, &zone.made_by, work) || zone.delegated_by.contains(&work.stack_id))
        })
}

/// Checks that a function may write, tag or delete an existing parameter.
pub(crate) fn parameter_changed(state: &mut State, place: &Place, then: Then, hand: &Hand) {
    custody::changes(state, hand, Thing::Parameter(place.clone()), then);
    let Hand::Function(work) = hand else { return };
    let maker = state.ssm.parameters[place].made_by.clone();
    if !own(state, &maker, work) {
        let name = &place.2;
        state.violate(format!(
            "{hand} changed parameter {name}, which {maker} wrote"
        ));
    }
}

/// Checks that a function may delete or tag a certificate.
pub(crate) fn certificate_changed(state: &mut State, arn: &str, then: Then, hand: &Hand) {
    custody::changes(state, hand, Thing::Certificate(arn.to_owned()), then);
    let Hand::Function(work) = hand else { return };
    let maker = state.acm.certificates[arn].made_by.clone();
    if !own(state, &maker, work) {
        state.violate(format!(
            "{hand} changed certificate {arn}, which {maker} requested"
        ));
    }
}
