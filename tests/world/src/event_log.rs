//! What happened, in order: every call, and every change that time caused.

use std::fmt;

use crate::iam::principal::Hand;
use crate::time::Timestamp;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The world's time.
    pub at: Timestamp,
    /// Who called, or none if time alone caused the change.
    pub hand: Option<Hand>,
    /// The account of the call or of the changed thing.
    pub account: String,
    /// `route53:CreateHostedZone`, or the change that time caused.
    pub action: String,
    /// Name, id or ARN.
    pub target: String,
    /// `ok`, `ok!` if the call changed something, the code of an error, or what happened to the connection.
    pub outcome: String,
}

/// A violated rule, with the event that violated it.
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
