//! Decides how long name servers must say that a certificate cannot be issued before the request fails.

use crate::certificate::{cause::Cause, observed::Obstacle};
use custom_resource::Clock;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// How long a cause has to last before it is final. A correction by another resource of the stack, or by a
/// person who deploys at the same time, reaches Route 53's name servers within a minute (`GetChange`). It is
/// short enough for an answer within two minutes.
const GRACE: Duration = Duration::from_secs(60);
/// The pause between two checks over DNS. Each sends some dozens of queries.
pub(super) const PAUSE: Duration = Duration::from_secs(15);

/// The last answers of name servers, and since when they have been the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::certificate) struct Diagnosis {
    asked_at: Option<u64>,
    suspicion: Option<Suspicion>,
}

/// A cause for which the certificate cannot be issued now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Suspicion {
    /// Since when there has been a cause, not necessarily the same one.
    since: u64,
    /// Whether a person may be about to delegate a zone that was new when it was first found not to be
    /// delegated. A record that is written into the zone meanwhile does not change that.
    #[serde(default)]
    is_awaited: bool,
    /// The cause as text.
    cause: String,
}

/// The result of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing prevents the certificate from being issued, as far as name servers answer.
    Hopeful,
    /// This cause prevents it, and may be corrected.
    Suspected(String),
    /// This cause has prevented it for too long.
    Hopeless(Cause),
}

impl Diagnosis {
    /// Returns whether name servers have to be queried again.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        self.asked_at.is_none_or(|at| since(at, now) >= PAUSE)
    }

    /// Returns the diagnosis after an answer, and its result.
    pub(super) fn updated(&self, obstacle: &Obstacle, now: SystemTime) -> (Self, Verdict) {
        let asked_at = Some(Clock::seconds(now));
        match obstacle {
            Obstacle::NotAsked => {
                let suspicion = self.suspicion.clone();
                let verdict = suspicion.map_or(Verdict::Hopeful, |s| Verdict::Suspected(s.cause));
                (self.clone(), verdict)
            }
            Obstacle::None => {
                let suspicion = None;
                let diagnosis = Self {
                    asked_at,
                    suspicion,
                };
                (diagnosis, Verdict::Hopeful)
            }
            Obstacle::Some(cause) => {
                let before = self.suspicion.as_ref();
                let begun = before.map_or_else(|| Clock::seconds(now), |before| before.since);
                let was_awaited = before.is_some_and(|before| before.is_awaited);
                let is_awaited = match cause {
                    Cause::NotDelegatedYet { .. } => true,
                    Cause::NotDelegated { .. } => was_awaited,
                    Cause::BrokenChain(_) | Cause::Caa { .. } => false,
                };
                let suspicion = Some(Suspicion {
                    since: begun,
                    is_awaited,
                    cause: cause.to_string(),
                });
                let diagnosis = Self {
                    asked_at,
                    suspicion,
                };
                let verdict = if since(begun, now) >= GRACE && !is_awaited {
                    Verdict::Hopeless(cause.clone())
                } else {
                    Verdict::Suspected(cause.to_string())
                };
                (diagnosis, verdict)
            }
        }
    }
}

/// Returns how long ago a moment was, or zero if it is in the future.
pub(super) fn since(moment: u64, now: SystemTime) -> Duration {
    now.duration_since(Clock::moment(moment))
        .unwrap_or_default()
}
