//! Route 53's token buckets.
//!
//! Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html> and, for changes,
//! <https://aws.amazon.com/blogs/networking-and-content-delivery/introducing-change-based-throttling-for-amazon-route-53-apis/>.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// What a bucket counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    /// Every call of an account.
    Calls,
    /// Zones created by an account.
    Creates,
    /// Zones deleted by an account.
    Deletes,
    /// Changes of record sets in a zone.
    Changes,
}

/// Sizes of buckets: the capacity in tokens, and the tokens that are added each second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Every call.
    pub calls: (f64, f64),
    /// CreateHostedZone.
    pub creates: (f64, f64),
    /// DeleteHostedZone.
    pub deletes: (f64, f64),
    /// Single changes in batches.
    pub changes: (f64, f64),
}

impl Rates {
    /// Route 53's own sizes. Those of the bucket for changes are not published; these are generous.
    pub const ROUTE53: Self = Self {
        calls: (50.0, 10.0),
        creates: (40.0, 2.0),
        deletes: (40.0, 5.0),
        changes: (1000.0, 100.0),
    };

    fn of(&self, bucket: Bucket) -> (f64, f64) {
        match bucket {
            Bucket::Calls => self.calls,
            Bucket::Creates => self.creates,
            Bucket::Deletes => self.deletes,
            Bucket::Changes => self.changes,
        }
    }
}

/// All buckets. Each is full when it is first used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Throttle {
    /// The levels by account or zone.
    levels: BTreeMap<(String, Bucket), (f64, Timestamp)>,
}

impl Throttle {
    /// Removes tokens if the bucket has enough.
    pub(crate) fn take(
        &mut self,
        rates: &Rates,
        of: &str,
        bucket: Bucket,
        tokens: f64,
        now: Timestamp,
    ) -> bool {
        let (capacity, rate) = rates.of(bucket);
        let (level, since) = self
            .levels
            .entry((of.to_owned(), bucket))
            .or_insert((capacity, now));
        *level = (*level + rate * (now - *since).as_secs_f64()).min(capacity);
        *since = now;
        let enough = *level >= tokens;
        if enough {
            *level -= tokens;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_refuses_when_empty_and_fills_again() {
        let mut throttle = Throttle::default();
        let mut take = |at: u64| {
            throttle.take(
                &Rates::ROUTE53,
                "1",
                Bucket::Calls,
                1.0,
                Duration::from_secs(at),
            )
        };
        assert!((0..50).all(|_| take(0)));
        assert!(!take(0));
        assert!((0..10).all(|_| take(1)));
        assert!(!take(1));
        assert!((0..50).all(|_| take(100)));
        assert!(!take(100));
    }
}
