//! What must hold when a stack has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use world::cloudformation::{Stack, StackResource, Status};
use world::{Hand, Name, Zone};

use crate::cast::{BUILD, Cast, NAMES, REGION};

/// Everything in the world that a function made for a stack, by a word that names it.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Zones: id and apex.
    pub(crate) zones: BTreeMap<String, Zone>,
    /// NS record sets outside the stack's own zones: zone id and name.
    pub(crate) delegations: BTreeSet<(String, String)>,
    /// Validation records outside the stack's own zones: zone id and name.
    pub(crate) validations: BTreeSet<(String, String)>,
    /// Parameters.
    pub(crate) parameters: BTreeSet<String>,
    /// Certificates.
    pub(crate) certificates: BTreeSet<String>,
}

impl Made {
    /// What stands of a stack.
    pub(crate) fn by(cast: &Cast, stack: &Stack) -> Self {
        let by_stack =
            |hand: &Hand| matches!(hand, Hand::Function(work) if work.stack_id == stack.id);
        let mut made = Self::default();
        for (id, zone) in cast.world.zones() {
            for (key, set) in &zone.records {
                if !by_stack(&set.written_by) || by_stack(&zone.made_by) {
                    continue;
                }
                let at = (id.clone(), key.name.to_string());
                let late = repeat_of(cast, &set.written_by);
                if key.kind == "NS" {
                    if late != Some(Repeat::OfFailure) {
                        made.delegations.insert(at);
                    }
                } else if late.is_none() && !is_kept(cast, &zone, &at.1) {
                    made.validations.insert(at);
                }
            }
            if by_stack(&zone.made_by) && repeat_of(cast, &zone.made_by) != Some(Repeat::OfFailure)
            {
                made.zones.insert(id, zone);
            }
        }
        for ((_, _, name), parameter) in cast.world.parameters() {
            if by_stack(&parameter.made_by) {
                made.parameters.insert(name);
            }
        }
        for (arn, certificate) in cast.world.certificates() {
            if by_stack(&certificate.made_by) && repeat_of(cast, &certificate.made_by).is_none() {
                made.certificates.insert(arn);
            }
        }
        made
    }

    /// Words for each thing, of which a refusal must hold one.
    fn things(&self) -> Vec<(String, Vec<String>)> {
        let plain = |name: &str| name.trim_end_matches('.').to_owned();
        let mut things = Vec::new();
        for (id, zone) in &self.zones {
            let words = vec![id.clone(), plain(&zone.name.to_string())];
            things.push((format!("zone {} {id}", zone.name), words));
        }
        for (zone, name) in &self.delegations {
            things.push((format!("delegation of {name} in {zone}"), vec![plain(name)]));
        }
        for (zone, name) in &self.validations {
            things.push((format!("record {name} in {zone}"), vec![plain(name)]));
        }
        for name in &self.parameters {
            let prefix = name
                .rsplit_once('/')
                .map_or(name.as_str(), |(prefix, _)| prefix);
            things.push((format!("parameter {name}"), vec![prefix.to_owned()]));
        }
        for arn in &self.certificates {
            things.push((format!("certificate {arn}"), vec![arn.clone()]));
        }
        things
    }
}

/// A repeat of a request that was answered before it began.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Repeat {
    OfSuccess,
    OfFailure,
}

/// Whether an invocation was such a repeat. Two things are not promised of one (docs/properties.md, "What a stack can rely on"):
///
/// - where FAILED was answered before anything was made, nothing is there that it could be told by: it makes a zone and delegates it;
/// - ACM shows nothing of a certificate that was deleted: it asks for another.
///
/// All else it must leave alone, above all to make a zone that a Delete has taken away.
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

/// Whether a validation record stays where it is: a template said `Keep`, and the zone is people's own.
fn is_kept(cast: &Cast, zone: &Zone, record: &str) -> bool {
    zone.made_by == Hand::Person && cast.kept_records.contains(&Name::of(record))
}

/// Checks a stack at rest; sentences for what is wrong.
pub(crate) fn check(cast: &Cast, stack: &Stack) -> Vec<String> {
    let made = Made::by(cast, stack);
    let mut wrong = Vec::new();
    match stack.status {
        Status::Deleted | Status::CreateRolledBack | Status::New => {
            nothing_unexplained(stack, &made, &BTreeSet::new(), &mut wrong);
        }
        Status::Complete | Status::RolledBack => {
            let mut expected = BTreeSet::new();
            for (logical_id, resource) in &stack.resources {
                match as_said(cast, stack, logical_id, resource) {
                    Ok(things) => expected.extend(things),
                    Err(why) => wrong.push(why),
                }
            }
            nothing_unexplained(stack, &made, &expected, &mut wrong);
        }
        // Refused, and said so; what is left is looked at when it is tried again.
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

/// No account has a name in the delegated zone that is not its own.
pub(crate) fn rights(cast: &Cast) -> Vec<String> {
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

/// All that stands and is not expected must be named by a refusal.
fn nothing_unexplained(
    stack: &Stack,
    made: &Made,
    expected: &BTreeSet<String>,
    wrong: &mut Vec<String>,
) {
    for (thing, words) in made.things() {
        let explained = stack
            .orphans
            .iter()
            .map(|orphan| &orphan.reason)
            .chain(&stack.failures)
            .any(|reason| words.iter().any(|word| reason.contains(word)));
        let wanted = expected.iter().any(|wanted| thing.contains(wanted));
        if !wanted && !explained {
            wrong.push(format!("{thing} is left"));
        }
    }
}

/// The tags that a template gives a resource.
fn tags_of(resource: &StackResource) -> BTreeMap<String, String> {
    let tags = resource.properties.get("Tags").and_then(Value::as_object);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    tags.into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

/// Tags without those that say whose a thing is.
fn own_tags(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    tags.retain(|name, _| !name.starts_with("zone-delegation:"));
    tags
}

/// Whether a resource stands as its template says; what of it is expected, by words.
fn as_said(
    cast: &Cast,
    stack: &Stack,
    logical_id: &str,
    resource: &StackResource,
) -> Result<Vec<String>, String> {
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
            let Some(zone) = cast.world.zone(&zone_id) else {
                return wrong(format!("its zone {zone_id} is gone"));
            };
            let parent_id = attribute("ParentHostedZoneId");
            let Some(parent) = cast.world.zone(&parent_id) else {
                return wrong(format!("its parent {parent_id} is gone"));
            };
            let name = attribute("DomainName");
            let wanted = format!(
                "{}.{}",
                text("Subdomain").unwrap_or_default().to_lowercase(),
                parent.name.normalised()
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
            let ttl = text("Ttl").map_or(900, |ttl| ttl.parse().unwrap());
            // A renaming that is rolled back gives the zone back, and says nothing of the TTL, comment and tags that it had.
            let renamed = cast.world.is_renamed(&stack.id, logical_id);
            for (view, records) in [("API", &parent.records), ("DNS", &parent.published)] {
                let Some(set) = records.get(&key) else {
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
                if values != hosts || set.ttl != Some(ttl) && !renamed {
                    return wrong(format!(
                        "{name} is delegated to {values:?} ({view}), TTL {:?}, wanted {hosts:?}, {ttl}",
                        set.ttl
                    ));
                }
            }
            let is_made = text("HostedZoneId").is_none() && !renamed;
            let comment = text("Comment").unwrap_or_default();
            let tags = tags_of(resource);
            if is_made && (zone.comment != comment || own_tags(&zone.tags) != tags) {
                return wrong(format!(
                    "zone {zone_id} says {:?} {:?}, wanted {comment:?} {tags:?}",
                    zone.comment, zone.tags
                ));
            }
            if !zone.in_dns() {
                return wrong(format!("zone {zone_id} is not INSYNC"));
            }
            // A template may give one name to two logical ids: then the zone carries the mark of either.
            let marked = zone
                .tags
                .get("zone-delegation:logical-id")
                .is_some_and(|marked| {
                    let other = stack.resources.get(marked);
                    other
                        .is_some_and(|other| other.attributes.get("HostedZoneId") == Some(&zone_id))
                });
            if !marked {
                return wrong(format!("zone {zone_id} has tags {:?}", zone.tags));
            }
            Ok(vec![zone_id, format!("delegation of {}", zone.name)])
        }
        "Custom::SubdomainCertificate" => {
            let arn = resource.physical_id.clone();
            let certificates = cast.world.certificates();
            let Some(certificate) = certificates.get(&arn) else {
                return wrong(format!("its certificate {arn} is gone"));
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
            if own_tags(&certificate.tags) != tags {
                return wrong(format!(
                    "{arn} has tags {:?}, wanted {tags:?}",
                    certificate.tags
                ));
            }
            let mut things = vec![arn.clone()];
            for name in &certificate.names {
                let (record, _) = world::validation_record(&certificate.account, name);
                let key = world::RecordKey::new(&Name::of(&record), "CNAME");
                let zones = cast.world.zones();
                if !zones.values().any(|zone| zone.records.contains_key(&key)) {
                    return wrong(format!("{arn} cannot be renewed: {record} is gone"));
                }
                things.push(format!("record {record}"));
            }
            Ok(things)
        }
        _ => {
            let prefix = text("ParameterPrefix").unwrap_or_default();
            let zone_id = text("HostedZoneId").unwrap_or_default();
            let Some(zone) = cast.world.zone(&zone_id) else {
                return wrong(format!("its zone {zone_id} is gone"));
            };
            let parameters = cast.world.parameters();
            let mut hosts = zone.hosts();
            hosts.sort();
            for (name, wanted) in [
                ("hosted-zone-id", zone_id.clone()),
                ("hosted-zone-name", zone.name.normalised()),
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
                if value != wanted {
                    return wrong(format!("{prefix}/{name} is {value:?}, wanted {wanted:?}"));
                }
            }
            Ok(vec![format!("parameter {prefix}/")])
        }
    }
}
