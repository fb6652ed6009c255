//! `CreateHostedZone`.

use std::collections::{BTreeMap, BTreeSet};

use super::name::Name;
use super::name_server::{NameServer, related};
use super::record_set::{RecordKey, RecordSet};
use super::{Zone, authorize, get_change, submit};
use crate::iam::principal::Hand;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;

/// The properties of a new zone.
#[derive(Clone, Debug)]
pub(crate) struct NewZone {
    pub(crate) account: String,
    pub(crate) name: Name,
    pub(crate) caller_reference: String,
    pub(crate) comment: String,
    pub(crate) private: bool,
}

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let body = call.xml()?;
    let name = body.get("Name").unwrap_or_default();
    name.clone_into(&mut call.target);
    authorize(state, call, "*")?;
    let name = Name::parse(name).map_err(|error| ServiceError::bad("InvalidDomainName", error))?;
    let config = body.child("HostedZoneConfig");
    let zone = NewZone {
        account: call.caller.account.clone(),
        name,
        caller_reference: body.get("CallerReference").unwrap_or_default().to_owned(),
        comment: config
            .and_then(|config| config.get("Comment"))
            .unwrap_or_default()
            .to_owned(),
        private: body.child("VPC").is_some(),
    };
    let (id, change) = create(state, zone, &call.caller.hand)?;
    call.effect = true;
    let zone = &state.route53.zones[&id];
    call.target = format!("{} {id}", zone.name);
    let answer = Element::new("CreateHostedZoneResponse")
        .with(zone.element())
        .with(get_change::element(state, &change))
        .with(zone.delegation_set());
    Ok(Answer::Created(
        answer,
        format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{id}"),
    ))
}

/// Creates a zone, and returns its id and its change's.
///
/// # Errors Those of the API.
pub(crate) fn create(
    state: &mut State,
    zone: NewZone,
    hand: &Hand,
) -> Result<(String, String), ServiceError> {
    if zone.name.labels().len() < 2 {
        return Err(ServiceError::bad(
            "InvalidDomainName",
            format!("{} is reserved by AWS!", zone.name),
        ));
    }
    if zone.caller_reference.is_empty() || zone.caller_reference.len() > 128 {
        return Err(ServiceError::bad("InvalidInput", "CallerReference"));
    }
    if zone.comment.chars().count() > 256 {
        return Err(ServiceError::bad("InvalidInput", "Comment"));
    }
    let reference = (zone.account.clone(), zone.caller_reference.clone());
    if state.route53.caller_references.contains(&reference) {
        return Err(ServiceError::new(
            409,
            "HostedZoneAlreadyExists",
            format!(
                "A hosted zone has already been created with the specified caller reference: {}",
                zone.caller_reference
            ),
        ));
    }
    let held = state
        .route53
        .zones
        .values()
        .filter(|other| other.account == zone.account)
        .count();
    if held >= state.settings.zones_per_account {
        return Err(ServiceError::bad(
            "TooManyHostedZones",
            "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.",
        ));
    }
    let name_servers = if zone.private {
        Vec::new()
    } else {
        delegation_set(state, &zone.name)?
    };
    let id = state.route53.next_id(&mut state.random, 'Z');
    let hosts: Vec<String> = name_servers
        .iter()
        .map(|server| format!("{}.", server.host()))
        .collect();
    let first = hosts
        .first()
        .cloned()
        .unwrap_or_else(|| "ns-0.awsdns-00.com.".to_owned());
    let records = BTreeMap::from([
        (
            RecordKey::new(&zone.name, "NS"),
            RecordSet {
                ttl: Some(172_800),
                values: hosts,
                alias: None,
                written_by: Hand::Person,
            },
        ),
        (
            RecordKey::new(&zone.name, "SOA"),
            RecordSet::new(
                900,
                &[&format!(
                    "{first} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
                )],
                Hand::Person,
            ),
        ),
    ]);
    let effects = records
        .iter()
        .map(|(key, set)| (key.clone(), Some(set.clone())))
        .collect();
    let new = Zone {
        id: id.clone(),
        account: zone.account,
        name: zone.name,
        caller_reference: zone.caller_reference,
        comment: zone.comment,
        private: zone.private,
        name_servers,
        records,
        published: BTreeMap::new(),
        tags: BTreeMap::new(),
        guardrails: state.settings.guardrails.clone(),
        protections: BTreeMap::new(),
        signed: false,
        followed_until: BTreeMap::new(),
        undeletable: BTreeSet::new(),
        made_by: hand.clone(),
        delegated_by: BTreeSet::new(),
        in_sync_after: state.now,
    };
    state.route53.caller_references.insert(reference);
    state.route53.zones.insert(id.clone(), new);
    let change = submit(state, &id, effects, hand);
    Ok((id, change))
}

/// Returns four name servers that serve no zone of this name, of an ancestor or of a subdomain.
fn delegation_set(state: &mut State, name: &Name) -> Result<Vec<NameServer>, ServiceError> {
    let taken: BTreeSet<NameServer> = state
        .route53
        .zones
        .values()
        .filter(|other| related(&other.name, name))
        .flat_map(|other| other.name_servers.iter().copied())
        .collect();
    let size = state.settings.name_servers_per_tld;
    (0..4)
        .map(|tld| {
            let from = state.random.u16(..size);
            (0..size)
                .map(|step| NameServer::of(tld, (from + step) % size))
                .find(|server| !taken.contains(server))
                .ok_or_else(|| {
                    ServiceError::bad(
                        "DelegationSetNotAvailable",
                        format!("too many zones share the name {name}"),
                    )
                })
        })
        .collect()
}
