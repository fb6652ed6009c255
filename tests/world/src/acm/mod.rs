//! Certificate Manager.
//!
//! Source: botocore 1.44.8 `acm` 2015-12-08,
//! <https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>.

mod delete_certificate;
mod describe_certificate;
mod list_certificates;
mod request_certificate;
mod tags;
mod validation;

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::iam::principal::{Hand, Work};
use crate::route53::record_set::Change;
use crate::ssm::tags_of;
use crate::state::State;
use crate::time::Timestamp;
use crate::wire::answer::{Outcome, ServiceError};
use crate::wire::call::Call;
pub(crate) use validation::{issue, validate};

/// A certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// All its names. The first is its domain name.
    pub names: Vec<String>,
    /// The key algorithm in ACM's form.
    pub key_algorithm: String,
    /// Whether it can be exported.
    pub export: bool,
    /// Who created its keys: `AWS_MANAGED` or `ACME`.
    pub origin: String,
    /// The root hierarchy, if it is one of Amazon N2.
    pub root_hierarchy: Option<String>,
    /// `PENDING_VALIDATION`, `ISSUED`, `FAILED`, `VALIDATION_TIMED_OUT`.
    pub status: String,
    /// The reason, if the status is `FAILED`.
    pub failure_reason: Option<String>,
    /// The names that have been validated.
    pub validated: Vec<String>,
    /// ARNs of the resources that use it.
    pub in_use_by: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Who requested it.
    pub made_by: Hand,
    pub(crate) created: Timestamp,
    pub(crate) visible_from: Timestamp,
    pub(crate) records_from: Timestamp,
    pub(crate) issued: Option<Timestamp>,
    pub(crate) issuing: bool,
}

/// An idempotency token: account, Region, token.
pub(crate) type Token = (String, String, String);

/// The state of ACM.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acm {
    pub(crate) certificates: BTreeMap<String, Certificate>,
    pub(crate) tokens: BTreeMap<Token, (Timestamp, Vec<String>, String)>,
    /// Names that ACM refuses, each with its FailureReason.
    pub(crate) refused: BTreeMap<String, String>,
    made: u64,
}

/// Returns the validation record of a name in an account. It is the same for the name's wildcard, in every
/// Region, and never changes.
pub fn validation_record(account: &str, name: &str) -> (String, String) {
    let base = name.strip_prefix("*.").unwrap_or(name).to_lowercase();
    let digest = |what: &str| {
        let digest = Sha256::digest(format!("{account} {base} {what}"));
        digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let tail: String = digest("tail")[..10]
        .bytes()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect();
    (
        format!("_{}.{base}.", digest("name")),
        format!("_{}.{tail}.acm-validations.aws.", digest("value")),
    )
}

/// How long a certificate has shown its records before whoever deletes one has to know that it needs it. Until it is issued,
/// its Create creates a missing one again.
const KNOWN_AFTER: Duration = Duration::from_secs(60);

/// Whether another certificate of the account, in any Region, still lists the record that a change takes away.
pub(crate) fn is_listed(state: &State, account: &str, change: &Change, work: &Work) -> bool {
    state.acm.certificates.values().any(|certificate| {
        certificate.account == account
            && !is_of(state, certificate, work)
            && match certificate.status.as_str() {
                "PENDING_VALIDATION" => state.now >= certificate.records_from + KNOWN_AFTER,
                status => status == "ISSUED",
            }
            && certificate.names.iter().any(|name| {
                let (record, _) = validation_record(account, name);
                record == change.key.name.to_string()
            })
    })
}

fn is_of(state: &State, certificate: &Certificate, work: &Work) -> bool {
    crate::ownership::own(state, &certificate.made_by, work)
}

/// Answers an ACM call.
pub(crate) fn run(state: &mut State, call: &mut Call) -> Outcome {
    match call.operation.as_str() {
        "RequestCertificate" => request_certificate::run(state, call),
        "DescribeCertificate" => describe_certificate::run(state, call),
        "ListCertificates" => list_certificates::run(state, call),
        "DeleteCertificate" => delete_certificate::run(state, call),
        "ListTagsForCertificate" => tags::list(state, call),
        "AddTagsToCertificate" => tags::add(state, call),
        "RemoveTagsFromCertificate" => tags::remove(state, call),
        _ => Err(state.unknown_operation(call)),
    }
}

fn authorize(
    state: &mut State,
    call: &Call,
    operation: &str,
    resource: &str,
) -> Result<(), ServiceError> {
    let mut context = state.iam.context(call);
    if let Some(found) = state.acm.certificates.get(resource) {
        for (key, value) in &found.tags {
            context.set(&format!("aws:ResourceTag/{key}"), [value.clone()]);
        }
    }
    // <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html>
    if operation == "AddTagsToCertificate" {
        for (key, value) in tags_of(&call.json()?) {
            context.set(&format!("aws:RequestTag/{key}"), [value]);
        }
    }
    let now = state.now;
    let action = format!("acm:{operation}");
    state.iam.authorize(call, now, &action, resource, &context)
}

/// Returns the certificate that the call names, if the caller is allowed to see it and it is visible already.
fn certificate(state: &mut State, call: &mut Call) -> Result<String, ServiceError> {
    let body = call.json()?;
    let arn = body["CertificateArn"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    call.target.clone_from(&arn);
    let parts: Vec<&str> = arn.split(':').collect();
    if parts.len() != 6 || parts[2] != "acm" || !parts[5].starts_with("certificate/") {
        return Err(ServiceError::bad("InvalidArnException", arn));
    }
    authorize(state, call, &call.operation.clone(), &arn)?;
    state
        .acm
        .certificates
        .get(&arn)
        .filter(|found| {
            found.account == call.caller.account
                && found.region == call.region
                && found.visible_from <= state.now
        })
        .map(|found| found.arn.clone())
        .ok_or_else(|| {
            ServiceError::bad(
                "ResourceNotFoundException",
                format!("Could not find certificate {arn}"),
            )
        })
}
