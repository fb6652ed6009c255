//! How a certificate is deleted, of which [`fate`](ownership::certificate::fate) has said that the request may.
//!
//! 1. A certificate that is in use stays, and keeps its CNAMEs: its renewal needs them.
//! 2. A CNAME is deleted only if no other certificate of the account lists it, in any Region. If that is not known, it
//!    stays.
//! 3. The CNAMEs are deleted before the certificate: a process killed in between would otherwise leave CNAMEs that
//!    nothing names any more. If ACM then refuses to delete the certificate, they are created again.
//! 4. Of two certificates that are deleted at the same time, each can leave the CNAMEs to the other. So they are checked
//!    once more when the certificate is deleted.

use super::{
    action::Action,
    decision::{Delivery, Next, Pause, Plan, Question},
    phase::{After, Phase, Refused, Remove, Stage},
    undo,
};
use crate::certificate::{
    error::Error,
    observed::{Cname, CnameState, Observed, Sharers},
    properties::{Deletion, Task},
};
use custom_resource::Success;
use hosted_zones::{HostedZoneId, RecordSet};
use std::{collections::BTreeSet, time::Duration};

/// Between two attempts to delete a certificate: load balancers and distributions release one minutes after they were
/// told to.
const PAUSE: Duration = Duration::from_secs(20);
/// How long after a request a Region is asked again that does not answer. A function whose network leads to its own
/// Region alone must not fail a Delete for that.
const REGIONS_ANSWER: Duration = Duration::from_secs(300);

pub(super) fn plan(
    task: &Task,
    remove: &Remove,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Error> {
    match (&remove.stage, &observed.certificate) {
        (Stage::Certificate | Stage::Refused(_), None) => Ok(over(task, remove, Vec::new())),
        (Stage::Certificate, Some(certificate)) if certificate.in_use_by.is_empty() => {
            delete(task, remove, observed, delivery)
        }
        (Stage::Certificate, Some(certificate)) => {
            let users = certificate.in_use_by.join(", ");
            let waiting_for = format!("certificate {} to be released by {users}", remove.arn);
            Ok(restore(remove, observed).unwrap_or_else(|| not_yet(remove, waiting_for)))
        }
        (Stage::Refused(refused), Some(_)) => match (restore(remove, observed), refused) {
            (Some(restore), _) => Ok(restore),
            (None, Refused::ForNow(error)) => {
                let arn = &remove.arn;
                let waiting_for =
                    format!("ACM to delete certificate {arn}, which it refused: {error}");
                Ok(not_yet(remove, waiting_for))
            }
            (None, Refused::Failed(error)) => Err(error.clone().into()),
        },
        (Stage::Cnames(_), _) => match free(remove, observed, delivery)? {
            Free::Unknown(question) => Ok(Plan::Ask(question)),
            Free::Cnames(free) => Ok(over(task, remove, delete_cnames(free))),
        },
    }
}

/// Deletes the CNAMEs that nothing else needs, then the certificate.
fn delete(
    task: &Task,
    remove: &Remove,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Error> {
    let free = match free(remove, observed, delivery)? {
        Free::Unknown(question) => return Ok(Plan::Ask(question)),
        Free::Cnames(free) => free,
    };
    let kept = existing(observed)
        .filter(|(cname, set)| !free.contains(&(cname.zone.clone(), (*set).clone())));
    let kept: BTreeSet<_> = kept.map(|(cname, _)| cname.record.clone()).collect();
    let mut actions = delete_cnames(free);
    actions.push(Action::DeleteCertificate(remove.arn.clone()));
    if kept.is_empty() {
        return Ok(over(task, remove, actions));
    }
    let stage = Stage::Cnames(kept);
    let remove = Remove {
        stage,
        ..remove.clone()
    };
    Ok(Plan::Do(actions, Next::Again(Phase::Remove(remove))))
}

/// Creates the CNAMEs that are missing of a certificate that stays.
fn restore(remove: &Remove, observed: &Observed) -> Option<Plan> {
    let missing = observed
        .cnames
        .iter()
        .filter(|cname| cname.state == CnameState::Missing);
    let missing: Vec<_> = missing
        .map(|cname| (cname.zone.clone(), cname.record.clone()))
        .collect();
    let again = Next::Again(Phase::Remove(remove.clone()));
    (!missing.is_empty()).then(|| Plan::Do(vec![Action::CreateCnames(missing)], again))
}

/// The CNAMEs that can be deleted.
enum Free {
    Cnames(Vec<(HostedZoneId, RecordSet)>),
    Unknown(Question),
}

/// Returns the CNAMEs that exist, that are to be deleted, and that no certificate but this one lists.
fn free(remove: &Remove, observed: &Observed, delivery: &Delivery<'_>) -> Result<Free, Error> {
    let mut names = existing(observed).filter_map(|(cname, _)| cname.record.validated());
    let sharers = match &observed.sharers {
        Sharers::NotRead => {
            let names: BTreeSet<_> = names.by_ref().collect();
            if names.is_empty() {
                return Ok(Free::Cnames(Vec::new()));
            }
            let region = remove.arn.region().to_owned();
            return Ok(Free::Unknown(Question::Sharers { region, names }));
        }
        Sharers::Silent { error, .. } if delivery.age() < REGIONS_ANSWER => {
            return Err(error.clone().into());
        }
        Sharers::Silent { .. } | Sharers::Unknown { .. } => return Ok(Free::Cnames(Vec::new())),
        Sharers::Known(sharers) => sharers,
    };
    let is_free = |(cname, _): &(&Cname, &RecordSet)| {
        cname.record.validated().is_some_and(|name| {
            let others = sharers.iter().filter(|sharer| sharer.arn != remove.arn);
            !others
                .into_iter()
                .any(|sharer| sharer.names.contains(&name))
        })
    };
    let free = existing(observed).filter(is_free);
    let free = free.map(|(cname, set)| (cname.zone.clone(), set.clone()));
    Ok(Free::Cnames(free.collect()))
}

fn existing(observed: &Observed) -> impl Iterator<Item = (&Cname, &RecordSet)> {
    observed
        .cnames
        .iter()
        .filter_map(|cname| match &cname.state {
            CnameState::Exists(set) => Some((cname, set)),
            CnameState::Missing | CnameState::Other(_) | CnameState::NoZone => None,
        })
}

fn delete_cnames(cnames: Vec<(HostedZoneId, RecordSet)>) -> Vec<Action> {
    let action = (!cnames.is_empty()).then_some(Action::DeleteCnames(cnames));
    action.into_iter().collect()
}

/// The certificate does not exist any more, once the actions are carried out.
fn over(task: &Task, remove: &Remove, actions: Vec<Action>) -> Plan {
    let next = match (&remove.after, task) {
        (After::Delete(_), Task::Delete(Deletion::Named(arn, _))) => {
            Next::Done(Success::new(arn.as_str()))
        }
        (After::Delete(delete), _) => Next::Again(Phase::Delete(delete.clone())),
        (After::Undo(undo), _) => undo::over(undo),
        (After::Leftover(then), _) => Next::Again((**then).clone()),
    };
    Plan::Do(actions, next)
}

/// The certificate cannot be deleted now.
fn not_yet(remove: &Remove, waiting_for: String) -> Plan {
    let next = match &remove.after {
        After::Delete(delete) => Next::Wait(Pause {
            waiting_for,
            retry_after: PAUSE,
            phase: Phase::Delete(delete.clone()),
        }),
        // The answer names it, so that CloudFormation asks to delete it.
        After::Undo(undo) => undo::left(undo, &format!("it waits for {waiting_for}")),
        // A request must not fail for what another one left.
        After::Leftover(then) => Next::Again((**then).clone()),
    };
    Plan::Do(Vec::new(), next)
}
