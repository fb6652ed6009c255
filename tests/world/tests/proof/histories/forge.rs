//! Forged Deletes, which CloudFormation never sent and whoever may invoke a function can send.

use custom_resource::sha256_hex;
use hosted_zones::NameServers;
use serde_json::{Value, json};
use world::cloudformation::{Forgery, ResourceDefinition, Stack, Way};
use world::{Hand, Name, Zone};

use super::choice::NAMES;
use super::step::Forged;
use crate::cast::{BUILD, Cast, NETWORK, subdomain, with};

/// Invokes the function of a stack with a Delete for a name, or for resources of another stack.
pub(super) async fn forge(
    cast: &Cast,
    stacks: &[Stack],
    at: usize,
    forged: Forged,
    name: usize,
    way: Way,
) {
    let stack = &stacks[at];
    let others: Vec<&Stack> = (stacks.iter())
        .filter(|other| other.account == stack.account && other.id != stack.id)
        .collect();
    if matches!(forged, Forged::OtherStack | Forged::Own) {
        // A valid Delete of the stack itself would delete what the stack has, so it is sent in another execution.
        let (claimed, way) = match forged {
            Forged::Own => (vec![stack], Way::OtherExecution),
            _ => (others, way),
        };
        for claims in claimed {
            for (logical_id, resource) in &claims.resources {
                let mut definition = resource.definition.clone();
                definition.properties.clone_from(&resource.properties);
                let id = &resource.physical_id;
                send(cast, stack, claims, logical_id, &definition, id, way).await;
            }
        }
        return;
    }
    let ids = match forged {
        Forged::OthersThing => others_things(&others),
        _ if stack.account == NETWORK => return,
        Forged::ZoneThatDoesNotExist => zone_that_does_not_exist(cast, name),
        _ => others_zones(cast, stack, name),
    };
    for (definition, id) in ids {
        let definition = definition.unwrap_or_else(|| {
            let definition = subdomain(&stack.account, NAMES[name]);
            with(definition, json!({"DrainSeconds": 0}))
        });
        for logical_id in ["A", "Certificate", "Published"] {
            send(cast, stack, stack, logical_id, &definition, &id, way).await;
        }
    }
}

/// Sends one Delete, and a continuation once for each false memory of earlier attempts.
async fn send(
    cast: &Cast,
    function_of: &Stack,
    claims: &Stack,
    logical_id: &str,
    definition: &ResourceDefinition,
    physical_id: &str,
    way: Way,
) {
    let progresses = match way {
        Way::Event => vec![Value::Null],
        Way::OwnExecution | Way::OtherExecution => claimed_progress(cast, physical_id),
    };
    for progress in progresses {
        let forgery = Forgery {
            function_of,
            claims,
            logical_id,
            definition,
            physical_id,
            way,
            progress,
        };
        cast.engine.forge_delete(&forgery).await;
    }
}

/// Returns what earlier attempts of a Delete with this id have done, according to its continuation: nothing; everything except the
/// deletion; and everything, so that only leftovers have to be deleted.
fn claimed_progress(cast: &Cast, physical_id: &str) -> Vec<Value> {
    if physical_id.starts_with("arn:") {
        let remove = json!({
            "arn": physical_id, "stage": "Certificate", "cnames": [],
            "after": {"Delete": {"search_again_at": null, "left": []}},
        });
        return vec![Value::Null, json!({ "Remove": remove })];
    }
    let parts: Vec<&str> = physical_id.split('/').collect();
    let [name, zone, parent, _] = parts[..] else {
        return vec![Value::Null];
    };
    let servers = cast.world.record_set(parent, name, "NS");
    let servers = servers.map_or_else(String::new, |set| NameServers::new(&set.values).to_string());
    let deleted = json!({"Deleted": {"delegation": physical_id, "name_servers": servers}});
    let in_phase = |phase: Value| json!({"zones": {zone: phase}});
    vec![
        Value::Null,
        in_phase(json!({"Draining": {"until": 0, "ttl": 300}})),
        in_phase(json!({"DelegationDeleted": {"ttl": 300}})),
        in_phase(deleted),
    ]
}

/// A physical id, and the properties of its resource. None for those of a subdomain of the stack itself.
type Id = (Option<ResourceDefinition>, String);

/// Returns the last part of a physical id, which anyone can compute.
fn proof(servers: &NameServers) -> String {
    sha256_hex(&[&servers.to_string()], 16)
}

/// Returns the id that release 0.2.0 would assign to a zone with this name that does not exist any more, with a valid proof.
fn zone_that_does_not_exist(cast: &Cast, name: usize) -> Vec<Id> {
    let name = format!("{}.{BUILD}", NAMES[name]);
    let set = cast.world.record_set(&cast.build_zone, &name, "NS");
    let id = set.map(|set| {
        let proof = proof(&NameServers::new(&set.values));
        format!("{name}/Z000MISSING/{}/{proof}", cast.build_zone)
    });
    id.into_iter().map(|id| (None, id)).collect()
}

/// Returns the ids of zones of that name that are another stack's or a person's.
fn others_zones(cast: &Cast, stack: &Stack, name: usize) -> Vec<Id> {
    let name = format!("{}.{BUILD}", NAMES[name]);
    let is_others = |zone: &Zone| {
        let made_here = matches!(&zone.made_by, Hand::Function(work) if work.stack_id == stack.id);
        let is_name = zone.account == stack.account && zone.name == Name::of(&name);
        is_name && !made_here && !zone.delegated_by.contains(&stack.id)
    };
    let zones = cast.world.zones().into_values().filter(is_others);
    let id = |zone: Zone| {
        let proof = proof(&NameServers::new(zone.hosts()));
        format!("{name}/{}/{}/{proof}", zone.id, cast.build_zone)
    };
    zones.map(|zone| (None, id(zone))).collect()
}

/// Returns the ids of certificates and prefixes of other stacks of the account.
fn others_things(others: &[&Stack]) -> Vec<Id> {
    let resources = others.iter().flat_map(|stack| stack.resources.values());
    let resources = resources
        .filter(|resource| resource.definition.resource_type != "Custom::DelegatedSubdomain");
    let id = |resource: &world::cloudformation::StackResource| {
        let mut definition = resource.definition.clone();
        definition.properties.clone_from(&resource.properties);
        (Some(definition), resource.physical_id.clone())
    };
    resources.map(id).collect()
}
