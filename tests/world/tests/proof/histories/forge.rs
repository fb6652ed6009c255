//! Deletes that CloudFormation never sent: whoever may invoke a function makes them up.

use custom_resource::sha256_hex;
use hosted_zones::NameServers;
use serde_json::json;
use world::cloudformation::{ResourceDefinition, Stack};
use world::{Hand, Name, Zone};

use super::choice::NAMES;
use super::step::Forged;
use crate::cast::{BUILD, Cast, NETWORK, subdomain, with};

/// Invokes the function of a stack with a Delete that is about a name, or about another stack's things.
pub(super) async fn forge(cast: &Cast, stacks: &[Stack], at: usize, forged: Forged, name: usize) {
    let stack = &stacks[at];
    let others: Vec<&Stack> = (stacks.iter())
        .filter(|other| other.account == stack.account && other.id != stack.id)
        .collect();
    if matches!(forged, Forged::OtherStack) {
        for other in others {
            for (logical_id, resource) in &other.resources {
                let mut definition = resource.definition.clone();
                definition.properties.clone_from(&resource.properties);
                let id = &resource.physical_id;
                let engine = &cast.engine;
                engine
                    .forge_delete(stack, other, logical_id, &definition, id)
                    .await;
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
            let engine = &cast.engine;
            engine
                .forge_delete(stack, stack, logical_id, &definition, &id)
                .await;
        }
    }
}

/// A physical id with the properties that it comes with; none for those of a subdomain of the stack's own.
type Id = (Option<ResourceDefinition>, String);

/// The last part of such an id, which anyone can compute.
fn proof(servers: &NameServers) -> String {
    sha256_hex(&[&servers.to_string()], 16)
}

/// The id that release 0.2.0 would give for a zone of that name which no longer exists, with the right proof.
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
