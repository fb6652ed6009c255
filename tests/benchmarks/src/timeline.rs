//! The calls of one operation over time: which followed which, and how long the operation took without its
//! pauses.
//!
//! A call follows every call that had ended when it began. This is only what is observed; the two may be
//! independent. The pauses before polls are an exception, because there the time proves nothing:
//!
//! 1. A poll of a change of Route 53 follows the call that made the change, or the last poll of it. Other
//!    calls in between ran during the pause, and polls of two changes do not wait for one another.
//! 2. Calls that begin with a poll of a certificate, after nothing ran for some time, follow at once.

use std::fmt::Write as _;
use std::time::Duration;

/// One call with its start and end, counted from the start of the operation.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) action: String,
    /// The id of the change of Route 53 that it made or polled.
    pub(crate) change: Option<String>,
    pub(crate) begun: Duration,
    pub(crate) ended: Duration,
}

impl Call {
    fn is(&self, operation: &str) -> bool {
        self.action.rsplit(':').next() == Some(operation)
    }

    fn is_look_at_certificate(&self) -> bool {
        self.is("DescribeCertificate") || self.is("ListCertificates")
    }
}

/// No function of this project computes for so long, so a gap of this length is a pause.
const PAUSE: Duration = Duration::from_millis(200);
/// Calls that begin within this time were sent at once.
const AT_ONCE: Duration = Duration::from_millis(20);

/// The calls of one operation, in the order in which they began.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    calls: Vec<Placed>,
}

/// A call with its position among the others.
#[derive(Clone, Debug)]
struct Placed {
    call: Call,
    /// The number of calls, one after another, up to its end.
    rank: usize,
    /// When it would have ended if every poll had been sent at once.
    without_pauses: Duration,
}

impl Timeline {
    pub(crate) fn new(mut calls: Vec<Call>) -> Self {
        calls.sort_by_key(|call| (call.begun, call.ended));
        let looks: Vec<Duration> = calls
            .iter()
            .filter(|call| call.is_look_at_certificate())
            .map(|call| call.begun)
            .collect();
        let mut placed: Vec<Placed> = Vec::new();
        for call in calls {
            let before: Vec<&Placed> = placed
                .iter()
                .filter(|earlier| earlier.call.ended <= call.begun)
                .collect();
            let asks_about = |earlier: &Placed| earlier.call.change == call.change;
            let cause = (call.is("GetChange") && call.change.is_some())
                .then(|| before.iter().rfind(|earlier| asks_about(earlier)))
                .flatten();
            let (rank, begun) = if let Some(cause) = cause {
                (cause.rank, cause.without_pauses)
            } else {
                let last_ended = before.iter().map(|earlier| earlier.call.ended).max();
                let idle = call.begun - last_ended.unwrap_or_default();
                let with_a_look = looks
                    .iter()
                    .any(|look| call.begun.abs_diff(*look) <= AT_ONCE);
                let own_work = if idle >= PAUSE && with_a_look {
                    Duration::ZERO
                } else {
                    idle
                };
                let rank = before.iter().map(|earlier| earlier.rank).max();
                let ready = before.iter().map(|earlier| earlier.without_pauses).max();
                (rank.unwrap_or(0), ready.unwrap_or_default() + own_work)
            };
            placed.push(Placed {
                rank: rank + 1,
                without_pauses: begun + (call.ended - call.begun),
                call,
            });
        }
        Self { calls: placed }
    }

    /// Returns the longest chain of calls, one after another.
    pub(crate) fn rounds(&self) -> usize {
        self.calls.iter().map(|call| call.rank).max().unwrap_or(0)
    }

    /// Returns the number of calls of other actions.
    pub(crate) fn calls_without(&self, action: &str) -> usize {
        let others = self.calls.iter().filter(|call| call.call.action != action);
        others.count()
    }

    /// Returns the time from the operation's start to its last call's end.
    pub(crate) fn wall(&self) -> Duration {
        let ends = self.calls.iter().map(|call| call.call.ended);
        ends.max().unwrap_or_default()
    }

    /// Returns the same time as if every poll had been sent at once.
    pub(crate) fn wall_without_pauses(&self) -> Duration {
        let ends = self.calls.iter().map(|call| call.without_pauses);
        ends.max().unwrap_or_default()
    }

    /// Returns the calls in order, with those that ran at the same time in brackets.
    pub(crate) fn in_words(&self) -> String {
        let mut rounds: Vec<Vec<&str>> = vec![Vec::new(); self.rounds()];
        for Placed { call, rank, .. } in &self.calls {
            rounds[rank - 1].push(call.action.rsplit(':').next().unwrap_or_default());
        }
        let mut words = String::new();
        for round in rounds {
            let separator = if words.is_empty() { "" } else { " → " };
            let _ = match round.as_slice() {
                [one] => write!(words, "{separator}{one}"),
                several => write!(words, "{separator}[{}]", several.join(" ‖ ")),
            };
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a timeline of calls, each with action, change, start and end in milliseconds.
    fn timeline(calls: &[(&str, &str, u64, u64)]) -> Timeline {
        let call = |&(action, change, begun, ended): &(&str, &str, u64, u64)| Call {
            action: format!("service:{action}"),
            change: Some(change.to_owned()).filter(|change| !change.is_empty()),
            begun: Duration::from_millis(begun),
            ended: Duration::from_millis(ended),
        };
        Timeline::new(calls.iter().map(call).collect())
    }

    fn milliseconds(of: &Timeline) -> [u128; 2] {
        [of.wall(), of.wall_without_pauses()].map(|wall| wall.as_millis())
    }

    #[test]
    fn a_call_follows_the_calls_that_had_ended_when_it_began() {
        let timeline = timeline(&[
            ("A", "", 2, 102),
            ("B", "", 3, 103),
            ("C", "", 104, 204),
            // It has not waited for C.
            ("D", "", 150, 250),
            ("E", "", 253, 353),
        ]);
        assert_eq!(timeline.in_words(), "[A ‖ B] → [C ‖ D] → E");
        assert_eq!(milliseconds(&timeline), [353, 353]);
    }

    #[test]
    fn a_poll_of_a_change_follows_the_call_that_made_it() {
        let timeline = timeline(&[
            ("CreateHostedZone", "zone", 1, 101),
            ("ChangeResourceRecordSets", "record", 103, 203),
            // During the pause before the polls.
            ("GetHostedZone", "", 204, 304),
            ("GetChange", "zone", 1_090, 1_190),
            ("GetChange", "record", 1_200, 1_300),
            ("GetChange", "record", 3_700, 3_800),
            ("PUT answer", "", 3_804, 3_904),
        ]);
        assert_eq!(
            timeline.in_words(),
            "CreateHostedZone → [ChangeResourceRecordSets ‖ GetChange] → [GetHostedZone ‖ GetChange] → GetChange → PUT answer"
        );
        // 203 for the change, two polls, 4 of the function itself, the answer.
        assert_eq!(milliseconds(&timeline), [3_904, 507]);
    }

    #[test]
    fn the_time_without_pauses_is_that_of_the_longest_chain_of_calls() {
        let timeline = timeline(&[
            ("CreateHostedZone", "zone", 0, 100),
            ("ChangeResourceRecordSets", "record", 100, 200),
            ("GetChange", "record", 1_100, 1_200),
            ("GetChange", "zone", 1_150, 1_250),
            ("PUT answer", "", 1_250, 1_350),
        ]);
        assert_eq!(timeline.rounds(), 4);
        assert_eq!(milliseconds(&timeline), [1_350, 400]);
    }

    #[test]
    fn a_poll_of_a_certificate_and_calls_beside_it_follow_at_once() {
        let timeline = timeline(&[
            ("ChangeResourceRecordSets", "record", 0, 100),
            ("ListResourceRecordSets", "", 5_099, 5_199),
            ("DescribeCertificate", "", 5_100, 5_200),
            // No poll: the function itself was slow.
            ("PUT answer", "", 5_500, 5_600),
        ]);
        assert_eq!(
            timeline.in_words(),
            "ChangeResourceRecordSets → [ListResourceRecordSets ‖ DescribeCertificate] → PUT answer"
        );
        assert_eq!(milliseconds(&timeline), [5_600, 600]);
    }
}
