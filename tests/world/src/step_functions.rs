//! Step Functions: StartExecution and DescribeExecution. `cloudformation` runs an execution: it calls the
//! function again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::iam::principal::Hand;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;

/// An execution of a state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The state machine.
    pub state_machine_arn: String,
    /// Unique within the machine for 90 days.
    pub name: String,
    /// Its input, unchanged.
    pub input: String,
    /// Who started it.
    pub started_by: Hand,
    /// Whether it still runs.
    pub running: bool,
}

impl Execution {
    /// Returns its ARN.
    pub fn arn(&self) -> String {
        let executions = self
            .state_machine_arn
            .replace(":stateMachine:", ":execution:");
        format!("{executions}:{}", self.name)
    }
}

/// All executions.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepFunctions {
    pub(crate) machines: BTreeSet<String>,
    pub(crate) executions: BTreeMap<(String, String), Execution>,
    /// Executions that do not run yet, in order.
    pub(crate) started: Vec<(String, String)>,
}

/// Answers a Step Functions call.
pub(crate) fn run(state: &mut State, call: &mut Call) -> Outcome {
    match call.operation.as_str() {
        "StartExecution" => start_execution(state, call),
        "DescribeExecution" => describe_execution(state, call),
        _ => Err(state.unknown_operation(call)),
    }
}

fn describe_execution(state: &mut State, call: &mut Call) -> Outcome {
    let body = call.json()?;
    let arn = body["executionArn"].as_str().unwrap_or_default().to_owned();
    call.target.clone_from(&arn);
    let context = state.iam.context(call);
    let now = state.now;
    state
        .iam
        .authorize(call, now, "states:DescribeExecution", &arn, &context)?;
    let (machine, name) = arn.rsplit_once(':').unwrap_or_default();
    let machine = machine.replace(":execution:", ":stateMachine:");
    let key = (machine.clone(), name.to_owned());
    let Some(execution) = state.step_functions.executions.get(&key) else {
        return Err(ServiceError::bad(
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{arn}'"),
        ));
    };
    Ok(Answer::Json(json!({
        "executionArn": arn,
        "stateMachineArn": machine,
        "name": name,
        "status": if execution.running { "RUNNING" } else { "SUCCEEDED" },
        "startDate": state.clock.epoch_seconds(state.now),
        "input": execution.input,
    })))
}

fn start_execution(state: &mut State, call: &mut Call) -> Outcome {
    let body = call.json()?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (machine, name, input) = (text("stateMachineArn"), text("name"), text("input"));
    call.target = format!("{machine} {name}");
    let context = state.iam.context(call);
    let now = state.now;
    state
        .iam
        .authorize(call, now, "states:StartExecution", &machine, &context)?;
    if name.is_empty()
        || name.len() > 80
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    {
        return Err(ServiceError::bad(
            "InvalidName",
            format!("Invalid Name: {name}"),
        ));
    }
    if input.len() > 262_144 || serde_json::from_str::<serde_json::Value>(&input).is_err() {
        return Err(ServiceError::bad("InvalidExecutionInput", "not JSON"));
    }
    if !state.step_functions.machines.contains(&machine) {
        return Err(ServiceError::bad(
            "StateMachineDoesNotExist",
            format!("State Machine Does Not Exist: '{machine}'"),
        ));
    }
    let key = (machine.clone(), name.clone());
    match state.step_functions.executions.get(&key) {
        // Idempotent while it runs with the same input. Otherwise the name is in use for 90 days.
        Some(execution) if execution.running && execution.input == input => {}
        Some(_) => {
            return Err(ServiceError::bad(
                "ExecutionAlreadyExists",
                format!("Execution Already Exists: '{name}'"),
            ));
        }
        None => {
            state.step_functions.executions.insert(
                key.clone(),
                Execution {
                    state_machine_arn: machine.clone(),
                    name: name.clone(),
                    input,
                    started_by: call.caller.hand.clone(),
                    running: true,
                },
            );
            state.step_functions.started.push(key);
            call.effect = true;
        }
    }
    let execution = machine.replace(":stateMachine:", ":execution:");
    Ok(Answer::Json(json!({
        "executionArn": format!("{execution}:{name}"),
        "startDate": state.clock.epoch_seconds(state.now),
    })))
}
