//! `ListTagsForCertificate`, `AddTagsToCertificate`, `RemoveTagsFromCertificate`.

use serde_json::{Value, json};

use super::certificate;
use crate::custody::Then;
use crate::ownership;
use crate::ssm::tags_of;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;

pub(super) fn list(state: &mut State, call: &mut Call) -> Outcome {
    let arn = certificate(state, call)?;
    let tags: Vec<Value> = state.acm.certificates[&arn]
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    Ok(Answer::Json(json!({"Tags": tags})))
}

fn changed(state: &mut State, call: &mut Call, arn: &str) {
    ownership::certificate_changed(state, arn, Then::Exists, &call.caller.hand);
    call.effect = true;
}

pub(super) fn add(state: &mut State, call: &mut Call) -> Outcome {
    let arn = certificate(state, call)?;
    let tags = tags_of(&call.json()?);
    let found = state.acm.certificates.get_mut(&arn).expect("it exists");
    if found.tags.len() + tags.len() > 50 {
        return Err(ServiceError::bad("TooManyTagsException", "50 at most"));
    }
    changed(state, call, &arn);
    let found = state.acm.certificates.get_mut(&arn).expect("it exists");
    found.tags.extend(tags);
    Ok(Answer::Empty)
}

pub(super) fn remove(state: &mut State, call: &mut Call) -> Outcome {
    let arn = certificate(state, call)?;
    let tags = tags_of(&call.json()?);
    changed(state, call, &arn);
    let found = state.acm.certificates.get_mut(&arn).expect("it exists");
    for key in tags.keys() {
        found.tags.remove(key);
    }
    Ok(Answer::Empty)
}
