//! Deletes a stack, or what a clean-up has to delete.

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
            if let Err(orphan) = self.send_delete(stack, &leaving).await {
                all = false;
                stack.failures.push(orphan.reason);
                stack.leaving.push(leaving);
            }
        }
        stack.status = if self.delete_resources(stack, false).await && all {
            Status::Deleted
        } else {
            Status::NotDeleted
        };
        stack.status
    }

    /// Deletes all resources of a stack in the opposite order of their dependencies. If a delete fails, the
    /// resources that it depends on stay. `rolls_back` is true if this rolls back the creation of the stack.
    pub(super) async fn delete_resources(&self, stack: &mut Stack, rolls_back: bool) -> bool {
        for wave in waves(&stack.existing()).into_iter().rev() {
            let leaving: Vec<Leaving> = wave
                .iter()
                .filter(|logical_id| !stack.keeps(logical_id, rolls_back))
                .cloned()
                .collect::<Vec<String>>()
                .iter()
                .map(|logical_id| Leaving {
                    rolls_back,
                    ..Leaving::of(logical_id, &stack.resources[logical_id])
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
                    Err(orphan) => {
                        all = false;
                        stack.failures.push(orphan.reason);
                    }
                }
            }
            if !all {
                return false;
            }
        }
        true
    }

    /// Deletes what an operation has replaced. CloudFormation forgets what cannot be deleted.
    pub(super) async fn clean_up(&self, stack: &mut Stack, leaving: Vec<Leaving>) {
        for leaving in leaving.into_iter().rev() {
            let mut orphan = None;
            for attempt in 1..=self.habits.clean_up_attempts {
                orphan = self.send_delete(stack, &leaving).await.err();
                if orphan.is_none() {
                    break;
                }
                self.world()
                    .clock()
                    .sleep(std::time::Duration::from_secs(u64::from(attempt)))
                    .await;
            }
            if let Some(orphan) = orphan {
                stack.failures.push(orphan.reason.clone());
                stack.orphans.push(orphan);
            }
        }
    }

    async fn send_delete(&self, stack: &Stack, leaving: &Leaving) -> Result<(), Orphan> {
        let request = Request {
            kind: "Delete",
            logical_id: leaving.logical_id.clone(),
            resource_type: leaving.resource_type.clone(),
            properties: leaving.properties.clone(),
            old_properties: None,
            physical_id: Some(leaving.physical_id.clone()),
            undoes: leaving.undoes,
            rolls_back: leaving.rolls_back,
        };
        let delete = self.send(stack, &request);
        let outcome = self.request(stack, &request, delete).await;
        if let Outcome::Answered(answer) = &outcome
            && answer.physical_id != leaving.physical_id
        {
            self.world.violate(format!(
                "a Delete of {} was answered with {}",
                leaving.physical_id, answer.physical_id
            ));
        }
        let Some(why) = outcome.failure() else {
            return Ok(());
        };
        let is_answered = matches!(outcome, Outcome::Answered(_));
        Err(Orphan {
            logical_id: leaving.logical_id.clone(),
            physical_id: leaving.physical_id.clone(),
            // In the form of the stack's events: which resource, and why.
            reason: format!("{} {}: {why}", leaving.logical_id, leaving.physical_id),
            sentence: is_answered.then_some(why),
            delete,
        })
    }
}
