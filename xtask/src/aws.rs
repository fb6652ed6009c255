//! Runs a trial in two real AWS accounts, for facts that the model and the emulator cannot prove.
//!
//! The trial is `tests/aws/trial`, in Python, because boto3 reads profiles, SSO sessions and endpoints as the
//! AWS CLI does. This command prepares it, asks the user, builds the functions as a release does, and
//! replaces itself by the trial, which has to receive Ctrl-C itself to delete what it has created. `stacks`
//! runs all of it against the emulator.

use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::checkout;
use crate::emulator::fresh_folder;
use crate::failure::{Doing, Failure};
use crate::process;
use crate::progress::Step;
use crate::setup;
use crate::terminal;

pub(crate) const USAGE: &str = "\
cargo xtask aws --networking-profile A --consumer-profile B --base-zone Z [OPTION]...

Tries the project in two real AWS accounts. It first shows what it will do and what that costs, and asks.

  --networking-profile A  the profile of the account that has the base domain
  --consumer-profile B    the profile of another account
  --base-zone Z           the id of the base domain's public hosted zone
  --region R              the Region of both accounts, if not the one of profile A
  --functions FOLDER      a release's publish-zone.zip and delegate-subdomain.zip for this machine's processor, instead of
                          building them, which takes some minutes
  --plan                  shows what it would do, and ends
  --clean-up              deletes what an earlier run could not delete, and ends
  --yes                   does not ask

It deletes everything that it created, even after Ctrl-C, and writes its results to target/aws/report.md.";

/// The task of the trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Task {
    #[default]
    Run,
    Plan,
    CleanUp,
}

/// The options on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    task: Task,
    is_agreed: bool,
    functions: Option<PathBuf>,
    /// Options that are passed to the trial, with their values.
    passed: Vec<String>,
}

const REQUIRED: [&str; 3] = ["--networking-profile", "--consumer-profile", "--base-zone"];

impl Options {
    fn of(words: &[&str]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--plan" => options.task = Task::Plan,
                "--clean-up" => options.task = Task::CleanUp,
                "--yes" => options.is_agreed = true,
                option
                    if option == "--region"
                        || option == "--functions"
                        || REQUIRED.contains(&option) =>
                {
                    let value = words
                        .next()
                        .filter(|value| !value.starts_with('-'))
                        .ok_or_else(|| Failure::new(format!("{option} needs a value.")))?;
                    if option == "--functions" {
                        options.functions = Some(PathBuf::from(value));
                    } else {
                        options
                            .passed
                            .extend([option.to_owned(), (*value).to_owned()]);
                    }
                }
                other => return Err(crate::unknown_option("aws", other)),
            }
        }
        let missing = REQUIRED
            .iter()
            .find(|option| options.passed.iter().all(|word| word != *option));
        match missing {
            Some(option) => Err(Failure::new(format!(
                "{option} is missing. `cargo xtask aws --help` shows the options."
            ))),
            None => Ok(options),
        }
    }
}

/// Runs `cargo xtask aws`.
///
/// # Errors
/// An option is invalid, the accounts do not meet the trial's conditions, or the functions cannot be built.
pub(crate) fn command(words: &[&str]) -> Result<(), Failure> {
    let options = Options::of(words)?;
    let folder = fresh_folder("aws")?;
    let tools = setup::tools()?;
    terminal::line(format!("\n  {}", tools.said));
    setup::packages(&tools, &folder, &Step::hidden())?;
    if options.task == Task::CleanUp {
        return become_the(trial("clean-up", &options));
    }
    let shown = trial("plan", &options)
        .status()
        .doing(|| "show the plan".into())?;
    if !shown.success() {
        return Err(Failure::new("Nothing was done."));
    }
    if options.task == Task::Plan {
        return Ok(());
    }
    if !options.is_agreed && !is_agreed()? {
        return Err(Failure::new("Nothing was done."));
    }
    let functions = match &options.functions {
        Some(given) => std::path::absolute(given).doing(|| format!("find {}", given.display()))?,
        None => build(&folder)?,
    };
    for name in setup::FUNCTIONS {
        if !functions.join(format!("{name}.zip")).is_file() {
            return Err(Failure::new(format!(
                "{} has no {name}.zip.",
                functions.display()
            )));
        }
    }
    let mut run = trial("run", &options);
    run.arg("--functions")
        .arg(functions)
        .args(["--architecture", setup::architecture()])
        .args(["--revision", &revision()])
        .arg("--report")
        .arg(folder.join("report.md"));
    become_the(run)
}

/// Returns the command of the trial, with the user's environment, from which it reads profiles.
fn trial(command: &str, options: &Options) -> Command {
    let mut trial = Command::new(checkout::venv_program("python"));
    trial
        .args(["-m", "trial", command])
        .args(&options.passed)
        .current_dir(checkout::tests_on_aws())
        .arg("--lock")
        .arg(checkout::target().join("aws.lock"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    trial
}

/// Replaces this process by the trial, which then receives signals and deletes what it has created.
fn become_the(mut trial: Command) -> Result<(), Failure> {
    Err(trial.exec()).doing(|| "start the trial".into())
}

fn is_agreed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            "Standard input is not a terminal, so nobody can be asked. Add --yes if the plan is what you want.",
        ));
    }
    let _ =
        write!(std::io::stdout(), "  Type yes to begin: ").and_then(|()| std::io::stdout().flush());
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .doing(|| "read the answer".into())?;
    Ok(answer.trim() == "yes")
}

/// Builds the functions as a release does, for Lambda's C library.
fn build(folder: &Path) -> Result<PathBuf, Failure> {
    let flag = if setup::architecture() == "arm64" {
        "--arm64"
    } else {
        "--x86-64"
    };
    terminal::line("  Building the functions as a release does. This takes some minutes.");
    let mut command = process::command(checkout::cargo());
    command
        .args([
            "lambda",
            "build",
            "--release",
            "--locked",
            "--output-format",
            "zip",
            flag,
        ])
        .arg("--lambda-dir")
        .arg(folder.join("lambda"));
    for name in setup::FUNCTIONS {
        command.args(["--package", name]);
    }
    let log = folder.join("functions.log");
    process::run(&mut command, "build the functions", &log, |_| {})?;
    let functions = folder.join("functions");
    std::fs::create_dir_all(&functions).doing(|| format!("create {}", functions.display()))?;
    for name in setup::FUNCTIONS {
        let built = folder.join("lambda").join(name).join("bootstrap.zip");
        std::fs::copy(&built, functions.join(format!("{name}.zip")))
            .doing(|| format!("copy {}", built.display()))?;
    }
    Ok(functions)
}

/// Returns the commit under test, for the report.
fn revision() -> String {
    let mut git = process::command("git");
    git.args(["rev-parse", "--short", "HEAD"]);
    let found = process::output(&mut git, "ask git");
    found.map_or_else(|_| "unknown".to_owned(), |found| found.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [&str; 6] = [
        "--networking-profile",
        "a",
        "--consumer-profile",
        "b",
        "--base-zone",
        "Z1",
    ];

    fn said(words: &[&str]) -> String {
        Options::of(words).unwrap_err().to_string()
    }

    #[test]
    fn options_are_checked_before_anything_is_done() {
        let options = Options::of(&[&WHOLE[..], &["--functions", "f", "--yes"]].concat()).unwrap();
        assert_eq!(options.passed, WHOLE);
        assert_eq!(options.functions, Some(PathBuf::from("f")));
        assert!(options.is_agreed);
        assert_eq!(options.task, Task::Run);
        assert!(said(&WHOLE[..4]).contains("--base-zone is missing"));
        assert!(said(&["--region", "--yes"]).contains("--region needs a value"));
        assert!(said(&["--profile"]).contains("--profile"));
    }
}
