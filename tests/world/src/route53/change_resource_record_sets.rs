//! `ChangeResourceRecordSets`: applies a batch as a whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::record_set::{Action, Change, RecordKey, RecordSet};
use super::{Zone, authorize_in, existing_zone, get_change, guardrail, protection, submit};
use crate::iam::principal::Hand;
use crate::state::State;
use crate::throttle::Bucket;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;
use crate::{dangling, dns, ownership};

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let id = call.path[0].clone();
    let body = call.xml()?;
    let changes: Vec<Change> = body
        .child("ChangeBatch")
        .and_then(|batch| batch.child("Changes"))
        .into_iter()
        .flat_map(|changes| changes.children_named("Change"))
        .map(|element| Change::read(element, &call.caller.hand))
        .collect::<Result<_, _>>()?;
    if changes.is_empty() || changes.len() > 1000 {
        return Err(ServiceError::bad("InvalidInput", "1 to 1,000 changes"));
    }
    let words: Vec<String> = changes
        .iter()
        .map(|change| {
            format!(
                "{} {} {}",
                change.action.name(),
                change.key.name,
                change.key.kind
            )
        })
        .collect();
    call.target = words.join(", ");
    let mut context = state.iam.context(call);
    let key = |name: &str| format!("route53:ChangeResourceRecordSets{name}");
    context.set(
        &key("NormalizedRecordNames"),
        changes.iter().map(|change| change.key.name.normalized()),
    );
    context.set(
        &key("RecordTypes"),
        changes.iter().map(|change| change.key.kind.clone()),
    );
    context.set(
        &key("Actions"),
        changes.iter().map(|change| change.action.name().to_owned()),
    );
    authorize_in(state, call, &format!("hostedzone/{id}"), &context)?;
    existing_zone(state, call, &id)?;
    if state.settings.throttling {
        let rates = state.settings.rates;
        let tokens = f64::from(u32::try_from(changes.len()).unwrap_or(u32::MAX));
        // By zone, because ids are unique among accounts.
        if !state
            .throttle
            .take(&rates, &id, Bucket::Changes, tokens, state.now)
        {
            return Err(ServiceError::throttled(call.service));
        }
    }
    let change = change(state, &id, &changes, &call.caller.hand)?;
    call.effect = true;
    Ok(Answer::Xml(
        Element::new("ChangeResourceRecordSetsResponse").with(get_change::element(state, &change)),
    ))
}

/// Applies a batch to an existing zone, and returns the change's id.
///
/// # Errors
/// `InvalidChangeBatch` with every reason.
pub(crate) fn change(
    state: &mut State,
    id: &str,
    changes: &[Change],
    hand: &Hand,
) -> Result<String, ServiceError> {
    for change in changes {
        let zone = &state.route53.zones[id];
        let at_apex = change.key == RecordKey::new(&zone.name, "NS");
        let same_values = |current: &RecordSet| {
            let sorted = |set: &RecordSet| {
                let mut values = set.values.clone();
                for value in &mut values {
                    if !value.ends_with('.') {
                        value.push('.');
                    }
                }
                values.sort();
                values
            };
            sorted(current) == sorted(&change.set)
        };
        // The project's only UPSERT: the TTL of the NS record set at the apex of a zone that the same stack
        // created.
        let is_allowed = at_apex
            && zone.made_by != Hand::Person
            && zone.records.get(&change.key).is_some_and(same_values);
        if change.action == Action::Upsert && *hand != Hand::Person && !is_allowed {
            let name = &change.key.name;
            state.violate(format!("{hand} used UPSERT on {name} {}", change.key.kind));
        }
    }
    let zone = &state.route53.zones[id];
    let mut after = zone.records.clone();
    let mut errors: Vec<String> = Vec::new();
    let mut touched: BTreeSet<(bool, RecordKey)> = BTreeSet::new();
    for change in changes {
        let deletes = change.action == Action::Delete;
        if !touched.insert((deletes, change.key.clone())) {
            errors.push(format!(
                "The request contains an invalid set of changes for a resource record set '{} {}'",
                change.key.kind, change.key.name
            ));
        }
        errors.extend(protection::refusal(zone, change));
        let undeletable = *hand != Hand::Person && zone.undeletable.contains(&change.key);
        errors.extend(apply(zone, &mut after, change, undeletable));
    }
    errors.extend(consistency(zone, &after, changes));
    if after.len() > state.settings.records_per_zone {
        errors.push("Number of records limit exceeded".to_owned());
    }
    if errors.is_empty() {
        errors.extend(guardrail::refusals(state, zone, &after, changes));
    }
    if !errors.is_empty() {
        return Err(ServiceError::bad(
            "InvalidChangeBatch",
            format!("[{}]", errors.join(", ")),
        ));
    }
    ownership::records_changed(state, id, changes, hand);
    let zone = state.route53.zones.get_mut(id).expect("it exists");
    let effects: Vec<(RecordKey, Option<RecordSet>)> = touched
        .into_iter()
        .map(|(_, key)| {
            let set = after.get(&key).cloned();
            (key, set)
        })
        .collect();
    zone.records = after;
    let names: BTreeSet<_> = effects
        .iter()
        .filter(|(key, _)| key.kind == "NS")
        .map(|(key, _)| key.name.clone())
        .collect();
    let change = submit(state, id, effects, hand);
    for name in names {
        dangling::check(state, &name, hand);
    }
    Ok(change)
}

/// Applies one change to the pending batch, or returns why it is invalid.
fn apply(
    zone: &Zone,
    records: &mut BTreeMap<RecordKey, RecordSet>,
    change: &Change,
    undeletable: bool,
) -> Option<String> {
    let RecordKey { name, kind, .. } = &change.key;
    if !name.is_within(&zone.name) {
        return Some(format!(
            "RRSet with DNS name {name} is not permitted in zone {}",
            zone.name
        ));
    }
    let tried = |what: &str, why: &str| {
        Some(format!(
            "Tried to {what} resource record set [name='{name}', type='{kind}'] but {why}"
        ))
    };
    if change.action != Action::Delete
        && let Some(why) = dns::invalid(&change.key, &change.set)
    {
        return Some(format!(
            "Invalid Resource Record: 'FATAL problem: {why}' encountered with '{}'",
            change.set.values.join(",")
        ));
    }
    match (change.action, records.get(&change.key)) {
        (Action::Create, Some(_)) => tried("create", "it already exists"),
        (Action::Delete, None) => tried("delete", "it was not found"),
        (Action::Delete, Some(current)) if undeletable || !current.matches(&change.set) => tried(
            "delete",
            "the values provided do not match the current values",
        ),
        (Action::Delete, Some(_)) => {
            records.remove(&change.key);
            None
        }
        (Action::Create | Action::Upsert, _) => {
            records.insert(change.key.clone(), change.set.clone());
            None
        }
    }
}

/// Returns what a zone violates after the batch: it has one SOA, an NS record set at the apex, and CNAMEs
/// alone at their names.
fn consistency(
    zone: &Zone,
    after: &BTreeMap<RecordKey, RecordSet>,
    changes: &[Change],
) -> Vec<String> {
    let mut errors = Vec::new();
    if !after.contains_key(&RecordKey::new(&zone.name, "SOA")) {
        errors.push("A HostedZone must contain exactly one SOA record.".to_owned());
    }
    if !after.contains_key(&RecordKey::new(&zone.name, "NS")) {
        errors.push("A HostedZone must contain at least one NS record for the zone itself.".into());
    }
    for change in changes
        .iter()
        .filter(|change| change.action != Action::Delete)
    {
        let name = &change.key.name;
        let kinds: BTreeSet<&str> = after
            .range(RecordKey::new(name, "")..)
            .take_while(|(key, _)| key.name == *name)
            .map(|(key, _)| key.kind.as_str())
            .collect();
        if kinds.contains("CNAME") && (kinds.len() > 1 || *name == zone.name) {
            errors.push(format!(
                "RRSet of type {} with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone {}",
                change.key.kind, zone.name
            ));
        }
    }
    errors
}
