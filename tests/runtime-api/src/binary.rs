//! Where the functions' release binaries are.

use std::path::{Path, PathBuf};

/// Returns the release binary of a function: in the folder that `ZONE_DELEGATION_BINARIES` names, by default the workspace's
/// `target/release`.
///
/// # Panics
///
/// The binary is missing. The message says how to build it.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let folder = std::env::var_os("ZONE_DELEGATION_BINARIES").map_or_else(
        || {
            // Cargo does not tell a test where the target folder is, but the test is in its PROFILE/deps.
            let test = std::env::current_exe().expect("a test has a path");
            let target = test.ancestors().nth(3).map(Path::to_owned);
            target
                .expect("a test is in the target folder")
                .join("release")
        },
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "There is no {}: run `cargo build --release -p publish-zone -p delegate-subdomain` first.",
        path.display(),
    );
    path
}
