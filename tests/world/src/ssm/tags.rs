//! `AddTagsToResource`, `RemoveTagsFromResource`, `ListTagsForResource`, for parameters.

use serde_json::{Value, json};

use super::{Place, authorize, place, tags_of};
use crate::custody::Then;
use crate::ownership;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;

fn resource(state: &mut State, call: &mut Call) -> Result<(Value, Place), ServiceError> {
    let body = call.json()?;
    if body["ResourceType"] != "Parameter" {
        return Err(ServiceError::bad("InvalidResourceType", "not a parameter"));
    }
    let name = body["ResourceId"].as_str().unwrap_or_default().to_owned();
    call.target.clone_from(&name);
    authorize(state, call, &call.operation.clone(), &name)?;
    let place = place(call, &name);
    if !state.ssm.parameters.contains_key(&place) {
        return Err(ServiceError::bad(
            "InvalidResourceId",
            "The resource ID is not valid. Verify that you entered the correct ID and try again.",
        ));
    }
    Ok((body, place))
}

fn change(state: &mut State, call: &mut Call, place: &Place) {
    ownership::parameter_changed(state, place, Then::Exists, &call.caller.hand);
    call.effect = true;
}

pub(super) fn add(state: &mut State, call: &mut Call) -> Outcome {
    let (body, place) = resource(state, call)?;
    let tags = tags_of(&body);
    change(state, call, &place);
    let parameter = state.ssm.parameters.get_mut(&place).expect("it exists");
    let mut all = parameter.tags.clone();
    all.extend(tags);
    if all.len() > 50 {
        return Err(ServiceError::bad("TooManyTagsError", "50 tags at most"));
    }
    parameter.tags = all;
    Ok(Answer::Json(json!({})))
}

pub(super) fn remove(state: &mut State, call: &mut Call) -> Outcome {
    let (body, place) = resource(state, call)?;
    change(state, call, &place);
    let parameter = state.ssm.parameters.get_mut(&place).expect("it exists");
    for key in body["TagKeys"].as_array().into_iter().flatten() {
        parameter.tags.remove(key.as_str().unwrap_or_default());
    }
    Ok(Answer::Json(json!({})))
}

pub(super) fn list(state: &mut State, call: &mut Call) -> Outcome {
    let (_, place) = resource(state, call)?;
    let tags: Vec<Value> = state.ssm.parameters[&place]
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    Ok(Answer::Json(json!({"TagList": tags})))
}
