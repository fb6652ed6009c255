//! Route 53: hosted zones, record sets and changes, with the API's view at once and the name servers' view at
//! INSYNC.

mod change_resource_record_sets;
mod create_hosted_zone;
mod delete_hosted_zone;
mod get_change;
mod get_hosted_zone;
pub(crate) mod guardrail;
mod list_hosted_zones;
mod list_resource_record_sets;
pub(crate) mod name;
pub(crate) mod name_server;
pub(crate) mod protection;
pub(crate) mod record_set;
mod tags;

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::condition::Context;
use crate::iam::principal::Hand;
use crate::state::{Due, State};
use crate::throttle::Bucket;
use crate::time::Timestamp;
use crate::wire::answer::{Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;
pub(crate) use change_resource_record_sets::change;
pub(crate) use create_hosted_zone::{NewZone, create};
pub(crate) use delete_hosted_zone::delete;
use guardrail::Guardrail;
use name::Name;
use name_server::NameServer;
use record_set::{RecordKey, RecordSet};

/// A hosted zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// `Z...`
    pub id: String,
    /// The account that owns it.
    pub account: String,
    /// Its apex.
    pub name: Name,
    /// The value given at its creation.
    pub caller_reference: String,
    /// The value given at its creation, or the last change.
    pub comment: String,
    /// A private zone has no name servers and is never in DNS.
    pub private: bool,
    /// Its delegation set.
    pub name_servers: Vec<NameServer>,
    /// What the API shows.
    pub records: BTreeMap<RecordKey, RecordSet>,
    /// What its name servers answer; empty until its creation is INSYNC.
    pub published: BTreeMap<RecordKey, RecordSet>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Guardrails that are ENABLED.
    pub guardrails: BTreeSet<Guardrail>,
    /// Protected names and types, each with its comment.
    pub protections: BTreeMap<(Name, String), String>,
    /// Whether DNSSEC signing is on.
    pub signed: bool,
    /// Subdomains whose delegation resolvers use until then (ACTIVE_DELEGATION_CHECK).
    pub followed_until: BTreeMap<Name, Timestamp>,
    /// Record sets that no function can delete: Route 53 answers that other values exist, whatever the
    /// function has read.
    pub undeletable: BTreeSet<RecordKey>,
    /// Who created it.
    pub made_by: Hand,
    /// Stacks whose functions have delegated it.
    pub delegated_by: BTreeSet<String>,
    in_sync_after: Timestamp,
}

impl Zone {
    /// Returns the name servers' host names, without trailing dots.
    pub fn hosts(&self) -> Vec<String> {
        self.name_servers
            .iter()
            .map(|server| server.host())
            .collect()
    }

    /// Returns whether its name servers serve it.
    pub fn in_dns(&self) -> bool {
        !self.published.is_empty()
    }

    /// Returns the record sets other than its own SOA and NS.
    pub fn other_records(&self) -> impl Iterator<Item = (&RecordKey, &RecordSet)> {
        self.records.iter().filter(|(key, _)| {
            !(key.name == self.name && matches!(key.kind.as_str(), "SOA" | "NS"))
        })
    }

    fn element(&self) -> Element {
        let config = Element::new("Config")
            .maybe(
                "Comment",
                Some(&self.comment).filter(|text| !text.is_empty()),
            )
            .text("PrivateZone", self.private.to_string());
        Element::new("HostedZone")
            .text("Id", format!("/hostedzone/{}", self.id))
            .text("Name", self.name.to_string())
            .text("CallerReference", &self.caller_reference)
            .with(config)
            .text("ResourceRecordSetCount", self.records.len().to_string())
    }

    fn delegation_set(&self) -> Element {
        Element::new("DelegationSet").with(Element::new("NameServers").with_all(
            self.hosts().into_iter().map(|host| Element {
                text: host,
                ..Element::new("NameServer")
            }),
        ))
    }
}

/// A change that is propagating to the name servers.
#[derive(Clone, Debug)]
pub(crate) struct PendingChange {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) zone_id: String,
    pub(crate) submitted: Timestamp,
    pub(crate) in_sync: bool,
    pub(crate) effects: Vec<(RecordKey, Option<RecordSet>)>,
    pub(crate) hand: Hand,
}

/// A deleted zone, with what must still be known of it.
#[derive(Clone, Debug)]
pub struct FormerZone {
    /// Its apex.
    pub name: Name,
    /// Its delegation set.
    pub name_servers: Vec<NameServer>,
    /// Who created it.
    pub made_by: Hand,
    /// Stacks whose functions had delegated it.
    pub delegated_by: BTreeSet<String>,
    /// Who deleted it.
    pub deleted_by: Hand,
}

/// The state of Route 53.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route53 {
    pub(crate) zones: BTreeMap<String, Zone>,
    pub(crate) former: BTreeMap<String, FormerZone>,
    pub(crate) changes: BTreeMap<String, PendingChange>,
    /// Used caller references of each account. They are never free again.
    pub(crate) caller_references: BTreeSet<(String, String)>,
    made: u64,
}

impl Route53 {
    /// Returns the public zones with that apex.
    pub(crate) fn zones_named<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Zone> {
        self.zones
            .values()
            .filter(move |zone| !zone.private && zone.name == *name)
    }

    fn next_id(&mut self, random: &mut fastrand::Rng, prefix: char) -> String {
        self.made += 1;
        let tail: String = (0..12)
            .map(|_| char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[random.usize(..36)]))
            .collect();
        format!("{prefix}{:05}{tail}", self.made)
    }
}

/// Starts the propagation of a change of a zone, after all earlier changes of that zone.
pub(crate) fn submit(
    state: &mut State,
    zone_id: &str,
    effects: Vec<(RecordKey, Option<RecordSet>)>,
    hand: &Hand,
) -> String {
    let id = state.route53.next_id(&mut state.random, 'C');
    let span = state.settings.propagation.clone();
    let takes = state.random_span(&span);
    let zone = state.route53.zones.get_mut(zone_id);
    let at = match zone {
        Some(zone) => {
            zone.in_sync_after = zone.in_sync_after.max(state.now + takes);
            zone.in_sync_after
        }
        None => state.now + takes,
    };
    let account = match state.route53.zones.get(zone_id) {
        Some(zone) => zone.account.clone(),
        None => String::new(),
    };
    state.route53.changes.insert(
        id.clone(),
        PendingChange {
            id: id.clone(),
            account,
            zone_id: zone_id.to_owned(),
            submitted: state.now,
            in_sync: false,
            effects,
            hand: hand.clone(),
        },
    );
    state.schedule(at, Due::InSync(id.clone()));
    id
}

/// Completes the propagation of a change.
pub(crate) fn in_sync(state: &mut State, change_id: &str) {
    let Some(change) = state.route53.changes.get_mut(change_id) else {
        return;
    };
    change.in_sync = true;
    let change = change.clone();
    let Some(zone) = state.route53.zones.get_mut(&change.zone_id) else {
        return;
    };
    let mut names = BTreeSet::new();
    for (key, set) in change.effects {
        if key.kind == "NS" {
            names.insert(key.name.clone());
        }
        match set {
            Some(set) => zone.published.insert(key, set),
            None => zone.published.remove(&key),
        };
    }
    let (account, name) = (zone.account.clone(), zone.name.to_string());
    state.dns.changed();
    state.record_time(
        &account,
        "route53 INSYNC",
        &format!("{name} {}", change.zone_id),
    );
    for name in names {
        crate::dangling::check(state, &name, &change.hand);
    }
}

/// Answers a Route 53 call.
pub(crate) fn run(state: &mut State, call: &mut Call) -> Outcome {
    if state.settings.throttling {
        let rates = state.settings.rates;
        let account = call.caller.account.clone();
        let mut buckets = vec![(Bucket::Calls, 1.0)];
        match call.operation.as_str() {
            "CreateHostedZone" => buckets.push((Bucket::Creates, 1.0)),
            "DeleteHostedZone" => buckets.push((Bucket::Deletes, 1.0)),
            _ => {}
        }
        for (bucket, tokens) in buckets {
            if !state
                .throttle
                .take(&rates, &account, bucket, tokens, state.now)
            {
                return Err(ServiceError::throttled(call.service));
            }
        }
    }
    match call.operation.as_str() {
        "CreateHostedZone" => create_hosted_zone::run(state, call),
        "GetHostedZone" => get_hosted_zone::run(state, call),
        "GetDNSSEC" => get_hosted_zone::dnssec(state, call),
        "UpdateHostedZoneComment" => get_hosted_zone::update_comment(state, call),
        "DeleteHostedZone" => delete_hosted_zone::run(state, call),
        "ListHostedZones" => list_hosted_zones::all(state, call),
        "ListHostedZonesByName" => list_hosted_zones::by_name(state, call),
        "ListResourceRecordSets" => list_resource_record_sets::run(state, call),
        "ListResourceRecordSetProtections" => protection::list(state, call),
        "ChangeResourceRecordSets" => change_resource_record_sets::run(state, call),
        "GetChange" => get_change::run(state, call),
        "ListTagsForResource" => tags::list(state, call),
        "ListTagsForResources" => tags::list_many(state, call),
        "ChangeTagsForResource" => tags::change(state, call),
        _ => Err(state.unknown_operation(call)),
    }
}

/// Asks IAM about a zone, and returns its id if it exists in the caller's account.
fn authorized_zone(state: &mut State, call: &mut Call, id: &str) -> Result<String, ServiceError> {
    let id = id.strip_prefix("hostedzone/").unwrap_or(id).to_owned();
    call.target = match state.route53.zones.get(&id) {
        Some(zone) => format!("{} {id}", zone.name),
        None => id.clone(),
    };
    authorize(state, call, &format!("hostedzone/{id}"))?;
    existing_zone(state, call, &id)?;
    Ok(id)
}

/// Returns the error if a zone does not exist, or belongs to another account.
fn existing_zone(state: &State, call: &Call, id: &str) -> Result<(), ServiceError> {
    match state.route53.zones.get(id) {
        None => Err(ServiceError::new(
            404,
            "NoSuchHostedZone",
            format!("No hosted zone found with ID: {id}"),
        )),
        Some(zone) if zone.account != call.caller.account => Err(ServiceError::new(
            403,
            "AccessDenied",
            format!(
                "User: {} is not authorized to access this resource",
                call.caller.principal_arn
            ),
        )),
        Some(_) => Ok(()),
    }
}

/// Asks IAM about the call's own action on a resource such as `hostedzone/Z1`.
fn authorize(state: &mut State, call: &Call, resource: &str) -> Result<(), ServiceError> {
    let context = state.iam.context(call);
    authorize_in(state, call, resource, &context)
}

fn authorize_in(
    state: &mut State,
    call: &Call,
    resource: &str,
    context: &Context,
) -> Result<(), ServiceError> {
    let arn = if resource == "*" {
        "*".to_owned()
    } else {
        format!("arn:aws:route53:::{resource}")
    };
    let action = format!("route53:{}", call.operation);
    let now = state.now;
    state.iam.authorize(call, now, &action, &arn, context)
}

/// Returns `maxitems`, at most the world's page size.
fn page_size(state: &State, call: &Call, name: &str) -> Result<usize, ServiceError> {
    let asked = match call.query.get(name) {
        None => usize::MAX,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|items| *items > 0)
            .ok_or_else(|| ServiceError::bad("InvalidInput", format!("{name} {text}")))?,
    };
    Ok(asked.min(state.settings.page_size))
}
