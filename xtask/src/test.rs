//! Runs all checks that a change has to pass, step by step.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::checkout;
use crate::emulator::fresh_folder;
use crate::failure::Failure;
use crate::process;
use crate::progress::seconds;
use crate::setup;
use crate::terminal;

/// The number of lines of a failed step's log that are shown.
const LINES_SHOWN: usize = 60;

/// A step: its name, what it checks, and its command.
struct Step {
    name: &'static str,
    about: &'static str,
    command: fn() -> Command,
}

const STEPS: [Step; 14] = [
    Step {
        name: "format",
        about: "cargo fmt --check",
        command: || cargo(&["fmt", "--all", "--check"]),
    },
    Step {
        name: "lints",
        about: "cargo clippy, warnings are errors",
        command: || {
            cargo(&[
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])
        },
    },
    Step {
        name: "documents",
        about: "spelling, words, links, pictures and error sentences of the documents; the workflows",
        command: || this_program(&["documents"]),
    },
    Step {
        name: "functions",
        about: "release build of the functions",
        command: || {
            let mut build = cargo(&["build", "--release", "--locked"]);
            for name in setup::FUNCTIONS {
                build.args(["-p", name]);
            }
            build
        },
    },
    Step {
        name: "workspace",
        about: "unit tests, protocol tests on the release binaries, proofs on the world",
        command: || {
            let mut tests = cargo(&["test", "--locked", "--workspace"]);
            // The same random inputs in every run, so that a failure can be repeated anywhere. The variable
            // selects others.
            if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
                tests.env("PROPTEST_RNG_SEED", "1");
            }
            tests
        },
    },
    Step {
        name: "emulator",
        about: "the corrected emulator behaves as AWS in all that the contract relies on",
        command: || {
            let mut checks = process::command(checkout::venv_program("python"));
            checks
                .args(["-m", "unittest", "discover", "--verbose"])
                .args(["-s", "tests/emulator/checks", "-t", "tests/emulator"]);
            checks
        },
    },
    Step {
        name: "cdk-types",
        about: "the CDK app's types",
        command: || npm(&["run", "build"]),
    },
    Step {
        name: "cdk",
        about: "the CDK app's tests",
        command: || npm(&["test"]),
    },
    Step {
        name: "cdk-templates",
        about: "cfn-lint of the plain CloudFormation templates",
        command: || npm(&["run", "templates:lint"]),
    },
    Step {
        name: "policies",
        about: "every action and condition key of every policy is in AWS's service authorization reference",
        command: || {
            let mut checks = process::command(checkout::venv_program("python"));
            checks
                .args(["-m", "unittest", "--verbose", "conformance.test_policies"])
                .current_dir(checkout::emulator())
                .env("PYTHONDONTWRITEBYTECODE", "1");
            checks
        },
    },
    Step {
        name: "cdk-api",
        about: "the constructs' API in every language is the one reported",
        command: || npm(&["run", "api:check"]),
    },
    Step {
        name: "cdk-packages",
        about: "the npm and PyPI packages; the README's page in Python makes the same templates as the one in TypeScript",
        command: || npm(&["run", "packages:test"]),
    },
    Step {
        name: "end-to-end",
        about: "the demo, on the emulator",
        command: || this_program(&["demo", "--release"]),
    },
    Step {
        name: "stacks",
        about: "CloudFormation stacks on the emulator: bad input, upgrades, waits, migrations, the comparison in the README, the examples, the trial in two accounts, conformance of all requests with AWS's models",
        command: || this_program(&["stacks"]),
    },
];

/// Returns this program as a command. Another cargo would wait for the lock of the one that runs it.
fn this_program(arguments: &[&str]) -> Command {
    let program = std::env::current_exe().unwrap_or_else(|_| "xtask".into());
    let mut command = process::command(program);
    command.args(arguments);
    command
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = setup::cargo_command();
    command.args(arguments);
    command
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = process::command("npm");
    command.args(arguments).current_dir(checkout::cdk());
    command
}

/// Runs `cargo xtask test --list`.
fn list() {
    for step in &STEPS {
        terminal::line(format!("{:14} {}", step.name, step.about));
    }
}

/// Runs `cargo xtask test`: the steps in order, up to the first that fails.
///
/// # Errors
/// A step fails, or does not exist.
pub(crate) fn command(wanted: &[&str]) -> Result<(), Failure> {
    if wanted == ["--list"] {
        list();
        return Ok(());
    }
    if let Some(unknown) = wanted
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(Failure::new(format!(
            "There is no step {unknown}; the steps are {}.",
            names.join(", ")
        )));
    }
    let steps: Vec<&Step> = STEPS
        .iter()
        .filter(|step| wanted.is_empty() || wanted.contains(&step.name))
        .collect();
    let logs = fresh_folder("test-logs")?;
    let all = Instant::now();
    let mut done = Vec::new();
    let mut failed = set_up(&logs, &mut done).err();
    for (number, step) in steps.iter().enumerate() {
        if failed.is_some() {
            break;
        }
        terminal::line(format!(
            "[{}/{}] {}: {}",
            number + 1,
            steps.len(),
            step.name,
            step.about
        ));
        let begun = Instant::now();
        let log = logs.join(format!("{}.log", step.name));
        let result = process::run(
            &mut (step.command)(),
            &format!("pass {}", step.name),
            &log,
            |_| {},
        );
        let took = begun.elapsed();
        terminal::line(format!(
            "      {} in {}",
            if result.is_ok() { "passed" } else { "FAILED" },
            seconds(took)
        ));
        done.push((step.name, result.is_ok(), took));
        failed = result.err();
    }
    summary(&done, all.elapsed());
    match failed {
        None => Ok(()),
        Some(failure) => {
            if let Some(log) = failure.log() {
                show_end(log);
            }
            count(&done);
            Err(failure)
        }
    }
    .inspect(|()| count(&done))
}

fn set_up(logs: &Path, done: &mut Vec<(&'static str, bool, Duration)>) -> Result<(), Failure> {
    let begun = Instant::now();
    let result = setup::tools().and_then(|tools| {
        terminal::line(format!("[set-up] {}", tools.said));
        let said = setup::packages(&tools, logs, &crate::progress::Step::hidden())?;
        terminal::line(format!(
            "      packages: {said} in {}",
            seconds(begun.elapsed())
        ));
        Ok(())
    });
    if result.is_err() {
        done.push(("set-up", false, begun.elapsed()));
    }
    result
}

fn summary(done: &[(&str, bool, Duration)], all: Duration) {
    terminal::line("");
    for (name, passed, took) in done {
        terminal::line(format!(
            "  {} {name:14} {:>12}",
            if *passed { "✓" } else { "✗" },
            seconds(*took)
        ));
    }
    terminal::line(format!("    {:14} {:>12}", "all", seconds(all)));
}

pub(crate) fn show_end(log: &Path) {
    let text = process::plain(&std::fs::read_to_string(log).unwrap_or_default());
    let lines: Vec<&str> = text.lines().collect();
    terminal::line(format!("\n  the end of {}:", checkout::shown(log)));
    for line in &lines[lines.len().saturating_sub(LINES_SHOWN)..] {
        terminal::line(format!("  | {line}"));
    }
}

/// Prints the last line, which programs read too.
fn count(done: &[(&str, bool, Duration)]) {
    let passed = done.iter().filter(|(_, passed, _)| *passed).count();
    terminal::line(format!("\n{passed} passed, {} failed", done.len() - passed));
}
