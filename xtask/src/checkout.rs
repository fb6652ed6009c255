//! Paths in the checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Returns the root of the checkout in which this command was built.
pub(crate) fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let xtask = Path::new(&manifest);
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Returns cargo's target folder. Asks cargo, because a variable or one of several configuration files may
/// change it.
pub(crate) fn target() -> PathBuf {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    let target = TARGET.get_or_init(|| target_of_cargo().unwrap_or_else(|| root().join("target")));
    target.clone()
}

fn target_of_cargo() -> Option<PathBuf> {
    let asked = Command::new(cargo())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&asked.stdout).ok()?;
    metadata["target_directory"].as_str().map(PathBuf::from)
}

/// Returns the cargo that runs this command.
pub(crate) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Returns the pinned Python packages.
pub(crate) fn venv() -> PathBuf {
    root().join(".venv")
}

/// Returns a program of the pinned Python packages.
pub(crate) fn venv_program(name: &str) -> PathBuf {
    venv().join("bin").join(name)
}

/// Returns the folder of the emulator.
pub(crate) fn emulator() -> PathBuf {
    root().join("tests").join("emulator")
}

/// Returns the trial in real accounts.
pub(crate) fn tests_on_aws() -> PathBuf {
    root().join("tests").join("aws")
}

/// Returns the folder of the npm packages that Lambda's Node.js runtime contains.
pub(crate) fn lambda_node() -> PathBuf {
    emulator().join("lambda-node")
}

/// Returns the folder of the benchmarks and their contestants.
pub(crate) fn benchmarks() -> PathBuf {
    root().join("tests").join("benchmarks")
}

/// Returns the CDK app.
pub(crate) fn cdk() -> PathBuf {
    root().join("cdk")
}

/// Returns a path relative to the checkout, if it is in the checkout.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}
