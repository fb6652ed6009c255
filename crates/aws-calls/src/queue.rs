use crate::{AwsError, Kind, call_once};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::{
    error::Error,
    future::IntoFuture,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::MutexGuard,
    time::{Instant, sleep},
};

/// How often a call is sent that gets no answer. What is out of reach after these is tried again by the protocol
/// layer, which can say so and outlives the invocation.
const ATTEMPTS: u32 = 5;
/// The longest pause after the first attempt that got no answer; each further one may be twice as long.
const UNANSWERED: Duration = Duration::from_secs(1);
/// Pauses in seconds after the first call of an account that was throttled: spread widely, so that a short rush is soon
/// over for some, and not all come again while a long one lasts.
const RUSH: Range<f64> = 6.0..30.0;
/// The same for a call that shares its limit with few: those of one operation in one account.
const RUSH_ALONE: Range<f64> = 3.0..9.0;
/// The longest pause after each further one: what was not over by then is a long queue.
const LONG_QUEUE: Duration = Duration::from_secs(36);
/// Or this part of the time since the first, where that is longer. The longer it has lasted, the longer it will last.
const SHARE_OF_WAIT: f64 = 0.25;
/// How long a call is throttled before its error is answered. An invocation lasts a little longer as a rule.
const PATIENCE: Duration = Duration::from_secs(600);
/// For how long an account that throttled a call is taken to be crowded.
const CROWDED: Duration = Duration::from_secs(300);

/// The calls of one principal that wait for their turn in an account whose calls many share.
///
/// Hundreds of stacks may share the ten calls a second of the account that holds their parent, and nothing tells how
/// many they are. So a throttled call waits where it is, for minutes if need be: whoever gave up and began anew would
/// spend calls that had been answered once more. Of the calls that one principal has throttled, one tries again; the
/// others come when it has been let through. Pauses are long from the second on, so that a queue is noticed by few
/// calls, but no longer than the last in it can bear to sleep while nobody else calls. They are random, so that stacks that
/// were deployed together part.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rush: Range<f64>,
    /// Held by the call that tries again.
    turn: tokio::sync::Mutex<()>,
    crowd: Mutex<Option<Crowd>>,
}

/// When the account throttled.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    first: Instant,
    last: Instant,
}

impl Default for Queue {
    fn default() -> Self {
        Self::with(RUSH)
    }
}

impl Queue {
    /// For one call.
    pub(crate) fn alone() -> Self {
        Self::with(RUSH_ALONE)
    }

    fn with(rush: Range<f64>) -> Self {
        Self(Arc::new(Inner {
            rush,
            turn: tokio::sync::Mutex::default(),
            crowd: Mutex::default(),
        }))
    }

    /// Sends one AWS call until it is answered, as [`call`](crate::call) does, in its turn among the others of this
    /// queue.
    ///
    /// # Errors
    ///
    /// [`AwsError`] where the service refused or did not answer.
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
        let mut tries = Tries::begin(self).await;
        loop {
            match call_once(service, operation, target, send()).await {
                Ok(output) => return Ok(output),
                Err(error) => tries.after(error).await?,
            }
        }
    }

    /// Notes that a call was throttled, and says how long to wait before the next.
    pub fn throttled(&self) -> Duration {
        let now = Instant::now();
        let mut crowd = self.0.crowd.lock().expect("no panic while held");
        let known = crowd.filter(|crowd| now - crowd.last < CROWDED);
        let first = known.map_or(now, |crowd| crowd.first);
        *crowd = Some(Crowd { first, last: now });
        match known {
            Some(_) => jittered(LONG_QUEUE.max((now - first).mul_f64(SHARE_OF_WAIT))),
            None => drawn(&self.0.rush),
        }
    }

    /// Whether many others spend the calls of this account just now.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        let crowd = *self.0.crowd.lock().expect("no panic while held");
        crowd.is_some_and(|crowd| crowd.last.elapsed() < CROWDED)
    }
}

/// The attempts at one call. Apart from the call, so that it is in a function once and not for each of its operations.
struct Tries<'a> {
    queue: &'a Queue,
    begun: Instant,
    unanswered: u32,
    turn: Option<MutexGuard<'a, ()>>,
}

impl<'a> Tries<'a> {
    /// Waits until no other call of the queue tries again.
    async fn begin(queue: &'a Queue) -> Self {
        let begun = Instant::now();
        let turn = match queue.0.turn.try_lock() {
            Ok(_) => None,
            Err(_) => Some(queue.0.turn.lock().await),
        };
        Self {
            queue,
            begun,
            unanswered: 0,
            turn,
        }
    }

    /// Waits until the call may be sent again; its error where it may not.
    async fn after(&mut self, error: AwsError) -> Result<(), AwsError> {
        match error.kind {
            Kind::Throttled if self.begun.elapsed() < PATIENCE => {
                let pause = self.queue.throttled();
                if self.turn.is_none() {
                    if let Ok(free) = self.queue.0.turn.try_lock() {
                        self.turn = Some(free);
                    } else {
                        // The other has been let through by then, so this one tries at once.
                        self.turn = Some(self.queue.0.turn.lock().await);
                        return Ok(());
                    }
                }
                sleep(pause).await;
            }
            Kind::NoAnswer | Kind::NoEndpoint if self.unanswered + 1 < ATTEMPTS => {
                let longest = UNANSWERED.saturating_mul(2_u32.saturating_pow(self.unanswered));
                self.unanswered += 1;
                sleep(jittered(longest)).await;
            }
            _ => return Err(error),
        }
        Ok(())
    }
}

/// A pause of half of this at least.
fn jittered(longest: Duration) -> Duration {
    longest.mul_f64(0.5 + 0.5 * fastrand::f64())
}

/// A pause of so many seconds.
fn drawn(seconds: &Range<f64>) -> Duration {
    Duration::from_secs_f64(seconds.start + (seconds.end - seconds.start) * fastrand::f64())
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
        let result = crate::call("Route 53", "GetHostedZone", "Z1", || {
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
        let took = took.as_secs();
        assert!((3 + 4 * 18..=9 + 4 * 36).contains(&took), "{took} s");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_throttled_for_ever_says_so() {
        let (result, sent, took) = outcome(|_| refusal(400, "Throttling")).await;
        assert_eq!(result, Err(Kind::Throttled));
        let longest = PATIENCE + PATIENCE.mul_f64(SHARE_OF_WAIT);
        assert!((PATIENCE..=longest).contains(&took), "{took:?}");
        assert!(sent < 40, "pauses grow: {sent}");
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

    #[tokio::test(start_paused = true)]
    async fn of_the_throttled_calls_of_one_queue_one_tries_again() {
        let (queue, begun) = (Queue::default(), Instant::now());
        let sent = Cell::new(0);
        let calls = (0..4).map(|_| {
            queue.call("Route 53", "GetHostedZone", "Z1", async || {
                sent.set(sent.get() + 1);
                match begun.elapsed().as_secs() {
                    0..60 => refusal(400, "Throttling"),
                    _ => Ok(()),
                }
            })
        });
        for result in futures::future::join_all(calls).await {
            result.expect("it is let through in the end");
        }
        // The first is throttled and tries again after 6 to 30 s, then every 18 to 36 s until a minute is over. The
        // three others come when it has been let through.
        let again = sent.get() - 1 - 3;
        assert!((2..=4).contains(&again), "{again}");
        assert!(queue.is_crowded());
        sleep(CROWDED).await;
        assert!(!queue.is_crowded());
    }
}
