//! Wall time that can be virtual.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Wall time, counted from a fixed moment by tokio's clock.
///
/// Under tokio's paused time (tests, the world) it stands and jumps with every timer; in production it is made anew
/// for each invocation, because the monotonic clock of a sandbox that Lambda froze may have stood still.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: SystemTime,
    origin: Instant,
}

impl Clock {
    /// The system's wall time, from now on counted by tokio's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::starting_at(SystemTime::now())
    }

    /// A clock that shows `wall` at this moment.
    #[must_use]
    pub fn starting_at(wall: SystemTime) -> Self {
        Self {
            wall,
            origin: Instant::now(),
        }
    }

    /// Wall time now.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.wall + self.origin.elapsed()
    }

    /// How long until `moment`; zero once it has passed.
    #[must_use]
    pub fn until(&self, moment: SystemTime) -> Duration {
        moment.duration_since(self.now()).unwrap_or_default()
    }

    /// How long since `moment`; zero while it lies ahead.
    #[must_use]
    pub fn since(&self, moment: SystemTime) -> Duration {
        self.now().duration_since(moment).unwrap_or_default()
    }

    /// Whole seconds since 1970, rounded up, so that nothing comes too early: a moment as progress keeps it.
    #[must_use]
    pub fn seconds(moment: SystemTime) -> u64 {
        let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_secs() + u64::from(since.subsec_nanos() > 0)
    }

    /// The moment of such a number.
    #[must_use]
    pub fn moment(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The instant, for tokio's timers, at which this clock shows `moment`; now where it has passed.
    #[must_use]
    pub fn instant(&self, moment: SystemTime) -> Instant {
        Instant::now() + self.until(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_by_tokios_clock() {
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
