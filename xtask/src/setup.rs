//! Prepares what the commands need, in the checkout: pinned packages and the functions.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::checkout;
use crate::failure::{Doing, Failure};
use crate::process;
use crate::progress::Step;

/// The functions of the project, by the names of their binaries.
pub(crate) const FUNCTIONS: [&str; 2] = ["publish-zone", "delegate-subdomain"];

const LEAST_NODE: (u32, u32) = (20, 16);
const LEAST_PYTHON: (u32, u32) = (3, 11);

/// The tools of the machine that everything else needs.
pub(crate) struct Tools {
    python: OsString,
    /// Their versions, as text.
    pub(crate) said: String,
}

/// Finds Rust, a C compiler, Node.js and Python.
///
/// # Errors
/// One sentence with what is missing.
pub(crate) fn tools() -> Result<Tools, Failure> {
    let rust = version(&checkout::cargo(), &["--version"])
        .ok_or_else(|| Failure::new("Rust is missing: install it as https://rustup.rs says."))?;
    // ring is partly C and assembly, and the C compiler links everything.
    let named = std::env::vars_os().any(|(name, _)| names_c_compiler(&name.to_string_lossy()));
    if !named && !succeeds("cc".as_ref(), &["--version"]) {
        return Err(Failure::new(
            "A C compiler and linker, cc, are missing: install them, on Debian and Ubuntu as build-essential.",
        ));
    }
    let node = version("node".as_ref(), &["--version"]).ok_or_else(|| {
        Failure::new("Node.js 20.16 or later is missing: install it and put it in the PATH.")
    })?;
    if !at_least(&node, LEAST_NODE) {
        return Err(Failure::new(format!(
            "Node.js {node} is too old: install 20.16 or later and put it first in the PATH."
        )));
    }
    version("npm".as_ref(), &["--version"])
        .ok_or_else(|| Failure::new("npm is missing: it comes with Node.js 20 or later."))?;
    let (python, python_version) = [
        "python3",
        "python3.14",
        "python3.13",
        "python3.12",
        "python3.11",
        "python",
    ]
    .iter()
    .find_map(|name| {
        let found = version(name.as_ref(), &["--version"])?;
        at_least(&found, LEAST_PYTHON).then(|| (OsString::from(name), found))
    })
    .ok_or_else(|| {
        Failure::new("Python 3.11 or later is missing: install it and put it in the PATH.")
    })?;
    // Some systems package these modules separately.
    if !succeeds(&python, &["-c", "import venv, ensurepip"]) {
        return Err(Failure::new(format!(
            "Python {python_version} lacks venv: install it, on Debian and Ubuntu as python3-venv."
        )));
    }
    Ok(Tools {
        python,
        said: format!("Rust {rust}, Node.js {node}, Python {python_version}"),
    })
}

/// Returns the cargo that runs this command, in the checkout, with the user's environment.
///
/// `cargo run` adds variables of its own package. Some build scripts watch these, and would otherwise run
/// again in each build here and in each build of the user.
pub(crate) fn cargo_command() -> Command {
    let mut command = Command::new(checkout::cargo());
    command.current_dir(checkout::root());
    process::remove_variables(&mut command, &["AWS_", "CARGO_PKG_", "CARGO_MANIFEST_"]);
    command
}

/// Returns the first word of a tool's output that starts with a digit, or with `v` and a digit.
fn version(program: &std::ffi::OsStr, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(checkout::root())
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .map(|word| word.trim_start_matches('v'))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
}

fn succeeds(program: &std::ffi::OsStr, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Returns whether the cc crate reads the C compiler from this variable. If so, that crate finds the
/// compiler.
fn names_c_compiler(variable: &str) -> bool {
    matches!(variable, "CC" | "HOST_CC" | "TARGET_CC") || variable.starts_with("CC_")
}

fn at_least(version: &str, least: (u32, u32)) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= least
}

/// Installs the pinned Python and npm packages if they are not current. Returns what it did.
///
/// # Errors
/// A package cannot be installed.
pub(crate) fn packages(tools: &Tools, logs: &Path, step: &Step) -> Result<String, Failure> {
    let mut made = Vec::new();
    if python_packages(tools, &checkout::emulator(), &checkout::venv(), logs, step)? {
        made.push("Python packages");
    }
    if npm_packages(&checkout::cdk(), logs, step)? {
        made.push("npm packages");
    }
    Ok(match made.as_slice() {
        [] => "current".into(),
        made => format!("{} installed as pinned", made.join(" and ")),
    })
}

/// Installs the Python packages in a folder's requirements if they are not current. Returns whether it did.
///
/// # Errors
/// A package cannot be installed.
pub(crate) fn python_packages(
    tools: &Tools,
    folder: &Path,
    venv: &Path,
    logs: &Path,
    step: &Step,
) -> Result<bool, Failure> {
    let requirements = folder.join("requirements.txt");
    let stamped = venv.join("requirements.stamp");
    if is_current(&requirements, &stamped) {
        return Ok(false);
    }
    step.at("Python packages");
    let log = logs.join("python-packages.log");
    let shown = checkout::shown(venv);
    process::run(
        process::command(&tools.python)
            .args(["-m", "venv", "--clear"])
            .arg(venv),
        &format!("create {shown}"),
        &log,
        |line| step.at(line),
    )?;
    process::run(
        process::command(venv.join("bin").join("python"))
            .args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
            ])
            .args(["--retries", "2", "--timeout", "15"])
            .args(["--require-hashes", "--only-binary", ":all:", "-r"])
            .arg(&requirements),
        "install the Python packages",
        &log,
        |line| step.at(line),
    )?;
    stamp(&requirements, &stamped)?;
    Ok(true)
}

/// Installs the npm packages in a folder's lock file if they are not current. Returns whether it did.
///
/// # Errors
/// A package cannot be installed.
pub(crate) fn npm_packages(folder: &Path, logs: &Path, step: &Step) -> Result<bool, Failure> {
    let lock = folder.join("package-lock.json");
    let stamped = folder.join("node_modules").join("package-lock.stamp");
    if is_current(&lock, &stamped) {
        return Ok(false);
    }
    step.at("npm packages");
    process::run(
        process::command("npm")
            // Without a network npm would try for eleven minutes.
            .args([
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--fetch-retries=1",
            ])
            .args(["--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"])
            .current_dir(folder),
        "install the npm packages",
        &logs.join("npm-packages.log"),
        |line| step.at(line),
    )?;
    stamp(&lock, &stamped)?;
    Ok(true)
}

/// Returns whether the stamp is a copy of the file from which the packages were installed.
fn is_current(source: &Path, stamp: &Path) -> bool {
    matches!((fs::read(source), fs::read(stamp)), (Ok(source), Ok(stamp)) if source == stamp)
}

fn stamp(source: &Path, stamp: &Path) -> Result<(), Failure> {
    fs::copy(source, stamp)
        .map(drop)
        .doing(|| format!("write {}", stamp.display()))
}

/// The way to build the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// The fastest build, which the demo runs.
    Quick,
    /// The build of a release: small, and takes seven minutes on two cores.
    Release,
}

impl Build {
    /// Returns the cargo profile.
    fn profile(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Release => "release",
        }
    }
}

/// Builds the functions for this machine and passes cargo's output to `on_line`. Returns the binaries in the
/// order of [`FUNCTIONS`].
///
/// # Errors
/// The build fails.
pub(crate) fn build(
    build: Build,
    logs: &Path,
    mut on_line: impl FnMut(&str),
) -> Result<Vec<PathBuf>, Failure> {
    let mut command = cargo_command();
    command
        .args(["build", "--locked", "--profile", build.profile()])
        .args(["--message-format", "json-render-diagnostics"])
        // The bar shows the progress.
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100");
    for name in FUNCTIONS {
        command.args(["-p", name]);
    }
    let mut binaries = BTreeMap::new();
    process::run(
        &mut command,
        "build the functions",
        &logs.join("functions.log"),
        |line| match executable(line) {
            Some((name, path)) => drop(binaries.insert(name, path)),
            None if line.starts_with('{') => {}
            None => on_line(line),
        },
    )?;
    FUNCTIONS
        .iter()
        .map(|name| {
            binaries
                .remove(*name)
                .ok_or_else(|| Failure::new(format!("Cargo built no binary {name}.")))
        })
        .collect()
}

/// Returns the binary in a message of cargo, because only cargo knows where it writes binaries
/// (<https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>).
fn executable(message: &str) -> Option<(String, PathBuf)> {
    #[derive(Deserialize)]
    struct Artifact {
        executable: PathBuf,
        target: Target,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let artifact: Artifact = serde_json::from_str(message).ok()?;
    Some((artifact.target.name, artifact.executable))
}

/// Packs binaries as Lambda needs them: `NAME.zip` with a `bootstrap`. Returns the folder, and the sizes as
/// text.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn pack(binaries: &[PathBuf], logs: &Path) -> Result<(PathBuf, String), Failure> {
    let folder = checkout::target().join("functions");
    let mut said = Vec::new();
    for (name, binary) in FUNCTIONS.iter().zip(binaries) {
        let zip = folder.join(format!("{name}.zip"));
        pack_one(name, binary, &zip, logs)?;
        let size = fs::metadata(&zip).map_or(0, |found| found.len());
        said.push(format!("{name}.zip {:.1} MB", size as f64 / 1e6));
    }
    Ok((folder, said.join(", ")))
}

fn pack_one(name: &str, binary: &Path, zip: &Path, logs: &Path) -> Result<(), Failure> {
    let folder = zip.with_extension("");
    fs::create_dir_all(&folder).doing(|| format!("create {}", folder.display()))?;
    fs::copy(binary, folder.join("bootstrap")).doing(|| format!("copy {}", binary.display()))?;
    process::run(
        process::command(checkout::venv_program("python"))
            .args(["-m", "zipfile", "-c"])
            .arg(zip)
            .arg("bootstrap")
            .current_dir(&folder),
        &format!("pack {name}.zip"),
        &logs.join("pack.log"),
        |_| {},
    )
}

/// Returns the processor for which the functions are built, in the CDK app's words.
pub(crate) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_may_name_the_c_compiler() {
        assert!(names_c_compiler("CC"));
        assert!(names_c_compiler("HOST_CC"));
        assert!(names_c_compiler("CC_x86_64_unknown_linux_gnu"));
        assert!(!names_c_compiler("CCACHE_DIR"));
        assert!(!names_c_compiler("CXX"));
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(at_least("20.20.2", (20, 0)));
        assert!(at_least("3.11.7", (3, 11)));
        assert!(!at_least("3.9.18", (3, 11)));
        assert!(!at_least("18.19.0", (20, 0)));
    }
}
