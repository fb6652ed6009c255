//! Deaths of the binaries that are deployed: SIGKILL while the world delays one of their calls, before or
//! after it takes effect. Then CloudFormation continues, and the stack is as its template says, or as it was
//! before, or nothing of it is left.
//!
//! The proofs in process play every point at which a function can die. They cannot show that a real process
//! leaves no more behind than they assume. These tests do, for a part of the points.

mod cases;
mod host;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Instant;

use futures::StreamExt;
use futures::stream;
use world::cloudformation::{Stack, Status};
use world::{Fault, FaultRule, Hand, When};

use cases::{CASES, Case};
use stage::{REGION, Stage};

/// The number of deaths that are played. `DEATHS` sets another number, and `all` means every one.
const DEATHS: usize = 96;
/// The number of worlds that run at the same time. They mostly wait.
const AT_ONCE: usize = 16;

/// What happens after the death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempts {
    /// Lambda retries, and the next process finds what the dead one left.
    Again,
    /// No process retries, and CloudFormation gets no answer.
    NoMore,
}

/// Where a process dies: at the n-th call of one kind (from 1) that an operation makes, in any invocation.
#[derive(Clone, Debug)]
struct Point {
    call: String,
    nth: u64,
    when: When,
    attempts: Attempts,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call,
            nth,
            when,
            attempts,
        } = self;
        write!(f, "{call} {nth}, {when:?}, {attempts:?}")
    }
}

/// The result of a case in which nothing dies.
struct Undisturbed {
    points: Vec<Point>,
    before: BTreeSet<String>,
    after: BTreeSet<String>,
}

/// Plays a case until the end of its operation.
async fn operate(case: &Case, point: Option<&Point>) -> (Stage, Stack, u64, BTreeSet<String>) {
    let dies_for_good = point.is_some_and(|point| point.attempts == Attempts::NoMore);
    let stage = Stage::new(if dies_for_good { 0 } else { 2 }).await;
    (case.setup)(&stage);
    stage.in_sync().await;
    let mut stack = Stack::new(case.account, REGION, "subject");
    // CloudFormation waits for a dead process's answer, but not for an hour.
    let template = |make: fn(&Stage) -> world::cloudformation::Template| {
        let mut template = make(&stage);
        let seconds = if dies_for_good { 600 } else { 3_000 };
        let resource = template.get_mut("Resource").expect("its one resource");
        resource
            .properties
            .insert("ServiceTimeout".to_owned(), seconds.into());
        template
    };
    if let Some(before) = case.before {
        let status = stage.engine.create(&mut stack, &template(before)).await;
        assert_eq!(
            status,
            Status::Complete,
            "{}: {:?}",
            case.name,
            stack.failures
        );
        stage.engine.idle().await;
    }
    let before = stage.existing(&stack);
    let first = stage.engine.next_invocation();
    if let Some(point) = point {
        stage.world.inject(FaultRule {
            skip: point.nth - 1,
            ..FaultRule::on_operation(&point.call, 1, Fault::Kill(point.when))
        });
    }
    match (case.before, case.after.map(template)) {
        (None, Some(after)) => stage.engine.create(&mut stack, &after).await,
        (Some(_), Some(after)) => stage.engine.update(&mut stack, &after).await,
        (_, None) => stage.engine.delete(&mut stack).await,
    };
    stage.engine.idle().await;
    stage.world.clear_faults();
    (stage, stack, first, before)
}

/// Plays a case without a death. Returns what exists before and after, and where a process could die.
async fn undisturbed(case: &Case) -> Undisturbed {
    let (stage, stack, first, before) = operate(case, None).await;
    let is_done = matches!(stack.status, Status::Complete | Status::Deleted);
    assert!(
        is_done,
        "{}: {:?}\n{}",
        case.name,
        stack.failures,
        stage.history()
    );
    let mut calls: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    for event in stage.world.log() {
        let Some(Hand::Function(work)) = event.hand else {
            continue;
        };
        if work.invocation < first || event.action == "lambda" {
            continue;
        }
        let call = event
            .action
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        let count = calls.entry(call).or_default();
        count.0 += 1;
        count.1 |= event.outcome.contains('!') || event.action == "PUT";
    }
    let mut points = Vec::new();
    for (call, (count, changes)) in calls {
        // The number of polls depends on the time; the number of changes does not.
        for nth in 1..=if changes { count } else { 1 } {
            for when in [When::Before, When::After] {
                for attempts in [Attempts::Again, Attempts::NoMore] {
                    let call = call.clone();
                    points.push(Point {
                        call,
                        nth,
                        when,
                        attempts,
                    });
                }
            }
        }
    }
    assert_eq!(stage.binaries.deaths().await, 0, "{}", case.name);
    Undisturbed {
        points,
        before,
        after: stage.existing(&stack),
    }
}

/// Plays a case with a death.
///
/// # Errors What is wrong, and the history that led to it.
async fn play(case: &Case, point: &Point, expected: &Undisturbed) -> Result<(), String> {
    let (mut stage, mut stack, _, _) = operate(case, Some(point)).await;
    let mut wrong = Vec::new();
    let settled = stack.status;
    // A first attempt that died before its first write looks like one that was answered, and whose Delete has removed everything
    // (docs/reliability.md, "What is not promised").
    let words = "an earlier delivery of it may have been answered";
    let looks_answered = stack.failures.iter().any(|reason| reason.contains(words));
    let wanted = match settled {
        Status::Complete | Status::Deleted => Some(expected.after.clone()),
        _ if point.attempts == Attempts::Again && !looks_answered => None,
        Status::RolledBack => Some(expected.before.clone()),
        Status::CreateRolledBack => Some(BTreeSet::new()),
        // It failed with a reason. What is left does not matter until the operation is attempted again.
        _ => Some(stage.existing(&stack)),
    };
    match wanted {
        None => wrong.push(format!("it is {settled:?}: {:?}", stack.failures)),
        Some(wanted) => {
            let existing = stage.existing(&stack);
            let left = existing
                .difference(&wanted)
                .map(|what| format!("{what} is left"));
            let lost = wanted
                .difference(&existing)
                .map(|what| format!("{what} is lost"));
            wrong.extend(left.chain(lost));
        }
    }
    if !matches!(settled, Status::Deleted | Status::CreateRolledBack) {
        let status = stage.engine.delete(&mut stack).await;
        stage.engine.idle().await;
        if status != Status::Deleted {
            wrong.push(format!("it stays, {status:?}: {:?}", stack.failures));
        }
    }
    wrong.extend(
        stage
            .existing(&stack)
            .into_iter()
            .map(|what| format!("{what} stays")),
    );
    wrong.extend(stage.close().await.err());
    wrong.extend(stage.violations());
    let deaths = stage.binaries.deaths().await;
    if deaths != 1 {
        wrong.push(format!("{deaths} processes died"));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let wrong = wrong.join("; ");
    Err(format!(
        "{}: {point} ({settled:?}): {wrong}\n{}",
        case.name,
        stage.history()
    ))
}

/// Returns this many of all, the same in every run, with an equal share of each case as far as it has enough.
fn chosen<T>(of_cases: Vec<Vec<T>>, count: usize) -> Vec<T> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut of_cases = of_cases;
    of_cases
        .iter_mut()
        .for_each(|points| random.shuffle(points));
    let mut chosen = Vec::new();
    while chosen.len() < count && of_cases.iter().any(|points| !points.is_empty()) {
        chosen.extend(of_cases.iter_mut().filter_map(Vec::pop));
    }
    chosen.truncate(count);
    chosen
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing_and_leaves_nothing() {
    let begun = Instant::now();
    let seen = stream::iter(CASES.iter().map(undisturbed)).buffered(AT_ONCE);
    let seen: Vec<Undisturbed> = seen.collect().await;
    let points = CASES.iter().zip(&seen).map(|(case, seen)| {
        let points = seen.points.iter();
        points.map(move |point| (case, point, seen)).collect()
    });
    let points: Vec<Vec<_>> = points.collect();
    let all = points.iter().map(Vec::len).sum();
    let wanted = match std::env::var("DEATHS").as_deref() {
        Err(_) => DEATHS,
        Ok("all") => all,
        Ok(number) => number.parse().expect("DEATHS is a number or all"),
    };
    let played = chosen(points, wanted);
    let deaths = played.len();
    let plays = played
        .into_iter()
        .map(|(case, point, seen)| play(case, point, seen));
    let results: Vec<_> = stream::iter(plays)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let failures: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    println!(
        "{deaths} deaths of {all} in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    for failure in &failures {
        println!("{failure}");
    }
    assert!(
        failures.is_empty(),
        "{} deaths of {deaths} did harm",
        failures.len()
    );
}
