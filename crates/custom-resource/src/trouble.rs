//! Converts an error into a wait if it is transient, or into a FAILED answer if it is permanent.

use crate::{Failure, Invocation, Request, Step, Wait};
use serde_json::Value;
use std::time::Duration;

/// The shortest and the longest pause while a service throttles.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// An error in the protocol's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The sentence for the user, as [`Failure::reason`] has it.
    pub reason: String,
    /// Whether the error is transient.
    pub outlook: Outlook,
}

/// Whether an error is transient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Permanent: someone has to act.
    Permanent,
    /// Transient: too many requests, or no answer.
    Transient,
}

impl Trouble {
    /// Returns a wait or fails. The next call continues from `progress`; `id` names what a failed
    /// Create has created.
    ///
    /// # Errors
    ///
    /// A [`Failure`] with this reason if the error is permanent.
    pub fn settle(
        self,
        request: &Request,
        invocation: &Invocation,
        progress: Option<Value>,
        id: Option<String>,
    ) -> Result<Step, Failure> {
        if self.outlook == Outlook::Transient {
            let age = invocation.clock.since(request.requested_at);
            return Ok(Step::Wait(Wait {
                waiting_for: format!("an AWS call to succeed that failed so far: {}", self.reason),
                retry_after: pause_when_busy(age),
                progress: progress.unwrap_or_default(),
            }));
        }
        let failure = Failure::new(self.reason);
        Err(match id {
            Some(id) => failure.with_id(id),
            None => failure,
        })
    }
}

/// Returns about half of the time that the request has lasted. Hundreds of stacks share the ten
/// calls a second of the account that has their parent zone: a longer pause would leave some of
/// these calls unused, a shorter one would cause more throttling. The jitter separates stacks that
/// were deployed together.
fn pause_when_busy(age: Duration) -> Duration {
    (age / 2)
        .clamp(PAUSE, LONGEST_PAUSE)
        .mul_f64(0.5 + fastrand::f64())
}
