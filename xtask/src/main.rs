//! `cargo xtask`: what a person types. Commands in Rust, not shell, so that they run wherever the project builds.
//!
//! - `demo` shows the main job, end to end, on an emulated AWS;
//! - `test` runs everything that is checked before a change lands;
//! - `bench` measures the functions beside what a user would pick instead;
//! - `soak` goes on with random inputs for as long as one likes, and `sabotage` shows that the proofs prove something.
//!
//! They set up what they need themselves, pinned and inside the checkout, and leave no process behind.

mod bench;
mod checkout;
mod demo;
mod emulator;
mod failure;
mod http;
mod process;
mod progress;
#[cfg(test)]
mod reliability;
mod sabotage;
mod setup;
mod soak;
mod stacks;
mod test;

use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = "\
cargo xtask demo [--keep]        the main job, end to end, on an emulated AWS; --keep leaves it running
cargo xtask test [STEP]...       everything that is checked, or only these steps
cargo xtask test --list          the steps
cargo xtask stacks [SUITE]...    one of those steps: CloudFormation stacks on the emulator
cargo xtask bench                measures, and writes docs/benchmarks.md
cargo xtask soak [--minutes N] [--histories N] [--inputs N] [--seed N]
                                 the proofs with random inputs, longer and with other inputs; --help says how long
cargo xtask sabotage [NAME]...   shows that the proofs fail when the code is wrong; --list lists the sabotages";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    process::stop_children_on_signals();
    let result = match words.as_slice() {
        ["demo"] => demo::command(false),
        ["demo", "--keep"] => demo::command(true),
        ["test", "--list"] => {
            test::list();
            Ok(())
        }
        ["stacks", suites @ ..] => stacks::command(suites),
        ["soak", words @ ..] => soak::command(words),
        ["sabotage", "--list"] => {
            sabotage::list();
            Ok(())
        }
        ["sabotage", names @ ..] => sabotage::command(names),
        ["test", steps @ ..] => test::command(steps),
        ["bench"] => bench::command(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::new(format!("This is how it is called:\n{USAGE}"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}
