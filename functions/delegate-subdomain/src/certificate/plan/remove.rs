//! Plans the deletion of a certificate that the request may delete according to
//! [`fate`](ownership::certificate::fate).
//!
//! 1. A certificate that is in use is kept, and keeps its CNAMEs, because its renewal needs them.
//! 2. A CNAME is deleted only if no other certificate of the account lists it, in any Region. If that is not
//!    known, it is kept.
//! 3. The CNAMEs are deleted before the certificate: otherwise a process that is killed in between would
//!    leave CNAMEs that nothing names any more. If ACM then refuses to delete the certificate, they are
//!    created again.
//! 4. Of two certificates that are deleted at the same time, each can leave the CNAMEs to the other. So they
//!    are checked again when the certificate is deleted.

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

/// The pause between two attempts to delete a certificate. Load balancers and distributions release one some
/// minutes after they were changed.
const PAUSE: Duration = Duration::from_secs(20);
/// How long after a request a Region that does not answer is queried again. If the function's network reaches
/// only its own Region, a Delete must not fail because of that.
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

/// Creates the missing CNAMEs of a certificate that is kept.
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

/// Returns the CNAMEs that exist, that the template wants deleted, and that no other certificate lists.
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

/// Returns what follows after the actions, when the certificate does not exist any more.
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

/// Returns what follows if the certificate cannot be deleted now.
fn not_yet(remove: &Remove, waiting_for: String) -> Plan {
    let next = match &remove.after {
        After::Delete(delete) => Next::Wait(Pause {
            waiting_for,
            retry_after: PAUSE,
            phase: Phase::Delete(delete.clone()),
        }),
        // The answer names it, so that CloudFormation deletes it.
        After::Undo(undo) => undo::left(undo, &format!("it waits for {waiting_for}")),
        // A request must not fail because of another request's leftover.
        After::Leftover(then) => Next::Again((**then).clone()),
    };
    Plan::Do(Vec::new(), next)
}
