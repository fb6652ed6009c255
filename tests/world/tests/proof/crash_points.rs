//! Crash points: the process dies before and after each of its calls takes effect, once and at every attempt,
//! and CloudFormation continues. Afterwards the stack is as its template says, or as it was before, or
//! nothing of it is left; and the CDK app's own roles were sufficient for every call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use world::cloudformation::{Stack, Status, Template};
use world::{Edit, Event, Fault, FaultRule, Grant, Hand, When};

use crate::cases::{CASES, Case};
use crate::cast::{Cast, REGION, settings};
use crate::exclusions::{DIED_BEFORE_ITS_FIRST_WRITE, Proof, RECENTLY, check_met};
use crate::invariants;

/// How often the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deaths {
    /// Only the first attempt dies. Lambda's next one finds what it left.
    Once,
    /// Every attempt dies at the same call, so CloudFormation gets no answer.
    Always,
}

/// Where the process dies: in the n-th invocation of the operation (from 0), at its k-th call (from 1).
#[derive(Clone, Copy, Debug)]
struct Point {
    invocation: u64,
    call: u64,
    when: When,
    deaths: Deaths,
}

/// The result of a case.
pub(crate) struct Played {
    /// The number of calls of each invocation of the operation.
    calls: Vec<u64>,
    /// The grants that it needed.
    pub(crate) used: BTreeSet<Grant>,
}

/// Plays a case, with one death if a point is given.
///
/// # Errors What is wrong, and the history that led to it.
async fn play(case: &Case, point: Option<Point>) -> Result<Played, Broken> {
    let (cast, mut network) = Cast::published(settings(7)).await;
    (case.setup)(&cast).await;
    let mut stack = Stack::new(case.account, REGION, "subject");
    let world = cast.world.clone();
    let calls = tokio::select! {
        biased;
        calls = operate(case, point, &cast, &mut stack) => calls,
        () = world.overrun() => Err("there is no end to it".to_owned()),
    };
    // Delegations of people, and what was kept, prevent the delete of the published zone, so people delete
    // them first.
    people_leave(&cast, &stack);
    let calls = match calls {
        Ok(calls) if cast.engine.delete(&mut network).await == Status::Deleted => Ok(calls),
        Ok(_) => Err(format!("the network stack stays: {:?}", network.failures)),
        Err(why) => Err(why),
    };
    let mut violations: Vec<String> = cast
        .world
        .violations()
        .into_iter()
        .map(|v| v.what)
        .collect();
    if !case.denied {
        violations.extend(denied(&cast));
    }
    match calls {
        Ok(calls) if violations.is_empty() => Ok(Played {
            calls,
            used: cast.world.used_grants(),
        }),
        Ok(_) => Err((violations.join("; "), cast.history())),
        Err(why) => Err(([vec![why], violations].concat().join("; "), cast.history())),
    }
}

/// Plays a case without deaths.
///
/// # Panics Something is wrong.
pub(crate) fn play_undisturbed(case: &Case) -> Played {
    let played = runtime().block_on(play(case, None));
    played.unwrap_or_else(|(why, history)| panic!("{}: {why}\n{history}", case.name))
}

/// Returns calls that a role did not permit. A redelivery of an answered request may come when the stack has
/// other permissions.
fn denied(cast: &Cast) -> Vec<String> {
    let is_repeat = |event: &Event| match &event.hand {
        Some(Hand::Function(work)) => cast.engine.was_answered_before(work.invocation).is_some(),
        _ => false,
    };
    let log = cast.world.log().into_iter();
    log.filter(|event| event.outcome.starts_with("AccessDenied") && !is_repeat(event))
        .map(|event| format!("{} {} was denied", event.action, event.target))
        .collect()
}

/// What is wrong, and the history.
type Broken = (String, String);

async fn operate(
    case: &Case,
    point: Option<Point>,
    cast: &Cast,
    stack: &mut Stack,
) -> Result<Vec<u64>, String> {
    if let Some(kept) = case.kept {
        keep(cast, stack, &kept(cast)).await?;
    }
    let before = case.before.map(|template| template(cast));
    if let (Some(before), None) = (&before, case.kept) {
        let status = cast.engine.create(stack, before).await;
        if status != Status::Complete {
            return Err(format!("not created: {:?}", stack.failures));
        }
    }
    cast.engine.idle().await;
    let first = cast.engine.next_invocation();
    if let Some(point) = point {
        let attempts = match point.deaths {
            Deaths::Once => 1,
            Deaths::Always => 1 + u64::from(cast.engine.lambda.retries),
        };
        for attempt in 0..attempts {
            let fault = Fault::Kill(point.when);
            let invocation = first + point.invocation + attempt;
            cast.world
                .inject(FaultRule::on_call(invocation, point.call, fault));
        }
    }
    let after = case.after.map(|template| template(cast));
    let status = match (&before, &after) {
        (None, Some(after)) => cast.engine.create(stack, after).await,
        (Some(_), Some(after)) => cast.engine.update(stack, after).await,
        (_, None) => cast.engine.delete(stack).await,
    };
    cast.world.clear_faults();
    cast.engine.idle().await;
    let calls = calls_by_invocation(cast, first);
    sound(cast, stack)?;
    let dies_always = point.is_some_and(|point| point.deaths == Deaths::Always);
    // If no CallerReference distinguishes a redelivery from the first delivery, a redelivery that finds
    // nothing creates nothing: the first may have been answered, and undone by its Delete.
    let refused_as_repeat = (stack.failures.iter())
        .any(|why| why.contains("an earlier delivery of it may have been answered"))
        && point.is_some();
    let expected = match status {
        Status::Complete | Status::Deleted => !case.fails,
        Status::RolledBack | Status::CreateRolledBack | Status::NotDeleted => {
            dies_always || case.fails || DIED_BEFORE_ITS_FIRST_WRITE.covers(refused_as_repeat)
        }
        _ => false,
    };
    if !(expected || case.fails && dies_always) {
        return Err(format!("it is {status:?}: {:?}", stack.failures));
    }
    // Whatever happened, the stack can be deleted, and nothing of it remains.
    if !matches!(stack.status, Status::Deleted | Status::CreateRolledBack) {
        let status = cast.engine.delete(stack).await;
        if status != Status::Deleted {
            return Err(format!("it stays, {status:?}: {:?}", stack.failures));
        }
    }
    cast.engine.idle().await;
    sound(cast, stack)?;
    Ok(calls)
}

/// Creates what a template says, and removes it from the stack with a deletion policy that keeps it.
async fn keep(cast: &Cast, stack: &mut Stack, kept: &Template) -> Result<(), String> {
    let created = cast.engine.create(stack, kept).await;
    let taken_out = cast.engine.update(stack, &Template::new()).await;
    let all = [created, taken_out] == [Status::Complete; 2];
    // Long enough that no answer to the removal can still be on its way.
    tokio::time::sleep(RECENTLY * 2).await;
    if all {
        Ok(())
    } else {
        Err(format!("the resources were not kept: {:?}", stack.failures))
    }
}

fn sound(cast: &Cast, stack: &Stack) -> Result<(), String> {
    let wrong = invariants::check(cast, stack);
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

/// Deletes the delegations that people created.
pub(crate) fn people_leave(cast: &Cast, stack: &Stack) {
    let given_up = !stack.retained.is_empty() || !stack.orphans.is_empty();
    cast.world
        .change_settings(|settings| settings.resolvers_lie = None);
    let zone = cast.world.zone(&cast.build_zone).unwrap();
    let edits: Vec<Edit> = zone
        .other_records()
        .filter(|(_, set)| set.written_by == Hand::Person || given_up)
        .map(|(key, _)| Edit::delete(&key.name.to_string(), &key.kind))
        .collect();
    if !edits.is_empty() {
        cast.world.edit_records(&cast.build_zone, &edits).unwrap();
    }
}

/// Returns the number of calls, including the answer's PUT, of each invocation from the first on.
fn calls_by_invocation(cast: &Cast, first: u64) -> Vec<u64> {
    let mut calls: BTreeMap<u64, u64> = BTreeMap::new();
    for event in cast.world.log() {
        if let Some(Hand::Function(work)) = event.hand
            && work.invocation >= first
            && event.action != "lambda"
        {
            *calls.entry(work.invocation - first).or_default() += 1;
        }
    }
    let last = calls.keys().next_back().copied();
    (0..=last.unwrap_or_default())
        .map(|invocation| calls.get(&invocation).copied().unwrap_or_default())
        .collect()
}

/// Returns every point of a case.
///
/// # Errors What is wrong with the case if nothing dies.
fn points(case: &Case) -> Result<Vec<Point>, Broken> {
    let played = runtime().block_on(play(case, None))?;
    let mut points = Vec::new();
    for (invocation, calls) in (0..).zip(played.calls) {
        for call in 1..=calls {
            for when in [When::Before, When::After] {
                for deaths in [Deaths::Once, Deaths::Always] {
                    points.push(Point {
                        invocation,
                        call,
                        when,
                        deaths,
                    });
                }
            }
        }
    }
    Ok(points)
}

/// Returns a runtime in which time passes only while everything waits.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

#[test]
fn nothing_is_lost_or_left_whichever_call_the_process_dies_at() {
    let mut work: Vec<(&Case, Point)> = Vec::new();
    let mut undisturbed = Vec::new();
    for case in CASES {
        match points(case) {
            Ok(found) => {
                println!("{:>5} points | {}", found.len(), case.name);
                work.extend(found.into_iter().map(|point| (case, point)));
            }
            Err((why, history)) => undisturbed.push((case.name.to_owned(), why, history)),
        }
    }
    println!("{:>5} points in all", work.len());
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(undisturbed);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((case, point)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err((why, history)) = runtime().block_on(play(case, Some(*point))) {
                        let mut failures = failures.lock().unwrap();
                        let title = format!("{} {point:?}", case.name);
                        failures.push((title, why, history));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    for (title, why, _) in &failures {
        println!("{title}: {why}");
    }
    if let Some((title, why, history)) = failures.first() {
        println!("{title}: {why}\n{history}");
    }
    assert!(failures.is_empty(), "{} points failed", failures.len());
    check_met(Proof::CrashPoints);
}
