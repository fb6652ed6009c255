//! Runs the benchmarks: builds and installs the contestants, then lets `tests/benchmarks` measure.

use crate::checkout;
use crate::failure::Failure;
use crate::process;
use crate::progress::Progress;
use crate::setup;

const STEPS: usize = 4;

/// Runs `cargo xtask bench`.
///
/// # Errors
/// One sentence with what is missing or what failed.
pub(crate) fn command() -> Result<(), Failure> {
    let logs = checkout::target().join("bench").join("logs");
    let competing = checkout::benchmarks().join("contestants");
    let progress = Progress::new(STEPS);
    let tools = progress.step("Tools", |_| {
        let tools = setup::tools()?;
        let said = tools.said.clone();
        Ok((tools, said))
    })?;
    progress.step("Node and Python", |step| {
        let venv = checkout::target().join("bench").join("python");
        let python = competing.join("python");
        setup::python_packages(&tools, &python, &venv, &logs, step)?;
        setup::npm_packages(&competing.join("node"), &logs, step)?;
        Ok(((), "as pinned".into()))
    })?;
    progress.step("Release binaries", |step| {
        let mut build = setup::cargo_command();
        build.args(["build", "--release", "--locked", "-p", "bare-client"]);
        for name in setup::FUNCTIONS {
            build.args(["-p", name]);
        }
        let log = logs.join("functions.log");
        process::run(&mut build, "build the functions", &log, |line| {
            step.at(line);
        })?;
        Ok(((), String::new()))
    })?;
    progress.step("Measuring", |step| {
        // In the test profile, because the measured programs are other processes and counts do not depend on
        // the profile. For the whole workspace, because a single package would give its dependencies other
        // features and compile them again.
        let log = logs.join("benchmarks-build.log");
        let mut build = setup::cargo_command();
        build.args(["build", "--locked", "--workspace", "--bin", "benchmarks"]);
        process::run(&mut build, "build the benchmarks", &log, |line| {
            step.at(line);
        })?;
        let mut run = process::command(checkout::target().join("debug").join("benchmarks"));
        run.current_dir(checkout::root());
        let log = logs.join("benchmarks.log");
        process::run(&mut run, "measure", &log, |line| step.at(line))?;
        Ok(((), "docs/benchmarks.md".into()))
    })
}
