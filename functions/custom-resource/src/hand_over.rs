//! Waits that outlast an invocation go on in a state machine, turn by turn.
//!
//! The execution's input, and what each turn returns to it, have one form:
//!
//! ```json
//! { "Done": false, "Seconds": 42, "Waiter": { "FunctionArn": "...", "Request": {}, "Progress": {}, "...": "..." } }
//! ```
//!
//! The state machine waits `Seconds`, invokes the function with `{ "Waiter": ... }` as it got it, and goes round until
//! `Done` is true. It decides nothing; the function does, also when to give up.
//!
//! `Request` holds the `ResponseURL` in clear. It has to be there: the last turn answers CloudFormation, hours may lie
//! between turns, another sandbox may run each, and nothing else of this function keeps state. Encrypting it would
//! need a key of the function's own and protect it only from those who may read the execution but not use that key.
//! What protects it: an execution's input is encrypted at rest, is readable only with `states:DescribeExecution` and
//! `states:GetExecutionHistory` on it, and goes to no log because the state machine logs without execution data. The
//! URL can do one thing, answer this one request, for two hours, and is worthless once that is answered. Credentials
//! are never in there: each turn assumes its roles anew.
//!
//! The digest is over all of the content, and so over the URL's signature. Whoever can make an event that passes holds
//! the URL, and could answer CloudFormation without this function. It keeps the function from acting on an input that
//! was mistyped, mangled or put together from two.

use crate::{Clock, Request, owner::hex};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// The shortest pause between two turns, and the first.
const SHORTEST_PAUSE: u64 = 5;
/// The longest pause between two turns, where the resource type asks for no longer one.
const LONGEST_PAUSE: u64 = 60;

/// A request on its way through the waiter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) request: Request,
    pub(crate) progress: Option<Value>,
    pub(crate) waiting_for: String,
    /// How many turns were taken before this one.
    pub(crate) number: u32,
}

impl Turn {
    /// What there is to do when a request comes in.
    pub(crate) fn first(request: Request) -> Self {
        Self {
            request,
            progress: None,
            waiting_for: String::new(),
            number: 0,
        }
    }

    /// The execution's name: the same request delivered twice joins the first one's execution.
    pub(crate) fn execution_name(&self) -> String {
        let request = &self.request;
        let parts = [
            request.stack_id.as_str(),
            &request.logical_resource_id,
            &request.request_id,
        ];
        format!("zd-{}", hex(&parts, 40))
    }

    /// What the state machine gets: when to take this turn, and with what.
    pub(crate) fn to_state(
        &self,
        function_arn: &str,
        retry_after: Duration,
        clock: &Clock,
    ) -> Value {
        let seconds = pause(
            self.number,
            retry_after,
            clock.until(self.request.ends_at()),
        );
        let mut waiter = json!({
            "FunctionArn": unqualified(function_arn),
            "Request": self.request.to_event(),
            "Progress": self.progress,
            "WaitingFor": self.waiting_for,
            "RequestedAt": milliseconds(self.request.requested_at),
            "Turn": self.number,
        });
        waiter["Digest"] = digest(&waiter).into();
        json!({ "Done": false, "Seconds": seconds, "Waiter": waiter })
    }

    /// The turn in the waiter's event.
    ///
    /// # Errors
    ///
    /// Why it is not one of this function's own, in words.
    pub(crate) fn decode(mut waiter: Value, function_arn: &str) -> Result<Self, String> {
        let digest_given = waiter
            .as_object_mut()
            .and_then(|members| members.remove("Digest"));
        let text = |name: &str| {
            waiter[name]
                .as_str()
                .ok_or(format!("its {name} is no text"))
        };
        let number = |name: &str| {
            waiter[name]
                .as_u64()
                .ok_or(format!("its {name} is no number"))
        };
        let meant_for = text("FunctionArn")?;
        if meant_for != unqualified(function_arn) {
            return Err(format!(
                "it is for {meant_for}, this is {}",
                unqualified(function_arn)
            ));
        }
        if digest_given != Some(digest(&waiter).into()) {
            return Err("its Digest does not fit its content".into());
        }
        let requested_at = SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_millis(number("RequestedAt")?))
            .ok_or("its RequestedAt is no time")?;
        Ok(Self {
            request: Request::decode(&waiter["Request"], requested_at)
                .map_err(|refusal| refusal.reason)?,
            progress: Some(waiter["Progress"].clone()).filter(|progress| !progress.is_null()),
            waiting_for: text("WaitingFor")?.to_owned(),
            number: u32::try_from(number("Turn")?).map_err(|_| "its Turn is too large")?,
        })
    }
}

/// Seconds until a turn: between 5 and twice the bound of the one before, 60 at most, evenly spread so that stacks
/// deployed together part; longer where the resource type says so; never beyond the end of the request, when the last
/// look is taken.
fn pause(turn: u32, retry_after: Duration, until_end: Duration) -> u64 {
    let bound = SHORTEST_PAUSE
        .saturating_mul(1 << turn.min(4))
        .min(LONGEST_PAUSE);
    fastrand::u64(SHORTEST_PAUSE..=bound)
        .max(whole_seconds(retry_after))
        .min(whole_seconds(until_end))
        .max(1)
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME` without the version or alias that may follow.
fn unqualified(function_arn: &str) -> &str {
    function_arn
        .match_indices(':')
        .nth(6)
        .map_or(function_arn, |(end, _)| &function_arn[..end])
}

fn digest(content: &Value) -> String {
    hex(&[&canonical(content)], 64)
}

/// JSON text that is the same for the same value, whatever order the state machine puts members in.
fn canonical(value: &Value) -> String {
    let join = |parts: Vec<String>| parts.join(",");
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            let members = members.into_iter().map(|(name, value)| {
                format!("{}:{}", Value::from(name.as_str()), canonical(value))
            });
            format!("{{{}}}", join(members.collect()))
        }
        Value::Array(values) => format!("[{}]", join(values.iter().map(canonical).collect())),
        scalar => scalar.to_string(),
    }
}
