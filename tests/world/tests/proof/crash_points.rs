//! Crash points: the process dies before and after each of its calls takes effect, once and at every attempt; then CloudFormation
//! does what it does. Afterwards the stack is as its template says, or as it was, or nothing of it is left; and the CDK app's own roles
//! were enough for every call.

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
    /// Only the first attempt; Lambda's next one finds what it left.
    Once,
    /// Every attempt, each at the same place of its own: CloudFormation hears nothing.
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

/// What a case came to.
pub(crate) struct Played {
    /// How many calls each invocation of the operation made.
    calls: Vec<u64>,
    /// What its roles were needed for.
    pub(crate) used: BTreeSet<Grant>,
}

/// Plays a case, with a death where one is given.
///
/// # Errors
/// What is wrong, and the history that led to it.
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
    // What people delegated by hand, and what was kept, keeps the zone published; they take it away first.
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
/// # Panics
/// Where something is wrong.
pub(crate) fn play_undisturbed(case: &Case) -> Played {
    let played = runtime().block_on(play(case, None));
    played.unwrap_or_else(|(why, history)| panic!("{}: {why}\n{history}", case.name))
}

/// Calls that a role was too small for. A repeat of a request that is answered already may come when the stack has other rights.
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
    // Where no CallerReference tells a repeat from the first delivery, one that finds nothing begun makes nothing: the
    // first may have been answered, and undone by its Delete.
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
    // Whatever happened, the stack can go, and nothing of it stays.
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

/// Makes what a template says, and takes it out of the stack: a deletion policy keeps it.
async fn keep(cast: &Cast, stack: &mut Stack, kept: &Template) -> Result<(), String> {
    let created = cast.engine.create(stack, kept).await;
    let taken_out = cast.engine.update(stack, &Template::new()).await;
    let all = [created, taken_out] == [Status::Complete; 2];
    // Long enough for no answer of that to be on its way any more.
    tokio::time::sleep(RECENTLY * 2).await;
    if all {
        Ok(())
    } else {
        Err(format!("not kept: {:?}", stack.failures))
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

/// People take away what they delegated.
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

/// Calls, answers included, of each invocation from the first on.
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

/// Every point of a case.
///
/// # Errors
/// What is wrong with the case where nothing dies.
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

/// Where time passes only while everybody waits.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

#[test]
fn whatever_dies_when_nothing_is_lost_and_nothing_is_left() {
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
