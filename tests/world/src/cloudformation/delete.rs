//! Deleting a stack, and what a clean-up deletes.

use futures::future::join_all;

use super::engine::{Engine, Outcome, Request};
use super::stack::{Leaving, Orphan, Stack, Status};
use super::template::waves;

impl Engine {
    /// Deletes a stack.
    pub async fn delete(&self, stack: &mut Stack) -> Status {
        stack.failures.clear();
        stack.rollback = None;
        let mut all = true;
        for leaving in std::mem::take(&mut stack.leaving) {
            if let Err(reason) = self.send_delete(stack, &leaving).await {
                all = false;
                stack.failures.push(reason);
                stack.leaving.push(leaving);
            }
        }
        stack.status = if self.delete_resources(stack).await && all {
            Status::Deleted
        } else {
            Status::NotDeleted
        };
        stack.status
    }

    /// Deletes all resources of a stack, those first that others do not need; what others need stays where a delete fails.
    pub(super) async fn delete_resources(&self, stack: &mut Stack) -> bool {
        for wave in waves(&stack.standing()).into_iter().rev() {
            let leaving: Vec<Leaving> = wave
                .iter()
                .map(|logical_id| {
                    let resource = &stack.resources[logical_id];
                    Leaving {
                        logical_id: logical_id.clone(),
                        resource_type: resource.definition.resource_type.clone(),
                        physical_id: resource.physical_id.clone(),
                        properties: resource.properties.clone(),
                    }
                })
                .collect();
            let results = join_all(
                leaving
                    .iter()
                    .map(|leaving| self.send_delete(stack, leaving)),
            )
            .await;
            let mut all = true;
            for (leaving, result) in leaving.iter().zip(results) {
                match result {
                    Ok(()) => drop(stack.resources.remove(&leaving.logical_id)),
                    Err(reason) => {
                        all = false;
                        stack.failures.push(reason);
                    }
                }
            }
            if !all {
                return false;
            }
        }
        true
    }

    /// Deletes what an operation left behind. What cannot be deleted is forgotten, as CloudFormation forgets it.
    pub(super) async fn clean_up(&self, stack: &mut Stack, leaving: Vec<Leaving>) {
        for leaving in leaving.into_iter().rev() {
            let mut reason = String::new();
            for attempt in 1..=self.habits.clean_up_attempts {
                match self.send_delete(stack, &leaving).await {
                    Ok(()) => {
                        reason.clear();
                        break;
                    }
                    Err(error) => reason = error,
                }
                self.world()
                    .clock()
                    .sleep(std::time::Duration::from_secs(u64::from(attempt)))
                    .await;
            }
            if !reason.is_empty() {
                stack.failures.push(reason.clone());
                stack.orphans.push(Orphan {
                    logical_id: leaving.logical_id,
                    physical_id: leaving.physical_id,
                    reason,
                });
            }
        }
    }

    async fn send_delete(&self, stack: &Stack, leaving: &Leaving) -> Result<(), String> {
        let request = Request {
            kind: "Delete",
            logical_id: leaving.logical_id.clone(),
            resource_type: leaving.resource_type.clone(),
            properties: leaving.properties.clone(),
            old_properties: None,
            physical_id: Some(leaving.physical_id.clone()),
        };
        let outcome = self.request(stack, &request).await;
        if let Outcome::Answered(answer) = &outcome
            && answer.physical_id != leaving.physical_id
        {
            self.world.violate(format!(
                "a Delete of {} was answered with {}",
                leaving.physical_id, answer.physical_id
            ));
        }
        // As its events say it: which resource, and why.
        let resource = format!("{} {}", leaving.logical_id, leaving.physical_id);
        let failure = outcome.failure();
        failure.map_or(Ok(()), |why| Err(format!("{resource}: {why}")))
    }
}
