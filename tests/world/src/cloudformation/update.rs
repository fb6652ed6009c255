//! Updates a stack, and rolls back a failed update with further Updates whose properties are swapped.

use futures::future::join_all;

use super::engine::{Engine, Outcome, Request};
use super::stack::{Leaving, Rollback, Stack, StackResource, Status};
use super::template::{Template, waves};

impl Engine {
    /// Updates a stack. Rolls back if a resource fails, then cleans up.
    ///
    /// # Panics The stack's status does not permit an update.
    pub async fn update(&self, stack: &mut Stack, template: &Template) -> Status {
        assert!(
            matches!(stack.status, Status::Complete | Status::RolledBack),
            "{:?} cannot be updated",
            stack.status
        );
        stack.failures.clear();
        self.deploy(stack, &[&stack.existing(), template]);
        let before = stack.resources.clone();
        let mut rollback = Rollback {
            before: before.clone(),
            ..Rollback::default()
        };
        for wave in waves(template) {
            let (new, existing): (Vec<String>, Vec<String>) =
                wave.into_iter().partition(|id| !before.contains_key(id));
            // New resources are noted first, so that an update that is interrupted is rolled back as a whole.
            rollback.touched.extend(new.iter().cloned());
            let created = self.create_wave(stack, template, &new).await;
            let updated = self
                .update_wave(stack, template, &existing, &mut rollback)
                .await;
            if !created || !updated {
                stack.rollback = Some(rollback);
                return self.roll_back(stack, &[]).await;
            }
        }
        let mut leaving = rollback.leaving;
        for (logical_id, resource) in &before {
            if !template.contains_key(logical_id) && !stack.keeps(logical_id, false) {
                stack.resources.remove(logical_id);
                leaving.insert(0, Leaving::of(logical_id, resource));
            }
        }
        stack.status = Status::Complete;
        self.clean_up(stack, leaving).await;
        self.deploy(stack, &[template]);
        stack.status
    }

    /// Updates resources that do not depend on each other.
    async fn update_wave(
        &self,
        stack: &mut Stack,
        template: &Template,
        wave: &[String],
        rollback: &mut Rollback,
    ) -> bool {
        let mut requests = Vec::new();
        for logical_id in wave {
            let definition = &template[logical_id];
            let properties = self.properties(stack, definition);
            let resource = stack.resources.get_mut(logical_id).expect("it exists");
            assert_eq!(
                resource.definition.resource_type, definition.resource_type,
                "CloudFormation refuses another type under the same logical id"
            );
            resource.definition = definition.clone();
            if resource.properties != properties {
                requests.push(Request {
                    kind: "Update",
                    logical_id: logical_id.clone(),
                    resource_type: definition.resource_type.clone(),
                    properties,
                    old_properties: Some(resource.properties.clone()),
                    physical_id: Some(resource.physical_id.clone()),
                    undoes: None,
                    rolls_back: false,
                });
            }
        }
        let sent_by = stack.clone();
        let outcomes = join_all(requests.iter().map(|request| {
            let number = self.send(&sent_by, request);
            self.request(&sent_by, request, number)
        }))
        .await;
        let mut all = true;
        for (request, outcome) in requests.into_iter().zip(outcomes) {
            let logical_id = request.logical_id.clone();
            let before = &rollback.before[&logical_id];
            rollback.touched.push(logical_id.clone());
            let resource = stack.resources.get_mut(&logical_id).expect("it exists");
            resource.properties = request.properties.clone();
            if let Some(reason) = outcome.failure() {
                all = false;
                stack.failures.push(reason);
            }
            if let Outcome::Answered(answer) = outcome {
                if answer.success {
                    resource.attributes = answer.attributes;
                } else if answer.physical_id != before.physical_id {
                    self.world.violate(format!(
                        "a FAILED Update of {} names another id, {}",
                        before.physical_id, answer.physical_id
                    ));
                }
                if answer.physical_id != before.physical_id {
                    rollback.leaving.push(Leaving::of(&logical_id, before));
                }
                resource.physical_id = answer.physical_id;
            }
        }
        all
    }

    /// Attempts again to roll back an update. The named resources are skipped.
    ///
    /// # Panics There is nothing to roll back.
    pub async fn continue_rollback(&self, stack: &mut Stack, skip: &[String]) -> Status {
        assert_eq!(stack.status, Status::RollbackFailed, "nothing to undo");
        stack.failures.clear();
        self.roll_back(stack, skip).await
    }

    async fn roll_back(&self, stack: &mut Stack, skip: &[String]) -> Status {
        let Some(mut rollback) = stack.rollback.take() else {
            return stack.status;
        };
        let mut leaving = Vec::new();
        let mut failed = false;
        let mut left = Vec::new();
        for logical_id in std::mem::take(&mut rollback.touched).into_iter().rev() {
            let Some(before) = rollback.before.get(&logical_id).cloned() else {
                // The update created it.
                left.push(logical_id);
                continue;
            };
            if skip.contains(&logical_id) {
                continue;
            }
            match self.undo(stack, &logical_id, &before).await {
                Ok(Some(replaced)) => leaving.push(replaced),
                Ok(None) => {}
                Err(reason) => {
                    failed = true;
                    stack.failures.push(reason);
                    left.push(logical_id);
                }
            }
        }
        rollback.leaving.extend(leaving);
        if failed {
            left.reverse();
            rollback.touched = left;
            stack.leaving = rollback
                .leaving
                .iter()
                .filter(|leaving| {
                    stack
                        .resources
                        .get(&leaving.logical_id)
                        .is_none_or(|resource| resource.physical_id != leaving.physical_id)
                })
                .cloned()
                .collect();
            stack.rollback = Some(rollback);
            stack.status = Status::RollbackFailed;
            return stack.status;
        }
        stack.leaving.clear();
        let mut goes: Vec<Leaving> = Vec::new();
        for logical_id in left.iter().rev() {
            if stack.keeps(logical_id, true) {
                continue;
            }
            if let Some(resource) = stack.resources.remove(logical_id) {
                goes.push(Leaving {
                    rolls_back: true,
                    ..Leaving::of(logical_id, &resource)
                });
            }
        }
        // What was replaced and is current again is not deleted.
        goes.extend(rollback.leaving.into_iter().filter(|leaving| {
            stack
                .resources
                .get(&leaving.logical_id)
                .is_none_or(|resource| resource.physical_id != leaving.physical_id)
        }));
        stack.status = Status::RolledBack;
        self.clean_up(stack, goes).await;
        self.deploy(stack, &[&stack.existing()]);
        stack.status
    }

    /// Rolls back the update of one resource, and returns what has to be deleted because it had been
    /// replaced.
    async fn undo(
        &self,
        stack: &mut Stack,
        logical_id: &str,
        before: &StackResource,
    ) -> Result<Option<Leaving>, String> {
        let current = stack.resources[logical_id].clone();
        let physical_id = if self.habits.rollback_carries_new_id {
            &current.physical_id
        } else {
            &before.physical_id
        };
        let request = Request {
            kind: "Update",
            logical_id: logical_id.to_owned(),
            resource_type: before.definition.resource_type.clone(),
            properties: before.properties.clone(),
            old_properties: Some(current.properties.clone()),
            physical_id: Some(physical_id.clone()),
            undoes: None,
            rolls_back: false,
        };
        let number = self.send(stack, &request);
        let outcome = self.request(stack, &request, number).await;
        if let Some(reason) = outcome.failure() {
            return Err(reason);
        }
        let Outcome::Answered(answer) = outcome else {
            unreachable!("what timed out is a failure")
        };
        let replaced =
            (answer.physical_id != current.physical_id).then(|| Leaving::of(logical_id, &current));
        stack.resources.insert(
            logical_id.to_owned(),
            StackResource {
                physical_id: answer.physical_id,
                attributes: answer.attributes,
                ..before.clone()
            },
        );
        Ok(replaced)
    }
}
