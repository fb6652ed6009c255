//! The mutants, as cargo-mutants finds them (<https://mutants.rs>), by .cargo/mutants.toml.

use std::path::PathBuf;

use serde::Deserialize;

use crate::checkout;
use crate::failure::{Doing, Failure};
use crate::process;
use crate::setup;
use crate::terminal;

/// Which cargo-mutants.
const VERSION: &str = "27.1.0";

/// What of the code a mutant changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Genre {
    /// A function answers a value at once.
    FnValue,
    BinaryOperator,
    UnaryOperator,
    /// An arm is deleted.
    MatchArm,
    /// A guard is always true, or never.
    MatchArmGuard,
    /// A field of a struct expression is deleted, so that it has the value of its base.
    StructField,
}

/// A mutant.
#[derive(Clone, Debug)]
pub(super) struct Mutant {
    /// From the root of the checkout.
    pub(super) file: String,
    pub(super) genre: Genre,
    /// Where it begins, each from 1.
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) replacement: String,
    /// What it does, such as `replace == with != in Hold::of`.
    pub(super) about: String,
}

impl Mutant {
    /// What a list of survivors calls it: without lines, which every edit moves.
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

/// All mutants of the checkout.
///
/// # Errors
/// cargo-mutants cannot be installed, or does not say what it did.
pub(super) fn mutants() -> Result<Vec<Mutant>, Failure> {
    let mut list = process::command(installed()?);
    list.args(["mutants", "--list", "--json", "--dir"])
        .arg(checkout::root());
    let listed = process::output(&mut list, "list the mutants")?;
    let listed: Vec<Listed> =
        serde_json::from_str(&listed).doing(|| "read the list of mutants".to_owned())?;
    let mutant = |listed: Listed| {
        // `FILE:LINE:COLUMN: what it does`
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

/// The pinned cargo-mutants, installed under the target folder if it is not there.
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
