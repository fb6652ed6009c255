//! Sends forged Deletes, which CloudFormation never sent. Whoever may invoke a function, or start its state machine, can do this.

use custom_resource::sha256_hex;
use serde_json::{Value, json};

use super::answers::Asked;
use super::engine::{Engine, Request, event, function_arn, response_url};
use super::lambda::Delivered;
use super::stack::Stack;
use super::template::ResourceDefinition;
use super::waiter::state_machine_arn;
use crate::custody::Sent;
use crate::iam::principal::Hand;
use crate::{Execution, Timestamp};

/// How a forged request reaches a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As CloudFormation's own event.
    Event,
    /// As a continuation, in the execution that the function would have started for this request.
    OwnExecution,
    /// As a continuation, in an execution with another name.
    OtherExecution,
}

/// A forged Delete.
#[derive(Clone, Debug)]
pub struct Forgery<'a> {
    /// The stack whose function is invoked.
    pub function_of: &'a Stack,
    /// The stack that the request names as its sender.
    pub claims: &'a Stack,
    /// The resource to delete.
    pub logical_id: &'a str,
    /// That resource's type and properties.
    pub definition: &'a ResourceDefinition,
    /// Its physical id.
    pub physical_id: &'a str,
    /// How it reaches the function.
    pub way: Way,
    /// What earlier attempts have done, according to the continuation.
    pub progress: Value,
}

impl Engine {
    /// Invokes a function with a forged Delete, and waits until nothing runs any more.
    pub async fn forge_delete(&self, forgery: &Forgery<'_>) {
        let Forgery {
            function_of,
            claims,
            logical_id,
            definition,
            physical_id,
            ..
        } = *forgery;
        let request = Request {
            kind: "Delete",
            logical_id: logical_id.to_owned(),
            resource_type: definition.resource_type.clone(),
            properties: self.properties(claims, definition),
            old_properties: None,
            physical_id: Some(physical_id.to_owned()),
            undoes: None,
            rolls_back: false,
        };
        let at = self.world.now();
        let number = self.world.state().custody.send(Sent {
            kind: request.kind,
            stack_id: function_of.id.clone(),
            logical_id: request.logical_id.clone(),
            resource_type: request.resource_type.clone(),
            physical_id: request.physical_id.clone(),
            place: (function_of.account.clone(), function_of.region.clone()),
            undoes: None,
            rolls_back: false,
            at,
            forged: true,
        });
        let request_id = format!("ffffffff-0000-4000-8000-{number:012}");
        let clock = self.world.clock();
        let url = response_url(&claims.region, &request_id, clock.wall(clock.now()));
        let asked = Asked {
            stack_id: claims.id.clone(),
            request_id: request_id.clone(),
            logical_id: request.logical_id.clone(),
        };
        let _answer = self.desk.open(&url, asked);
        self.log(claims, &request, "forged");
        let function_arn = function_arn(function_of, &request);
        let mut event = event(claims, &request, &function_arn);
        event["RequestId"] = json!(request_id);
        event["ResponseURL"] = json!(url);
        if forgery.way == Way::Event {
            self.deliver(&Delivered {
                stack: function_of.clone(),
                logical_id: request.logical_id.clone(),
                function_arn,
                event,
                number,
            });
        } else {
            let execution = self.execution(forgery, &event, &function_arn, at);
            self.running.note_execution(&execution.name, number);
            self.execute(function_of, logical_id, &execution).await;
        }
        self.idle().await;
    }

    /// Returns an execution that was started by hand, with the input that the function itself would have used.
    fn execution(
        &self,
        forgery: &Forgery<'_>,
        request: &Value,
        function_arn: &str,
        at: Timestamp,
    ) -> Execution {
        let requested_at = self.world.clock().wall(at);
        let requested_at = requested_at
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let mut waiter = json!({
            "FunctionArn": function_arn,
            "Request": request,
            "Progress": forgery.progress,
            "WaitingFor": "",
            "RequestedAt": u64::try_from(requested_at.as_millis()).unwrap_or(u64::MAX),
            "Turn": 1,
            "MayBeRepeat": false,
            "Failing": null,
        });
        waiter["Digest"] = json!(sha256_hex(&[&waiter.to_string()], 64));
        let text = |member: &str| request[member].as_str().unwrap_or_default();
        let parts = ["StackId", "LogicalResourceId", "RequestId"].map(text);
        let name = match forgery.way {
            Way::OtherExecution => sha256_hex(&["another request"], 40),
            Way::Event | Way::OwnExecution => sha256_hex(&parts, 40),
        };
        let input = json!({"Done": false, "Seconds": 1, "Waiter": waiter});
        Execution {
            state_machine_arn: state_machine_arn(forgery.function_of),
            name: format!("zd-{name}"),
            input: input.to_string(),
            started_by: Hand::Person,
            running: true,
        }
    }
}
