//! The operations of users on stacks.

use std::time::Duration;

use world::cloudformation::{ResourceDefinition, Stack, Status, Template};

use super::step::Operation;
use crate::cast::Cast;

/// Performs an operation on a stack, unless its status does not permit that.
pub(crate) async fn operate(
    cast: &Cast,
    at: usize,
    stack: &mut Stack,
    said: &mut Vec<(String, ResourceDefinition)>,
    operation: &Operation,
) {
    let engine = &cast.engine;
    match operation {
        Operation::Deploy(_, choice) => {
            let template = choice.template(cast, at, stack);
            match stack.status {
                Status::New => {
                    note_renames(cast, stack, said, &template);
                    engine.create(stack, &template).await;
                }
                Status::Complete | Status::RolledBack => {
                    note_renames(cast, stack, said, &template);
                    engine.update(stack, &template).await;
                }
                _ => drop(engine.delete(stack).await),
            }
        }
        Operation::CutCreate(_, choice, seconds) => {
            if stack.status == Status::New {
                let template = choice.template(cast, at, stack);
                note_renames(cast, stack, said, &template);
                let span = Duration::from_secs((*seconds).into());
                let create = engine.create(stack, &template);
                drop(tokio::time::timeout(span, create).await);
                engine.delete(stack).await;
            }
        }
        Operation::Rename(..) | Operation::Follow(..) => unreachable!("it is a deployment by now"),
        Operation::Forge(..) => unreachable!("it is played apart"),
        Operation::Delete(_) => {
            if stack.status != Status::New {
                engine.delete(stack).await;
            }
        }
        Operation::Continue(_, skip) => {
            if stack.status == Status::RollbackFailed {
                let all: Vec<String> = stack.resources.keys().cloned().collect();
                let skip = if *skip { all } else { Vec::new() };
                engine.continue_rollback(stack, &skip).await;
            }
        }
    }
}

/// Notes renames: if another logical id has the definition that one of the stack had before, the functions
/// cannot distinguish that from a rename.
fn note_renames(
    cast: &Cast,
    stack: &Stack,
    said: &mut Vec<(String, ResourceDefinition)>,
    template: &Template,
) {
    said.extend(template.clone());
    for (old, before) in &*said {
        for (new, after) in template {
            let same = |name: &str| before.properties.get(name) == after.properties.get(name);
            if old != new
                && before.resource_type == after.resource_type
                && same("Subdomain")
                && same("ParameterPrefix")
            {
                cast.world.renamed(&stack.id, old, new);
            }
        }
    }
}
