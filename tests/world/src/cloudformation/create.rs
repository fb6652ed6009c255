//! Creating a stack.

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::engine::{Engine, Outcome, Request};
use super::stack::{Stack, StackResource, Status};
use super::template::{Template, waves};

impl Engine {
    /// Creates a stack. Rolls back if a resource fails.
    ///
    /// # Panics The stack is not new.
    pub async fn create(&self, stack: &mut Stack, template: &Template) -> Status {
        assert_eq!(stack.status, Status::New, "only a new stack is created");
        // If this future is dropped, CloudFormation knows only what it has begun.
        stack.status = Status::NotDeleted;
        stack.failures.clear();
        self.deploy(stack, &[template]);
        for wave in waves(template) {
            if !self.create_wave(stack, template, &wave).await {
                stack.status = if self.delete_resources(stack, true).await {
                    Status::CreateRolledBack
                } else {
                    Status::NotDeleted
                };
                return stack.status;
            }
        }
        stack.status = Status::Complete;
        stack.status
    }

    /// Creates resources that do not depend on each other. Returns whether all of them exist.
    pub(super) async fn create_wave(
        &self,
        stack: &mut Stack,
        template: &Template,
        wave: &[String],
    ) -> bool {
        let mut requests = Vec::new();
        let mut numbers = Vec::new();
        for logical_id in wave {
            let definition = template[logical_id].clone();
            let properties = self.properties(stack, &definition);
            requests.push(Request {
                kind: "Create",
                logical_id: logical_id.clone(),
                resource_type: definition.resource_type.clone(),
                properties: properties.clone(),
                old_properties: None,
                physical_id: None,
                undoes: None,
                rolls_back: false,
            });
            let created_by = self.send(stack, &requests[requests.len() - 1]);
            numbers.push(created_by);
            let physical_id = self.own_physical_id(stack, logical_id);
            stack.resources.insert(
                logical_id.clone(),
                StackResource {
                    definition,
                    properties,
                    physical_id,
                    attributes: Default::default(),
                    settled: false,
                    created_by,
                },
            );
        }
        let sent_by = stack.clone();
        let mut running: FuturesUnordered<_> = requests
            .iter()
            .zip(numbers)
            .map(|(request, number)| {
                let sent_by = &sent_by;
                async move { (request, self.request(sent_by, request, number).await) }
            })
            .collect();
        let mut all = true;
        while let Some((request, outcome)) = running.next().await {
            let resource = stack
                .resources
                .get_mut(&request.logical_id)
                .expect("it was put there");
            if let Some(reason) = outcome.failure() {
                all = false;
                stack.failures.push(reason);
            }
            if let Outcome::Answered(answer) = outcome {
                resource.settled = answer.success;
                if answer.success {
                    // A resource that a deletion policy kept becomes this resource again.
                    let again = |(id, kept): &(String, StackResource)| {
                        *id == request.logical_id && kept.physical_id == answer.physical_id
                    };
                    stack.retained.retain(|kept| !again(kept));
                }
                resource.physical_id = answer.physical_id;
                resource.attributes = answer.attributes;
            }
            if !all && self.habits.cancels_siblings {
                break;
            }
        }
        all
    }
}
