//! Parameter Store.
//!
//! Source: botocore 1.44.8 `ssm` 2014-11-06 and
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>.

mod get_parameters;
mod put_parameter;
mod tags;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::iam::principal::Hand;
use crate::state::State;
use crate::time::Timestamp;
use crate::wire::answer::{Outcome, ServiceError};
use crate::wire::call::Call;

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `String` or `StringList`.
    pub kind: String,
    /// Its value.
    pub value: String,
    /// The number of writes.
    pub version: u64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Who created it.
    pub made_by: Hand,
    pub(crate) modified: Timestamp,
}

/// Account, Region, name.
pub(crate) type Place = (String, String, String);

/// The state of Parameter Store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ssm {
    pub(crate) parameters: BTreeMap<Place, Parameter>,
    /// When a parameter was last deleted.
    deleted: BTreeMap<Place, Timestamp>,
}

impl Ssm {
    /// Deletes a parameter. Its name cannot be used again for some time.
    pub(crate) fn delete(&mut self, place: &Place, now: Timestamp) -> Option<Parameter> {
        let parameter = self.parameters.remove(place)?;
        self.deleted.insert(place.clone(), now);
        Some(parameter)
    }
}

/// Answers an SSM call.
pub(crate) fn run(state: &mut State, call: &mut Call) -> Outcome {
    match call.operation.as_str() {
        "PutParameter" => put_parameter::run(state, call),
        "GetParameters" => get_parameters::get(state, call),
        "DeleteParameters" => get_parameters::delete(state, call),
        "AddTagsToResource" => tags::add(state, call),
        "RemoveTagsFromResource" => tags::remove(state, call),
        "ListTagsForResource" => tags::list(state, call),
        _ => Err(state.unknown_operation(call)),
    }
}

fn place(call: &Call, name: &str) -> Place {
    (
        call.caller.account.clone(),
        call.region.clone(),
        name.to_owned(),
    )
}

fn arn(call: &Call, name: &str) -> String {
    let slash = if name.starts_with('/') { "" } else { "/" };
    format!(
        "arn:aws:ssm:{}:{}:parameter{slash}{name}",
        call.region, call.caller.account
    )
}

/// Asks IAM about an action on a parameter.
fn authorize(
    state: &mut State,
    call: &Call,
    operation: &str,
    name: &str,
) -> Result<(), ServiceError> {
    let mut context = state.iam.context(call);
    // A parameter that does not exist has no tags, so no condition on a tag is true.
    if let Some(parameter) = state.ssm.parameters.get(&place(call, name)) {
        for (key, value) in &parameter.tags {
            context.set(&format!("aws:ResourceTag/{key}"), [value.clone()]);
        }
    }
    let now = state.now;
    state.iam.authorize(
        call,
        now,
        &format!("ssm:{operation}"),
        &arn(call, name),
        &context,
    )
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::bad("ValidationException", message)
}

/// Returns the tags of a request, in the form `Tags: [{Key, Value}]`.
pub(crate) fn tags_of(body: &Value) -> BTreeMap<String, String> {
    body["Tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| {
            let get = |name: &str| tag[name].as_str().unwrap_or_default().to_owned();
            (get("Key"), get("Value"))
        })
        .collect()
}

/// Returns the names of a request: up to ten, all different.
fn names_of(body: &Value) -> Result<Vec<String>, ServiceError> {
    let names: Vec<String> = body["Names"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(ToOwned::to_owned))
        .collect();
    let mut unique = names.clone();
    unique.sort();
    unique.dedup();
    if names.is_empty() || names.len() > 10 || unique.len() < names.len() {
        return Err(invalid("Names must be 1 to 10 different names"));
    }
    Ok(names)
}
