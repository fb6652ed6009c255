//! Checks that docs/reliability.md and the code agree: every test that the page names exists, and the page
//! names everything that it has to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::checkout;

/// The number of promises.
const PROMISES: usize = 7;

/// Returns the page, with each paragraph and each list item on one line.
fn page() -> String {
    let page = checkout::root().join("docs/reliability.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let mut lines: Vec<String> = Vec::new();
    for line in page.lines() {
        let continues = line.starts_with("   ") && !line.trim_start().starts_with('|');
        match lines.last_mut() {
            Some(last) if continues => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// Returns the lines under a heading.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page
        .split_once(&format!("## {heading}\n"))
        .unwrap_or_else(|| panic!("the page has no {heading}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// Returns the texts in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Returns the Rust sources of the workspace, each with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = ["crates", "functions", "tests", "xtask"]
        .map(|name| checkout::root().join(name))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("it can be listed") {
            let path = entry.expect("it can be listed").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() && !["target", "node_modules"].contains(&name) {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).expect("it is text");
                sources.push((path, text));
            }
        }
    }
    sources
}

/// Returns whether a text has a test function of this name, or one whose name begins with it.
fn has_test(text: &str, name: &str, whole: bool) -> bool {
    let mut is_test = false;
    text.lines().map(str::trim).any(|line| {
        let function = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ");
        if let Some(function) = function {
            let found = function.split(['(', '<']).next().unwrap_or_default();
            let fits = if whole {
                found == name
            } else {
                found.starts_with(name)
            };
            return std::mem::take(&mut is_test) && fits;
        }
        is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        false
    })
}

/// Returns whether a test file with the module's name has the function: `ownership::zone_changed`.
fn has_check(sources: &[(PathBuf, String)], module: &str, function: &str) -> bool {
    sources.iter().any(|(path, text)| {
        path.starts_with(checkout::root().join("tests"))
            && path.file_stem().is_some_and(|stem| stem == module)
            && text.contains(&format!("fn {function}("))
    })
}

/// Returns the folders of the workspace's packages.
fn packages() -> Vec<PathBuf> {
    let folders = ["crates", "functions", "tests"].map(|name| checkout::root().join(name));
    let listed = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("it can be listed"));
    listed
        .map(|entry| entry.expect("it can be listed").path())
        .chain([checkout::root().join("xtask")])
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .collect()
}

/// Returns why a command on the page is wrong.
fn fault_of(command: &str, sources: &[(PathBuf, String)]) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let says = |usage: &str, words: &[&str]| {
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let unknown = words
            .iter()
            .find(|word| !is_number(word) && !usage.contains(*word));
        unknown.map(|word| format!("its usage does not say {word}"))
    };
    match words.as_slice() {
        ["cargo", "xtask", name, options @ ..] => {
            match crate::COMMANDS.iter().find(|command| command.name == *name) {
                Some(command) => says(command.usage, options),
                None => Some("cargo xtask has no such command".to_owned()),
            }
        }
        ["cargo", "test", arguments @ ..] => {
            let arguments = arguments
                .split(|word| *word == "--")
                .next()
                .unwrap_or_default();
            let mut target = "";
            let mut filter = None;
            let mut words = arguments.iter();
            while let Some(word) = words.next() {
                match *word {
                    // For a package alone its dependencies would have other features, and be compiled again.
                    "--workspace" => {}
                    "-p" => return Some("it is not for the whole workspace".to_owned()),
                    "--test" => target = words.next().unwrap_or(&""),
                    "--lib" => target = "src",
                    word => filter = Some(word),
                }
            }
            let place = |package: PathBuf| match target {
                "src" => package.join("src"),
                target => package.join("tests").join(target),
            };
            let has_target =
                |package: &PathBuf| target != "src" || package.join("src/lib.rs").is_file();
            let packages = packages().into_iter().filter(has_target);
            let places: Vec<PathBuf> = packages.map(place).collect();
            let within = |place: &PathBuf| {
                let place = place.clone();
                let sources = sources.iter();
                sources
                    .filter_map(move |(path, text)| Some((path.strip_prefix(&place).ok()?, text)))
            };
            if places.iter().flat_map(within).next().is_none() {
                return Some(format!("there is no target {target}"));
            }
            let filter = filter?;
            // The path of a test is that of its module.
            let fits = |(path, text): (&Path, &String)| {
                path.iter().any(|part| {
                    Path::new(part)
                        .file_stem()
                        .is_some_and(|stem| stem == filter)
                }) || has_test(text, filter, false)
            };
            if places.iter().flat_map(within).any(fits) {
                None
            } else {
                Some(format!("there is no test {filter}"))
            }
        }
        _ => Some("it is neither cargo test nor cargo xtask".to_owned()),
    }
}

/// Returns the promises, each in one line, with the tests that prove it.
fn promises(page: &str) -> Vec<(&str, Vec<&str>)> {
    let lines = section(page, "Promises").lines();
    let numbered = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    let parts = numbered.map(|line| {
        let (promise, proofs) = line
            .split_once(" Proved by ")
            .unwrap_or_else(|| panic!("nothing proves: {line}"));
        (promise, quoted(proofs))
    });
    parts.collect()
}

#[test]
fn each_promise_names_tests_that_exist() {
    let page = page();
    let sources = sources();
    let promises = promises(&page);
    assert_eq!(promises.len(), PROMISES);
    for (at, (promise, proofs)) in promises.into_iter().enumerate() {
        assert!(promise.starts_with(&format!("{}. **", at + 1)), "{promise}");
        assert!(!proofs.is_empty(), "{promise}");
        for proof in proofs {
            let exists = match proof.split_once("::") {
                Some((module, function)) => has_check(&sources, module, function),
                None => sources.iter().any(|(_, text)| has_test(text, proof, true)),
            };
            assert!(exists, "there is no {proof}: {promise}");
        }
    }
}

/// Returns the titles of the paragraphs of a section.
fn titles(section: &str) -> BTreeSet<&str> {
    let items = section.lines().filter_map(|line| line.strip_prefix("- **"));
    items
        .filter_map(|item| Some(item.split_once(".**")?.0))
        .collect()
}

#[test]
fn the_page_lists_what_the_proofs_exclude() {
    let page = page();
    let list = checkout::root().join("tests/world/tests/proof/exclusions.rs");
    let list = fs::read_to_string(list).expect("the proofs have a list");
    let left_out = list.split("title: \"").skip(1);
    let left_out = left_out.filter_map(|rest| Some(rest.split_once("\",")?.0));
    assert_eq!(
        titles(section(&page, "What is not promised")),
        left_out.collect()
    );
}

#[test]
fn each_command_of_the_page_exists() {
    let page = page();
    let sources = sources();
    let commands = quoted(&page)
        .into_iter()
        .filter(|text| text.starts_with("cargo "));
    let mut count = 0;
    for command in commands {
        count += 1;
        if let Some(fault) = fault_of(command, &sources) {
            panic!("{command}: {fault}");
        }
    }
    assert!(count >= PROMISES, "only {count} commands");
}

#[test]
fn a_wrong_command_is_found() {
    let sources = sources();
    let fault = |command| fault_of(command, &sources);
    assert_eq!(fault("cargo xtask soak --minutes 60"), None);
    assert_eq!(
        fault("cargo test --workspace --test proof histories -- --nocapture"),
        None
    );
    for wrong in [
        "cargo build",
        "cargo xtask rest",
        "cargo xtask soak --hours 60",
        "cargo test -p world",
        "cargo test --workspace --test proofs",
        "cargo test --workspace --test proof history",
        "cargo test --workspace --lib whatever_",
    ] {
        assert!(fault(wrong).is_some(), "{wrong}");
    }
    let text = "#[test]\nfn one() {}\nfn two() {}\n#[tokio::test(start_paused = true)]\nasync fn three() {}";
    assert!(
        has_test(text, "one", true)
            && has_test(text, "three", true)
            && !has_test(text, "two", true)
    );
}
