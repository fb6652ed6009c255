//! Medians and their spread.

use std::time::Duration;

/// The median and the quartiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: Duration,
    pub(crate) quarter: Duration,
    pub(crate) three_quarters: Duration,
}

impl Spread {
    /// Calculates them. All are zero if there are no durations.
    pub(crate) fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let at = |part: usize| {
            let last = durations.len().saturating_sub(1);
            durations.get(last * part / 4).copied().unwrap_or_default()
        };
        Self {
            median: at(2),
            quarter: at(1),
            three_quarters: at(3),
        }
    }
}
