//! The roles that the CDK app makes are sufficient, minimal and safe. Sufficient: the crash points and histories run under them. Minimal:
//! each right is needed by some call. Safe: what is not a stack's own is refused.

mod caller;
mod refused;

use std::collections::{BTreeMap, BTreeSet};

use world::Grant;

use crate::cases::{CASES, LONG_DRAIN, SLOW_CERTIFICATE};
use crate::crash_points::play_undisturbed;
use crate::roles;

/// Every right that the roles grant, with its resource pattern. Lambda itself writes a function's log, under the function's role: no
/// call of the functions.
fn granted() -> BTreeMap<Grant, String> {
    let mut granted = BTreeMap::new();
    for role in roles::all() {
        let rights = role.grants();
        let called = rights.filter(|(grant, _)| !grant.action.starts_with("logs:"));
        granted.extend(called.map(|(grant, resource)| (grant, resource.to_owned())));
    }
    granted
}

#[test]
fn no_right_is_granted_that_no_call_needs() {
    let granted = granted();
    let mut used = BTreeSet::new();
    for case in CASES.iter().chain([&SLOW_CERTIFICATE, &LONG_DRAIN]) {
        used.extend(play_undisturbed(case).used);
    }
    let unused: Vec<String> = granted
        .iter()
        .filter(|(grant, _)| !used.contains(grant))
        .map(|(grant, resource)| {
            let Grant {
                role,
                statement,
                action,
                ..
            } = grant;
            format!("{role}: {action} on {resource} ({statement})")
        })
        .collect();
    println!(
        "{} rights of {}",
        granted.len() - unused.len(),
        granted.len()
    );
    assert!(unused.is_empty(), "nothing needs {}", unused.join("\n"));
}
