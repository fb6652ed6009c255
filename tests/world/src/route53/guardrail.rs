//! Change guardrails (2026): reasons for which a zone refuses a batch that is itself valid.
//!
//! Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zones-change-guardrails.html>, botocore 1.44.8
//! `ChangeGuardrail`. The wording of the errors is not published, except that it names the guardrail.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Zone;
use super::name::Name;
use super::name_server::{NameServer, looks_like_one};
use super::record_set::{Action, Change, RecordKey, RecordSet};
use crate::state::State;

/// The guardrails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guardrail {
    /// Refuses an NS value that looks like a Route 53 name server but is none.
    NsFormat,
    /// Refuses an NS record set that names Route 53 servers which do not host the name.
    NsDelegationAuthority,
    /// Refuses a change that leaves records under a delegated name.
    NsOcclusion,
    /// Refuses deleting what an alias of the zone points to.
    AliasTarget,
    /// Refuses deleting a record that still receives queries.
    ActiveRecord,
    /// Refuses deleting a delegation that resolvers still use.
    ActiveDelegation,
}

impl Guardrail {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NsFormat,
        Self::NsDelegationAuthority,
        Self::NsOcclusion,
        Self::AliasTarget,
        Self::ActiveRecord,
        Self::ActiveDelegation,
    ];

    /// Returns its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::NsFormat => "NS_FORMAT_CHECK",
            Self::NsDelegationAuthority => "NS_DELEGATION_AUTHORITY_CHECK",
            Self::NsOcclusion => "NS_OCCLUSION_CHECK",
            Self::AliasTarget => "ALIAS_TARGET_CHECK",
            Self::ActiveRecord => "ACTIVE_RECORD_CHECK",
            Self::ActiveDelegation => "ACTIVE_DELEGATION_CHECK",
        }
    }
}

/// Returns the errors of this batch.
pub(super) fn refusals(
    state: &State,
    zone: &Zone,
    after: &BTreeMap<RecordKey, RecordSet>,
    changes: &[Change],
) -> Vec<String> {
    let mut refusals = Vec::new();
    for change in changes {
        for guardrail in &zone.guardrails {
            if !zone.private && refuses(state, zone, after, change, *guardrail) {
                refusals.push(format!(
                    "Change rejected by guardrail {} for resource record set [name='{}', type='{}']",
                    guardrail.name(),
                    change.key.name,
                    change.key.kind
                ));
            }
        }
    }
    refusals
}

fn refuses(
    state: &State,
    zone: &Zone,
    after: &BTreeMap<RecordKey, RecordSet>,
    change: &Change,
    guardrail: Guardrail,
) -> bool {
    let key = &change.key;
    let puts = change.action != Action::Delete;
    let removes = change.action == Action::Delete && !after.contains_key(key);
    let delegation = key.kind == "NS" && key.name != zone.name;
    match guardrail {
        Guardrail::NsFormat => {
            puts && key.kind == "NS"
                && change
                    .set
                    .values
                    .iter()
                    .any(|value| looks_like_one(value) && NameServer::by_host(value).is_none())
        }
        Guardrail::NsDelegationAuthority => {
            puts && delegation && !hosted(state, &key.name, &change.set.values)
        }
        Guardrail::NsOcclusion => puts && occludes(zone, after, key),
        Guardrail::AliasTarget => {
            removes
                && after.values().any(|set| {
                    set.alias.as_ref().is_some_and(|(_, target)| {
                        Name::parse(target).is_ok_and(|target| target == key.name)
                    })
                })
        }
        Guardrail::ActiveRecord => removes && !delegation && followed(state, zone, &key.name),
        Guardrail::ActiveDelegation => removes && delegation && followed(state, zone, &key.name),
    }
}

/// Returns whether resolvers still query that name.
fn followed(state: &State, zone: &Zone, name: &Name) -> bool {
    zone.followed_until
        .get(name)
        .copied()
        .unwrap_or(Duration::ZERO)
        > state.now
}

/// Returns whether every Route 53 name server among the values hosts a zone of that name. If the world is
/// strict about PENDING changes, the name servers must serve the zone already.
fn hosted(state: &State, name: &Name, values: &[String]) -> bool {
    values
        .iter()
        .filter_map(|value| NameServer::by_host(value))
        .all(|server| {
            state.route53.zones_named(name).any(|zone| {
                zone.name_servers.contains(&server)
                    && (zone.in_dns() || !state.settings.authority_check_waits_for_sync)
            })
        })
}

/// Returns whether the record set delegates a name with other records in it, or is in a delegated name
/// itself.
fn occludes(zone: &Zone, after: &BTreeMap<RecordKey, RecordSet>, key: &RecordKey) -> bool {
    let delegates =
        |name: &Name| *name != zone.name && after.contains_key(&RecordKey::new(name, "NS"));
    let apart = |kind: &str| matches!(kind, "NS" | "DS");
    let under_another = key.name.ancestors().any(|name| {
        name.is_below(&zone.name) && delegates(&name) && (name != key.name || !apart(&key.kind))
    });
    let over_others = key.kind == "NS"
        && delegates(&key.name)
        && after
            .range(RecordKey::new(&key.name, "")..)
            .take_while(|(other, _)| other.name.is_within(&key.name))
            .any(|(other, _)| other.name != key.name || !apart(&other.kind));
    under_another || over_others
}
