//! Checks the documents: spelling, words, links, pictures, and the error sentences that
//! docs/troubleshooting.md explains. Also checks the workflows, which cannot be run here.

mod plans;
mod reference;
mod sentences;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::checkout;
use crate::emulator::fresh_folder;
use crate::failure::Failure;
use crate::process;
use crate::progress::Step;
use crate::setup;
use crate::terminal;

pub(crate) const USAGE: &str = "\
cargo xtask documents [--write]

Checks the documents: spelling, banned words, links, pictures and error sentences. Checks the workflows, too.

  --write   draws the pictures, and copies the error sentences of the code into docs/troubleshooting.md";

/// Runs `cargo xtask documents`.
///
/// # Errors
/// A document is wrong, or a tool is missing.
pub(crate) fn command(arguments: &[&str]) -> Result<(), Failure> {
    let write = match arguments {
        [] => false,
        ["--write"] => true,
        [other, ..] => return Err(crate::unknown_option("documents", other)),
    };
    let logs = fresh_folder("documents")?;
    let tools = setup::tools()?;
    setup::npm_packages(&folder(), &logs, &Step::hidden())?;
    let venv = checkout::target().join("documents-python");
    setup::python_packages(&tools, &folder(), &venv, &logs, &Step::hidden())?;
    if write {
        process::output(&mut pictures(&[]), "draw the pictures")?;
        sentences::write()?;
    }
    let mut zizmor = process::command(venv.join("bin").join("zizmor"));
    zizmor.args(["--offline", "--no-progress", ".github"]);
    let commands = [
        ("spelling", npm_run("spelling")),
        ("links", npm_run("links")),
        ("pictures", pictures(&["--check"])),
        ("workflows", zizmor),
    ];
    let mut failed = Vec::new();
    for (name, mut command) in commands {
        let log = logs.join(format!("{name}.log"));
        let result = process::run(&mut command, &format!("pass {name}"), &log, |_| {});
        if result.is_err() {
            crate::test::show_end(&log);
        }
        said(name, result.is_ok(), &mut failed);
    }
    for (name, faults) in [
        ("words", words::faults()?),
        ("plans", plans::faults()?),
        ("reference", reference::faults()?),
        ("error sentences", sentences::faults()?),
    ] {
        for fault in &faults {
            terminal::line(format!("  | {fault}"));
        }
        said(name, faults.is_empty(), &mut failed);
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "These checks of the documents failed: {}.",
        failed.join(", ")
    )))
}

fn said<'a>(name: &'a str, passed: bool, failed: &mut Vec<&'a str>) {
    terminal::line(format!(
        "  {name:16} {}",
        if passed { "passed" } else { "FAILED" }
    ));
    if !passed {
        failed.push(name);
    }
}

/// Returns the folder of the tools.
fn folder() -> PathBuf {
    checkout::root().join("tests").join("documents")
}

fn npm_run(script: &str) -> Command {
    let mut command = process::command("npm");
    command
        .args(["run", "--silent", script])
        .current_dir(folder());
    command
}

fn pictures(arguments: &[&str]) -> Command {
    let mut command = process::command("node");
    command
        .arg("pictures.mjs")
        .args(arguments)
        .current_dir(folder());
    command
}

/// Returns the documents and the code, as paths from the root of the checkout. The templates of earlier releases
/// and the plans of the functions, which are tests, are not among them.
fn written() -> Result<Vec<PathBuf>, Failure> {
    let mut list = process::command("git");
    list.args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
    ])
    .args(["*.md", "*.rs", "*.ts", "*.mjs", "*.py", "*.sh"])
    .args([":!tests/emulator/releases", ":!functions/*/tests"]);
    let listed = process::output(&mut list, "list the documents and the code")?;
    let there = |path: &&str| Path::new(&checkout::root().join(path)).is_file();
    let listed = listed.lines();
    Ok(listed.filter(there).map(PathBuf::from).collect())
}
