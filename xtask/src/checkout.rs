//! Where things lie in the checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The root of the checkout that this command was built from.
pub(crate) fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let xtask = Path::new(&manifest);
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Cargo's target folder. Cargo is asked, because a variable or any of several configuration files may move it.
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

/// The cargo that runs this command.
pub(crate) fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The pinned Python packages.
pub(crate) fn venv() -> PathBuf {
    root().join(".venv")
}

/// A program of the pinned Python packages.
pub(crate) fn venv_program(name: &str) -> PathBuf {
    venv().join("bin").join(name)
}

/// The emulator and what belongs to it.
pub(crate) fn emulator() -> PathBuf {
    root().join("tests").join("emulator")
}

/// The trial in real accounts.
pub(crate) fn tests_on_aws() -> PathBuf {
    root().join("tests").join("aws")
}

/// The npm packages that Lambda's Node.js runtime brings.
pub(crate) fn lambda_node() -> PathBuf {
    emulator().join("lambda-node")
}

/// The benchmarks and what competes in them.
pub(crate) fn benchmarks() -> PathBuf {
    root().join("tests").join("benchmarks")
}

/// The CDK app.
pub(crate) fn cdk() -> PathBuf {
    root().join("cdk")
}

/// A path as a person in the checkout would type it.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}
