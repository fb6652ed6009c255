//! How an invocation's time is shared out, so that its end is always an answer.

use crate::{Clock, Request};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// When each part of an invocation must be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// The resource type's work: it is dropped then.
    pub(crate) work: Instant,
    /// Undoing what must not stay, or handing over.
    pub(crate) abandon: Instant,
    /// The answer. Lambda's own end comes a little later.
    pub(crate) answer: Instant,
}

impl Deadlines {
    /// What Lambda leaves, and CloudFormation where it still waits.
    ///
    /// Of Lambda's time a quarter, 20 s at most, is kept for abandoning and answering; of CloudFormation's half of the
    /// request's margin.
    pub(crate) fn of(request: &Request, lambda_ends_at: SystemTime, clock: &Clock) -> Self {
        let by_lambda = Self::by_lambda(lambda_ends_at, clock);
        if is_over(request, clock) {
            return by_lambda;
        }
        let before_end = |part| clock.instant(request.times_out_at() - request.margin() / part);
        Self {
            work: by_lambda.work.min(before_end(2)),
            abandon: by_lambda.abandon.min(before_end(4)),
            answer: by_lambda.answer,
        }
    }

    /// What Lambda leaves.
    pub(crate) fn by_lambda(lambda_ends_at: SystemTime, clock: &Clock) -> Self {
        let left = clock.until(lambda_ends_at);
        let kept = (left / 4).min(Duration::from_secs(20));
        let end = Instant::now() + left;
        Self {
            work: end - kept,
            abandon: end - kept / 2,
            answer: end - kept / 20,
        }
    }
}

/// Whether CloudFormation waits too little longer for anything to be begun.
pub(crate) fn is_over(request: &Request, clock: &Clock) -> bool {
    clock.now() >= request.times_out_at() - request.margin() / 2
}

/// Whether a wait has come to its end: the look that found it unfinished was the last.
pub(crate) fn waited_enough(request: &Request, clock: &Clock) -> bool {
    clock.now() >= request.ends_at()
}
