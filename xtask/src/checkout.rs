//! Where things lie in the checkout.

use std::path::{Path, PathBuf};

/// The root of the checkout that this command was built from.
pub(crate) fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let xtask = Path::new(&manifest);
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Cargo's target folder, or what stands for it.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
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
