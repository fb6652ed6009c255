//! `cargo xtask soak`: runs the tests with random inputs at full length, round after round, each with another
//! seed.

use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::checkout;
use crate::emulator::fresh_folder;
use crate::failure::Failure;
use crate::process;
use crate::progress::seconds;
use crate::setup;
use crate::terminal;

/// The output of `--help`.
pub(crate) const USAGE: &str = "\
cargo xtask soak [--minutes N] [--histories N] [--inputs N] [--seed N]

Plays random histories of stacks, people, faults and deaths on the strict world, and feeds random inputs to the request decoder
and the types of names, in rounds. It ends at the first failure, which it prints shrunk, with the command that plays it again.

  --minutes N      begins no further round after so many minutes; without it there is one round
  --histories N    histories a round (20000: some ten minutes on two cores)
  --inputs N       random inputs a round, for each property of the decoder and the names (1000000)
  --seed N         seed of the first round, 0 to 4294967295; each further round has the next one. Without it, the time decides";

/// The options on the command line.
#[derive(Debug, PartialEq, Eq)]
struct Soak {
    minutes: u64,
    histories: u32,
    inputs: u32,
    seed: u32,
}

impl Soak {
    fn parse(words: &[&str], now: u32) -> Result<Self, Failure> {
        let mut soak = Self {
            minutes: 0,
            histories: 20_000,
            inputs: 1_000_000,
            seed: now,
        };
        let mut words = words.iter();
        while let Some(&name) = words.next() {
            let number = words.next().and_then(|word| word.parse::<u32>().ok());
            match (name, number) {
                ("--minutes", Some(number)) => soak.minutes = number.into(),
                ("--histories", Some(number)) => soak.histories = number,
                ("--inputs", Some(number)) => soak.inputs = number,
                ("--seed", Some(number)) => soak.seed = number,
                ("--minutes" | "--histories" | "--inputs" | "--seed", None) => {
                    return Err(Failure::new(format!(
                        "{name} needs a number from 0 to 4294967295. `cargo xtask soak --help` shows the options."
                    )));
                }
                _ => return Err(crate::unknown_option("soak", name)),
            }
        }
        Ok(soak)
    }
}

/// Runs `cargo xtask soak`.
///
/// # Errors
/// Invalid options, or a failure that the tests found.
pub(crate) fn command(words: &[&str]) -> Result<(), Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    // The lowest bits are the ones that differ.
    let now = now.map_or(0, |since| since.as_secs() as u32);
    let soak = Soak::parse(words, now)?;
    let logs = fresh_folder("soak-logs")?;
    let end = Instant::now() + Duration::from_secs(60 * soak.minutes);
    let mut rounds = 0;
    loop {
        let seed = soak.seed.wrapping_add(rounds);
        terminal::line(format!("round {}, seed {seed}", rounds + 1));
        for (name, mut command) in [
            ("histories", histories(soak.histories, seed)),
            ("inputs", inputs(soak.inputs, seed)),
        ] {
            let begun = Instant::now();
            let log = logs.join(format!("{name}.log"));
            let doing = format!("soak the {name}");
            if let Err(failure) = process::run(&mut command, &doing, &log, |_| {}) {
                let text = std::fs::read_to_string(&log).unwrap_or_default();
                terminal::line(process::plain(&text));
                terminal::line(format!(
                    "again: cargo xtask soak --seed {seed} --histories {} --inputs {}",
                    soak.histories, soak.inputs
                ));
                return Err(failure);
            }
            terminal::line(format!("  {name} passed in {}", seconds(begun.elapsed())));
        }
        rounds += 1;
        if Instant::now() >= end {
            break;
        }
    }
    let rounds = match rounds {
        1 => "1 round".to_owned(),
        more => format!("{more} rounds"),
    };
    terminal::line(format!(
        "{rounds} of {} histories and {} inputs a property passed; logs of the last in {}",
        soak.histories,
        soak.inputs,
        checkout::shown(&logs)
    ));
    Ok(())
}

fn histories(count: u32, seed: u32) -> Command {
    let mut command = setup::cargo_command();
    command
        .args([
            "test",
            "--locked",
            "--workspace",
            "--test",
            "proof",
            "histories",
            "--",
            "--nocapture",
        ])
        .env("HISTORIES", count.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string());
    command
}

fn inputs(count: u32, seed: u32) -> Command {
    let mut command = setup::cargo_command();
    command
        .args(["test", "--locked", "--workspace", "--lib", "any_"])
        .env("PROPTEST_CASES", count.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_accepted() {
        let soak = Soak::parse(&["--seed", "5", "--minutes", "60"], 1).unwrap();
        assert_eq!((soak.seed, soak.minutes), (5, 60));
        assert_eq!(Soak::parse(&[], 1).unwrap().seed, 1);
        for wrong in [
            &["--seed"][..],
            &["--seed", "x"],
            &["60"],
            &["--seed", "-1"],
        ] {
            assert!(Soak::parse(wrong, 1).is_err(), "{wrong:?}");
        }
    }
}
