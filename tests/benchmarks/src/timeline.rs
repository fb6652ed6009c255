//! The calls of one operation on a line of time.

use std::fmt::Write as _;
use std::time::Duration;

/// One call, from its start to its end, since the operation began.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) action: String,
    pub(crate) begun: Duration,
    pub(crate) ended: Duration,
}

/// Puts the calls in order and says for each how many calls, one after another, lead up to its end.
///
/// A call comes after another where it begins when the other has ended. That is what is seen; the two may be
/// independent of one another all the same.
pub(crate) fn ranks(calls: &mut [Call]) -> Vec<usize> {
    calls.sort_by_key(|call| (call.begun, call.ended));
    let mut ranks: Vec<usize> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let before = calls[..index]
            .iter()
            .zip(&ranks)
            .filter(|(earlier, _)| earlier.ended <= call.begun);
        let rank = before.map(|(_, rank)| *rank).max().unwrap_or(0) + 1;
        ranks.push(rank);
    }
    ranks
}

/// The calls in order: those that run at once in brackets.
pub(crate) fn in_words(calls: &mut [Call]) -> String {
    let ranks = ranks(calls);
    let mut rounds: Vec<Vec<&str>> = vec![Vec::new(); ranks.iter().max().copied().unwrap_or(0)];
    for (call, rank) in calls.iter().zip(&ranks) {
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
