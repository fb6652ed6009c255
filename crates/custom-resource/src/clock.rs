//! Wall time that tests can control.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Wall time, counted by tokio's clock from a fixed moment.
///
/// Under tokio's paused time (in tests) it advances with the timers. In production each invocation
/// creates a new one, because the monotonic clock of a sandbox that Lambda froze may have stopped.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: SystemTime,
    origin: Instant,
}

impl Clock {
    /// Creates a clock that starts at the system's wall time.
    #[must_use]
    pub fn system() -> Self {
        Self::starting_at(SystemTime::now())
    }

    /// Creates a clock that shows `wall` at this moment.
    #[must_use]
    pub fn starting_at(wall: SystemTime) -> Self {
        Self {
            wall,
            origin: Instant::now(),
        }
    }

    /// Returns the wall time.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.wall + self.origin.elapsed()
    }

    /// Returns how long until `moment`, or zero if it has passed.
    #[must_use]
    pub fn until(&self, moment: SystemTime) -> Duration {
        moment.duration_since(self.now()).unwrap_or_default()
    }

    /// Returns how long since `moment`, or zero if it is in the future.
    #[must_use]
    pub fn since(&self, moment: SystemTime) -> Duration {
        self.now().duration_since(moment).unwrap_or_default()
    }

    /// Returns a moment in seconds since 1970, rounded up so that nothing happens too early.
    /// Progress stores moments in this form.
    #[must_use]
    pub fn seconds(moment: SystemTime) -> u64 {
        let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs() + u64::from(since.subsec_nanos() > 0)
    }

    /// Returns the moment of this number of seconds since 1970.
    #[must_use]
    pub fn moment(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Returns the instant, for tokio's timers, at which this clock shows `moment`, or now if it
    /// has passed.
    #[must_use]
    pub fn instant(&self, moment: SystemTime) -> Instant {
        Instant::now() + self.until(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_advances_with_tokios_time() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let clock = Clock::starting_at(start);
        assert_eq!(clock.now(), start);
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), start + Duration::from_secs(90));
        assert_eq!(
            clock.until(start + Duration::from_secs(100)),
            Duration::from_secs(10)
        );
        assert_eq!(clock.until(start), Duration::ZERO);
        assert_eq!(clock.since(start), Duration::from_secs(90));
        assert_eq!(
            clock.instant(start + Duration::from_secs(91)),
            Instant::now() + Duration::from_secs(1)
        );
    }
}
