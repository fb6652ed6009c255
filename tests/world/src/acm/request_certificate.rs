//! `RequestCertificate`.

use std::time::Duration;

use serde_json::json;

use super::{Certificate, authorize};
use crate::ssm::tags_of;
use crate::state::{Due, State};
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;

/// How long ACM remembers an idempotency token.
const TOKEN_LIVES: Duration = Duration::from_secs(3600);

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let body = call.json()?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let domain = text("DomainName").to_lowercase();
    call.target.clone_from(&domain);
    let mut names = vec![domain.clone()];
    for name in body["SubjectAlternativeNames"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = name.as_str().unwrap_or_default().to_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let tags = tags_of(&body);
    if tags.len() > 50 {
        return Err(ServiceError::bad("TooManyTagsException", "50 at most"));
    }
    let mut context = state.iam.context(call);
    // <https://docs.aws.amazon.com/acm/latest/userguide/acm-conditions.html>
    let method = text("ValidationMethod");
    if !method.is_empty() {
        context.set("acm:ValidationMethod", [method]);
    }
    let now = state.now;
    state
        .iam
        .authorize(call, now, "acm:RequestCertificate", "*", &context)?;
    if !tags.is_empty() {
        // The certificate has no id yet:
        // <https://docs.aws.amazon.com/acm/latest/userguide/security_iam_troubleshoot.html>
        let any = format!(
            "arn:aws:acm:{}:{}:certificate/*",
            call.region, call.caller.account
        );
        authorize(state, call, "AddTagsToCertificate", &any)?;
    }
    check(state, call, &names, &text("ValidationMethod"))?;
    let key_algorithm = match text("KeyAlgorithm").as_str() {
        "" => "RSA_2048".to_owned(),
        known @ ("RSA_2048" | "EC_prime256v1" | "EC_secp384r1") => known.to_owned(),
        other => {
            return Err(ServiceError::bad(
                "ValidationException",
                format!("KeyAlgorithm {other}"),
            ));
        }
    };
    let token = text("IdempotencyToken");
    if token.len() > 32
        || !token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(ServiceError::bad("ValidationException", "IdempotencyToken"));
    }
    let now = state.now;
    let token = (call.caller.account.clone(), call.region.clone(), token);
    if !token.2.is_empty()
        && let Some((since, same_names, arn)) = state.acm.tokens.get(&token)
        && now - *since < TOKEN_LIVES
        && *same_names == names
        && state.acm.certificates.contains_key(arn)
    {
        return Ok(Answer::Json(json!({"CertificateArn": arn})));
    }
    state.acm.made += 1;
    let arn = format!(
        "arn:aws:acm:{}:{}:certificate/{:08x}-0000-4000-8000-{:012x}",
        call.region,
        call.caller.account,
        state.random.u32(..),
        state.acm.made
    );
    if !token.2.is_empty() {
        state
            .acm
            .tokens
            .insert(token, (now, names.clone(), arn.clone()));
    }
    let appears = state.settings.certificate_appears.clone();
    let records = state.settings.validation_records_appear.clone();
    let visible_from = now + state.random_span(&appears);
    let certificate = Certificate {
        arn: arn.clone(),
        account: call.caller.account.clone(),
        region: call.region.clone(),
        names,
        key_algorithm,
        export: body["Options"]["Export"] == "ENABLED",
        origin: "AWS_MANAGED".to_owned(),
        root_hierarchy: None,
        status: "PENDING_VALIDATION".to_owned(),
        failure_reason: None,
        validated: Vec::new(),
        in_use_by: Vec::new(),
        tags,
        made_by: call.caller.hand.clone(),
        created: now,
        visible_from,
        records_from: visible_from + state.random_span(&records),
        issued: None,
        issuing: false,
    };
    let first_look = certificate.records_from;
    state.acm.certificates.insert(arn.clone(), certificate);
    state.schedule(first_look, Due::Validate(arn.clone()));
    call.effect = true;
    call.target = format!("{domain} {arn}");
    Ok(Answer::Json(json!({"CertificateArn": arn})))
}

fn check(state: &State, call: &Call, names: &[String], method: &str) -> Result<(), ServiceError> {
    if method != "DNS" {
        return Err(ServiceError::bad(
            "InvalidParameterException",
            "this world validates by DNS only",
        ));
    }
    for name in names {
        let base = name.strip_prefix("*.").unwrap_or(name);
        let sound = name.len() <= 253
            && base.contains('.')
            && base.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
        if !sound {
            return Err(ServiceError::bad(
                "ValidationException",
                format!("Value '{name}' failed to satisfy constraint"),
            ));
        }
    }
    if names[0].len() > 64 {
        return Err(ServiceError::bad(
            "InvalidDomainValidationOptionsException",
            "The first domain name can be no longer than 64 octets",
        ));
    }
    if names.len() > 10 {
        return Err(ServiceError::bad(
            "LimitExceededException",
            "Error: the maximum number of 10 domain names has been reached",
        ));
    }
    let held = state
        .acm
        .certificates
        .values()
        .filter(|other| other.account == call.caller.account && other.region == call.region)
        .count();
    if held >= state.settings.certificates {
        return Err(ServiceError::bad(
            "LimitExceededException",
            "Error: you have reached your limit of certificates",
        ));
    }
    Ok(())
}
