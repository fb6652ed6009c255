//! Random histories: deployments of five stacks in three accounts that share parents and names, with people, faults and deaths.

mod choice;
mod forge;
mod generators;
mod harness;
mod operate;
mod people;
mod step;

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::exclusions::{Proof, check_met};
use choice::{StackChoice, TagOrder, TagsChoice, ZoneChoice};
use step::{Act, Operation, Step, Steps};
use world::cloudformation::DeletionPolicy;

/// The number of histories, unless `HISTORIES` sets it.
const HISTORIES: u32 = 10_000;
/// The seed of the histories, unless `PROPTEST_RNG_SEED` sets it.
const SEED: u32 = 1;
/// The largest number of histories that are played to find the shortest failing one.
const SHRINKING: u32 = 3_000;

fn number(variable: &str, default: u32) -> u32 {
    match env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
        Err(_) => default,
    }
}

/// `HISTORIES` is the number and `PROPTEST_RNG_SEED` the seed. The same seed gives the same histories on
/// every machine.
#[test]
fn no_history_loses_or_leaves_anything() {
    let (histories, seed) = (
        number("HISTORIES", HISTORIES),
        number("PROPTEST_RNG_SEED", SEED),
    );
    // The number of parts is fixed, so that the histories do not depend on the machine.
    const PARTS: u32 = 16;
    let begun = Instant::now();
    let next = AtomicU32::new(0);
    let played = AtomicU32::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let part = next.fetch_add(1, Ordering::Relaxed);
                    if part >= PARTS {
                        break;
                    }
                    let count = histories / PARTS + u32::from(part < histories % PARTS);
                    if let Err(failure) = play(seed, part, count, &played) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    // The random ones meet this too rarely.
    let known = tags_taken_off();
    if let Err(broken) = harness::play(0, &known) {
        failures.push(format!(
            "{}\n{}\n{}",
            broken.why,
            Steps(&known),
            broken.history
        ));
    }
    println!(
        "{} histories in {:.0?}, seed {seed}",
        played.into_inner(),
        begun.elapsed()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    if histories >= HISTORIES {
        check_met(Proof::Histories);
    }
}

/// A zone is transferred to a renamed logical id, people take its tags off, and the former logical id's Delete comes again.
fn tags_taken_off() -> Vec<Step> {
    let zone = ZoneChoice {
        logical_id: 0,
        name: 0,
        ttl: 900,
        comment: false,
        drain: 0,
        existing: false,
        deletes_records: false,
        tags: TagsChoice {
            count: 0,
            order: TagOrder::Before,
        },
        policy: DeletionPolicy::Delete,
        broken: false,
    };
    let choice = StackChoice {
        zones: vec![zone],
        certificate: None,
        fails: false,
        prefix: 0,
    };
    vec![
        Step::Operate(vec![Operation::Deploy(1, choice)]),
        Step::Operate(vec![Operation::Rename(1, false)]),
        Step::Act(Act::RemoveMarks(0)),
        Step::Again(0),
    ]
}

/// Plays one part of the histories, and returns the shortest one that fails.
fn play(seed: u32, part: u32, histories: u32, played: &AtomicU32) -> Result<(), String> {
    if histories == 0 {
        return Ok(());
    }
    let config = Config {
        cases: histories,
        max_shrink_iters: number("PROPTEST_MAX_SHRINK_ITERS", SHRINKING),
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    bytes[4..8].copy_from_slice(&part.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&generators::history(), |(seed, steps)| {
        played.fetch_add(1, Ordering::Relaxed);
        harness::play(seed, &steps).map_err(|broken| TestCaseError::fail(broken.why))
    });
    match result {
        Ok(()) => Ok(()),
        Err(TestError::Abort(why)) => Err(format!("part {part} was given up: {why}")),
        Err(TestError::Fail(_, (seed, steps))) => {
            let broken = harness::play(seed, &steps).expect_err("what fails once fails again");
            Err(format!(
                "part {part}, seed {seed}: {}\n{}\n{}",
                broken.why,
                Steps(&steps),
                broken.history
            ))
        }
    }
}
