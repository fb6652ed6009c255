//! Lists the mutants that cargo-mutants finds (<https://mutants.rs>), with the settings in
//! .cargo/mutants.toml.

use std::path::PathBuf;

use serde::Deserialize;

use crate::checkout;
use crate::failure::{Doing, Failure};
use crate::process;
use crate::setup;
use crate::terminal;

/// The version of cargo-mutants.
const VERSION: &str = "27.1.0";

/// The part of the code that a mutant changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Genre {
    /// A function returns a value at once.
    FnValue,
    BinaryOperator,
    UnaryOperator,
    /// An arm is deleted.
    MatchArm,
    /// A guard is always true or always false.
    MatchArmGuard,
    /// A field of a struct expression is deleted, so that it has the value of the base.
    StructField,
}

/// A mutant.
#[derive(Clone, Debug)]
pub(super) struct Mutant {
    /// The path from the root of the checkout.
    pub(super) file: String,
    pub(super) genre: Genre,
    /// The first position, with line and column from 1.
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) replacement: String,
    /// What it changes, such as `replace == with != in Ownership::of`.
    pub(super) about: String,
}

impl Mutant {
    /// Returns its name in a list of survivors: without line numbers, which change with every edit.
    pub(super) fn name(&self) -> String {
        format!("{}: {}", self.file, self.about)
    }
}

#[derive(Deserialize)]
struct Listed {
    file: String,
    genre: Genre,
    name: String,
    replacement: String,
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    start: Position,
}

#[derive(Deserialize)]
struct Position {
    line: usize,
    column: usize,
}

/// Returns all mutants of the checkout.
///
/// # Errors
/// cargo-mutants cannot be installed, or its output cannot be read.
pub(super) fn mutants() -> Result<Vec<Mutant>, Failure> {
    let mut list = process::command(installed()?);
    list.args(["mutants", "--list", "--json", "--dir"])
        .arg(checkout::root());
    let listed = process::output(&mut list, "list the mutants")?;
    let listed: Vec<Listed> =
        serde_json::from_str(&listed).doing(|| "read the list of mutants".to_owned())?;
    let mutant = |listed: Listed| {
        // `FILE:LINE:COLUMN: what it changes`
        let about = listed.name.splitn(4, ':').last().unwrap_or_default();
        Mutant {
            about: about.trim().to_owned(),
            file: listed.file,
            genre: listed.genre,
            line: listed.span.start.line,
            column: listed.span.start.column,
            replacement: listed.replacement,
        }
    };
    Ok(listed.into_iter().map(mutant).collect())
}

/// Returns the pinned cargo-mutants, which is installed to the target folder if it is absent.
fn installed() -> Result<PathBuf, Failure> {
    let folder = checkout::root()
        .join("target/tools")
        .join(format!("cargo-mutants-{VERSION}"));
    let program = folder.join("bin/cargo-mutants");
    if !program.is_file() {
        terminal::line(format!(
            "installing cargo-mutants {VERSION}: some minutes, once"
        ));
        let mut install = setup::cargo_command();
        install
            .args(["install", "--quiet", "--locked", "cargo-mutants"])
            .args(["--version", VERSION, "--root"])
            .arg(&folder);
        let log = folder.with_extension("log");
        process::run(&mut install, "install cargo-mutants", &log, |_| {})?;
    }
    Ok(program)
}
