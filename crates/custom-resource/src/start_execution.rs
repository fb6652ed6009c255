//! Starts the state machine's execution, and retries if a retry can help.

use crate::{NotStarted, Waiter, panic_guard::guarded, response_url::ResponseUrl};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Limits one request. Step Functions answers within a fraction of a second. If an answer is lost,
/// the next request is told that the execution exists.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(3);
/// If there is not enough time for two such requests, each gets half of it, but at least this much.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);
/// The longest pause before the second request. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The upper bound of every pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The least remaining time for another request.
const SHORTEST_LEFT: Duration = Duration::from_millis(50);

/// Requests the execution until it runs, the request is refused, or the deadline passes.
///
/// # Errors
///
/// [`NotStarted::NoAnswer`] if any request had no answer, even if another was refused.
pub(crate) async fn start_execution(
    waiter: &impl Waiter,
    name: &str,
    input: &str,
    url: &ResponseUrl,
    deadline: Instant,
) -> Result<(), NotStarted> {
    let mut longest_pause = FIRST_PAUSE;
    let mut no_answer = None;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let lasts = (left / 2)
            .clamp(SHORTEST_ATTEMPT, LONGEST_ATTEMPT)
            .min(left);
        let start = guarded(async { waiter.start(name, input.to_owned()).await });
        let not_started = match timeout(lasts, start).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(not_started))) => not_started,
            // A bug of the function would recur.
            Ok(Err(panic)) => NotStarted::Refused(panic.to_string()),
            Err(_) => NotStarted::NoAnswer("no answer in time".to_owned()),
        };
        let not_started = not_started.without(url);
        if let NotStarted::NoAnswer(error) = &not_started {
            no_answer = Some(error.clone());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if matches!(not_started, NotStarted::Refused(_)) || left < SHORTEST_LEFT {
            return Err(no_answer.map_or(not_started, NotStarted::NoAnswer));
        }
        let pause = longest_pause.mul_f64(fastrand::f64()).min(left / 2);
        longest_pause = (longest_pause * 2).min(LONGEST_PAUSE);
        tracing::warn!(
            error = not_started.reason(),
            pause_ms = pause.as_millis(),
            "the wait was not handed over, trying again"
        );
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// The result of one request: this, or none if it never ends.
    type Answer = Option<Result<(), NotStarted>>;

    /// Returns the results in order, and repeats the last one.
    struct Script(Vec<Answer>, Mutex<usize>);

    impl Waiter for Script {
        async fn start(&self, name: &str, input: String) -> Result<(), NotStarted> {
            assert_eq!((name, input.as_str()), ("zd-1", "{}"));
            let count = {
                let mut count = self.1.lock().unwrap();
                *count += 1;
                *count
            };
            match self.0[count.min(self.0.len()) - 1].clone() {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
    }

    fn no_answer() -> Answer {
        Some(Err(NotStarted::NoAnswer("reset".into())))
    }

    fn throttled() -> Answer {
        Some(Err(NotStarted::Throttled("slow down".into())))
    }

    fn refused() -> Answer {
        Some(Err(NotStarted::Refused("denied".into())))
    }

    /// Returns the result within this many seconds, and the number of requests.
    async fn run(script: &[Answer], seconds: u64) -> (Result<(), NotStarted>, usize) {
        let script = Script(script.to_vec(), Mutex::default());
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let url = ResponseUrl::new("https://bucket/key".into()).unwrap();
        let started = start_execution(&script, "zd-1", "{}", &url, deadline).await;
        assert!(Instant::now() <= deadline, "late");
        let count = *script.1.lock().unwrap();
        (started, count)
    }

    #[tokio::test(start_paused = true)]
    async fn an_execution_is_requested_until_it_runs() {
        let script = [None, no_answer(), throttled(), None, Some(Ok(()))];
        assert_eq!(run(&script, 30).await, (Ok(()), 5));
    }

    #[tokio::test(start_paused = true)]
    async fn several_requests_are_sent_even_if_there_is_little_time() {
        for (seconds, fewest) in [(10, 3), (7, 3), (4, 2), (1, 1)] {
            let (started, count) = run(&[None], seconds).await;
            let expected = NotStarted::NoAnswer("no answer in time".into());
            assert_eq!(started, Err(expected));
            assert!(count >= fewest, "{count} within {seconds} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final_and_throttling_lasts_until_the_deadline() {
        assert_eq!(run(&[refused()], 30).await, (refused().unwrap(), 1));
        let (started, count) = run(&[throttled()], 30).await;
        assert_eq!(started, throttled().unwrap());
        assert!(count > 5, "{count}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_unanswered_request_leaves_the_execution_in_doubt() {
        assert_eq!(
            run(&[no_answer(), refused()], 30).await,
            (no_answer().unwrap(), 2)
        );
        let (started, _) = run(&[no_answer(), throttled()], 30).await;
        assert_eq!(started, no_answer().unwrap());
    }
}
