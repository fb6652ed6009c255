//! The world's clock: virtual where tokio's time is paused, or faster than the wall by a factor.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// Time since the world began.
pub type Timestamp = Duration;

/// Seconds from 1970 to the moment at which every world begins: 2026-11-20T00:00:00Z.
const BEGINNING: Duration = Duration::from_secs(1_795_132_800);

/// Reads tokio's clock, which tests pause, and scales it.
#[derive(Clone, Copy, Debug)]
pub struct WorldClock {
    origin: tokio::time::Instant,
    began: SystemTime,
    already: Duration,
    factor: u32,
}

impl WorldClock {
    /// A clock that begins at the world's own beginning, one second a second.
    pub(crate) fn start() -> Self {
        Self {
            origin: tokio::time::Instant::now(),
            began: SystemTime::UNIX_EPOCH + BEGINNING,
            already: Duration::ZERO,
            factor: 1,
        }
    }

    /// A clock that begins now by the wall (release binaries sign with the wall's time) and runs `factor` times as fast.
    pub(crate) fn scaled(factor: u32) -> Self {
        Self {
            origin: tokio::time::Instant::now(),
            began: SystemTime::now(),
            already: Duration::ZERO,
            factor,
        }
    }

    /// A clock that shows `at` now and goes on from there, in whatever runtime this is.
    pub(crate) fn resumed(&self, at: Timestamp) -> Self {
        Self {
            origin: tokio::time::Instant::now(),
            already: at,
            ..*self
        }
    }

    /// Time since the world began.
    pub fn now(&self) -> Timestamp {
        self.already + self.origin.elapsed() * self.factor
    }

    /// The world's time of day.
    pub fn wall(&self, at: Timestamp) -> SystemTime {
        self.began + at
    }

    /// How long a span of the world's time takes by tokio's clock.
    pub fn lasts(&self, span: Duration) -> Duration {
        span / self.factor
    }

    /// Sleeps for a span of the world's time.
    pub(crate) async fn sleep(&self, span: Duration) {
        if !span.is_zero() {
            tokio::time::sleep(self.lasts(span)).await;
        }
    }

    /// What a future comes to within a span of the world's time.
    pub(crate) async fn within<F: Future>(&self, span: Duration, future: F) -> Option<F::Output> {
        tokio::time::timeout(self.lasts(span), future).await.ok()
    }

    /// `2026-11-20T00:00:00Z`, as Route 53 and STS write it.
    pub(crate) fn iso(&self, at: Timestamp) -> String {
        DateTime::from(self.wall(at))
            .fmt(Format::DateTime)
            .expect("the world's time can be written")
    }

    /// Seconds since 1970, as the JSON services write it.
    pub(crate) fn epoch_seconds(&self, at: Timestamp) -> f64 {
        DateTime::from(self.wall(at)).as_secs_f64()
    }
}
