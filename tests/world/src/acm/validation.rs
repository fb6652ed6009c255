//! Decides when a certificate is issued or fails.

use std::time::Duration;

use hickory_proto::rr::{RData, RecordType};

use super::validation_record;
use crate::dns;
use crate::route53::name::Name;
use crate::state::{Due, State};

/// The time after which ACM gives up.
const LONGEST: Duration = Duration::from_secs(72 * 3600);
/// The issuer names with which a CAA record allows Amazon to issue.
const AMAZON: [&str; 4] = [
    "amazon.com",
    "amazontrust.com",
    "awstrust.com",
    "amazonaws.com",
];

/// Lets ACM check a certificate's names.
pub(crate) fn validate(state: &mut State, arn: &str) {
    let Some(found) = state.acm.certificates.get(arn).cloned() else {
        return;
    };
    if found.status != "PENDING_VALIDATION" || found.issuing {
        return;
    }
    let refused = found.names.iter().find_map(|name| {
        let base = name.strip_prefix("*.").unwrap_or(name);
        state.acm.refused.get(base).cloned()
    });
    if let Some(reason) = refused {
        return fail(state, arn, &reason);
    }
    let validated: Vec<String> = found
        .names
        .iter()
        .filter(|name| is_validated(state, &found.account, name))
        .cloned()
        .collect();
    let all = validated.len() == found.names.len();
    let forbidden = all && found.names.iter().any(|name| !caa_allows(state, name));
    let certificate = state.acm.certificates.get_mut(arn).expect("it exists");
    certificate.validated = validated;
    let (now, next) = (state.now, state.settings.validation_interval);
    if forbidden {
        fail(state, arn, "CAA_ERROR");
    } else if all {
        certificate.issuing = true;
        let span = state.settings.issuance.clone();
        let at = now + state.random_span(&span);
        state.schedule(at, Due::Issue(arn.to_owned()));
    } else if now - found.created >= LONGEST {
        certificate.status = "VALIDATION_TIMED_OUT".to_owned();
    } else {
        // ACM checks less often as time passes.
        let wait = next.max((now - found.created) / 8);
        state.schedule(now + wait, Due::Validate(arn.to_owned()));
    }
}

/// Issues a certificate.
pub(crate) fn issue(state: &mut State, arn: &str) {
    let now = state.now;
    if let Some(found) = state.acm.certificates.get_mut(arn) {
        found.status = "ISSUED".to_owned();
        found.issued = Some(now);
        let account = found.account.clone();
        state.record_time(&account, "acm ISSUED", arn);
    }
}

fn fail(state: &mut State, arn: &str, reason: &str) {
    if let Some(found) = state.acm.certificates.get_mut(arn) {
        found.status = "FAILED".to_owned();
        found.failure_reason = Some(reason.to_owned());
        let account = found.account.clone();
        state.record_time(&account, "acm FAILED", &format!("{arn} {reason}"));
    }
}

/// Returns whether the name's validation record is found over DNS, from the registry through every
/// delegation.
fn is_validated(state: &mut State, account: &str, name: &str) -> bool {
    let (record, value) = validation_record(account, name);
    let value = Name::of(&value);
    dns::resolve(state, &Name::of(&record), RecordType::CNAME)
        .iter()
        .any(|data| match data {
            RData::CNAME(target) => {
                Name::parse(&target.0.to_ascii()).is_ok_and(|target| target == value)
            }
            _ => false,
        })
}

/// Returns whether CAA records allow Amazon to issue for the name (RFC 8659).
fn caa_allows(state: &mut State, name: &str) -> bool {
    let base = name.strip_prefix("*.").unwrap_or(name);
    let Some((_, values)) = dns::caa(state, &Name::of(base)) else {
        return true;
    };
    let wild = values.get("issuewild").filter(|_| name.starts_with("*."));
    match wild.or_else(|| values.get("issue")) {
        None => true,
        Some(allowed) => allowed.iter().any(|value| {
            let issuer = value.split(';').next().unwrap_or_default().trim();
            AMAZON.contains(&issuer.to_lowercase().as_str())
        }),
    }
}
