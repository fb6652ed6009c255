//! The paths of what is measured.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The paths.
#[derive(Debug)]
pub(crate) struct Places {
    /// The release binaries.
    pub(crate) binaries: PathBuf,
    /// The contestants in Node and Python.
    pub(crate) contestants: PathBuf,
    /// A folder for temporary files.
    pub(crate) scratch: PathBuf,
    /// `docs`.
    pub(crate) docs: PathBuf,
    /// Node.
    pub(crate) node: PathBuf,
    /// The Python interpreter with the contestant's packages.
    pub(crate) python: PathBuf,
}

impl Places {
    /// Returns the paths in the checkout, with what `cargo xtask bench` has installed there.
    ///
    /// # Errors Node is missing.
    pub(crate) fn find() -> io::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(2).unwrap_or(here);
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |folder| root.join(folder));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let node = std::env::split_paths(&path)
            .map(|folder| folder.join("node"))
            .find(|node| node.is_file());
        let scratch = target.join("bench");
        Ok(Self {
            binaries: target.join("release"),
            contestants: here.join("contestants"),
            docs: root.join("docs"),
            node: node.ok_or_else(|| io::Error::other("there is no node in PATH"))?,
            python: scratch.join("python/bin/python"),
            scratch,
        })
    }

    /// Returns the contestant's packages.
    ///
    /// # Errors
    /// They are not installed.
    pub(crate) fn site_packages(&self) -> io::Result<PathBuf> {
        let asked = Command::new(&self.python)
            .args([
                "-c",
                "import boto3, pathlib; print(pathlib.Path(boto3.__file__).parent.parent)",
            ])
            .output()?;
        Ok(String::from_utf8_lossy(&asked.stdout).trim().into())
    }

    /// Returns the size in bytes of a zip of files and folders, at deflate's best level as in `zip -9`.
    ///
    /// # Errors
    /// The zip cannot be written.
    pub(crate) fn zip(&self, paths: &[PathBuf], without: &[&str]) -> io::Result<u64> {
        const ZIP: &str = "
import pathlib, sys, zipfile
target, without, paths = sys.argv[1], sys.argv[2].split(','), sys.argv[3:]
with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in map(pathlib.Path, paths):
        for file in sorted(path.rglob('*')) if path.is_dir() else [path]:
            inside = file.relative_to(path.parent)
            if file.is_file() and not any(part.split('-')[0] in without or part in without for part in inside.parts):
                archive.write(file, inside)
";
        let target = self.scratch.join("measured.zip");
        let done = Command::new(&self.python)
            .args(["-c", ZIP])
            .arg(&target)
            .arg(without.join(","))
            .args(paths)
            .output()?;
        if !done.status.success() {
            return Err(io::Error::other(
                String::from_utf8_lossy(&done.stderr).into_owned(),
            ));
        }
        Ok(std::fs::metadata(&target)?.len())
    }
}
