//! Plans the deletion of what a Create or Update requested, before its failure is answered.

use super::{
    decision::{Delivery, Next, Pause, Plan},
    diagnosis::since,
    phase::{After, Origin, Phase, Remove, Stage, Undo},
};
use crate::certificate::{
    arn::CertificateArn,
    error::Error,
    observed::{Listing, Observed},
    properties::Issue,
};
use custom_resource::{Clock, Failure};
use ownership::certificate::is_undone_with;
use std::{collections::BTreeSet, time::Duration};

/// ACM returns a certificate some seconds after its request. Only then can it be deleted.
const APPEARS: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_secs(1);

/// Returns the phase that deletes what a request has requested, after it failed for this reason.
pub(super) fn after_failure(phase: &Phase, reason: &str, delivery: &Delivery<'_>) -> Option<Phase> {
    let reason = Some(reason.to_owned());
    let undo = requested(phase, delivery)?;
    Some(Phase::Undo(Undo { reason, ..undo }))
}

/// Returns the same phase when the request's time is over, if it can have requested anything.
pub(super) fn abandoned(phase: &Phase, delivery: &Delivery<'_>) -> Option<Phase> {
    let undo = match phase {
        Phase::Undo(undo)
        | Phase::Remove(Remove {
            after: After::Undo(undo),
            ..
        }) => undo.clone(),
        // It may have been interrupted before it knew the ARN.
        Phase::Search(_) => of(None, delivery),
        _ => requested(phase, delivery)?,
    };
    let reason = None;
    Some(Phase::Undo(Undo { reason, ..undo }))
}

fn requested(phase: &Phase, delivery: &Delivery<'_>) -> Option<Undo> {
    match phase {
        Phase::Await(arn, waiting) if waiting.origin == Origin::Requested => Some(Undo {
            shown: waiting.shown,
            records: waiting.records.clone(),
            ..of(Some(arn), delivery)
        }),
        Phase::Finish(finish) if finish.origin == Origin::Requested => Some(Undo {
            shown: true,
            ..of(Some(&finish.arn), delivery)
        }),
        Phase::Remove(Remove {
            after: After::Leftover(then),
            ..
        }) => requested(then, delivery),
        _ => None,
    }
}

fn of(arn: Option<&CertificateArn>, delivery: &Delivery<'_>) -> Undo {
    Undo {
        arn: arn.cloned(),
        since: Clock::seconds(delivery.now),
        shown: false,
        records: BTreeSet::new(),
        reason: None,
    }
}

pub(super) fn plan(
    issue: &Issue,
    undo: &Undo,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Plan {
    let Listing::Found(found) = &observed.certificates else {
        let next = stopped(undo, "it cannot be searched", delivery);
        return Plan::Do(Vec::new(), next);
    };
    let own = found
        .iter()
        .find(|held| is_undone_with(delivery.request, &held.tags));
    // An Update never deletes what CloudFormation tracks.
    let own = own.filter(|held| held.arn().as_str() != delivery.request.physical_id());
    let (arn, stage) = match (own, &undo.arn) {
        (Some(held), _) => (held.arn().clone(), Stage::Certificate),
        // Another delivery of this request was answered SUCCESS with it.
        (None, Some(_)) if !found.is_empty() => return Plan::Do(Vec::new(), answer(undo)),
        (None, _) if !undo.shown && is_new(undo, delivery) => {
            return Plan::Do(Vec::new(), wait(undo, "ACM to show it"));
        }
        // A Delete has deleted it meanwhile, perhaps before the last CNAMEs were created.
        (None, Some(arn)) => (arn.clone(), Stage::Cnames(undo.records.clone())),
        (None, None) => return Plan::Do(Vec::new(), answer(undo)),
    };
    let undo = Undo {
        arn: Some(arn.clone()),
        shown: true,
        ..undo.clone()
    };
    Plan::again(Phase::Remove(Remove {
        arn,
        stage,
        cnames: issue.cnames.clone(),
        after: After::Undo(undo),
    }))
}

/// Returns how the request continues after an error.
pub(super) fn after_error(undo: &Undo, error: &Error, delivery: &Delivery<'_>) -> Next {
    let why = error.to_string();
    if error.is_transient() || !undo.shown {
        stopped(undo, &why, delivery)
    } else {
        left(undo, &why)
    }
}

/// Returns another attempt, for some seconds.
fn stopped(undo: &Undo, why: &str, delivery: &Delivery<'_>) -> Next {
    if is_new(undo, delivery) {
        wait(undo, why)
    } else {
        left(undo, why)
    }
}

fn is_new(undo: &Undo, delivery: &Delivery<'_>) -> bool {
    since(undo.since, delivery.now) < APPEARS
}

fn wait(undo: &Undo, why: &str) -> Next {
    let certificate = match &undo.arn {
        Some(arn) => format!("the certificate {arn}"),
        None => "a certificate that was requested".to_owned(),
    };
    let after = match &undo.reason {
        Some(reason) => format!(", after this failure: {}", reason.trim_end_matches('.')),
        None => String::new(),
    };
    Next::Wait(Pause {
        waiting_for: format!(
            "{certificate} to be deleted ({}){after}",
            why.trim_end_matches('.')
        ),
        retry_after: PAUSE,
        phase: Phase::Undo(undo.clone()),
    })
}

/// Returns what follows after the deletion of the certificate.
pub(super) fn over(undo: &Undo) -> Next {
    match (&undo.reason, &undo.arn) {
        (None, Some(arn)) => {
            Next::Failed(Failure::new(format!("The certificate {arn} was deleted.")))
        }
        _ => answer(undo),
    }
}

/// Returns the answer if there is nothing to delete.
fn answer(undo: &Undo) -> Next {
    Next::Failed(Failure::new(undo.reason.clone().unwrap_or_default()))
}

/// Returns the answer if the certificate cannot be deleted now. It names the certificate, so that
/// CloudFormation deletes it.
pub(super) fn left(undo: &Undo, why: &str) -> Next {
    let Some(arn) = &undo.arn else {
        return answer(undo);
    };
    let left = format!(
        "The certificate {arn} could not be deleted ({}): the rollback of the stack tries again.",
        why.trim_end_matches('.')
    );
    let reason = undo.reason.iter().cloned().chain([left]);
    let reason = reason.collect::<Vec<_>>().join(" ");
    Next::Failed(Failure::new(reason).with_id(arn.as_str()))
}
