//! The forms of a plan. Nothing is decided here.

use super::{
    action::Action,
    phase::{Phase, Waiting},
};
use crate::certificate::{properties::CertificateName, zones::ValidationZone};
use custom_resource::{Failure, Request, Success};
use hosted_zones::DomainName;
use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, SystemTime},
};

/// What has to be done. A refusal is an error instead.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a plan is made once in a round of calls, and carried out at once"
)]
pub(in crate::certificate) enum Plan {
    /// The decision needs the answer to this question: read it, and plan again.
    Ask(Question),
    /// Carry out the actions one after another, then continue with this.
    Do(Vec<Action>, Next),
}

/// Facts that only some plans need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::certificate) enum Question {
    /// Whether name servers show that certificates for these names cannot be issued: whether these zones can
    /// be reached, and whether CAA record sets allow Amazon to issue for these names.
    Obstacle {
        zones: Vec<ValidationZone>,
        names: Vec<CertificateName>,
    },
    /// The certificates of a Region for a name, with or without `*.`.
    Others { region: String, name: DomainName },
    /// The certificates of the account that need the CNAMEs of these names. `region` is that of the
    /// certificate in question.
    Sharers {
        region: String,
        names: BTreeSet<DomainName>,
    },
}

/// How a request continues.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::certificate) enum Next {
    /// Observe and plan again.
    Again(Phase),
    /// The same, for the certificate that was just requested.
    AwaitRequested(Waiting),
    Wait(Pause),
    Done(Success),
    /// FAILED is answered.
    Failed(Failure),
}

/// A wait for something outside of the function.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::certificate) struct Pause {
    /// The object of the wait, to follow "waiting for".
    pub(in crate::certificate) waiting_for: String,
    pub(in crate::certificate) retry_after: Duration,
    pub(in crate::certificate) phase: Phase,
}

/// The request, with what a plan needs to know of its delivery.
#[derive(Clone, Copy, Debug)]
pub(in crate::certificate) struct Delivery<'a> {
    pub(in crate::certificate) request: &'a Request,
    pub(in crate::certificate) now: SystemTime,
    /// 0.8 to 1.2. It separates stacks that were deployed together.
    pub(in crate::certificate) jitter: f64,
    /// Whether an earlier delivery of the request may have been answered, and undone, already.
    pub(in crate::certificate) may_be_repeat: bool,
    /// How long after a Create its Delete may search for the last time.
    pub(in crate::certificate) max_age: Duration,
    /// Whether that time is over.
    pub(in crate::certificate) is_too_late: bool,
    /// When a Create that was never answered cannot run any more.
    pub(in crate::certificate) search_again_at: SystemTime,
}

impl Delivery<'_> {
    /// Returns how long ago CloudFormation made the request.
    pub(super) fn age(&self) -> Duration {
        let age = self.now.duration_since(self.request.requested_at);
        age.unwrap_or_default()
    }
}

impl Plan {
    pub(super) fn again(phase: Phase) -> Self {
        Self::Do(Vec::new(), Next::Again(phase))
    }

    pub(super) fn wait(waiting_for: String, retry_after: Duration, phase: Phase) -> Self {
        Self::Do(
            Vec::new(),
            Next::Wait(Pause {
                waiting_for,
                retry_after,
                phase,
            }),
        )
    }
}

/// Writes one line, or numbered lines with `{:#}`.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = match self {
            Self::Ask(question) => vec![question.to_string()],
            Self::Do(actions, next) => {
                let mut steps: Vec<_> = actions.iter().map(ToString::to_string).collect();
                steps.push(next.to_string());
                steps
            }
        };
        if !f.alternate() {
            return f.write_str(&steps.join("; "));
        }
        for (number, step) in (1..).zip(steps) {
            writeln!(f, "{number}. {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Obstacle { .. } => {
                f.write_str("ask name servers whether the certificate can be issued")
            }
            Self::Others { region, name } => {
                write!(f, "read the certificates for {name} in {region}")
            }
            Self::Sharers { .. } => f.write_str("read which certificates need the CNAMEs"),
        }
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Again(phase) => phase.fmt(f),
            Self::AwaitRequested(_) => f.write_str("then wait until it is issued"),
            Self::Wait(pause) => {
                let seconds = pause.retry_after.as_secs();
                write!(f, "wait {seconds} s for {}", pause.waiting_for)
            }
            Self::Done(success) => write!(f, "done: {}", success.physical_resource_id),
            Self::Failed(failure) => write!(f, "fail: {}", failure.reason),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search(_) => f.write_str("then search again"),
            Self::Await(arn, _) => write!(f, "then check {arn}"),
            Self::Finish(finish) => write!(f, "then finish {}", finish.arn),
            Self::Undo(_) => f.write_str("then undo what the request requested"),
            Self::Delete(_) => f.write_str("then search again"),
            Self::Remove(remove) => match remove.stage.cnames() {
                None => write!(f, "then delete {}", remove.arn),
                Some(records) => {
                    let names: Vec<_> = records.iter().map(|one| one.name.as_str()).collect();
                    write!(f, "then check {} once more", names.join(", "))
                }
            },
        }
    }
}
