//! `ListCertificates`.

use serde_json::{Value, json};

use super::{Certificate, authorize};
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let body = call.json()?;
    authorize(state, call, "ListCertificates", "*")?;
    let texts = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str().map(ToOwned::to_owned))
            .collect()
    };
    let statuses = texts(&body["CertificateStatuses"]);
    let mut key_types = texts(&body["Includes"]["keyTypes"]);
    if key_types.is_empty() {
        // The default filter, which omits every other key type.
        key_types = vec!["RSA_1024".to_owned(), "RSA_2048".to_owned()];
    }
    let mut origins = texts(&body["CertificateKeyPairOrigins"]);
    if origins.is_empty() {
        origins = vec!["AWS_MANAGED".to_owned(), "CUSTOMER_PROVIDED".to_owned()];
    }
    // Certificates of Amazon N2 are listed only on request, and then alone.
    let roots = texts(&body["RootHierarchyTypes"]);
    let size = match body["MaxItems"].as_u64() {
        None => state.settings.page_size,
        Some(items @ 1..=1000) => state
            .settings
            .page_size
            .min(usize::try_from(items).unwrap_or(usize::MAX)),
        Some(items) => {
            return Err(ServiceError::bad(
                "ValidationException",
                format!("MaxItems {items}"),
            ));
        }
    };
    let token = body["NextToken"].as_str().unwrap_or_default().to_owned();
    let found: Vec<&Certificate> = state
        .acm
        .certificates
        .values()
        .filter(|certificate| {
            certificate.account == call.caller.account
                && certificate.region == call.region
                && certificate.visible_from <= state.now
                && certificate.arn >= token
                && key_types.contains(&certificate.key_algorithm)
                && origins.contains(&certificate.origin)
                && match &certificate.root_hierarchy {
                    None => roots.is_empty(),
                    Some(root) => roots.contains(root),
                }
                && (statuses.is_empty() || statuses.contains(&certificate.status))
        })
        .collect();
    let page: Vec<Value> = found
        .iter()
        .take(size)
        .map(|certificate| {
            json!({
                "CertificateArn": certificate.arn,
                "DomainName": certificate.names[0],
                "SubjectAlternativeNameSummaries": certificate.names,
                "HasAdditionalSubjectAlternativeNames": false,
                "Status": certificate.status,
                "Type": "AMAZON_ISSUED",
                "KeyAlgorithm": certificate.key_algorithm.replace("RSA_", "RSA-"),
                "InUse": !certificate.in_use_by.is_empty(),
                "CreatedAt": state.clock.epoch_seconds(certificate.created),
            })
        })
        .collect();
    let mut answer = json!({"CertificateSummaryList": page});
    if let Some(next) = found.get(size) {
        answer["NextToken"] = json!(next.arn);
    }
    Ok(Answer::Json(answer))
}
