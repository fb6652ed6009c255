//! Makes every decision about a delegated subdomain, from the request and from what exists. It makes no calls
//! and reads no clock.
//!
//! [`Plan::of`] is the only entry. [`establish`] plans Create and Update, [`remove`] plans Delete and the
//! deletion of a failed update's leftovers. `tests/plans/subdomain` has a plan for each important situation
//! as text. `plan/worlds.rs` checks the safety rules in all small worlds:
//!
//! 1. No plan deletes a zone whose delegation exists or is unknown.
//! 2. No plan changes what another stack, another logical id or a person owns.
//! 3. No plan of a request that failed undoes what that request did not do.

#[cfg(test)]
mod account;
mod action;
mod establish;
mod remove;
#[cfg(test)]
mod situations;
#[cfg(test)]
mod worlds;

pub(super) use action::{Action, OnFault, Purpose, Why};

use super::{
    access::ParentZone,
    delegation::Delegation,
    in_sync::{Pending, Submitted},
    memory::Memory,
    observed::{Observed, Question},
    properties::Leaving,
    task::Task,
};
use crate::error::Error;
use aws_calls::AwsError;
use custom_resource::{Clock, Request, Success};
use ownership::zone::Ownership;
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// The number of answers that may contradict what was observed before a request is refused.
const MOST_CONFLICTS: u32 = 5;
/// The pause between two attempts after the second such answer.
const PAUSE: Duration = Duration::from_secs(5);

/// What has to be done.
#[derive(Debug)]
pub(super) enum Plan {
    /// The decision needs this fact: read it, and plan again.
    Read(Question),
    /// Carry out the actions one after another, remember, and then end so. If the answer of an action
    /// contradicts what was observed, the plan ends: observe and plan again.
    Do(Box<Do>),
    /// Nothing is changed, and FAILED is answered.
    Refuse(Error),
}

#[derive(Debug)]
pub(super) struct Do {
    pub(super) actions: Vec<Action>,
    /// What the request remembers after the actions.
    pub(super) remember: Memory,
    pub(super) end: End,
    /// The delegation that the FAILED answer of a Create names from now on, so that its Delete finds it.
    pub(super) names: Option<Delegation>,
}

/// How a plan ends.
#[derive(Debug)]
pub(super) enum End {
    Done(Success),
    /// Plan again with the results of the actions.
    Plan,
    /// Observe and plan again.
    Observe,
    /// Observe and plan again at this moment.
    Wait {
        until: SystemTime,
        waiting_for: String,
    },
    Refuse(Error),
}

/// The request, with what a plan needs to know of its delivery.
#[derive(Clone, Debug)]
pub(super) struct Delivery<'a> {
    pub(super) request: &'a Request,
    pub(super) memory: &'a Memory,
    pub(super) now: SystemTime,
    /// How long ago CloudFormation made the request.
    pub(super) age: Duration,
    /// Whether an earlier delivery of the request may have been answered, and undone, already.
    pub(super) may_be_repeat: bool,
    /// Whether the Delete of this Create may have searched for the last time.
    pub(super) is_too_late: bool,
    /// How long the request lasts, and without a state machine this invocation.
    pub(super) time_left: Duration,
    /// The longest duration of a Delete. Without a state machine, this invocation's duration is assumed.
    pub(super) time_of_delete: Duration,
    /// Until when a Create that was never answered may still run.
    pub(super) second_search: SystemTime,
}

impl Do {
    /// Returns what the request remembers if the change of this action, by its index, is pending. The actions
    /// before it are done; those after it are planned again.
    pub(super) fn awaiting(
        &self,
        index: usize,
        memory: &Memory,
        changes: Vec<Submitted>,
    ) -> Memory {
        let is_last = index + 1 == self.actions.len();
        let mut then = if is_last { &self.remember } else { memory }.clone();
        then.note_done(&self.actions[index]);
        memory.awaiting(Pending { changes, then })
    }
}

impl Plan {
    pub(super) fn of(task: &Task, observed: &Observed, delivery: &Delivery<'_>) -> Self {
        let plan = match task {
            Task::Establish(task) => establish::plan(task, observed, delivery),
            Task::Remove(task) => remove::plan(task, observed, delivery),
            Task::Nothing => Ok(delivery.plan([], End::Done(delivery.deleted()))),
        };
        plan.unwrap_or_else(|stop| match stop {
            Stop::Refuse(error) => Self::Refuse(error),
            Stop::Read(question) => Self::Read(question),
            Stop::Wait { until, waiting_for } => {
                delivery.plan([], End::Wait { until, waiting_for })
            }
        })
    }
}

/// Why nothing is done now. The facts that decisions need are methods that fail with [`Stop::Read`] if a fact was not read yet,
/// so a `?` in a decision may mean: read this, and plan again.
#[derive(Debug)]
enum Stop {
    Refuse(Error),
    Read(Question),
    Wait {
        until: SystemTime,
        waiting_for: String,
    },
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Refuse(error.into())
    }
}

impl Delivery<'_> {
    /// Returns a plan that remembers and names nothing new.
    fn plan(&self, actions: impl Into<Vec<Action>>, end: End) -> Plan {
        self.remember(actions, self.memory.clone(), end)
    }

    /// Returns a plan that remembers this.
    fn remember(&self, actions: impl Into<Vec<Action>>, remember: Memory, end: End) -> Plan {
        Plan::Do(Box::new(Do {
            actions: actions.into(),
            remember,
            end,
            names: None,
        }))
    }

    /// Reads a record set again that has changed since it was read: first at once, then after a pause.
    /// Finally refuses.
    fn check_stale(
        &self,
        error: &AwsError,
        waiting_for: impl FnOnce() -> String,
    ) -> Result<(), Stop> {
        match self.memory.conflicts {
            MOST_CONFLICTS.. => Err(error.clone().into()),
            2.. => Err(self.wait(PAUSE, waiting_for())),
            _ => Ok(()),
        }
    }

    fn wait(&self, pause: Duration, waiting_for: String) -> Stop {
        let until = self.now + pause;
        Stop::Wait { until, waiting_for }
    }

    /// Returns the answer of a Delete.
    fn deleted(&self) -> Success {
        Success::new(self.request.physical_id())
    }

    fn seconds(&self, from_now: Duration) -> u64 {
        Clock::seconds(self.now + from_now)
    }
}

/// Returns whether a delegation of this resource is the one that these properties ask for.
///
/// If the properties are those before an Update, the Update is not a rollback, or it is a rollback with the
/// new physical id. Everything else was then left by an earlier replacement, for a reason.
fn is_of(
    properties: &Leaving,
    parent: &ParentZone,
    delegation: &Delegation,
    ownership: &Ownership,
) -> bool {
    let is_meant = match &properties.external_zone {
        Some(id) => ownership.is_own() && *id == delegation.zone,
        None => matches!(ownership, Ownership::Managed { .. }),
    };
    let name = parent.name.child(&properties.labels);
    let is_here = delegation.parent == parent.id;
    is_meant && is_here && name.is_ok_and(|name| name == delegation.name)
}

/// Writes one line, or a list with `{:#}`.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plan, end) = match self {
            Self::Read(question) => return write!(f, "read {question}"),
            Self::Refuse(error) => return write!(f, "refuse: {error}"),
            Self::Do(plan) => (plan, &plan.end),
        };
        let mut steps: Vec<String> = plan.actions.iter().map(ToString::to_string).collect();
        if matches!(end, End::Plan | End::Observe) {
            let drains = plan.remember.drains();
            steps.extend(drains.map(|(zone, until)| {
                format!("remember that resolvers may use the delegation to {zone} until {until}")
            }));
        }
        steps.push(end.to_string());
        if f.alternate() {
            let steps = (1..).zip(&steps);
            return steps
                .into_iter()
                .try_for_each(|(i, step)| writeln!(f, "{i}. {step}"));
        }
        f.write_str(&steps.join("; "))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(success) => {
                write!(f, "answer SUCCESS with {}", success.physical_resource_id)
            }
            Self::Plan => f.write_str("plan again"),
            Self::Observe => f.write_str("observe again"),
            Self::Wait { until, waiting_for } => {
                write!(f, "wait until {} for {waiting_for}", Clock::seconds(*until))
            }
            Self::Refuse(error) => write!(f, "refuse: {error}"),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contents { zone, .. } => write!(f, "what is in {zone}"),
            Self::Set(delegation) => write!(
                f,
                "the NS record set of {} in the parent {}",
                delegation.name, delegation.parent
            ),
            Self::Seen {
                delegation, parent, ..
            } => {
                write!(
                    f,
                    "over DNS whether {parent} still delegates {}",
                    delegation.name
                )
            }
            Self::Occupant(set) => write!(f, "over DNS whether {set} is dangling"),
            Self::Namesakes(name) => write!(f, "the name servers of all zones of the name {name}"),
        }
    }
}
