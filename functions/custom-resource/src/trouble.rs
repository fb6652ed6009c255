//! What becomes of an error: a wait where time mends it, a FAILED answer where it does not.

use crate::{Failure, Invocation, Request, RequestType, Step, Wait};
use serde_json::Value;
use std::time::Duration;

/// How long a new role or policy may be answered with AccessDenied: up to a minute
/// (<https://github.com/aws/aws-cdk/issues/19041>).
const POLICY_SPREADS: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(5);

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
    /// It passes where a role or policy is new, which it may be on Create and Update.
    Spreading,
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
        let new = request.request_type != RequestType::Delete
            && invocation.clock.since(request.requested_at) < POLICY_SPREADS;
        let waits = match self.outlook {
            Outlook::Final => false,
            Outlook::Passing => true,
            Outlook::Spreading => new,
        };
        if waits {
            return Ok(Step::Wait(Wait {
                waiting_for: format!("an AWS call to succeed that failed so far: {}", self.reason),
                retry_after: PAUSE,
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
