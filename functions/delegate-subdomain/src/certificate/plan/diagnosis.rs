//! How long name servers may say that a certificate cannot be issued, before that counts.

use crate::certificate::{cause::Cause, observed::Obstacle};
use custom_resource::Clock;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// How long a cause has to last before it is final. What another resource of the stack, or a person who deploys at the same
/// time, has just corrected reaches Route 53's name servers within a minute (`GetChange`). Short enough that the user has
/// the answer within two.
const GRACE: Duration = Duration::from_secs(60);
/// The pause between two queries of DNS. Each is some dozens of questions.
pub(super) const PAUSE: Duration = Duration::from_secs(15);

/// What name servers said last, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::certificate) struct Diagnosis {
    asked_at: Option<u64>,
    suspicion: Option<Suspicion>,
}

/// A cause for which the certificate cannot be issued now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Suspicion {
    /// Since when there has been a cause, this one or another.
    since: u64,
    /// Whether a person may be about to delegate a zone that was new when it was first found not to be delegated. A record
    /// that is written into the zone meanwhile does not change that.
    #[serde(default)]
    is_awaited: bool,
    /// In words.
    cause: String,
}

/// What a diagnosis comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing keeps the certificate from being issued, as far as name servers answer.
    Hopeful,
    /// This does, and may be corrected.
    Suspected(String),
    /// This does, for too long.
    Hopeless(Cause),
}

impl Diagnosis {
    /// Whether name servers are to be asked again.
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        self.asked_at.is_none_or(|at| since(at, now) >= PAUSE)
    }

    /// Returns the diagnosis after an answer, and what it comes to.
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

/// How long ago a moment was; zero if it lies ahead.
pub(super) fn since(moment: u64, now: SystemTime) -> Duration {
    now.duration_since(Clock::moment(moment))
        .unwrap_or_default()
}
