use crate::{AwsError, Kind};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::{error::Error, future::IntoFuture, time::Duration};
use tokio::time::{Instant, sleep};

/// How often a call is sent that gets no answer. What is out of reach after these is tried again by the protocol
/// layer, which can say so and outlives the invocation.
const ATTEMPTS: u32 = 5;
/// The longest pause after the first attempt that got no answer; each further one may be twice as long.
const UNANSWERED: Duration = Duration::from_secs(1);
/// The same after the first that was throttled.
const THROTTLED: Duration = Duration::from_secs(8);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(24);
/// How long a call is throttled before its error is answered.
const PATIENCE: Duration = Duration::from_secs(300);

/// Sends one AWS call until it is answered, logs each attempt in one line and turns an error into facts.
///
/// `target` is what the call is about, for the log and for the user: a domain name, an id or an ARN, never a
/// secret. `send` sends it once, without retries of the SDK's.
///
/// A throttled call waits here, for minutes if need be. Hundreds of stacks may share the ten calls a second of the
/// account that holds their parent: whoever gave up and began anew would spend calls that had been answered once more.
/// Pauses double, so that a queue is noticed by few calls, and have a longest, so that the last in it does not sleep
/// while nobody else calls; half of a pause is random, so that stacks that were deployed together part. What has
/// been let through goes on with short pauses again, before those that still wait for their first call.
///
/// # Errors
///
/// [`AwsError`] where the service refused or did not answer.
pub async fn call<T, E, F>(
    service: &'static str,
    operation: &'static str,
    target: &str,
    send: impl Fn() -> F,
) -> Result<T, AwsError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    F: IntoFuture<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let begun = Instant::now();
    let mut failures = 0;
    loop {
        let error = match call_once(service, operation, target, send()).await {
            Ok(output) => return Ok(output),
            Err(error) => error,
        };
        let first_pause = match error.kind {
            Kind::Throttled if begun.elapsed() < PATIENCE => THROTTLED,
            Kind::NoAnswer if failures + 1 < ATTEMPTS => UNANSWERED,
            _ => return Err(error),
        };
        let longest = first_pause.saturating_mul(2_u32.saturating_pow(failures));
        sleep(
            longest
                .min(LONGEST_PAUSE)
                .mul_f64(0.5 + 0.5 * fastrand::f64()),
        )
        .await;
        failures += 1;
    }
}

/// Sends one AWS call once, logs it in one line and turns its error into facts.
///
/// # Errors
///
/// [`AwsError`] where the service refused or did not answer.
pub async fn call_once<T, E>(
    service: &'static str,
    operation: &'static str,
    target: &str,
    sent: impl IntoFuture<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, AwsError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let started = Instant::now();
    // Boxed: the SDK's futures are several kilobytes each, and a resource type awaits dozens of them.
    let answer = Box::pin(sent.into_future()).await;
    let milliseconds = millis(started.elapsed());
    match answer {
        Ok(output) => {
            tracing::info!(
                service,
                operation,
                target,
                milliseconds,
                outcome = "ok",
                "AWS call"
            );
            Ok(output)
        }
        Err(error) => {
            let error = AwsError::new(service, operation, target, &error);
            tracing::info!(
                service,
                operation,
                target,
                milliseconds,
                outcome = error.code.as_deref().unwrap_or("no answer"),
                request_id = error.request_id.as_deref().unwrap_or(""),
                reason = error.message,
                "AWS call"
            );
            Err(error)
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};
    use std::cell::Cell;

    type Answer = Result<(), SdkError<ErrorMetadata, HttpResponse>>;

    fn refusal(status: u16, code: &str) -> Answer {
        let status = status.try_into().expect("a status");
        Err(SdkError::service_error(
            ErrorMetadata::builder().code(code).build(),
            HttpResponse::new(status, SdkBody::empty()),
        ))
    }

    /// What a call comes to whose attempts are answered so, how often it was sent, and how long that took.
    async fn outcome(answer: impl Fn(u32) -> Answer) -> (Result<(), Kind>, u32, Duration) {
        let (sent, begun) = (Cell::new(0), Instant::now());
        let result = call("Route 53", "GetHostedZone", "Z1", || {
            sent.set(sent.get() + 1);
            std::future::ready(answer(sent.get()))
        });
        let result = result.await.map_err(|error| error.kind);
        (result, sent.get(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_call_waits_for_its_turn() {
        let (result, sent, took) = outcome(|attempt| match attempt {
            1..=5 => refusal(400, "Throttling"),
            _ => Ok(()),
        })
        .await;
        assert_eq!((result, sent), (Ok(()), 6));
        let longest = 8 + 16 + 24 + 24 + 24;
        let took = took.as_secs();
        assert!((longest / 2..=longest).contains(&took), "{took} s");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_throttled_for_ever_says_so() {
        let (result, _, took) = outcome(|_| refusal(400, "Throttling")).await;
        assert_eq!(result, Err(Kind::Throttled));
        assert!(
            (PATIENCE..=PATIENCE + LONGEST_PAUSE).contains(&took),
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_without_an_answer_is_sent_a_few_times_and_a_refused_one_once() {
        let (result, sent, _) = outcome(|_| refusal(503, "ServiceUnavailable")).await;
        assert_eq!((result, sent), (Err(Kind::NoAnswer), ATTEMPTS));
        let (result, sent, took) = outcome(|_| refusal(404, "NoSuchHostedZone")).await;
        assert_eq!(
            (result, sent, took),
            (Err(Kind::Refused), 1, Duration::ZERO)
        );
    }
}
