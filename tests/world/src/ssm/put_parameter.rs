//! `PutParameter`.

use serde_json::json;

use super::{Parameter, authorize, invalid, place, tags_of};
use crate::custody::Then;
use crate::ownership;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let body = call.json()?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (name, value, kind) = (text("Name"), text("Value"), text("Type"));
    let overwrite = body["Overwrite"].as_bool().unwrap_or(false);
    let tags = tags_of(&body);
    call.target = format!("{name} = {value}");
    authorize(state, call, "PutParameter", &name)?;
    if !tags.is_empty() {
        authorize(state, call, "AddTagsToResource", &name)?;
    }
    check_name(&name)?;
    if value.is_empty() || value.len() > 4096 || value.contains("{{") {
        return Err(invalid("Value"));
    }
    if tags.len() > 50 {
        return Err(invalid("50 tags at most"));
    }
    if overwrite && !tags.is_empty() {
        return Err(invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
        ));
    }
    let place = place(call, &name);
    let now = state.now;
    let count = state
        .ssm
        .parameters
        .keys()
        .filter(|(account, region, _)| *account == place.0 && *region == place.1)
        .count();
    // The documentation of DeleteParameters (botocore) says to wait at least 30 seconds before a parameter of
    // the same name is created. What PutParameter answers until then is not documented. Users have seen
    // ParameterAlreadyExists (https://github.com/hashicorp/terraform-provider-aws/issues/13578).
    let is_kept = state
        .ssm
        .deleted
        .get(&place)
        .is_some_and(|at| now < *at + state.settings.parameter_name_kept);
    let version = match state.ssm.parameters.get(&place).cloned() {
        Some(_) if !overwrite => return Err(already_exists()),
        None if is_kept => return Err(already_exists()),
        Some(current) => {
            if !kind.is_empty() && kind != current.kind {
                return Err(ServiceError::bad(
                    "HierarchyTypeMismatchException",
                    "Parameter Store does not support changing a parameter's type.",
                ));
            }
            ownership::parameter_changed(state, &place, Then::Exists, &call.caller.hand);
            let parameter = state.ssm.parameters.get_mut(&place).expect("it exists");
            parameter.value = value;
            parameter.version += 1;
            parameter.modified = now;
            parameter.version
        }
        None if kind.is_empty() => return Err(invalid("A parameter type is required.")),
        None if !matches!(kind.as_str(), "String" | "StringList" | "SecureString") => {
            return Err(ServiceError::bad("UnsupportedParameterType", kind));
        }
        None if count >= state.settings.parameters => {
            return Err(ServiceError::bad(
                "ParameterLimitExceeded",
                "The account has reached its limit of parameters.",
            ));
        }
        None => {
            state.ssm.parameters.insert(
                place,
                Parameter {
                    kind,
                    value,
                    version: 1,
                    tags,
                    made_by: call.caller.hand.clone(),
                    modified: now,
                },
            );
            1
        }
    };
    call.effect = true;
    Ok(Answer::Json(
        json!({"Version": version, "Tier": "Standard"}),
    ))
}

fn already_exists() -> ServiceError {
    ServiceError::bad(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    )
}

fn check_name(name: &str) -> Result<(), ServiceError> {
    let first = name.trim_start_matches('/').to_lowercase();
    let sound = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte))
        && !name.is_empty()
        && !name.contains("//")
        && !name.ends_with('/')
        && (name.starts_with('/') || !name.contains('/'))
        && !first.starts_with("aws")
        && !first.starts_with("ssm");
    if !sound {
        return Err(invalid(format!("Parameter name {name} is not valid")));
    }
    if name.matches('/').count() > 15 {
        return Err(ServiceError::bad(
            "HierarchyLevelLimitExceededException",
            "a name has at most 15 levels",
        ));
    }
    Ok(())
}
