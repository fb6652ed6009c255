//! `cargo xtask sabotage`: shows that the proofs fail when the code is wrong. Each sabotage is made in a copy of the checkout,
//! alone; the proofs are run there, and must fail.

mod list;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::checkout;
use crate::emulator::fresh_folder;
use crate::failure::{Doing, Failure};
use crate::process;
use crate::progress::{Step, seconds};
use crate::setup;
use crate::terminal;
use list::{SABOTAGES, Sabotage};

/// Histories for each sabotage; a proof that needs more than these to see it is no proof.
const HISTORIES: &str = "2000";

/// `cargo xtask sabotage --list`.
pub(crate) fn list() {
    for sabotage in &SABOTAGES {
        terminal::line(format!("{:24} {}", sabotage.name, sabotage.about));
    }
}

/// Their names.
#[cfg(test)]
pub(crate) fn name_of_each() -> impl Iterator<Item = &'static str> {
    SABOTAGES.iter().map(|sabotage| sabotage.name)
}

/// `cargo xtask sabotage`: all of them, or those of these names.
///
/// # Errors
/// One of them goes unnoticed, cannot be made or does not compile, or the proofs fail without any.
pub(crate) fn command(wanted: &[&str]) -> Result<(), Failure> {
    if let Some(unknown) = wanted
        .iter()
        .find(|name| SABOTAGES.iter().all(|sabotage| sabotage.name != **name))
    {
        return Err(Failure::new(format!(
            "There is no sabotage {unknown}; `cargo xtask sabotage --list` lists them."
        )));
    }
    let made: Vec<&Sabotage> = SABOTAGES
        .iter()
        .filter(|sabotage| wanted.is_empty() || wanted.contains(&sabotage.name))
        .collect();
    let logs = fresh_folder("sabotage-logs")?;
    let in_app = made.iter().any(|sabotage| sabotage.is_in_app());
    if in_app {
        setup::tools()?;
        setup::npm_packages(&checkout::cdk(), &logs, &Step::hidden())?;
    }
    let copy = copy_checkout(in_app)?;
    terminal::line("without any: the proofs must pass");
    build(&copy, &logs.join("none-build.log"))?;
    for proof in PROOFS.iter().chain(in_app.then_some(&ROLES)) {
        proof.run(&copy, &logs.join(format!("none-{}.log", proof.name())))?;
    }
    let mut unnoticed = Vec::new();
    for sabotage in made {
        let begun = Instant::now();
        let noticed = noticed(sabotage, &copy, &logs)?;
        terminal::line(format!(
            "{} {:24} {} ({})",
            if noticed.is_some() { "✓" } else { "✗" },
            sabotage.name,
            noticed.as_deref().unwrap_or("NOT NOTICED"),
            seconds(begun.elapsed()),
        ));
        if noticed.is_none() {
            unnoticed.push(sabotage.name);
        }
    }
    if unnoticed.is_empty() {
        terminal::line(format!(
            "every sabotage was noticed; logs in {}",
            checkout::shown(&logs)
        ));
        return Ok(());
    }
    Err(Failure::new(format!(
        "The proofs did not notice {}.",
        unnoticed.join(", ")
    ))
    .with_log(&logs))
}

/// Which proof fails with a sabotage, with its tests.
fn noticed(sabotage: &Sabotage, copy: &Path, logs: &Path) -> Result<Option<String>, Failure> {
    let file = copy.join(sabotage.file);
    let honest = fs::read_to_string(&file).doing(|| format!("read {}", file.display()))?;
    let changed = sabotage.make(&honest)?;
    fs::write(&file, changed).doing(|| format!("write {}", file.display()))?;
    let log = |what: &str| logs.join(format!("{}-{what}.log", sabotage.name));
    let proofs = if sabotage.is_in_app() {
        std::slice::from_ref(&ROLES)
    } else {
        build(copy, &log("build"))?;
        &PROOFS
    };
    let by = proofs
        .iter()
        .find(|proof| proof.run(copy, &log(proof.name())).is_err());
    fs::write(&file, honest).doing(|| format!("write {}", file.display()))?;
    Ok(by.map(|proof| {
        let said = fs::read_to_string(log(proof.name())).unwrap_or_default();
        format!("{}: {}", proof.name(), failed_tests(&said))
    }))
}

/// The first test that a log says failed, and how many more did.
fn failed_tests(log: &str) -> String {
    // Cargo's words, and those of the Test Anything Protocol.
    let mut failed = log
        .lines()
        .filter_map(|line| match line.strip_prefix("not ok ") {
            Some(rest) => rest.split_once(" - ").map(|(_, name)| name),
            None => line.strip_prefix("test ")?.strip_suffix(" ... FAILED"),
        });
    let first = failed.next().unwrap_or("no test to its end");
    match failed.count() {
        0 => first.to_owned(),
        more => format!("{first} and {more} more"),
    }
}

impl Sabotage {
    /// Whether it is one of the CDK app: what grants the functions their rights.
    fn is_in_app(&self) -> bool {
        self.file.starts_with("cdk/")
    }

    /// The file's text with it.
    fn make(&self, text: &str) -> Result<String, Failure> {
        match text.matches(self.from).count() {
            1 => Ok(text.replace(self.from, self.to)),
            count => Err(Failure::new(format!(
                "Sabotage {} does not fit: {} has its text {count} times, not once.",
                self.name, self.file
            ))),
        }
    }
}

/// A copy of everything that git knows or would add, under the target folder; with the CDK app's packages where so.
fn copy_checkout(with_packages: bool) -> Result<PathBuf, Failure> {
    let copy = fresh_folder("sabotage")?;
    let mut listing = process::command("git");
    listing
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(checkout::root());
    let files = process::output(&mut listing, "list the checkout's files")?;
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (checkout::root().join(file), copy.join(file));
        if !from.is_file() {
            continue;
        }
        let folder = to.parent().unwrap_or(&copy);
        fs::create_dir_all(folder).doing(|| format!("make {}", folder.display()))?;
        fs::copy(&from, &to).doing(|| format!("copy {file}"))?;
    }
    if with_packages {
        let packages = "cdk/node_modules";
        std::os::unix::fs::symlink(checkout::root().join(packages), copy.join(packages))
            .doing(|| format!("link {packages}"))?;
    }
    Ok(copy)
}

/// `cargo test` in the copy, with what is built already for the checkout: for a package alone its dependencies would have
/// other features.
fn cargo_test(copy: &Path) -> Command {
    let mut command = setup::cargo_command();
    command
        .args(["test", "--locked", "--workspace"])
        .env("CARGO_TARGET_DIR", checkout::target())
        .current_dir(copy);
    command
}

fn build(copy: &Path, log: &Path) -> Result<(), Failure> {
    let mut build = cargo_test(copy);
    build.args(["--no-run", "--test", "resource_types", "--test", "proof"]);
    process::run(&mut build, "build the proofs", log, |_| {})
}

/// What must notice a sabotage.
enum Proof {
    /// A test target of `tests/world`, or a part of one.
    World {
        target: &'static str,
        only: &'static str,
    },
    /// A file of the CDK app's tests.
    App(&'static str),
}

/// For the functions; the quicker first.
const PROOFS: [Proof; 3] = [
    Proof::World {
        target: "resource_types",
        only: "",
    },
    Proof::World {
        target: "proof",
        only: "histories",
    },
    Proof::World {
        target: "proof",
        only: "crash_points",
    },
];

/// For the CDK app.
const ROLES: Proof = Proof::App("iam");

impl Proof {
    fn name(&self) -> &'static str {
        match self {
            Self::World { target, only: "" } => target,
            Self::World { only: name, .. } | Self::App(name) => name,
        }
    }

    /// # Errors
    /// It fails.
    fn run(&self, copy: &Path, log: &Path) -> Result<(), Failure> {
        let mut test = match self {
            Self::World { target, only } => {
                let mut test = cargo_test(copy);
                test.args(["--test", target, only])
                    .env("HISTORIES", HISTORIES)
                    // That it fails is enough.
                    .env("PROPTEST_MAX_SHRINK_ITERS", "0");
                test
            }
            Self::App(name) => {
                let mut test = process::command("npm");
                test.args(["exec", "--", "tsx", "--test", "--test-reporter=tap"])
                    .arg(format!("test/{name}.test.ts"))
                    .current_dir(copy.join("cdk"));
                test
            }
        };
        process::run(&mut test, "prove it", log, |_| {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_that_noticed_are_named() {
        let log = "test a::b ... ok\ntest a::c ... FAILED\ntest d ... FAILED\nfailures:\n";
        assert_eq!(failed_tests(log), "a::c and 1 more");
        assert_eq!(failed_tests("test a ... FAILED"), "a");
        assert_eq!(failed_tests("ok 1 - a\nnot ok 2 - b is c\n"), "b is c");
        assert_eq!(failed_tests("aborted"), "no test to its end");
    }

    #[test]
    fn every_sabotage_fits_the_code() {
        for sabotage in &SABOTAGES {
            let file = checkout::root().join(sabotage.file);
            let text = fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("{}: {}: {error}", sabotage.name, file.display()));
            if let Err(failure) = sabotage.make(&text) {
                panic!("{failure}");
            }
        }
    }
}
