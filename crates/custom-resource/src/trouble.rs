//! What becomes of an error: a wait where time mends it, a FAILED answer where it does not.

use crate::{Failure, Invocation, Request, Step, Wait};
use serde_json::Value;
use std::time::Duration;

/// The shortest pause while a service is busy, and the longest.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// An error as the protocol needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The sentence for the user, as [`Failure::reason`] has it.
    pub reason: String,
    /// What time does to it.
    pub outlook: Outlook,
}

/// What time does to an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing: someone has to do something.
    Final,
    /// It passes: too many requests, or no answer.
    Passing,
}

impl Trouble {
    /// Wait or fail. `progress` is what the next call goes on from; `id` names what a failed Create has made.
    ///
    /// # Errors
    ///
    /// A [`Failure`] with this reason where waiting does not help.
    pub fn settle(
        self,
        request: &Request,
        invocation: &Invocation,
        progress: Option<Value>,
        id: Option<String>,
    ) -> Result<Step, Failure> {
        if self.outlook == Outlook::Passing {
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

/// About half of how long the request has lasted. Hundreds of stacks share the ten calls a second of the account that holds
/// their parent: a longer pause leaves some of these unused, a shorter one has more calls throttled. Jitter parts stacks that
/// were deployed together.
fn pause_when_busy(age: Duration) -> Duration {
    (age / 2)
        .clamp(PAUSE, LONGEST_PAUSE)
        .mul_f64(0.5 + fastrand::f64())
}
