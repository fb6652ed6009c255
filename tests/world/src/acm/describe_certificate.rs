//! `DescribeCertificate`.

use serde_json::{Value, json};

use super::{certificate, validation_record};
use crate::state::State;
use crate::wire::answer::{Answer, Outcome};
use crate::wire::call::Call;

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let arn = certificate(state, call)?;
    let found = &state.acm.certificates[&arn];
    let options: Vec<Value> = found
        .names
        .iter()
        .map(|name| {
            let status = match found.status.as_str() {
                "FAILED" => "FAILED",
                _ if found.validated.contains(name) => "SUCCESS",
                _ => "PENDING_VALIDATION",
            };
            let mut option = json!({
                "DomainName": name,
                "ValidationDomain": name,
                "ValidationStatus": status,
                "ValidationMethod": "DNS",
            });
            if found.records_from <= state.now {
                let (record, value) = validation_record(&found.account, name);
                option["ResourceRecord"] = json!({"Name": record, "Type": "CNAME", "Value": value});
            }
            option
        })
        .collect();
    let mut detail = json!({
        "CertificateArn": arn,
        "DomainName": found.names[0],
        "SubjectAlternativeNames": found.names,
        "DomainValidationOptions": options,
        "Status": found.status,
        "Type": "AMAZON_ISSUED",
        // The request has an underscore, and ACM answers with a dash.
        "KeyAlgorithm": found.key_algorithm.replace("RSA_", "RSA-"),
        "Options": {"Export": if found.export { "ENABLED" } else { "DISABLED" }},
        "InUseBy": found.in_use_by,
        "CreatedAt": state.clock.epoch_seconds(found.created),
        "RenewalEligibility": "INELIGIBLE",
    });
    if let Some(reason) = &found.failure_reason {
        detail["FailureReason"] = json!(reason);
    }
    if let Some(issued) = found.issued {
        detail["IssuedAt"] = json!(state.clock.epoch_seconds(issued));
    }
    Ok(Answer::Json(json!({"Certificate": detail})))
}
