//! The roles that the CDK app creates are sufficient, minimal and safe. Sufficient: the crash points and
//! histories run with them. Minimal: some call needs each permission. Safe: what does not belong to a stack
//! is refused.

mod caller;
mod refused;

use std::collections::{BTreeMap, BTreeSet};

use world::Grant;

use crate::cases::{CASES, LONG_DRAIN, SLOW_CERTIFICATE};
use crate::crash_points::play_undisturbed;
use crate::roles;

/// Returns every permission that the roles grant, with its resource pattern. Without the log of a function,
/// which Lambda itself writes with the function's role.
fn granted() -> BTreeMap<Grant, String> {
    let mut granted = BTreeMap::new();
    for role in roles::all() {
        let permissions = role.grants();
        let called = permissions.filter(|(grant, _)| !grant.action.starts_with("logs:"));
        granted.extend(called.map(|(grant, resource)| (grant, resource.to_owned())));
    }
    granted
}

#[test]
fn every_granted_permission_is_needed_by_a_call() {
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
        "{} permissions of {}",
        granted.len() - unused.len(),
        granted.len()
    );
    assert!(unused.is_empty(), "nothing needs {}", unused.join("\n"));
}
