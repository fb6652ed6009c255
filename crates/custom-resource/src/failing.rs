//! The AWS call that prevents a request from completing, as answers name it and as the state
//! machine carries it to the next turn.

use crate::{Clock, redact::shown};
use aws_calls::{Failing, Kind};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// The kinds of error that last.
const KINDS: [Kind; 4] = [
    Kind::Throttled,
    Kind::NoAnswer,
    Kind::Denied,
    Kind::NoEndpoint,
];

/// A call that has failed at every attempt so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailingCall {
    call: String,
    /// The last error, which begins with `call`.
    error: String,
    kind: Kind,
    times: u32,
    /// When it first failed, in seconds since 1970.
    since: u64,
}

impl FailingCall {
    pub(crate) fn of(failing: Failing, clock: &Clock) -> Self {
        Self {
            since: Clock::seconds(clock.now() - failing.lasted()),
            call: failing.call,
            // Redacted, because people can read the state machine's data.
            error: shown(&failing.error),
            kind: failing.kind,
            times: failing.times,
        }
    }

    /// Returns the failure with which the calls of this invocation begin.
    pub(crate) fn to_failing(&self, clock: &Clock) -> Failing {
        Failing {
            call: self.call.clone(),
            error: self.error.clone(),
            kind: self.kind,
            times: self.times,
            earlier: self.lasted(clock),
            since: Instant::now(),
        }
    }

    pub(crate) fn to_state(&self) -> Value {
        json!({
            "Call": self.call,
            "Error": self.error,
            "Kind": format!("{:?}", self.kind),
            "Times": self.times,
            "Since": self.since,
        })
    }

    /// Reads the call from a turn's state. None if there is none.
    pub(crate) fn decode(state: &Value) -> Option<Self> {
        let text = |name: &str| state[name].as_str().map(str::to_owned);
        let kind = text("Kind")?;
        Some(Self {
            call: text("Call")?,
            error: text("Error")?,
            kind: KINDS
                .into_iter()
                .find(|known| format!("{known:?}") == kind)?,
            times: u32::try_from(state["Times"].as_u64()?).ok()?,
            since: state["Since"].as_u64()?,
        })
    }

    fn lasted(&self, clock: &Clock) -> Duration {
        clock.since(Clock::moment(self.since))
    }

    /// Returns a sentence with the failed call, AWS's own words, how often it failed and for how
    /// long.
    pub(crate) fn sentence(&self, clock: &Clock) -> String {
        let what = match self.kind {
            Kind::Throttled => "AWS throttled this call",
            Kind::Denied => "AWS denied this call",
            Kind::NoAnswer | Kind::NoEndpoint | Kind::Refused => "this call failed",
        };
        let times = match self.times {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        format!(
            "The last AWS call that failed is {}; {what} {times}, the first time {} s ago.",
            self.error.trim_end_matches('.'),
            self.lasted(clock).as_secs(),
        )
    }

    /// Returns what the user can do.
    pub(crate) fn next(&self) -> &'static str {
        match self.kind {
            Kind::Throttled => {
                "Try again when other requests use less of that account's rate limit"
            }
            Kind::Denied => "Allow this call, then try again",
            Kind::NoEndpoint => {
                "Check the Region and whether the function's network resolves its endpoint, then try again"
            }
            Kind::NoAnswer | Kind::Refused => "Try again when the service answers",
        }
    }

    /// Returns whether a sentence already names this call.
    pub(crate) fn is_in(&self, sentence: &str) -> bool {
        sentence.contains(&self.call)
    }
}
