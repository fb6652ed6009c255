//! The promises that must be true when no operation runs on a stack.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use world::cloudformation::{Orphan, Stack, StackResource, Status};
use world::{Certificate, Hand, Name, RecordSet, Zone};

use crate::cast::{BUILD, Cast, NAMES, REGION};
use crate::exclusions::{
    ANOTHER_STACKS_ZONE, ANSWERED_ALREADY, CREATED_RECENTLY, Exclusion, GIVEN_UP,
    KEPT_AFTER_RENAMING, KEPT_TAGS, NEVER_ANSWERED, OUTDATED_UPDATE, RENAMED_AND_ROLLED_BACK,
    TAGS_TAKEN_OFF, TOUCHED_BY_PEOPLE,
};

/// A promise about a name, a zone or a prefix that a person's act can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// Its delegation is as the template says.
    Delegation,
    /// Its zone exists.
    Zone,
    /// Its comment and tags are as the template says.
    Tags,
    /// The parameters are as the template says.
    Parameters,
    /// A resource, by its stack's id and its logical id, has the TTL, comment and tags of its template.
    Attributes,
    /// A zone is not left behind.
    Leftover,
}

/// The promises that are not checked in a history.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exempt {
    /// By name, id of a zone or prefix.
    pub(crate) touched: BTreeSet<(String, Promise)>,
    /// Stacks whose rollback was given up, each with the requests of the operation that was rolled back.
    pub(crate) given_up: BTreeMap<String, std::ops::RangeInclusive<u64>>,
}

impl Exempt {
    /// Returns whether people broke this promise of a name, zone or prefix.
    pub(crate) fn is(&self, of: &str, promise: Promise) -> bool {
        self.touched.contains(&(of.to_owned(), promise))
    }
}

/// The last parts of the names of the parameters under a prefix.
const PARAMETERS: [&str; 3] = ["hosted-zone-id", "hosted-zone-name", "name-servers"];

/// A thing in the world that a function created for a stack.
struct Made {
    /// Its key, which [`as_said`] uses too.
    key: String,
    /// The names with which a failure identifies exactly this thing.
    names: Vec<String>,
    by: Hand,
    /// Why it may be left nevertheless.
    unless: Option<&'static Exclusion>,
}

/// Returns everything that functions created for a stack. Record sets count only outside of the stack's own
/// zones.
fn made_by(cast: &Cast, stack: &Stack) -> Vec<Made> {
    let by_stack = |hand: &Hand| matches!(hand, Hand::Function(work) if work.stack_id == stack.id);
    let plain = |name: &str| name.trim_end_matches('.').to_owned();
    let mut made = Vec::new();
    let mut add =
        |key: String, names: Vec<String>, by: &Hand, unless: Option<&'static Exclusion>| {
            let by = by.clone();
            let too_late = cast.world.is_deleted_too_late(&by);
            let unless = unless.or(too_late.then_some(&CREATED_RECENTLY));
            made.push(Made {
                key,
                names,
                by,
                unless,
            });
        };
    // Nothing says that a request was answered with a zone which people have deleted since.
    let may_create = |late: Option<Repeat>, name: &Name| match late {
        Some(Repeat::OfFailure) => true,
        Some(Repeat::OfSuccess) => cast.exempt.is(&plain(&name.to_string()), Promise::Zone),
        None => false,
    };
    let answered = |late: bool| late.then_some(&ANSWERED_ALREADY);
    for (id, zone) in cast.world.zones() {
        for (key, set) in &zone.records {
            if !by_stack(&set.written_by) || by_stack(&zone.made_by) {
                continue;
            }
            let name = key.name.to_string();
            let late = repeat_of(cast, &set.written_by);
            if key.kind == "NS" {
                add(
                    format!("delegation of {name} in {id}"),
                    names_of_delegation(cast, &key.name, set),
                    &set.written_by,
                    answered(may_create(late, &key.name)),
                );
            } else if !is_kept(cast, &name) {
                add(
                    format!("record {name}"),
                    vec![plain(&name)],
                    &set.written_by,
                    answered(late.is_some()),
                );
            }
        }
        if by_stack(&zone.made_by) {
            let late = may_create(repeat_of(cast, &zone.made_by), &zone.name);
            let strange = cast.exempt.is(&zone.id, Promise::Leftover);
            let names = vec![id.clone(), plain(&zone.name.to_string())];
            let unless = answered(late).or(strange.then_some(&TAGS_TAKEN_OFF));
            add(format!("zone {id}"), names, &zone.made_by, unless);
        }
    }
    for ((_, _, name), parameter) in cast.world.parameters() {
        if by_stack(&parameter.made_by) {
            // The three parameters of a prefix belong together: a failure that names one of them is about
            // all.
            let prefix = name.rsplit_once('/').map_or("", |(prefix, _)| prefix);
            let three = PARAMETERS.map(|name| format!("{prefix}/{name}"));
            let names = three.into_iter().chain([prefix.to_owned()]).collect();
            add(format!("parameter {name}"), names, &parameter.made_by, None);
        }
    }
    for (arn, certificate) in cast.world.certificates() {
        if by_stack(&certificate.made_by) {
            let late = repeat_of(cast, &certificate.made_by).is_some();
            add(
                format!("certificate {arn}"),
                vec![arn.clone()],
                &certificate.made_by,
                answered(late),
            );
        }
    }
    made
}

/// Returns the names with which a failure identifies a delegation: its own, and the id of the zone to which
/// it leads.
fn names_of_delegation(cast: &Cast, name: &Name, set: &RecordSet) -> Vec<String> {
    let plain = |name: &str| name.trim_end_matches('.').to_lowercase();
    let leads_to = |zone: &Zone| {
        let named: BTreeSet<String> = set.values.iter().map(|value| plain(value)).collect();
        zone.name == *name && zone.hosts().into_iter().collect::<BTreeSet<_>>() == named
    };
    let zones = cast.world.zones().into_values();
    let ids = zones.filter(leads_to).map(|zone| zone.id);
    ids.chain([plain(&name.to_string())]).collect()
}

/// A redelivery of a request that was answered before it began.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Repeat {
    OfSuccess,
    OfFailure,
}

/// Returns whether an invocation was such a redelivery. Two things are not promised of one
/// (docs/reliability.md, "What is not promised"):
///
/// - If FAILED was answered before anything was created, nothing shows that it is a redelivery: it creates a
///   zone and delegates it.
/// - ACM shows nothing of a deleted certificate: it requests another.
///
/// It must not do anything else, and above all not create a zone that a Delete has deleted.
fn repeat_of(cast: &Cast, hand: &Hand) -> Option<Repeat> {
    let Hand::Function(work) = hand else {
        return None;
    };
    let success = cast.engine.was_answered_before(work.invocation)?;
    Some(if success {
        Repeat::OfSuccess
    } else {
        Repeat::OfFailure
    })
}

/// Returns whether a validation record stays because a template says `Keep`.
fn is_kept(cast: &Cast, record: &str) -> bool {
    cast.kept_records.contains(&Name::of(record))
}

/// Checks a stack on which no operation runs. Returns sentences with what is wrong.
pub(crate) fn check(cast: &Cast, stack: &Stack) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expected: BTreeSet<String> = (stack.retained.iter())
        .flat_map(|(_, resource)| keys_of(cast, resource))
        .collect();
    match stack.status {
        Status::Deleted | Status::CreateRolledBack | Status::New => {
            nothing_unexplained(cast, stack, &expected, &mut wrong);
        }
        Status::Complete | Status::RolledBack => {
            for (logical_id, resource) in &stack.resources {
                let given_up = cast.exempt.given_up.contains_key(&stack.id);
                if let Err(why) = as_said(cast, stack, logical_id, resource)
                    && !GIVEN_UP.covers(given_up)
                {
                    wrong.push(why);
                }
                expected.extend(keys_of(cast, resource));
            }
            nothing_unexplained(cast, stack, &expected, &mut wrong);
        }
        // Failed with a reason. What remains is checked when the operation is attempted again.
        Status::NotDeleted | Status::RollbackFailed => {
            if stack.failures.is_empty() && stack.orphans.is_empty() {
                wrong.push(format!("{} failed without a reason", stack.name()));
            }
        }
    }
    wrong
        .into_iter()
        .map(|what| format!("{} ({:?}): {what}", stack.name(), stack.status))
        .collect()
}

/// Checks that no account has a name in the delegated zone that is not its own.
pub(crate) fn foreign_names(cast: &Cast) -> Vec<String> {
    let Some(zone) = cast.world.zone(&cast.build_zone) else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for (key, set) in &zone.records {
        let Hand::Function(work) = &set.written_by else {
            continue;
        };
        let is_own = NAMES.iter().any(|(account, names)| {
            let own = |name: &&str| key.name == Name::of(&format!("{name}.{BUILD}"));
            work.stack_id.contains(account) && names.iter().any(own)
        });
        if key.kind != "NS" || !is_own {
            let by = &set.written_by;
            wrong.push(format!("{by} wrote {} {}", key.name, key.kind));
        }
    }
    wrong
}

/// Checks that a Delete that failed and was given up names everything that exists and is not expected.
fn nothing_unexplained(
    cast: &Cast,
    stack: &Stack,
    expected: &BTreeSet<String>,
    wrong: &mut Vec<String>,
) {
    for made in made_by(cast, stack) {
        let created = cast.world.request_of(&made.by).unwrap_or_default();
        let given_up = cast.exempt.given_up.get(&stack.id);
        let given_up = given_up.is_some_and(|requests| requests.contains(&created));
        let explained = (stack.orphans.iter())
            .any(|orphan| created < orphan.delete && explains(cast, orphan, &made));
        let may_be_left = || made.unless.is_some_and(|exclusion| exclusion.covers(true));
        if !expected.contains(&made.key)
            && !explained
            && !GIVEN_UP.covers(given_up)
            && !may_be_left()
        {
            wrong.push(format!("{} is left", made.key));
        }
    }
}

/// Returns whether a failed Delete names exactly this thing. One without an answer names only its own
/// resource.
fn explains(cast: &Cast, orphan: &Orphan, made: &Made) -> bool {
    let Some(sentence) = &orphan.sentence else {
        return NEVER_ANSWERED.covers(is_of(cast, orphan, &made.by));
    };
    if is_found_by_tags(sentence) {
        return is_of(cast, orphan, &made.by);
    }
    let id = &orphan.physical_id;
    // A certificate that remains needs its validation records for its renewal.
    let certificates = cast.world.certificates();
    let needs = |record: &String| {
        let certificate = certificates.get(id);
        certificate.is_some_and(|certificate| needs(certificate, &format!("{record}.")))
    };
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || "-._*/:\\".contains(c);
    let is_in_id = sentence.contains(id.as_str());
    // A subdomain's id consists of its name, its zone's id and its parent zone's id.
    let parts = id.split('/').filter(|_| is_in_id);
    sentence
        .split(|c: char| !is_in_name(c))
        .map(|word| word.trim_end_matches(['.', ':']))
        .chain(parts)
        .any(|word| made.names.iter().any(|name| name == word))
        || is_in_id && made.names.iter().any(needs)
}

/// Returns whether a Delete whose id names nothing says how to find what its resource created.
pub(crate) fn is_found_by_tags(sentence: &str) -> bool {
    sentence.ends_with("created may still exist: find it by its ownership tags.")
}

/// Returns whether a resource created this.
fn is_of(cast: &Cast, orphan: &Orphan, by: &Hand) -> bool {
    let Hand::Function(work) = by else {
        return false;
    };
    work.logical_id == orphan.logical_id
        || cast.world.is_renamed(&work.stack_id, &orphan.logical_id)
}

/// Returns whether a certificate is validated by a record of that name.
pub(crate) fn needs(certificate: &Certificate, record: &str) -> bool {
    let mut names = certificate.names.iter();
    names.any(|name| world::validation_record(&certificate.account, name).0 == record)
}

/// Returns the things of a resource, by the keys of [`Made`].
fn keys_of(cast: &Cast, resource: &StackResource) -> Vec<String> {
    let attribute = |name: &str| resource.attributes.get(name).cloned().unwrap_or_default();
    match resource.definition.resource_type.as_str() {
        "Custom::DelegatedSubdomain" => {
            let name = Name::of(&attribute("DomainName"));
            let parent = attribute("ParentHostedZoneId");
            vec![
                format!("zone {}", attribute("HostedZoneId")),
                format!("delegation of {name} in {parent}"),
            ]
        }
        "Custom::SubdomainCertificate" => {
            let certificates = cast.world.certificates();
            let names = certificates.get(&resource.physical_id);
            let names = names.map(|found| (found.account.clone(), found.names.clone()));
            let (account, names) = names.unwrap_or_default();
            let record = |name: &String| world::validation_record(&account, name).0;
            let records = names.iter().map(|name| format!("record {}", record(name)));
            records
                .chain([format!("certificate {}", resource.physical_id)])
                .collect()
        }
        _ => PARAMETERS
            .map(|name| format!("parameter {}/{name}", attribute("ParameterPrefix")))
            .into(),
    }
}

/// Returns the tags that a template gives a resource.
fn tags_of(resource: &StackResource) -> BTreeMap<String, String> {
    let tags = resource.properties.get("Tags").and_then(Value::as_object);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    tags.into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

/// Returns the tags without the ownership tags.
fn own_tags(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    tags.retain(|name, _| !name.starts_with("zone-delegation:"));
    tags
}

/// Returns whether a thing has the tags of its template. One that was `kept` may have those of an earlier
/// template.
fn are_tags(
    tags: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
    kept: bool,
) -> bool {
    let tags = own_tags(tags);
    let has = |(name, value): (&String, &String)| tags.get(name) == Some(value);
    tags == *wanted || wanted.iter().all(has) && KEPT_TAGS.covers(kept)
}

/// Returns whether a thing existed before its resource was created.
fn is_older(cast: &Cast, made_by: &Hand, resource: &StackResource) -> bool {
    let created = cast.world.request_of(made_by);
    created.is_none_or(|created| created < resource.created_by)
}

/// Checks that a resource is as its template says, except for promises that people broke.
fn as_said(
    cast: &Cast,
    stack: &Stack,
    logical_id: &str,
    resource: &StackResource,
) -> Result<(), String> {
    let text = |name: &str| {
        resource
            .properties
            .get(name)
            .and_then(|value| value.as_str())
            .map(ToOwned::to_owned)
    };
    let attribute = |name: &str| resource.attributes.get(name).cloned().unwrap_or_default();
    let wrong = |what: String| Err(format!("{logical_id}: {what}"));
    match resource.definition.resource_type.as_str() {
        "Custom::DelegatedSubdomain" => {
            let zone_id = attribute("HostedZoneId");
            let touched = |promise| {
                let name = attribute("DomainName");
                TOUCHED_BY_PEOPLE.covers(cast.exempt.is(&name, promise))
            };
            let Some(zone) = cast.world.zone(&zone_id) else {
                if touched(Promise::Zone) {
                    return Ok(());
                }
                return wrong(format!("its zone {zone_id} does not exist"));
            };
            let parent_id = attribute("ParentHostedZoneId");
            let Some(parent) = cast.world.zone(&parent_id) else {
                return wrong(format!("its parent {parent_id} does not exist"));
            };
            let name = attribute("DomainName");
            let wanted = format!(
                "{}.{}",
                text("Subdomain").unwrap_or_default().to_lowercase(),
                parent.name.normalized()
            );
            if name != wanted || zone.name != Name::of(&wanted) {
                return wrong(format!("it is {name} in {}, wanted {wanted}", zone.name));
            }
            if let Some(given) = text("HostedZoneId")
                && given != zone_id
            {
                return wrong(format!("it is {zone_id}, wanted {given}"));
            }
            let key = world::RecordKey::new(&zone.name, "NS");
            let ttl = text("Ttl").map_or(300, |ttl| ttl.parse().unwrap());
            // A rename that is rolled back returns the zone, and does not mention the TTL, comment and tags
            // that it had.
            let outdated = format!("{} {logical_id}", stack.id);
            let outdated = cast.exempt.is(&outdated, Promise::Attributes);
            let is_renamed = cast.world.is_renamed(&stack.id, logical_id);
            let renamed =
                || RENAMED_AND_ROLLED_BACK.covers(is_renamed) || OUTDATED_UPDATE.covers(outdated);
            for (view, records) in [("API", &parent.records), ("DNS", &parent.published)] {
                let Some(set) = records.get(&key) else {
                    if touched(Promise::Delegation) {
                        break;
                    }
                    return wrong(format!("{name} is not delegated ({view})"));
                };
                let mut values: Vec<String> = set
                    .values
                    .iter()
                    .map(|v| v.trim_end_matches('.').to_lowercase())
                    .collect();
                values.sort();
                let mut hosts = zone.hosts();
                hosts.sort();
                // An adopted delegation stays as people wrote it.
                let is_adopted = set.written_by == Hand::Person;
                let is_wrong = values != hosts || set.ttl != Some(ttl) && !is_adopted && !renamed();
                if is_wrong && !touched(Promise::Delegation) {
                    return wrong(format!(
                        "{name} is delegated to {values:?} ({view}), TTL {:?}, wanted {hosts:?}, {ttl}",
                        set.ttl
                    ));
                }
            }
            let is_made = text("HostedZoneId").is_none();
            let comment = text("Comment").unwrap_or_default();
            let tags = tags_of(resource);
            let kept = is_older(cast, &zone.made_by, resource);
            if is_made
                && (zone.comment != comment || !are_tags(&zone.tags, &tags, kept))
                && !renamed()
                && !touched(Promise::Tags)
            {
                return wrong(format!(
                    "zone {zone_id} says {:?} {:?}, wanted {comment:?} {tags:?}",
                    zone.comment, zone.tags
                ));
            }
            if !zone.in_dns() {
                return wrong(format!("zone {zone_id} is not INSYNC"));
            }
            // A template may give one name to two logical ids: then the zone has the ownership tags of
            // either.
            let marked = zone
                .tags
                .get("zone-delegation:logical-id")
                .is_some_and(|marked| {
                    let has_it = |other: &StackResource| {
                        other.attributes.get("HostedZoneId") == Some(&zone_id)
                    };
                    let mut kept = stack.retained.iter();
                    let kept = kept.any(|(id, kept)| id == marked && has_it(kept));
                    stack.resources.get(marked).is_some_and(has_it)
                        || KEPT_AFTER_RENAMING.covers(kept)
                });
            if !marked && !touched(Promise::Tags) {
                return wrong(format!("zone {zone_id} has tags {:?}", zone.tags));
            }
            Ok(())
        }
        "Custom::SubdomainCertificate" => {
            let arn = resource.physical_id.clone();
            let certificates = cast.world.certificates();
            let Some(certificate) = certificates.get(&arn) else {
                return wrong(format!("its certificate {arn} does not exist"));
            };
            if certificate.status != "ISSUED" {
                return wrong(format!("{arn} is {}", certificate.status));
            }
            let others = resource.properties.get("SubjectAlternativeNames");
            let others = others.and_then(Value::as_array).into_iter().flatten();
            let mut names: Vec<String> = text("DomainName").into_iter().collect();
            names.extend(others.filter_map(Value::as_str).map(ToOwned::to_owned));
            let region = text("Region").unwrap_or_else(|| REGION.to_owned());
            if certificate.names != names || certificate.region != region {
                let (is, place) = (&certificate.names, &certificate.region);
                return wrong(format!(
                    "{arn} is for {is:?} in {place}, wanted {names:?} in {region}"
                ));
            }
            let tags = tags_of(resource);
            let outdated = format!("{} {logical_id}", stack.id);
            let outdated = cast.exempt.is(&outdated, Promise::Attributes);
            let kept = is_older(cast, &certificate.made_by, resource);
            if !are_tags(&certificate.tags, &tags, kept) && !OUTDATED_UPDATE.covers(outdated) {
                return wrong(format!(
                    "{arn} has tags {:?}, wanted {tags:?}",
                    certificate.tags
                ));
            }
            let zone = cast.world.zone(&text("HostedZoneId").unwrap_or_default());
            for name in &certificate.names {
                let (record, _) = world::validation_record(&certificate.account, name);
                let key = world::RecordKey::new(&Name::of(&record), "CNAME");
                let zones = cast.world.zones();
                let exists = zones.values().any(|zone| zone.records.contains_key(&key));
                if !exists && !ANOTHER_STACKS_ZONE.covers(zone.is_none()) {
                    return wrong(format!("{arn} cannot be renewed: {record} does not exist"));
                }
            }
            Ok(())
        }
        _ => {
            let prefix = text("ParameterPrefix").unwrap_or_default();
            let touched = cast.exempt.is(&prefix, Promise::Parameters);
            let zone_id = text("HostedZoneId").unwrap_or_default();
            let Some(zone) = cast.world.zone(&zone_id) else {
                return wrong(format!("its zone {zone_id} does not exist"));
            };
            let parameters = cast.world.parameters();
            let mut hosts = zone.hosts();
            hosts.sort();
            for (name, wanted) in [
                ("hosted-zone-id", zone_id.clone()),
                ("hosted-zone-name", zone.name.normalized()),
                ("name-servers", hosts.join(",")),
            ] {
                let place = (
                    zone.account.clone(),
                    REGION.to_owned(),
                    format!("{prefix}/{name}"),
                );
                let mut value = parameters
                    .get(&place)
                    .map(|p| p.value.clone())
                    .unwrap_or_default();
                if name == "name-servers" {
                    let mut hosts: Vec<&str> = value.split(',').collect();
                    hosts.sort_unstable();
                    value = hosts.join(",");
                }
                if value != wanted && !TOUCHED_BY_PEOPLE.covers(touched) {
                    return wrong(format!("{prefix}/{name} is {value:?}, wanted {wanted:?}"));
                }
            }
            Ok(())
        }
    }
}
