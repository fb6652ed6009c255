//! The waiter's executions: wait, call the function, wait, until it is done (the CDK app's own definition).

use std::time::Duration;

use serde_json::{Value, json};

use super::engine::Engine;
use super::lambda::Ended;
use super::stack::Stack;
use crate::Execution;

/// The time-out of an execution.
const EXECUTION_TIMEOUT: Duration = Duration::from_secs(3_900);
/// The number of retries after a failed call.
const RETRIES: u32 = 3;
/// The pause before the first retry. It doubles with each further one.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The state machine of a stack.
pub(crate) fn state_machine_arn(stack: &Stack) -> String {
    format!(
        "arn:aws:states:{}:{}:stateMachine:{}-waiter",
        stack.region,
        stack.account,
        stack.name()
    )
}

impl Engine {
    /// Runs the executions that an invocation has started.
    pub(crate) fn run_started_executions(
        &self,
        stack: &Stack,
        logical_id: &str,
        invocation: u64,
        event: u64,
    ) {
        for execution in self.world.take_executions(invocation) {
            self.running.note_execution(&execution.name, event);
            let engine = self.clone();
            let (stack, logical_id) = (stack.clone(), logical_id.to_owned());
            let active = self.running.begin();
            tokio::spawn(async move {
                let run = engine.execute(&stack, &logical_id, &execution);
                let clock = engine.world.clock();
                if clock.within(EXECUTION_TIMEOUT, run).await.is_none() {
                    engine
                        .world
                        .violate(format!("execution {} timed out", execution.name));
                }
                engine
                    .world
                    .end_execution(&execution.state_machine_arn, &execution.name);
                drop(active);
            });
        }
    }

    /// Runs an execution to its end.
    pub(crate) async fn execute(&self, stack: &Stack, logical_id: &str, execution: &Execution) {
        let name = &execution.name;
        let Ok(mut state) = serde_json::from_str::<Value>(&execution.input) else {
            return self.world.violate(format!("execution {name} has no JSON"));
        };
        loop {
            if state["Done"] == true {
                return;
            }
            let Some(seconds) = state["Seconds"].as_u64() else {
                return self
                    .world
                    .violate(format!("execution {name} has no Seconds: {state}"));
            };
            self.world.clock().sleep(Duration::from_secs(seconds)).await;
            let function_arn = state["Waiter"]["FunctionArn"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let event = json!({"Waiter": state["Waiter"], "Execution": execution.arn()});
            let number = self.running.event_of_execution(name).unwrap_or_default();
            let Some(next) = self
                .turn(stack, logical_id, &function_arn, event, number)
                .await
            else {
                return;
            };
            state = next;
        }
    }

    /// Runs one turn with its retries. None if all of them failed.
    async fn turn(
        &self,
        stack: &Stack,
        logical_id: &str,
        function_arn: &str,
        event: Value,
        number: u64,
    ) -> Option<Value> {
        let mut killed = false;
        for attempt in 0..=RETRIES {
            if attempt > 0 {
                self.world
                    .clock()
                    .sleep(RETRY_AFTER * 2_u32.pow(attempt - 1))
                    .await;
            }
            let ended = self
                .invoke(stack, logical_id, function_arn, event.clone(), number)
                .await;
            killed |= ended == Ended::Killed;
            if let Ended::Returned(state) = ended {
                return Some(state);
            }
        }
        if killed {
            self.running.mark_killed(number);
        }
        None
    }
}
