//! What happened, in order: every call and every change that time brought.

use std::fmt;

use crate::iam::principal::Hand;
use crate::time::Timestamp;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The world's time.
    pub at: Timestamp,
    /// Whose call; none where time alone did it.
    pub hand: Option<Hand>,
    /// The account that was called, or whose thing changed.
    pub account: String,
    /// `route53:CreateHostedZone`, or what time did.
    pub action: String,
    /// Name, id or ARN.
    pub target: String,
    /// `ok`, `ok!` where the call changed something, an error's code, or what became of the connection.
    pub outcome: String,
}

/// A rule that was broken, with the event that broke it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The world's time.
    pub at: Timestamp,
    /// One sentence.
    pub what: String,
}

/// Events as a table.
pub struct Table<'a>(pub &'a [Event]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in self.0 {
            let hand = event
                .hand
                .as_ref()
                .map_or_else(|| "time".to_owned(), ToString::to_string);
            writeln!(
                f,
                "{:>10.3} | {:<28} | {:<4} | {:<34} | {:<44} | {}",
                event.at.as_secs_f64(),
                hand,
                event.account.get(..4).unwrap_or(&event.account),
                event.action,
                event.target,
                event.outcome
            )?;
        }
        Ok(())
    }
}
