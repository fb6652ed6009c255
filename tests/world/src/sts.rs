//! STS: AssumeRole.

use std::time::Duration;

use crate::iam::principal::Caller;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;

/// Answers an STS call.
pub(crate) fn run(state: &mut State, call: &mut Call) -> Outcome {
    match call.operation.as_str() {
        "AssumeRole" => assume_role(state, call),
        _ => Err(state.unknown_operation(call)),
    }
}

fn assume_role(state: &mut State, call: &mut Call) -> Outcome {
    let get = |name: &str| call.query.get(name).cloned();
    let role_arn = get("RoleArn").unwrap_or_default();
    call.target.clone_from(&role_arn);
    let session_name = get("RoleSessionName").unwrap_or_default();
    if session_name.len() < 2
        || session_name.len() > 64
        || !session_name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
    {
        return Err(ServiceError::bad(
            "ValidationError",
            format!("RoleSessionName {session_name} is not valid"),
        ));
    }
    let lifetime = match get("DurationSeconds").map(|text| text.parse::<u64>()) {
        None => 3600,
        // A session of an assumed role, as a Lambda function's is, may assume another one for at most an hour
        // (role chaining).
        Some(Ok(seconds)) if (900..=3600).contains(&seconds) => seconds,
        Some(_) => return Err(ServiceError::bad("ValidationError", "DurationSeconds")),
    };
    let external_id = get("ExternalId");
    let now = state.now;
    let role = state
        .iam
        .assume(call, now, &role_arn, external_id.as_deref())?;
    let name = role.arn.rsplit('/').next().unwrap_or_default();
    let session_arn = format!(
        "arn:aws:sts::{}:assumed-role/{name}/{session_name}",
        role.account
    );
    let expires = now + Duration::from_secs(lifetime);
    let credentials = state.iam.keys.issue(
        Caller {
            account: role.account.clone(),
            principal_arn: role.arn.clone(),
            session_name: session_name.clone(),
            hand: call.caller.hand.clone(),
        },
        Some(expires),
    );
    Ok(Answer::Xml(
        Element::new("AssumeRoleResponse").with(
            Element::new("AssumeRoleResult")
                .with(
                    Element::new("AssumedRoleUser")
                        .text("AssumedRoleId", format!("AROAWORLD:{session_name}"))
                        .text("Arn", session_arn),
                )
                .with(
                    Element::new("Credentials")
                        .text("AccessKeyId", credentials.access_key)
                        .text("SecretAccessKey", credentials.secret_key)
                        .maybe("SessionToken", credentials.session_token)
                        .text("Expiration", state.clock.iso(expires)),
                ),
        ),
    ))
}
