//! `GetParameters` and `DeleteParameters`: up to ten names, for each of which IAM decides separately.

use serde_json::json;

use super::{arn, authorize, names_of, place};
use crate::custody::Then;
use crate::ownership;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome};
use crate::wire::call::Call;

pub(super) fn get(state: &mut State, call: &mut Call) -> Outcome {
    let names = names_of(&call.json()?)?;
    call.target = names.join(",");
    for name in &names {
        authorize(state, call, "GetParameters", name)?;
    }
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for name in &names {
        match state.ssm.parameters.get(&place(call, name)) {
            Some(parameter) => found.push(json!({
                "Name": name,
                "Type": parameter.kind,
                "Value": parameter.value,
                "Version": parameter.version,
                "LastModifiedDate": state.clock.epoch_seconds(parameter.modified),
                "ARN": arn(call, name),
                "DataType": "text",
            })),
            None => missing.push(name),
        }
    }
    // The order of the response is not documented.
    state.random.shuffle(&mut found);
    Ok(Answer::Json(
        json!({"Parameters": found, "InvalidParameters": missing}),
    ))
}

pub(super) fn delete(state: &mut State, call: &mut Call) -> Outcome {
    let names = names_of(&call.json()?)?;
    call.target = names.join(",");
    for name in &names {
        authorize(state, call, "DeleteParameters", name)?;
    }
    let mut deleted = Vec::new();
    let mut missing = Vec::new();
    for name in &names {
        let place = place(call, name);
        if !state.ssm.parameters.contains_key(&place) {
            missing.push(name);
            continue;
        }
        ownership::parameter_changed(state, &place, Then::IsGone, &call.caller.hand);
        let now = state.now;
        state.ssm.delete(&place, now);
        deleted.push(name);
    }
    call.effect = !deleted.is_empty();
    Ok(Answer::Json(
        json!({"DeletedParameters": deleted, "InvalidParameters": missing}),
    ))
}
