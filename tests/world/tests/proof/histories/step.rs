//! The steps of a history, and their form as a table.

use std::fmt;

use world::cloudformation::Way;
use world::{Lie, When};

use super::choice::{NAMES, PREFIXES, STACKS, StackChoice};
use crate::cast::BUILD;
use crate::invariants::Promise;

/// One step of a history.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// This many seconds pass.
    Sleep(u16),
    /// Operations on stacks, all at the same time, each on a stack of its own.
    Operate(Vec<Operation>),
    /// People do something.
    Act(Act),
    /// A fault is injected.
    Fault(FaultStep),
    /// The n-th last event (from 0) is delivered again.
    Again(usize),
    /// The events of the next operations are delayed by this many seconds, and delivered again after that
    /// many.
    Deliver(u16, Option<u16>),
}

/// What a user does to a stack.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Creates it, updates it, or replaces it by a new one, as its status allows.
    Deploy(usize, StackChoice),
    /// Deploys its last template with every logical id renamed, and, if true, with a resource after them that
    /// fails.
    Rename(usize, bool),
    /// Begins to create it, and deletes it after this many seconds, whatever still runs.
    CutCreate(usize, StackChoice, u16),
    /// Deploys a template that is derived from the earlier ones.
    Follow(usize, Twist),
    /// Whoever may invoke its function, or start its state machine, makes up a Delete about a name.
    Forge(usize, Forged, usize, Way),
    /// Deletes it.
    Delete(usize),
    /// Continues its rollback, or gives up on what cannot be undone.
    Continue(usize, bool),
}

impl Operation {
    /// Returns the stack of the operation.
    pub(crate) fn stack(&self) -> usize {
        match self {
            Self::Deploy(stack, _)
            | Self::Rename(stack, _)
            | Self::CutCreate(stack, ..)
            | Self::Follow(stack, _)
            | Self::Forge(stack, ..)
            | Self::Delete(stack)
            | Self::Continue(stack, _) => *stack,
        }
    }

    /// Returns the template that it deploys.
    pub(crate) fn choice(&self) -> Option<&StackChoice> {
        match self {
            Self::Deploy(_, choice) | Self::CutCreate(_, choice, _) => Some(choice),
            Self::Rename(..)
            | Self::Follow(..)
            | Self::Forge(..)
            | Self::Delete(_)
            | Self::Continue(..) => None,
        }
    }
}

/// A template that is derived from the last one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Twist {
    /// With its last resource refused.
    Broken,
    /// With every resource valid.
    Sound,
    /// Without its last resource.
    Smaller,
    /// The template before it.
    Before,
}

/// A Delete that CloudFormation never sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Forged {
    /// Its id names a zone that does not exist, with the valid proof of the NS record set in the parent.
    ZoneThatDoesNotExist,
    /// Its id names a zone of another stack or of a person.
    OthersZone,
    /// Its id is the ARN of another stack's certificate, or another stack's prefix.
    OthersThing,
    /// It belongs to another stack, and is about a resource that this stack has.
    OtherStack,
    /// It is about the stack's own resources, and the execution that carries it was started for another request.
    Own,
}

/// What people do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Delegate a name of the consumers to someone else.
    ForeignDelegation(usize),
    /// Delete any delegation of a name.
    RemoveDelegation(usize),
    /// Write a record for a subdomain of a name to the delegated zone.
    RecordBelow(usize),
    /// Write a record to each zone of a name.
    RecordInside(usize),
    /// Create a zone of a name in the first consumer's account.
    MakeZone(usize),
    /// Create such a zone and delegate the name to it.
    DelegateZone(usize),
    /// Write a DS record set for a name into the delegated zone, which is signed, to which no zone has the key.
    Ds(usize),
    /// Sign every zone of a name, with its DS record set in the delegated zone, which is signed.
    Secure(usize),
    /// Write a stack's ownership tags onto every zone of a name.
    Retag(usize, usize),
    /// Write only the tag that names a stack.
    RetagStack(usize, usize),
    /// Prevent every function from deleting the NS record set of a name and the record sets of its zones.
    Stick(usize),
    /// The resolvers of `DNS_NAME_SERVERS` lie about every name.
    Lie(Lie),
    /// Empty and delete every zone of a name that a function made and CloudFormation knows.
    RemoveZones(usize),
    /// Remove the ownership tags of every zone of a name.
    RemoveMarks(usize),
    /// Sign every zone of a name.
    Sign(usize),
    /// Protect a name's NS in the delegated zone.
    Protect(usize),
    /// Delete a consumer's delegation role.
    TakeRole(usize),
    /// Use every certificate.
    UseCertificates,
    /// Turn on all guardrails of the delegated zone.
    Guardrails,
    /// Resolvers use a delegation for this many seconds.
    Follow(usize, u16),
    /// Write a parameter if there is none.
    WriteParameter(usize),
    /// Delete a parameter.
    RemoveParameter(usize),
    /// Repair all of that: roles, protections, signing, records, uses.
    Tidy,
}

impl Act {
    /// Returns the promises that this act breaks.
    pub(crate) fn breaks(self) -> Vec<(String, Promise)> {
        let name = |at: usize| format!("{}.{BUILD}", NAMES[at]);
        match self {
            Self::RemoveDelegation(at) => vec![(name(at), Promise::Delegation)],
            Self::RemoveZones(at) => vec![
                (name(at), Promise::Zone),
                // An Update creates the zone again, and its rollback cannot restore the one that people
                // deleted.
                (name(at), Promise::Delegation),
            ],
            Self::RemoveMarks(at) | Self::Retag(at, _) | Self::RetagStack(at, _) => {
                vec![(name(at), Promise::Tags)]
            }
            Self::RemoveParameter(at) => vec![(PREFIXES[at].to_owned(), Promise::Parameters)],
            _ => Vec::new(),
        }
    }
}

/// The faults of a history.
#[derive(Clone, Debug)]
pub(crate) enum FaultStep {
    /// The n-th invocation from now on dies at its k-th call. If `always`, the two attempts after it die too.
    Kill {
        invocation: u64,
        call: u64,
        when: When,
        always: bool,
    },
    /// The next calls of an operation fail.
    Operation(&'static str, u64, Failure),
    /// A share of all calls fails, in percent.
    Sometimes(u8, Failure),
    /// No further faults.
    Clear,
}

/// How a call fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    Unavailable(When),
    Reset(When),
    Silence(When),
    Throttle,
    /// An earlier change of the same zone is being applied.
    Busy,
    Denied,
    /// An error with this status and code that no code expects. Without a code it has no body.
    Refused(u16, &'static str),
    Slow,
}

/// A history's steps, one per line.
pub(crate) struct Steps<'a>(pub(crate) &'a [Step]);

impl fmt::Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            writeln!(f, "{:>3} | {step}", number + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sleep(seconds) => write!(f, "time       | {seconds} s pass"),
            Self::Again(0) => f.write_str("delivery   | the last event comes again"),
            Self::Again(back) => write!(
                f,
                "delivery   | the event {back} before the last comes again"
            ),
            Self::Operate(operations) => {
                for (at, operation) in operations.iter().enumerate() {
                    let together = if at == 0 { "" } else { "\n    | together, " };
                    write!(f, "{together}{operation}")?;
                }
                Ok(())
            }
            Self::Act(act) => write!(f, "people     | {act}"),
            Self::Fault(fault) => write!(f, "fault      | {fault}"),
            Self::Deliver(late, None) => {
                write!(f, "delivery   | the next events come {late} s late")
            }
            Self::Deliver(late, Some(again)) => {
                write!(
                    f,
                    "delivery   | the next events come {late} s late, and again after {again} s"
                )
            }
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stack = STACKS[self.stack()].name;
        match self {
            Self::Deploy(at, choice) => write!(f, "{stack:10} | deploy {}", choice.shown(*at)),
            Self::Rename(_, false) => write!(f, "{stack:10} | rename every logical id"),
            Self::Rename(_, true) => {
                write!(
                    f,
                    "{stack:10} | rename every logical id, and Bad after all, which fails"
                )
            }
            Self::CutCreate(at, choice, seconds) => {
                write!(
                    f,
                    "{stack:10} | create, delete after {seconds} s: {}",
                    choice.shown(*at)
                )
            }
            Self::Follow(_, twist) => write!(f, "{stack:10} | deploy the last template, {twist:?}"),
            Self::Forge(_, forged, at, way) => {
                write!(
                    f,
                    "{stack:10} | a forged Delete of {}: {forged:?}, {way:?}",
                    NAMES[*at]
                )
            }
            Self::Delete(_) => write!(f, "{stack:10} | delete"),
            Self::Continue(_, false) => write!(f, "{stack:10} | continue the rollback"),
            Self::Continue(_, true) => {
                write!(f, "{stack:10} | continue the rollback, skip what failed")
            }
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ForeignDelegation(at) => write!(f, "delegate {} to someone else", NAMES[at]),
            Self::RemoveDelegation(at) => write!(f, "delete the delegation of {}", NAMES[at]),
            Self::RecordBelow(at) => write!(f, "write www.{} into the delegated zone", NAMES[at]),
            Self::RecordInside(at) => write!(f, "write www.{0} into every zone {0}", NAMES[at]),
            Self::MakeZone(at) => write!(f, "make a zone {}", NAMES[at]),
            Self::DelegateZone(at) => {
                write!(f, "make a zone {0} and delegate {0} to it", NAMES[at])
            }
            Self::Ds(at) => write!(f, "write a stale DS record set of {}", NAMES[at]),
            Self::Secure(at) => write!(f, "sign {} with its DS record set", NAMES[at]),
            Self::Retag(at, to) => {
                write!(
                    f,
                    "write the ownership tags of {} onto every zone {}",
                    STACKS[to].name, NAMES[at]
                )
            }
            Self::RetagStack(at, to) => {
                write!(
                    f,
                    "write the stack id of {} onto every zone {}",
                    STACKS[to].name, NAMES[at]
                )
            }
            Self::Stick(at) => write!(f, "let nobody delete record sets of {}", NAMES[at]),
            Self::Lie(lie) => write!(f, "let the resolvers lie about every name: {lie:?}"),
            Self::RemoveZones(at) => write!(f, "delete every function's zone {}", NAMES[at]),
            Self::RemoveMarks(at) => write!(f, "take the tags off every zone {}", NAMES[at]),
            Self::Sign(at) => write!(f, "sign every zone {}", NAMES[at]),
            Self::Protect(at) => write!(f, "protect the delegation of {}", NAMES[at]),
            Self::TakeRole(at) => write!(f, "take delegation role {} away", at + 1),
            Self::UseCertificates => f.write_str("use every certificate"),
            Self::Guardrails => f.write_str("turn on all guardrails of the delegated zone"),
            Self::Follow(at, seconds) => write!(f, "follow {} for {seconds} s", NAMES[at]),
            Self::WriteParameter(at) => write!(f, "write {}/hosted-zone-name", PREFIXES[at]),
            Self::RemoveParameter(at) => write!(f, "delete {}/name-servers", PREFIXES[at]),
            Self::Tidy => f.write_str("put everything right that people did"),
        }
    }
}

impl fmt::Display for FaultStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill {
                invocation,
                call,
                when,
                always,
            } => {
                let attempts = if *always {
                    ", like the two after it"
                } else {
                    ""
                };
                write!(
                    f,
                    "invocation {invocation} from now on dies at call {call}, {when:?} its effect{attempts}"
                )
            }
            Self::Operation(name, times, failure) => {
                write!(f, "the next {times} {name}: {failure:?}")
            }
            Self::Sometimes(chance, failure) => write!(f, "{chance} % of all calls: {failure:?}"),
            Self::Clear => f.write_str("none any more"),
        }
    }
}
