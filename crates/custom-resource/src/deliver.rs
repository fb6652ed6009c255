//! Delivers the answer with one PUT, and retries if a retry can help.

use crate::{AnswerTransport, Reply, response_url::ResponseUrl};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// The longest pause before the first retry. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The upper bound of every pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The least remaining time for another attempt.
const SHORTEST_LEFT: Duration = Duration::from_millis(50);
/// Limits one PUT, so that a broken connection leaves time for another.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);

/// The result of delivering an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The receiver accepted it.
    Accepted,
    /// The receiver refused it, and would refuse it again in this invocation: the URL has expired,
    /// or something such as an endpoint policy prevents it. An earlier answer to the same request
    /// is no reason: S3 accepts several PUTs to a pre-signed URL
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html>).
    Refused(Reply),
    /// It was not delivered by the deadline. Contains the last error.
    Lost(String),
}

/// PUTs the body until it is accepted or refused, or the deadline passes. Transient errors (no
/// connection, and those of [`Reply::passes`]) are retried with exponential backoff and full jitter
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
pub(crate) async fn deliver(
    transport: &impl AnswerTransport,
    url: &ResponseUrl,
    body: &[u8],
    deadline: Instant,
) -> Delivery {
    let mut longest_pause = FIRST_PAUSE;
    loop {
        let attempt_ends = deadline.min(Instant::now() + LONGEST_ATTEMPT);
        let lost = match timeout_at(attempt_ends, transport.put(url.secret(), body.to_vec())).await
        {
            Ok(Ok(reply)) if reply.accepts() => return Delivery::Accepted,
            Ok(Ok(reply)) if reply.is_transient() => reply.to_string(),
            Ok(Ok(reply)) => return Delivery::Refused(reply),
            Ok(Err(error)) => url.redacted_in(&error),
            Err(_) => "no answer in time".to_owned(),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left < SHORTEST_LEFT {
            return Delivery::Lost(lost);
        }
        // Never beyond the deadline: the last attempts approach it.
        let pause = longest_pause.mul_f64(fastrand::f64()).min(left / 2);
        longest_pause = (longest_pause * 2).min(LONGEST_PAUSE);
        tracing::warn!(
            error = lost,
            pause_ms = pause.as_millis(),
            "the answer was not accepted, trying again"
        );
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Replies with the script in order, and repeats the last reply.
    struct Script {
        answers: Vec<Result<Reply, &'static str>>,
        puts: Mutex<Vec<Instant>>,
        each_takes: Duration,
    }

    impl Script {
        fn new(answers: &[Result<Reply, &'static str>]) -> Self {
            Self {
                answers: answers.to_vec(),
                puts: Mutex::default(),
                each_takes: Duration::ZERO,
            }
        }

        fn puts(&self) -> Vec<Instant> {
            self.puts.lock().unwrap().clone()
        }
    }

    impl AnswerTransport for Script {
        async fn put(&self, url: &str, body: Vec<u8>) -> Result<Reply, String> {
            assert_eq!(
                (url, body.as_slice()),
                ("https://bucket/key?Signature=abc", b"{}".as_slice())
            );
            let count = {
                let mut puts = self.puts.lock().unwrap();
                puts.push(Instant::now());
                puts.len()
            };
            sleep(self.each_takes).await;
            let reply = self.answers[count.min(self.answers.len()) - 1].clone();
            reply.map_err(str::to_owned)
        }
    }

    fn status(status: u16) -> Result<Reply, &'static str> {
        Ok(status.into())
    }

    fn with_code(status: u16, code: &str) -> Reply {
        Reply {
            status,
            code: Some(code.to_owned()),
        }
    }

    async fn run(script: &Script, seconds: u64) -> Delivery {
        let url = ResponseUrl::new("https://bucket/key?Signature=abc".into()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let delivery = deliver(script, &url, b"{}", deadline).await;
        assert!(Instant::now() <= deadline, "late");
        delivery
    }

    #[tokio::test(start_paused = true)]
    async fn transient_errors_are_retried() {
        let script = Script::new(&[
            status(503),
            Err("connection reset"),
            status(500),
            Ok(with_code(400, "RequestTimeout")),
            status(408),
            status(429),
            status(200),
        ]);
        assert_eq!(run(&script, 60).await, Delivery::Accepted);
        assert_eq!(script.puts().len(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn permanent_refusals_are_not_retried() {
        for refusal in [
            400.into(),
            with_code(400, "BadDigest"),
            with_code(403, "AccessDenied"),
            404.into(),
            412.into(),
            307.into(),
        ] {
            let script = Script::new(&[Ok(refusal.clone())]);
            assert_eq!(run(&script, 60).await, Delivery::Refused(refusal));
            assert_eq!(script.puts().len(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_are_random_and_grow_to_their_bound() {
        let script = Script::new(&[status(503)]);
        let begun = Instant::now();
        assert_eq!(run(&script, 300).await, Delivery::Lost("status 503".into()));
        let puts = script.puts();
        assert!(
            puts[puts.len() - 1] - begun > Duration::from_millis(299_900),
            "tried to the end"
        );
        let pauses: Vec<_> = puts.windows(2).map(|two| two[1] - two[0]).collect();
        for (count, pause) in pauses.iter().enumerate() {
            let bound = (FIRST_PAUSE * 2_u32.pow(count.min(10) as u32)).min(LONGEST_PAUSE);
            // tokio's timer has a resolution of one millisecond.
            assert!(
                *pause <= bound + Duration::from_millis(1),
                "{pause:?} after {count}"
            );
        }
        // Full jitter: once the bound is reached, pauses are random below it.
        let grown = &pauses[6..];
        assert!(grown.iter().any(|pause| *pause > LONGEST_PAUSE / 2));
        assert!(grown.iter().any(|pause| *pause < LONGEST_PAUSE / 2));
        assert!(pauses.len() > 60, "{}", pauses.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_hangs_is_ended_in_time_for_another() {
        let mut script = Script::new(&[status(200)]);
        script.each_takes = Duration::from_secs(3_600);
        assert_eq!(
            run(&script, 45).await,
            Delivery::Lost("no answer in time".into())
        );
        assert!(
            (5..=15).contains(&script.puts().len()),
            "{}",
            script.puts().len()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_never_contains_the_url() {
        let script = Script::new(&[Err(
            "no route to https://bucket/key?Signature=abc (os error 113)",
        )]);
        assert_eq!(
            run(&script, 1).await,
            Delivery::Lost("no route to [response URL] (os error 113)".into())
        );
    }
}
