//! Divides the time of an invocation, so that there is always time to answer.

use crate::{Clock, Request};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// The deadline of each part of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// The work of the resource type, which is dropped then.
    pub(crate) work: Instant,
    /// Abandoning the request, or handing it over.
    pub(crate) abandon: Instant,
    /// Sending the answer. Lambda ends the invocation a little later.
    pub(crate) answer: Instant,
}

impl Deadlines {
    /// Returns the deadlines that Lambda's time-out and CloudFormation's `ServiceTimeout` allow,
    /// whichever ends sooner.
    ///
    /// A quarter of Lambda's time, at most 20 s, is reserved for abandoning and answering; of
    /// CloudFormation's time, half of the request's margin.
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

    /// Returns the deadlines that Lambda's time-out allows.
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

/// Returns whether CloudFormation's time-out is too near to begin anything.
pub(crate) fn is_over(request: &Request, clock: &Clock) -> bool {
    clock.now() >= request.times_out_at() - request.margin() / 2
}

/// Returns whether a wait has reached its end, so that the poll that found it unfinished was the
/// last.
pub(crate) fn waited_enough(request: &Request, clock: &Clock) -> bool {
    clock.now() >= request.ends_at()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Returns a request that was made now, with this time-out, and its clock.
    fn request(service_timeout: u64) -> (Request, Clock) {
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_549_700));
        let event = json!({
            "RequestType": "Create", "ResponseURL": "https://b/k", "RequestId": "r", "StackId": "s",
            "LogicalResourceId": "l", "ResourceProperties": { "ServiceTimeout": service_timeout },
        });
        (Request::decode(&event, clock.now()).unwrap(), clock)
    }

    /// Returns the seconds from now to each deadline.
    fn seconds(deadlines: Deadlines) -> [f64; 3] {
        [deadlines.work, deadlines.abandon, deadlines.answer]
            .map(|end| end.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    #[tokio::test(start_paused = true)]
    async fn time_to_abandon_and_answer_is_reserved_before_lambdas_end() {
        let (request, clock) = request(3_600);
        let of = |left| {
            seconds(Deadlines::of(
                &request,
                clock.now() + Duration::from_secs(left),
                &clock,
            ))
        };
        assert_eq!(of(900), [880.0, 890.0, 899.0]);
        assert_eq!(of(40), [30.0, 35.0, 39.5]);
        assert_eq!(of(4), [3.0, 3.5, 3.95]);
        assert_eq!(of(0), [0.0, 0.0, 0.0]);
    }

    #[tokio::test(start_paused = true)]
    async fn cloudformations_time_out_applies_if_it_is_sooner() {
        let (request, clock) = request(120);
        let of = |left| {
            seconds(Deadlines::of(
                &request,
                clock.now() + Duration::from_secs(left),
                &clock,
            ))
        };
        assert_eq!(of(900), [115.0, 117.5, 899.0]);
        assert_eq!(of(60), [45.0, 52.5, 59.25]);
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert_eq!(of(900), [15.0, 17.5, 899.0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_ends_before_cloudformation_stops_waiting() {
        let (request, clock) = request(120);
        tokio::time::sleep(Duration::from_secs(109)).await;
        assert!(!waited_enough(&request, &clock));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(waited_enough(&request, &clock) && !is_over(&request, &clock));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(is_over(&request, &clock));
        // Work that is done nevertheless has all of Lambda's time.
        let lambda = clock.now() + Duration::from_secs(40);
        assert_eq!(
            seconds(Deadlines::of(&request, lambda, &clock)),
            [30.0, 35.0, 39.5]
        );
    }
}
