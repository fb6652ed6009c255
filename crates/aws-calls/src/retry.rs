//! Sends a failed call again.

use crate::{AwsError, Kind, call_once, scope};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::{
    error::Error,
    future::IntoFuture,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The upper bound of the first pause.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The factor by which each pause may be longer than the one before. If the pauses doubled, a short
/// burst of throttling would delay a single stack too long.
const GROWTH: f64 = 1.2;
/// The upper bound of every pause. Hundreds of stacks may share the ten calls a second of the
/// account that has their parent zone: a longer pause delays the last stacks, a shorter one sends
/// more calls that are throttled.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// Limits the attempts of a throttled call. A longer wait is the protocol's, which waits without
/// occupying Lambda concurrency.
const THROTTLED: Duration = Duration::from_secs(120);
/// Limits the attempts of a call that is not answered. After that the protocol tries again, which
/// can report the error and can wait longer than one invocation.
const UNANSWERED: Duration = Duration::from_secs(20);
/// How long an account counts as busy after it throttled a call.
const BUSY: Duration = Duration::from_secs(60);

/// A rate limit that several calls share: that of one account, for one principal.
#[derive(Clone, Debug, Default)]
pub struct RateLimit(Arc<Mutex<Option<Instant>>>);

impl RateLimit {
    /// Sends one AWS call until the service answers it, as [`call`](crate::call) does, and notes
    /// whether it was throttled.
    ///
    /// # Errors
    ///
    /// [`AwsError`] if the service refused or did not answer.
    pub async fn call<T, E, F>(
        &self,
        service: &'static str,
        operation: &'static str,
        target: &str,
        send: impl Fn() -> F,
    ) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: IntoFuture<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut attempts = Attempts::begin();
        loop {
            match call_once(service, operation, target, send()).await {
                Ok(output) => return Ok(output),
                Err(error) => {
                    self.note(error.kind);
                    attempts.after(error).await?;
                }
            }
        }
    }

    fn note(&self, kind: Kind) {
        if kind == Kind::Throttled {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Returns whether the account has throttled a call within the last minute.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        let throttled = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        throttled.is_some_and(|at| at.elapsed() < BUSY)
    }
}

/// The attempts at one call. Apart from the generic call, so that the code exists once and not once
/// per operation.
struct Attempts {
    begun: Instant,
    longest_pause: Duration,
}

impl Attempts {
    fn begin() -> Self {
        Self {
            begun: Instant::now(),
            longest_pause: FIRST_PAUSE,
        }
    }

    /// Waits until the call may be sent again, or returns its error if it may not.
    async fn after(&mut self, error: AwsError) -> Result<(), AwsError> {
        let now = Instant::now();
        let limits = scope::limits();
        let (why, until) = match error.kind {
            Kind::Throttled => ("throttled", self.begun + THROTTLED),
            Kind::NoAnswer | Kind::NoEndpoint => ("no answer", self.begun + UNANSWERED),
            Kind::Denied => match limits.and_then(|limits| limits.denied_until) {
                Some(until) => (
                    "denied, as by an IAM policy that is not in effect yet",
                    until,
                ),
                None => return Err(error),
            },
            Kind::Refused => return Err(error),
        };
        let until = limits.map_or(until, |limits| until.min(limits.until));
        if now >= until {
            return Err(error);
        }
        // Random, so that stacks that were deployed together do not send at the same time. The last
        // attempt is sent when the time ends.
        let pause = self.longest_pause.mul_f64(0.5 + 0.5 * fastrand::f64());
        let pause = pause.min(until - now);
        self.longest_pause = self.longest_pause.mul_f64(GROWTH).min(LONGEST_PAUSE);
        tracing::warn!(
            service = error.service,
            operation = error.operation,
            target = error.target,
            why,
            pause_seconds = pause.as_secs_f64(),
            tried_seconds = (now - self.begun).as_secs(),
            seconds_left = (until - now).as_secs(),
            "the AWS call is tried again"
        );
        sleep(pause).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failing, Limits, Scope};
    use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};
    use std::sync::atomic::{AtomicU32, Ordering};

    type Answer = Result<(), SdkError<ErrorMetadata, HttpResponse>>;

    fn refusal(status: u16, code: &str) -> Answer {
        let status = status.try_into().expect("a status");
        Err(SdkError::service_error(
            ErrorMetadata::builder().code(code).build(),
            HttpResponse::new(status, SdkBody::empty()),
        ))
    }

    /// Returns the result of a call whose attempts get these answers, the number of attempts, and
    /// the time that they took.
    async fn outcome(
        answer: impl Fn(u32) -> Answer + Send + Sync,
    ) -> (Result<(), Kind>, u32, Duration) {
        let (sent, begun) = (AtomicU32::new(0), Instant::now());
        let result = crate::call("Route 53", "GetHostedZone", "Z1", || {
            let attempt = 1 + sent.fetch_add(1, Ordering::Relaxed);
            std::future::ready(answer(attempt))
        });
        let result = result.await.map_err(|error| error.kind);
        (result, sent.into_inner(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_call_is_sent_again_until_it_is_answered() {
        let (result, sent, took) = outcome(|attempt| match attempt {
            1..=5 => refusal(400, "Throttling"),
            _ => Ok(()),
        })
        .await;
        assert_eq!((result, sent), (Ok(()), 6));
        // At most 1 + 1.2 + 1.2^2 + 1.2^3 + 1.2^4 = 7.4 s, and at least half of that.
        assert!((3..=7).contains(&took.as_secs()), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_always_throttled_fails_after_two_minutes() {
        let (result, sent, took) = outcome(|_| refusal(400, "Throttling")).await;
        assert_eq!((result, took), (Err(Kind::Throttled), THROTTLED));
        assert!((15..=35).contains(&sent), "{sent}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_is_sent_a_few_times_and_a_refused_one_once() {
        let (result, sent, took) = outcome(|_| refusal(503, "ServiceUnavailable")).await;
        assert_eq!((result, took), (Err(Kind::NoAnswer), UNANSWERED));
        assert!((7..=16).contains(&sent), "{sent}");
        for (status, code, kind) in [
            (404, "NoSuchHostedZone", Kind::Refused),
            (403, "AccessDenied", Kind::Denied),
        ] {
            let (result, sent, took) = outcome(|_| refusal(status, code)).await;
            assert_eq!((result, sent, took), (Err(kind), 1, Duration::ZERO));
        }
    }

    fn scope(until: u64, denied_until: Option<u64>) -> Arc<Scope> {
        let after = |seconds| Instant::now() + Duration::from_secs(seconds);
        let limits = Limits {
            until: after(until),
            denied_until: denied_until.map(after),
        };
        Scope::new(limits, None)
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_denied_call_is_sent_again_while_policies_may_be_new() {
        let scope = scope(120, Some(60));
        let denied = outcome(|_| refusal(403, "AccessDenied"));
        let (result, sent, took) = scope.run(denied).await;
        assert_eq!((result, took), (Err(Kind::Denied), Duration::from_secs(60)));
        assert!(sent > 4, "{sent}");
        let later = outcome(|_| refusal(403, "AccessDenied"));
        let (_, sent, took) = scope.run(later).await;
        assert_eq!((sent, took), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_is_sent_again_after_the_end_of_its_scope() {
        let throttled = outcome(|_| refusal(400, "Throttling"));
        let (_, _, took) = scope(30, None).run(throttled).await;
        assert_eq!(took, Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_scope_remembers_what_failed_last_until_it_is_answered() {
        let scope = scope(30, None);
        scope
            .run(outcome(|_| refusal(400, "Throttling")))
            .await
            .0
            .expect_err("it is throttled");
        let failing = scope.failing().expect("it failed");
        assert_eq!(failing.call, "Route 53 GetHostedZone on Z1");
        assert_eq!(failing.kind, Kind::Throttled);
        assert!(failing.error.ends_with("(Throttling)"), "{}", failing.error);
        assert!(failing.times > 4 && failing.lasted() >= Duration::from_secs(30));
        // The next invocation of the same operation continues from it.
        let earlier = Failing {
            earlier: failing.lasted(),
            since: Instant::now(),
            ..failing.clone()
        };
        let next = Scope::new(
            Limits {
                until: Instant::now(),
                denied_until: None,
            },
            Some(earlier),
        );
        let _ = next.run(outcome(|_| refusal(400, "Throttling"))).await;
        assert_eq!(next.failing().expect("it fails").times, failing.times + 1);
        let _ = next.run(outcome(|_| Ok(()))).await;
        assert_eq!(next.failing(), None);
        // A refused call counts as answered: the caller explains it.
        let _ = next
            .run(outcome(|_| refusal(404, "NoSuchHostedZone")))
            .await;
        assert_eq!(next.failing(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_limit_counts_as_reached_for_a_minute_after_a_throttled_call() {
        let (limit, sent) = (RateLimit::default(), AtomicU32::new(0));
        let call = limit.call("Route 53", "GetHostedZone", "Z1", async || {
            match sent.fetch_add(1, Ordering::Relaxed) {
                0 => refusal(400, "Throttling"),
                _ => Ok(()),
            }
        });
        assert!(!limit.is_reached());
        call.await.expect("it is answered");
        assert!(limit.is_reached());
        sleep(BUSY).await;
        assert!(!limit.is_reached());
    }
}
