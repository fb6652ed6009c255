//! Makes every decision about a certificate, from the request, its memory and what exists. It makes no calls
//! and reads no clock.
//!
//! A request passes from one [`Phase`] to the next:
//!
//! 1. A Create or Update searches for a certificate that satisfies it, and otherwise requests one. It waits
//!    until that is issued, and completes it ([`issue`]).
//! 2. If it fails, the certificate that it requested is deleted before FAILED is answered ([`undo`]).
//! 3. A Delete searches for what it may delete ([`delete`]).
//! 4. All of them delete a certificate in the same way ([`remove`]).
//!
//! A certificate's tags say what a request may do with it ([`ownership::certificate`]). `tests/plans`
//! has the plans of the important situations as text. `plan/worlds.rs` checks in all small worlds that no
//! plan changes what it must not.

mod action;
mod decision;
mod delete;
mod diagnosis;
mod issue;
mod phase;
mod remove;
mod undo;

#[cfg(test)]
mod account;
#[cfg(test)]
mod situations;
#[cfg(test)]
mod worlds;

pub(super) use action::{Action, NewCertificate};
pub(super) use decision::{Delivery, Next, Pause, Plan, Question};
pub(super) use phase::{Phase, Refused, Remove};

use super::{arn::CertificateArn, error::Error, observed::Observed, properties::Task};
use phase::{After, Stage};

/// The result of an action.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Acted {
    Done,
    Requested(CertificateArn),
    NotDeleted(Refused),
}

impl Plan {
    /// # Errors
    ///
    /// The request cannot continue.
    pub(super) fn of(
        task: &Task,
        phase: &Phase,
        observed: &Observed,
        delivery: &Delivery<'_>,
    ) -> Result<Self, Error> {
        match (phase, task) {
            (Phase::Search(search), Task::Issue(wanted)) => {
                issue::search(wanted, search, observed, delivery)
            }
            (Phase::Await(arn, waiting), Task::Issue(wanted)) => {
                issue::until_issued(wanted, (arn, waiting), observed, delivery)
            }
            (Phase::Finish(finish), Task::Issue(wanted)) => {
                issue::finish(wanted, finish, observed, delivery)
            }
            (Phase::Undo(undo), Task::Issue(wanted)) => {
                Ok(undo::plan(wanted, undo, observed, delivery))
            }
            (Phase::Delete(delete), Task::Delete(deletion)) => {
                delete::plan(deletion, delete, observed, delivery)
            }
            (Phase::Remove(remove), _) => remove::plan(task, remove, observed, delivery),
            // A remembered phase belongs to the request that remembered it.
            (Phase::Delete(_), Task::Issue(_)) | (_, Task::Delete(_)) => {
                Ok(Self::again(Phase::first(delivery.request)))
            }
        }
    }
}

impl Next {
    /// Adds the results of the actions of a plan for `phase`.
    pub(super) fn after(self, phase: &Phase, acted: Acted) -> Self {
        match (self, phase, acted) {
            (Self::AwaitRequested(waiting), _, Acted::Requested(arn)) => {
                Self::Again(Phase::Await(arn, waiting))
            }
            (_, Phase::Remove(remove), Acted::NotDeleted(refused)) => {
                Self::Again(Phase::Remove(Remove {
                    stage: Stage::Refused(refused),
                    ..remove.clone()
                }))
            }
            (next, ..) => next,
        }
    }
}

impl Phase {
    /// Returns how the request continues after an error that is no reason to fail it.
    ///
    /// # Errors
    ///
    /// The error, if it is a reason to fail the request.
    pub(super) fn after_error(&self, error: Error, delivery: &Delivery<'_>) -> Result<Next, Error> {
        match self {
            Self::Undo(undo)
            | Self::Remove(Remove {
                after: After::Undo(undo),
                ..
            }) => Ok(undo::after_error(undo, &error, delivery)),
            Self::Remove(Remove {
                after: After::Leftover(then),
                ..
            }) if !error.is_transient() => Ok(Next::Again((**then).clone())),
            _ => Err(error),
        }
    }

    /// Returns the phase that deletes what the request has requested, if it has, after it failed for this
    /// reason.
    pub(super) fn undoing(&self, reason: &str, delivery: &Delivery<'_>) -> Option<Self> {
        undo::after_failure(self, reason, delivery)
    }

    /// Returns the same phase when the request's time is over. The request can have been interrupted before
    /// it remembered what it requested.
    pub(super) fn abandoned(&self, delivery: &Delivery<'_>) -> Option<Self> {
        undo::abandoned(self, delivery)
    }
}
