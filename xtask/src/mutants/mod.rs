//! `cargo xtask mutants`: shows that the tests find wrong code. cargo-mutants lists the mutants. All of them
//! are built at once, each behind a switch, so that a mutant needs a run of the tests and no build.

mod list;
mod switch;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::checkout;
use crate::emulator::fresh_folder;
use crate::failure::{Doing, Failure};
use crate::process::{self, Ended};
use crate::progress::seconds;
use crate::setup;
use crate::terminal;
use list::Mutant;
use switch::Switched;

/// The output of `--help`.
pub(crate) const USAGE: &str = "\
cargo xtask mutants [--list] [--sample N] [--seed N] [TEXT]...

Shows that the tests notice when the code is wrong. It breaks the code that decides in one place after another, and runs the tests.
It fails if a mutant survives that .cargo/mutants-survivors.txt does not explain.

  --list       only says which mutants there are
  --sample N   builds and plays so many of them, chosen by the seed; those that do not compile are left out
  --seed N     which ones (1)
  TEXT         plays only those whose name has one of these texts, such as a file

HISTORIES, ONE_IN and the other variables of the tests say how much of them is run.";

/// Mutants that survive although nothing is wrong, with reasons.
const SURVIVORS: &str = ".cargo/mutants-survivors.txt";

/// The tests that must find a mutant, in addition to the unit tests of its package. The faster ones come
/// first.
const TESTS: &[(&str, &[&str])] = &[
    ("resource_types", &[]),
    ("proof", &["smoke", "permissions"]),
    ("proof", &["refused_calls"]),
    ("proof", &["crash_points"]),
    ("proof", &["histories"]),
];
/// The package whose mutants the unit tests of the functions must notice, too.
const OWNERSHIP: &str = "crates/ownership";
/// How much of them is run, unless the environment says otherwise: a mutant that survives costs minutes.
const SIZES: [(&str, &str); 4] = [
    ("HISTORIES", "1000"),
    ("ONE_IN", "3"),
    // It is enough that a history fails.
    ("PROPTEST_MAX_SHRINK_ITERS", "0"),
    ("RUST_BACKTRACE", "0"),
];

/// Runs `cargo xtask mutants`.
///
/// # Errors
/// A mutant survives without a reason, or the tests fail without a mutant.
pub(crate) fn command(words: &[&str]) -> Result<(), Failure> {
    let wanted = Wanted::parse(words)?;
    let mutants = list::mutants()?;
    let explained = explained(&mutants)?;
    if wanted.list {
        for mutant in &mutants {
            terminal::line(mutant.name());
        }
        return Ok(());
    }
    let logs = fresh_folder("mutants-logs")?;
    let chosen = wanted.chosen(&mutants);
    let built = Built::of(&mutants, &chosen, &logs)?;
    terminal::line(format!(
        "{} mutants, {} of them chosen, {} of these built; without any: these must pass the tests",
        mutants.len(),
        chosen.len(),
        built.numbers.len()
    ));
    let times = built.pass(&logs)?;
    let chosen = &built.numbers;
    let mut survivors = Vec::new();
    for (place, number) in chosen.iter().enumerate() {
        let mutant = &mutants[*number];
        let begun = Instant::now();
        let noticed = built.noticed(*number, mutant, &times)?;
        let survives = noticed.is_none();
        terminal::line(format!(
            "{}/{} {} {}:{} {} ({}, {})",
            place + 1,
            chosen.len(),
            if survives { "SURVIVES" } else { "noticed" },
            mutant.file,
            mutant.line,
            mutant.about,
            noticed.unwrap_or_else(|| "by nothing".to_owned()),
            seconds(begun.elapsed()),
        ));
        if survives {
            survivors.push(mutant.name());
        }
    }
    let (known, unknown): (Vec<String>, Vec<String>) = survivors
        .into_iter()
        .partition(|name| explained.contains(name));
    terminal::line(format!(
        "{} of {} mutants were found, {} survive with a reason, {} without",
        chosen.len() - known.len() - unknown.len(),
        chosen.len(),
        known.len(),
        unknown.len()
    ));
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "No test notices these mutants, and {SURVIVORS} does not say why:\n{}",
        unknown.join("\n")
    )))
}

/// The options on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    list: bool,
    sample: Option<usize>,
    seed: u64,
    texts: Vec<String>,
}

impl Wanted {
    fn parse(words: &[&str]) -> Result<Self, Failure> {
        let mut wanted = Self {
            seed: 1,
            ..Self::default()
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut number = || {
                let number = words.next().and_then(|word| word.parse::<u64>().ok());
                number.ok_or_else(|| {
                    Failure::new(format!(
                        "{word} needs a number. `cargo xtask mutants --help` shows the options."
                    ))
                })
            };
            match word {
                "--list" => wanted.list = true,
                "--sample" => wanted.sample = usize::try_from(number()?).ok(),
                "--seed" => wanted.seed = number()?,
                word if word.starts_with('-') => {
                    return Err(crate::unknown_option("mutants", word));
                }
                text => wanted.texts.push(text.to_owned()),
            }
        }
        Ok(wanted)
    }

    /// Returns the numbers of the mutants to build and test.
    fn chosen(&self, mutants: &[Mutant]) -> BTreeSet<usize> {
        let fits = |number: &usize| {
            let has = |text: &String| mutants[*number].name().contains(text);
            self.texts.is_empty() || self.texts.iter().any(has)
        };
        let mut chosen: Vec<usize> = (0..mutants.len()).filter(fits).collect();
        if let Some(sample) = self.sample {
            chosen.sort_by_key(|number| mixed(self.seed ^ mixed(*number as u64)));
            chosen.truncate(sample);
        }
        chosen.into_iter().collect()
    }
}

/// Returns a number that looks random and is always the same for the same input (the finalizer of SplitMix64,
/// <https://prng.di.unimi.it/splitmix64.c>).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Returns the names of the survivors that have a reason.
fn explained(mutants: &[Mutant]) -> Result<BTreeSet<String>, Failure> {
    let text = fs::read_to_string(checkout::root().join(SURVIVORS))
        .doing(|| format!("read {SURVIVORS}"))?;
    let names: BTreeSet<String> = mutants.iter().map(Mutant::name).collect();
    let listed = reasons(&text)?;
    match listed.iter().find(|name| !names.contains(*name)) {
        None => Ok(listed),
        Some(line) => Err(Failure::new(format!(
            "{SURVIVORS} explains what is no mutant any more: {line}"
        ))),
    }
}

/// Reads the names in a list of survivors: each on a line, with its reason on the following indented lines.
fn reasons(text: &str) -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    let mut lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .peekable();
    while let Some(line) = lines.next() {
        if line.starts_with(' ') {
            continue;
        }
        if !lines.peek().is_some_and(|next| next.starts_with(' ')) {
            return Err(Failure::new(format!(
                "{SURVIVORS} has no reason for: {line}"
            )));
        }
        names.insert(line.to_owned());
    }
    Ok(names)
}

/// All mutants in one build.
struct Built {
    /// The mutants that compile.
    numbers: BTreeSet<usize>,
    /// The test programs, by target and package folder.
    programs: BTreeMap<(String, String), PathBuf>,
    copy: PathBuf,
}

impl Built {
    /// Builds the mutants in a copy of the checkout. Removes mutants that do not compile, and builds the
    /// others again.
    fn of(mutants: &[Mutant], chosen: &BTreeSet<usize>, logs: &Path) -> Result<Self, Failure> {
        let copy = copy_checkout()?;
        let mut by_file: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for number in chosen {
            let mutant = &mutants[*number];
            let file = by_file.entry(&mutant.file).or_default();
            file.push((*number, mutant));
        }
        let mut written: BTreeMap<&str, Switched> = BTreeMap::new();
        for (file, mutants) in &by_file {
            written.insert(file, write(&copy, file, mutants)?);
        }
        for attempt in 1.. {
            let log = logs.join(format!("build-{attempt}.log"));
            let (errors, programs) = build(&copy, &log);
            if errors.is_empty() && !programs.is_empty() {
                let stand = |number: &usize| written.values().any(|file| file.has(*number));
                return Ok(Self {
                    numbers: (0..mutants.len()).filter(stand).collect(),
                    programs,
                    copy,
                });
            }
            let mut wrong: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
            for (file, at, line) in errors {
                if let Some((file, text)) = written.get_key_value(file.as_str()) {
                    let mutants = text.mutants_at(at, line);
                    wrong.entry(file).or_default().extend(mutants);
                }
            }
            if wrong.values().all(BTreeSet::is_empty) {
                return Err(Failure::new("The mutants do not build.").with_log(&log));
            }
            terminal::line(format!(
                "build {attempt}: {} do not compile",
                wrong.values().map(BTreeSet::len).sum::<usize>()
            ));
            for (file, numbers) in wrong {
                let mutants = by_file.get_mut(file).expect("it has mutants");
                mutants.retain(|(number, _)| !numbers.contains(number));
                written.insert(file, write(&copy, file, mutants)?);
            }
        }
        unreachable!("each attempt has fewer mutants")
    }

    /// Runs all tests without a mutant, and returns how long each took.
    fn pass(&self, logs: &Path) -> Result<BTreeMap<String, Duration>, Failure> {
        let mut times = BTreeMap::new();
        for (name, mut command) in self.tests(None) {
            let begun = Instant::now();
            let log = logs.join(format!("{}.log", name.replace([' ', '/'], "-")));
            process::run(
                &mut command,
                &format!("pass {name} without a mutant"),
                &log,
                |_| {},
            )?;
            times.insert(name, begun.elapsed());
        }
        Ok(times)
    }

    /// Returns the test that finds a mutant.
    fn noticed(
        &self,
        number: usize,
        mutant: &Mutant,
        times: &BTreeMap<String, Duration>,
    ) -> Result<Option<String>, Failure> {
        let package = mutant.file.split("/src/").next().unwrap_or_default();
        for (name, mut command) in self.tests(Some(package)) {
            command.env("MUTANT", number.to_string());
            // The mutant may loop without an end, and the machine may be busier than before.
            let limit = times.get(&name).copied().unwrap_or_default() * 5 + Duration::from_secs(30);
            let mut failed = None;
            let ended = process::run_until(&mut command, limit, |line| {
                let test = line
                    .strip_prefix("test ")
                    .and_then(|line| line.strip_suffix(" ... FAILED"));
                failed = test.map(str::to_owned);
                failed.is_some()
            })?;
            match (failed, ended) {
                (Some(test), _) => return Ok(Some(test)),
                (None, Ended::Well) => {}
                (None, Ended::Late) => return Ok(Some(format!("{name}: it does not end"))),
                (None, Ended::Badly) => return Ok(Some(name)),
            }
        }
        Ok(None)
    }

    /// Returns the tests: the unit tests of a package, or of all packages, and those of the world.
    fn tests(&self, package: Option<&str>) -> Vec<(String, std::process::Command)> {
        let command = |program: &Path, folder: &str| {
            let mut command = process::command(program);
            let unsaid = |(name, _): &(&str, &str)| std::env::var_os(name).is_none();
            command
                .current_dir(self.copy.join(folder))
                .envs(SIZES.into_iter().filter(unsaid));
            command
        };
        let mut tests = Vec::new();
        for ((target, folder), program) in &self.programs {
            let is_unit_test = !folder.starts_with("tests/") && folder != "xtask";
            let is_its_own = |package: &str| {
                // The plans of all small worlds read the ownership.
                package == folder || package == OWNERSHIP && folder.starts_with("functions/")
            };
            if is_unit_test && package.is_none_or(is_its_own) {
                tests.push((format!("unit tests of {target}"), command(program, folder)));
            }
        }
        for (target, filters) in TESTS {
            let found = (self.programs.iter()).find(|((name, _), _)| name == target);
            if let Some(((_, folder), program)) = found {
                let mut command = command(program, folder);
                command.args(*filters);
                tests.push((format!("{target} {}", filters.join(" ")), command));
            }
        }
        tests
    }
}

/// Writes a file of the copy with its mutants.
fn write(copy: &Path, file: &str, mutants: &[(usize, &Mutant)]) -> Result<Switched, Failure> {
    let honest = checkout::root().join(file);
    let text = fs::read_to_string(&honest).doing(|| format!("read {file}"))?;
    let switched = switch::switched(&text, mutants).doing(|| format!("parse {file}"))?;
    fs::write(copy.join(file), &switched.text).doing(|| format!("write {file}"))?;
    // The root of the package gets the switch, once.
    let package = file.split("/src/").next().unwrap_or_default();
    let root = copy.join(package).join("src/lib.rs");
    let text = fs::read_to_string(&root).doing(|| format!("read {}", root.display()))?;
    if !text.ends_with(switch::SWITCH) {
        let text = format!("{text}{}", switch::SWITCH);
        fs::write(&root, text).doing(|| format!("write {}", root.display()))?;
    }
    Ok(switched)
}

/// The places of the compiler's errors: files from the root, with a byte offset and its line.
type Errors = Vec<(String, usize, usize)>;
/// Test programs, by target and package folder.
type Programs = BTreeMap<(String, String), PathBuf>;

/// Builds the tests of a copy.
fn build(copy: &Path, log: &Path) -> (Errors, Programs) {
    let mut build = setup::cargo_command();
    build
        .args(["test", "--locked", "--workspace", "--no-run", "--lib"])
        .args(["--test", "resource_types", "--test", "proof"])
        .args(["--no-fail-fast", "--message-format=json"])
        // Not the checkout's: cargo would take the mutants for its crates, since both have the same names and versions.
        .env("CARGO_TARGET_DIR", checkout::target().join("mutants-build"))
        .current_dir(copy);
    let (mut errors, mut programs) = (Errors::new(), Programs::new());
    let result = process::run(&mut build, "build the mutants", log, |line| {
        let Ok(said) = serde_json::from_str::<Value>(line) else {
            return;
        };
        if said["message"]["level"] == "error" {
            let spans = said["message"]["spans"].as_array().into_iter().flatten();
            errors.extend(
                spans
                    .filter(|span| span["is_primary"] == true)
                    .filter_map(|span| {
                        let at = usize::try_from(span["byte_start"].as_u64()?).ok()?;
                        let line = usize::try_from(span["line_start"].as_u64()?).ok()?;
                        Some((span["file_name"].as_str()?.to_owned(), at, line))
                    }),
            );
        }
        if let Some(program) = said["executable"].as_str() {
            let manifest = Path::new(said["manifest_path"].as_str().unwrap_or_default());
            let folder = manifest
                .parent()
                .and_then(|folder| folder.strip_prefix(copy).ok());
            let folder = folder.unwrap_or(Path::new("")).display().to_string();
            let target = said["target"]["name"].as_str().unwrap_or_default();
            programs.insert((target.to_owned(), folder), program.into());
        }
    });
    if result.is_err() {
        programs.clear();
    }
    (errors, programs)
}

/// Creates a copy of everything that git tracks or would add, in the target folder.
fn copy_checkout() -> Result<PathBuf, Failure> {
    let copy = fresh_folder("mutants")?;
    let mut listing = process::command("git");
    listing.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
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
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_depends_only_on_its_seed() {
        let mutant = Mutant {
            file: String::new(),
            genre: list::Genre::FnValue,
            line: 1,
            column: 1,
            replacement: String::new(),
            about: String::new(),
        };
        let mutants = vec![mutant; 100];
        let sample = |seed| {
            let wanted = Wanted {
                sample: Some(10),
                seed,
                ..Wanted::default()
            };
            wanted.chosen(&mutants)
        };
        assert_eq!(sample(1), sample(1));
        assert_ne!(sample(1), sample(2));
        assert_eq!(sample(1).len(), 10);
    }

    #[test]
    fn a_survivor_needs_a_reason() {
        let list = "# About.\n\na.rs: x\n    Because.\n    And so.\nb.rs: y\n    Because.\n";
        let names = reasons(list).unwrap();
        assert_eq!(Vec::from_iter(names), ["a.rs: x", "b.rs: y"]);
        assert!(reasons("a.rs: x\nb.rs: y\n    Because.\n").is_err());
        assert!(reasons("a.rs: x").is_err());
    }
}
