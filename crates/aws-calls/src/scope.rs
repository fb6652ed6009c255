//! The limits and failures that all calls of one piece of work share, without being passed as
//! parameters.

use crate::{AwsError, Kind};
use futures::future::BoxFuture;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

tokio::task_local! {
    static SCOPE: Arc<Scope>;
}

/// One piece of work, such as an invocation: until when its calls are retried, and which of them
/// have failed so far.
///
/// It is a task-local value, because a failed call may be many functions away from the code that
/// explains the failure.
#[derive(Debug)]
pub struct Scope {
    limits: Limits,
    failing: Mutex<Vec<Failing>>,
}

/// Until when calls are retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// No call is sent again after this.
    pub until: Instant,
    /// A denied call is sent again until then. None if the first denial is final.
    pub denied_until: Option<Instant>,
}

/// A call that has failed at every attempt so far, for a transient reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Service, operation and target of the call.
    pub call: String,
    /// The last error, as [`AwsError`] displays it. It begins with `call`.
    pub error: String,
    /// The kind of the last error.
    pub kind: Kind,
    /// The number of failed attempts.
    pub times: u32,
    /// How long it had failed before `since`, in earlier pieces of the same work.
    pub earlier: Duration,
    /// When it first failed in this piece of work.
    pub since: Instant,
}

impl Failing {
    /// Returns how long the call has been failing.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        self.earlier + self.since.elapsed()
    }
}

impl Scope {
    /// Creates the scope of a piece of work. `failing` is the call that failed in the previous
    /// piece.
    #[must_use]
    pub fn new(limits: Limits, failing: Option<Failing>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            failing: Mutex::new(failing.into_iter().collect()),
        })
    }

    /// Runs a part of the work. Boxed, so that the type of the awaited future ends here.
    pub fn run<'a, T: 'a>(
        self: &Arc<Self>,
        part: impl Future<Output = T> + Send + 'a,
    ) -> BoxFuture<'a, T> {
        let part: BoxFuture<'a, T> = Box::pin(part);
        Box::pin(SCOPE.scope(Arc::clone(self), part))
    }

    /// Returns the call that failed last and has not succeeded since.
    #[must_use]
    pub fn failing(&self) -> Option<Failing> {
        self.all_failing().last().cloned()
    }

    fn all_failing(&self) -> MutexGuard<'_, Vec<Failing>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_failure(&self, error: &AwsError) {
        let is_retried = match error.kind {
            Kind::Throttled | Kind::NoAnswer | Kind::NoEndpoint => true,
            Kind::Denied => self
                .limits
                .denied_until
                .is_some_and(|until| Instant::now() < until),
            Kind::Refused => false,
        };
        let call = error.call();
        let mut all = self.all_failing();
        let known = all.iter().position(|failing| failing.call == call);
        let known = known.map(|at| all.remove(at));
        if !is_retried {
            return;
        }
        let (times, earlier, since) = known.map_or((0, Duration::ZERO, Instant::now()), |known| {
            (known.times, known.earlier, known.since)
        });
        all.push(Failing {
            call,
            error: error.to_string(),
            kind: error.kind,
            times: times.saturating_add(1),
            earlier,
            since,
        });
    }

    fn note_success(&self, call: impl FnOnce() -> String) {
        let mut all = self.all_failing();
        if !all.is_empty() {
            let call = call();
            all.retain(|failing| failing.call != call);
        }
    }
}

/// Returns until when calls of the current scope are retried, or none outside of any scope.
pub(crate) fn limits() -> Option<Limits> {
    SCOPE.try_with(|scope| scope.limits).ok()
}

/// Notes the outcome of an attempt in the current scope.
pub(crate) fn note(error: Option<&AwsError>, call: impl FnOnce() -> String) {
    // Outside of a scope nobody reads the note.
    let _ = SCOPE.try_with(|scope| match error {
        Some(error) => scope.note_failure(error),
        None => scope.note_success(call),
    });
}
