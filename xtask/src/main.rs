//! `cargo xtask`: the commands of this project. They are in Rust, not shell, so that they run wherever the
//! project builds.
//!
//! - `demo` shows the main job, end to end, on an emulated AWS;
//! - `test` runs all checks that a change has to pass;
//! - `aws` tries the project in two real AWS accounts, and deletes what it created;
//! - `bench` measures the functions and the usual alternatives;
//! - `stacks` runs one step of the test, `soak` runs random inputs as long as you like, and `mutants` shows
//!   that the tests find wrong code.
//!
//! They install what they need, pinned and inside the checkout, and leave no process running. Outside of the
//! checkout they leave only the downloads of npm, pip and cargo, in the folders that these share among all
//! projects.

#![warn(clippy::print_stderr, clippy::print_stdout)]

mod aws;
mod bench;
mod checkout;
mod demo;
mod documents;
mod emulator;
mod failure;
mod http;
mod mutants;
mod process;
mod progress;
mod release;
#[cfg(test)]
mod reliability;
mod setup;
mod soak;
mod stacks;
mod terminal;
mod test;

use std::process::ExitCode;

use failure::Failure;

/// A command after `cargo xtask`.
struct Command {
    name: &'static str,
    /// Its usage, with what each of its options does.
    usage: &'static str,
    run: fn(&[&str]) -> Result<(), Failure>,
}

const COMMANDS: [Command; 9] = [
    Command {
        name: "demo",
        usage: "\
cargo xtask demo [--keep] [--release]

Shows the main job, end to end, on an emulated AWS.

  --keep      leaves everything running until Ctrl-C, and prints how to look at it
  --release   runs the functions as they are released, which takes some minutes more to build",
        run: |words| {
            let mut options = demo::Options {
                keep: false,
                build: setup::Build::Quick,
            };
            for word in words {
                match *word {
                    "--keep" => options.keep = true,
                    "--release" => options.build = setup::Build::Release,
                    other => return Err(unknown_option("demo", other)),
                }
            }
            demo::command(options)
        },
    },
    Command {
        name: "test",
        usage: "\
cargo xtask test [STEP]...

Runs everything that is checked before a change lands, or only the steps that are named.

  --list   lists the steps",
        run: test::command,
    },
    Command {
        name: "aws",
        usage: aws::USAGE,
        run: aws::command,
    },
    Command {
        name: "stacks",
        usage: "\
cargo xtask stacks [SUITE]...

Runs one step of the test: CloudFormation stacks on the emulator, or only the suites that are named.",
        run: stacks::command,
    },
    Command {
        name: "bench",
        usage: "\
cargo xtask bench

Measures the functions beside other implementations, and writes docs/benchmarks.md.",
        run: |words| match words.first() {
            None => bench::command(),
            Some(word) => Err(unknown_option("bench", word)),
        },
    },
    Command {
        name: "documents",
        usage: documents::USAGE,
        run: documents::command,
    },
    Command {
        name: "release",
        usage: release::USAGE,
        run: release::command,
    },
    Command {
        name: "soak",
        usage: soak::USAGE,
        run: soak::command,
    },
    Command {
        name: "mutants",
        usage: mutants::USAGE,
        run: mutants::command,
    },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    process::stop_children_on_signals();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::error(format!("\n{failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Failure> {
    let is_help = |word: &&str| matches!(*word, "--help" | "-h" | "help");
    let Some((name, words)) = words.split_first().filter(|(name, _)| !is_help(name)) else {
        terminal::line(overview());
        return Ok(());
    };
    let command = COMMANDS.iter().find(|command| command.name == *name);
    let command = command.ok_or_else(|| {
        let names = COMMANDS.map(|command| command.name).join(", ");
        Failure::new(format!(
            "There is no command {name}. The commands are {names}."
        ))
    })?;
    if words.iter().any(is_help) {
        terminal::line(command.usage);
        return Ok(());
    }
    (command.run)(words)
}

/// Returns the first line and the sentence of each command.
fn overview() -> String {
    let of_one = |command: &Command| {
        let mut paragraphs = command.usage.split("\n\n");
        let call = paragraphs.next().unwrap_or_default();
        let about = paragraphs
            .next()
            .unwrap_or_default()
            .replace('\n', "\n    ");
        format!("{call}\n    {about}\n")
    };
    COMMANDS.iter().map(of_one).collect::<Vec<_>>().join("\n")
}

/// Returns the failure for an unknown option.
fn unknown_option(command: &str, option: &str) -> Failure {
    Failure::new(format!(
        "`cargo xtask {command}` does not know {option}. `cargo xtask {command} --help` shows the options."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_usage() {
        for command in &COMMANDS {
            let call = format!("cargo xtask {}", command.name);
            assert!(command.usage.starts_with(&call), "{call}");
            assert!(overview().contains(&call), "{call}");
            assert!(run(&[command.name, "--help"]).is_ok(), "{call}");
        }
        assert!(run(&[]).is_ok());
    }

    #[test]
    fn an_unknown_command_or_option_is_named() {
        let said = |words: &[&str]| run(words).unwrap_err().to_string();
        assert!(said(&["dmeo"]).contains("no command dmeo"));
        for command in [
            "demo",
            "aws",
            "bench",
            "documents",
            "release",
            "soak",
            "mutants",
        ] {
            assert!(said(&[command, "--kep"]).contains("--kep"), "{command}");
        }
        assert!(said(&["soak", "--seed", "x"]).contains("--seed needs a number"));
        assert!(said(&["test", "no-such-step"]).contains("no-such-step"));
        assert!(said(&["stacks", "no-such-suite"]).contains("no-such-suite"));
    }
}
