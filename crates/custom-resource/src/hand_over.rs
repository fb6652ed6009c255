//! Continues a wait that is longer than an invocation in a state machine, turn by turn.
//!
//! A turn is one invocation by the state machine. The execution's input and the result of each turn
//! have the same form:
//!
//! ```json
//! { "Done": false, "Seconds": 42, "Waiter": { "FunctionArn": "...", "Request": {}, "Progress": {}, "...": "..." } }
//! ```
//!
//! The state machine waits `Seconds`, invokes the function with `{ "Waiter": ..., "Execution": ...
//! }`, and repeats this until `Done` is true. `Waiter` is the value that the state machine
//! received; `Execution` is the ARN of the execution. The state machine decides nothing. The
//! function decides everything, including when to give up.
//!
//! `Request` contains the `ResponseURL` unencrypted. It has to: the last turn answers
//! CloudFormation, hours may pass between turns, each may run in another sandbox, and this function
//! stores no other state. Encryption would need a key of the function's own, and would protect the
//! URL only from principals that may read the execution but not use that key. These protect it: an
//! execution's input is encrypted at rest; it can be read only with `states:DescribeExecution` and
//! `states:GetExecutionHistory`; and it is in no log, because the state machine logs without
//! execution data. The URL permits one thing, to answer this one request, for two hours, and
//! CloudFormation reads only the first answer. `Request` never contains credentials: each turn
//! assumes its roles anew.
//!
//! A turn is accepted only from the execution that was started for its request: the name of the
//! execution is derived from the request, and Step Functions itself provides the ARN. So one
//! execution cannot use the request of another.
//!
//! The digest covers the whole content. It has no key: it prevents the function from using an input
//! that was mistyped, truncated or assembled from two others. A principal that may start the state
//! machine or invoke the function can create a valid one, and has the function's permissions within
//! its stack. IAM decides who that is.

use crate::{Clock, Request, Settings, digest::sha256_hex, failing::FailingCall};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// The shortest pause between two turns, in seconds, which is also the first.
const SHORTEST_PAUSE: u64 = 5;
/// The longest pause between two turns, in seconds, unless the resource type asks for a longer one.
const LONGEST_PAUSE: u64 = 60;

/// How long after CloudFormation made a request its first delivery begins at the latest, unless
/// Lambda is throttled.
const FIRST_DELIVERY: Duration = Duration::from_secs(50);

/// A request that the state machine carries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) request: Request,
    pub(crate) progress: Option<Value>,
    pub(crate) waiting_for: String,
    /// The number of turns before this one.
    pub(crate) number: u32,
    /// See [`Invocation::may_be_repeat`](crate::Invocation::may_be_repeat). It is decided when a
    /// delivery of the request begins, and applies to all turns of that delivery, however late they
    /// are.
    pub(crate) may_be_repeat: bool,
    /// The AWS call that failed at every attempt of the previous turns.
    pub(crate) failing: Option<FailingCall>,
}

impl Turn {
    /// Creates the first turn of a request that has just arrived.
    pub(crate) fn first(request: Request, clock: &Clock) -> Self {
        Self {
            may_be_repeat: clock.since(request.requested_at) > FIRST_DELIVERY,
            request,
            progress: None,
            waiting_for: String::new(),
            number: 0,
            failing: None,
        }
    }

    /// Returns the execution's name. A second delivery of the same request has the same name, and
    /// so joins the first one's execution.
    pub(crate) fn execution_name(&self) -> String {
        let request = &self.request;
        let parts = [
            request.stack_id.as_str(),
            &request.logical_resource_id,
            &request.request_id,
        ];
        format!("zd-{}", sha256_hex(&parts, 40))
    }

    /// Checks that the turn comes from the execution that was started for its request.
    ///
    /// # Errors
    ///
    /// The sentence names the execution from which the turn comes.
    pub(crate) fn is_of(&self, execution_arn: &str, settings: &Settings) -> Result<(), String> {
        let Some(state_machine_arn) = &settings.state_machine_arn else {
            return Err("this function has no state machine (STATE_MACHINE_ARN)".to_owned());
        };
        let executions = state_machine_arn.replacen(":stateMachine:", ":execution:", 1);
        let own = format!("{executions}:{}", self.execution_name());
        if execution_arn == own {
            return Ok(());
        }
        Err(format!(
            "it comes from {execution_arn:?}, and the execution of its request is {own}"
        ))
    }

    /// Returns the state for the state machine: when to take this turn, and with which input.
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
            "MayBeRepeat": self.may_be_repeat,
            "Failing": self.failing.as_ref().map(FailingCall::to_state),
        });
        waiter["Digest"] = digest(&waiter).into();
        json!({ "Done": false, "Seconds": seconds, "Waiter": waiter })
    }

    /// Reads the turn from an event of the state machine.
    ///
    /// # Errors
    ///
    /// The sentence says why this function did not create the turn.
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
            may_be_repeat: waiter["MayBeRepeat"]
                .as_bool()
                .ok_or("its MayBeRepeat is neither true nor false")?,
            failing: FailingCall::decode(&waiter["Failing"]),
        })
    }
}

/// Returns the seconds until a turn: a random number between 5 and twice the bound of the previous
/// turn, at most 60, so that stacks that were deployed together differ. Longer if the resource type
/// asks for it. Never beyond the end of the request, when the last poll takes place.
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

/// Returns `arn:aws:lambda:REGION:ACCOUNT:function:NAME` without a version or alias.
fn unqualified(function_arn: &str) -> &str {
    function_arn
        .match_indices(':')
        .nth(6)
        .map_or(function_arn, |(end, _)| &function_arn[..end])
}

/// Returns the digest of a JSON value. The order of members does not matter, because `serde_json`
/// writes them sorted.
fn digest(content: &Value) -> String {
    sha256_hex(&[&content.to_string()], 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:zones";

    fn turn(clock: &Clock) -> Turn {
        let event = json!({
            "RequestType": "Delete", "ResponseURL": "https://b/k?X-Amz-Signature=abc", "RequestId": "r", "StackId": "s",
            "LogicalResourceId": "l", "PhysicalResourceId": "id", "ResourceType": "Custom::Zone",
            "ResourceProperties": { "Name": "dev", "ServiceTimeout": "600" },
        });
        Turn {
            request: Request::decode(&event, clock.now()).unwrap(),
            progress: Some(json!({ "Since": 5, "Nested": { "b": [1, null, "x"], "a": "\"" } })),
            waiting_for: "resolvers to forget the delegation".into(),
            number: 3,
            may_be_repeat: true,
            failing: FailingCall::decode(&json!({
                "Call": "Route 53 GetChange on C1", "Error": "Route 53 GetChange on C1: Rate exceeded (Throttling)",
                "Kind": "Throttled", "Times": 7, "Since": 1_795_549_000,
            })),
        }
    }

    fn clock() -> Clock {
        Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_549_700_123))
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_equal_after_the_state_machine_carried_it() {
        let clock = clock();
        let turn = turn(&clock);
        let state = turn.to_state(&format!("{ARN}:live"), Duration::ZERO, &clock);
        assert_eq!(state["Done"], false);
        for arn in [ARN, &format!("{ARN}:7")] {
            assert_eq!(Turn::decode(state["Waiter"].clone(), arn), Ok(turn.clone()));
        }
        // Members in another order are the same content.
        let reversed = |value: &Value| {
            let members: Vec<_> = value.as_object().unwrap().iter().rev().collect();
            let text: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{name:?}:{value}"))
                .collect();
            format!("{{{}}}", text.join(","))
        };
        let waiter = serde_json::from_str(&reversed(&state["Waiter"])).unwrap();
        assert_eq!(Turn::decode(waiter, ARN), Ok(turn));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_with_a_changed_or_removed_member_is_refused() {
        let clock = clock();
        let waiter = turn(&clock).to_state(ARN, Duration::ZERO, &clock)["Waiter"].take();
        let names: Vec<String> = waiter.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), 9);
        for name in names {
            let mut changed = waiter.clone();
            changed[&name] = match &changed[&name] {
                Value::Number(number) => json!(number.as_u64().unwrap() + 1),
                Value::String(text) => json!(format!("{text}x")),
                Value::Bool(value) => json!(!value),
                other => json!([other]),
            };
            assert!(Turn::decode(changed, ARN).is_err(), "{name} changed");
            let mut without = waiter.clone();
            without.as_object_mut().unwrap().remove(&name);
            assert!(Turn::decode(without, ARN).is_err(), "{name} removed");
        }
        let mut more = waiter.clone();
        more["More"] = json!(1);
        assert!(Turn::decode(more, ARN).is_err());
        let mut request = waiter.clone();
        request["Request"]["PhysicalResourceId"] = json!("another");
        assert!(Turn::decode(request, ARN).is_err());
        for value in [json!(null), json!([]), json!("x"), json!({})] {
            assert!(Turn::decode(value, ARN).is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_of_another_function_is_refused() {
        let clock = clock();
        let waiter = turn(&clock).to_state(ARN, Duration::ZERO, &clock)["Waiter"].take();
        let other = "arn:aws:lambda:eu-west-1:111122223333:function:other";
        assert_eq!(
            Turn::decode(waiter, other),
            Err(format!("it is for {ARN}, this is {other}"))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_request_is_kept_if_its_url_has_no_date() {
        let clock = clock();
        let turn = turn(&clock);
        let waiter = turn.to_state(ARN, Duration::ZERO, &clock)["Waiter"].take();
        tokio::time::sleep(Duration::from_secs(300)).await;
        let again = Turn::decode(waiter, ARN).unwrap();
        assert_eq!(again.request.requested_at, turn.request.requested_at);
    }

    #[test]
    fn pauses_are_random_and_grow_to_their_bound() {
        let hour = Duration::from_secs(3_600);
        let pauses = |turn| (0..1_000).map(move |_| pause(turn, Duration::ZERO, hour));
        assert!(pauses(0).all(|seconds| seconds == 5));
        for (turn, bound) in [(1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (u32::MAX, 60)] {
            assert_eq!(pauses(turn).min(), Some(5));
            assert_eq!(pauses(turn).max(), Some(bound));
        }
    }

    #[test]
    fn a_pause_is_as_long_as_requested_and_ends_with_the_request() {
        let seconds = Duration::from_secs;
        assert_eq!(pause(9, seconds(900), seconds(3_600)), 900);
        assert_eq!(pause(0, Duration::from_millis(5_001), seconds(3_600)), 6);
        assert_eq!(pause(9, seconds(900), seconds(77)), 77);
        assert_eq!(pause(9, seconds(900), Duration::ZERO), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_name_of_an_execution_is_derived_from_its_request() {
        let turn = turn(&clock());
        let name = turn.execution_name();
        assert_eq!(name.len(), 43);
        assert!(name.starts_with("zd-"));
        let mut later = turn.clone();
        later.number = 9;
        later.progress = None;
        assert_eq!(later.execution_name(), name);
        let mut other = turn;
        other.request.request_id = "other".into();
        assert_ne!(other.execution_name(), name);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_of_another_execution_is_refused() {
        let turn = turn(&clock());
        let with = |arn: Option<&str>| Settings {
            state_machine_arn: arn.map(str::to_owned),
            ..Settings::default()
        };
        let machine = "arn:aws:states:eu-west-1:111122223333:stateMachine:waiter";
        let executions = "arn:aws:states:eu-west-1:111122223333:execution:waiter";
        let own = format!("{executions}:{}", turn.execution_name());
        assert_eq!(turn.is_of(&own, &with(Some(machine))), Ok(()));
        for other in [
            String::new(),
            turn.execution_name(),
            format!("{executions}:zd-1"),
            own.replace(":waiter:", ":other:"),
            own.replace("111122223333", "222222222222"),
        ] {
            assert_eq!(
                turn.is_of(&other, &with(Some(machine))),
                Err(format!(
                    "it comes from {other:?}, and the execution of its request is {own}"
                ))
            );
        }
        let none = turn.is_of(&own, &with(None)).unwrap_err();
        assert!(none.contains("no state machine"), "{none}");
    }

    #[tokio::test(start_paused = true)]
    async fn whether_a_delivery_may_be_a_repeat_is_decided_once() {
        let clock = clock();
        let request = turn(&clock).request;
        let may_be_repeat = |request: &Request| Turn::first(request.clone(), &clock).may_be_repeat;
        assert!(!may_be_repeat(&request));
        let state = Turn::first(request.clone(), &clock).to_state(ARN, Duration::ZERO, &clock);
        tokio::time::sleep(Duration::from_secs(51)).await;
        assert!(may_be_repeat(&request));
        assert!(
            !Turn::decode(state["Waiter"].clone(), ARN)
                .unwrap()
                .may_be_repeat
        );
    }

    #[test]
    fn only_a_qualifier_is_removed_from_an_arn() {
        assert_eq!(unqualified(ARN), ARN);
        assert_eq!(unqualified(&format!("{ARN}:$LATEST")), ARN);
        assert_eq!(unqualified("zones"), "zones");
    }
}
