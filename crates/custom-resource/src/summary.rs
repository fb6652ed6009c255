//! The last log line of a request.

use crate::{addressee::Addressee, hand_over::Turn, shorten};
use tokio::time::Instant;

/// How much of a reason the line shows, in bytes. The answer contains more of it.
const SHOWN_REASON: usize = 2_000;

/// The content of the line, in addition to the outcome.
#[derive(Debug)]
pub(crate) struct Summary {
    started: Instant,
    to: Addressee,
    request_type: &'static str,
    resource_type: String,
    turn: u32,
    /// The object of the request's last wait, or empty if it did not wait.
    pub(crate) waited_for: String,
}

impl Summary {
    pub(crate) fn of(turn: &Turn) -> Self {
        Self {
            request_type: turn.request.request_type.name(),
            resource_type: turn.request.resource_type.clone(),
            turn: turn.number,
            ..Self::of_refused(&turn.request.addressee())
        }
    }

    pub(crate) fn of_refused(to: &Addressee) -> Self {
        Self {
            started: Instant::now(),
            to: to.clone(),
            request_type: "unknown",
            resource_type: String::new(),
            turn: 0,
            waited_for: String::new(),
        }
    }

    /// Writes the line, once per invocation that served a request.
    pub(crate) fn log(&self, outcome: &str, reason: Option<&str>) {
        let Addressee {
            stack_id,
            logical_resource_id,
            request_id,
            physical_resource_id,
            ..
        } = &self.to;
        tracing::info!(
            outcome,
            reason = reason.map(|reason| shorten(reason, SHOWN_REASON)),
            request_type = self.request_type,
            resource_type = shorten(&self.resource_type, 100),
            logical_resource_id,
            physical_resource_id,
            stack_id,
            request_id,
            turn = self.turn,
            waited_for = self.waited_for,
            duration_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "request closed"
        );
    }
}
