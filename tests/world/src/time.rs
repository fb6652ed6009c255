//! The world's clock: virtual if tokio's time is paused, or a multiple of the wall time.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// Time since the world began.
pub type Timestamp = Duration;

/// Seconds from 1970 to the start of every world: 2026-11-20T00:00:00Z.
const BEGINNING: Duration = Duration::from_secs(1_795_132_800);

/// A clock that reads tokio's time, which tests pause, and scales it.
#[derive(Clone, Copy, Debug)]
pub struct WorldClock {
    origin: tokio::time::Instant,
    began: SystemTime,
    already: Duration,
    factor: u32,
}

impl WorldClock {
    /// Creates a clock at the world's start, with one second per second.
    pub(crate) fn start() -> Self {
        Self {
            origin: tokio::time::Instant::now(),
            began: SystemTime::UNIX_EPOCH + BEGINNING,
            already: Duration::ZERO,
            factor: 1,
        }
    }

    /// Creates a clock that starts at the wall time (release binaries sign with it) and is `factor` times as
    /// fast.
    pub(crate) fn scaled(factor: u32) -> Self {
        Self {
            origin: tokio::time::Instant::now(),
            began: SystemTime::now(),
            already: Duration::ZERO,
            factor,
        }
    }

    /// Creates a clock that shows `at` now and continues from there, in any runtime.
    pub(crate) fn resumed(&self, at: Timestamp) -> Self {
        Self {
            origin: tokio::time::Instant::now(),
            already: at,
            ..*self
        }
    }

    /// Returns the time since the start of the world.
    pub fn now(&self) -> Timestamp {
        self.already + self.origin.elapsed() * self.factor
    }

    /// Returns the wall time of a moment of the world.
    pub fn wall(&self, at: Timestamp) -> SystemTime {
        self.began + at
    }

    /// Returns how long a duration of the world is in tokio's time.
    pub fn lasts(&self, span: Duration) -> Duration {
        span / self.factor
    }

    /// Sleeps for a duration of the world.
    pub(crate) async fn sleep(&self, span: Duration) {
        if !span.is_zero() {
            tokio::time::sleep(self.lasts(span)).await;
        }
    }

    /// Returns the output of a future if it ends within a duration of the world.
    pub(crate) async fn within<F: Future>(&self, span: Duration, future: F) -> Option<F::Output> {
        tokio::time::timeout(self.lasts(span), future).await.ok()
    }

    /// Returns `2026-11-20T00:00:00Z`, in the form of Route 53 and STS.
    pub(crate) fn iso(&self, at: Timestamp) -> String {
        DateTime::from(self.wall(at))
            .fmt(Format::DateTime)
            .expect("the world's time can be written")
    }

    /// Returns seconds since 1970, in the form of the JSON services.
    pub(crate) fn epoch_seconds(&self, at: Timestamp) -> f64 {
        DateTime::from(self.wall(at)).as_secs_f64()
    }
}
