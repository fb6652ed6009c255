//! Rehearses a release: all steps of `.github/workflows/release.yml` that can run on one machine.
//!
//! The tag, the attestations and the upload are left to the workflow.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::checkout;
use crate::emulator::fresh_folder;
use crate::failure::{Doing, Failure};
use crate::process;
use crate::progress::{Progress, Step};
use crate::setup::{self, FUNCTIONS};

pub(crate) const USAGE: &str = "\
cargo xtask release --dry-run [--quick] [--functions FOLDER]

Rehearses a release: builds the functions twice and compares them, makes all assets, verifies them, and installs the packages.

  --dry-run            is required, because only the workflow releases
  --quick              builds the functions as the demo does, to try the rehearsal itself
  --functions FOLDER   takes publish-zone.zip and delegate-subdomain.zip from there, instead of building them";

const STEPS: usize = 6;

/// The processors, each with its architecture, its Rust target, and its flag for cargo-lambda.
const PROCESSORS: [(&str, &str, &str); 2] = [
    ("x86_64", "x86_64-unknown-linux-gnu", "--x86-64"),
    ("arm64", "aarch64-unknown-linux-gnu", "--arm64"),
];

/// Runs `cargo xtask release --dry-run`.
///
/// # Errors
/// A step of the release would fail.
pub(crate) fn command(words: &[&str]) -> Result<(), Failure> {
    let (mut dry_run, mut profile, mut given) = (false, "release", None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--dry-run" => dry_run = true,
            "--quick" => profile = "quick",
            "--functions" => given = words.next().map(PathBuf::from),
            unknown => return Err(crate::unknown_option("release", unknown)),
        }
    }
    if !dry_run {
        return Err(Failure::new(
            "Only the workflow of a tag releases. `cargo xtask release --dry-run` rehearses it.",
        ));
    }
    let folder = fresh_folder("rehearsal")?;
    let logs = folder.join("logs");
    let assets = folder.join("assets");
    fs::create_dir_all(&assets).doing(|| format!("create {}", assets.display()))?;
    let progress = Progress::new(STEPS);
    let version = progress.step("Version", |_| {
        let version = one_version()?;
        let said = format!("{version} in Cargo.toml, cdk/package.json and CHANGELOG.md");
        Ok((version, said))
    })?;
    progress.step("Tools", |step| {
        let tools = setup::tools()?;
        let said = setup::packages(&tools, &logs, step)?;
        Ok(((), said))
    })?;
    let functions = folder.join("functions");
    progress.step("Functions, built twice", |step| {
        let mut said = match &given {
            Some(given) => {
                copy_folder(given, &functions.join(setup::architecture()))?;
                vec!["given, not built".to_owned()]
            }
            None => build(profile, &functions, &folder, &logs, step)?,
        };
        said.extend(complete(&functions)?);
        Ok(((), said.join(", ")))
    })?;
    progress.step("Packages", |step| {
        packages(&functions, &folder, &logs, step)?;
        Ok(((), "from hashed wheels, without an index".into()))
    })?;
    progress.step("Assets", |_| {
        let count = collect(&version, &functions, &assets)?;
        Ok(((), format!("{count} files match SHA256SUMS")))
    })?;
    progress.step("Installed in an empty app", |step| {
        // The tests of the packages install them and compare their templates and their content.
        run(
            npm(&["run", "example:python"]),
            "install the packages",
            &logs.join("installed.log"),
            step,
        )?;
        Ok(((), "npm and Python packages synthesize".into()))
    })?;
    crate::terminal::line(format!("The assets are in {}.", checkout::shown(&assets)));
    Ok(())
}

fn run(mut command: Command, doing: &str, log: &Path, step: &Step) -> Result<(), Failure> {
    process::run(&mut command, doing, log, |line| step.at(line))
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = process::command("npm");
    command.args(arguments).current_dir(checkout::cdk());
    command
}

/// Returns the version, which all parts have in common.
fn one_version() -> Result<String, Failure> {
    let read = |name: &str| {
        fs::read_to_string(checkout::root().join(name)).doing(|| format!("read {name}"))
    };
    let package: serde_json::Value = serde_json::from_str(&read("cdk/package.json")?)
        .doing(|| "read cdk/package.json".into())?;
    let version = package["version"].as_str().unwrap_or_default().to_owned();
    let has =
        |name: &str, line: String| Ok::<_, Failure>(read(name)?.lines().any(|found| found == line));
    if !has("Cargo.toml", format!("version = \"{version}\""))? {
        return Err(Failure::new(format!(
            "Cargo.toml has another version than cdk/package.json, which has {version}."
        )));
    }
    if !has("CHANGELOG.md", format!("## {version}"))? {
        return Err(Failure::new(format!(
            "CHANGELOG.md has no section {version}."
        )));
    }
    Ok(version)
}

/// Builds the functions twice from scratch, for each processor whose Rust target is installed. Returns what
/// it built.
fn build(
    profile: &str,
    functions: &Path,
    folder: &Path,
    logs: &Path,
    step: &Step,
) -> Result<Vec<String>, Failure> {
    let target = folder.join("target");
    let installed = process::output(
        process::command("rustc").args(["--print", "sysroot"]),
        "find Rust",
    )?;
    let has_target = |name: &str| {
        Path::new(installed.trim())
            .join("lib/rustlib")
            .join(name)
            .join("lib")
            .is_dir()
    };
    let mut said = Vec::new();
    for (architecture, name, flag) in PROCESSORS.iter().filter(|(_, name, _)| has_target(name)) {
        let mut first: Option<Vec<Vec<u8>>> = None;
        for round in ["first", "second"] {
            step.at(format!("{architecture}, {round} build"));
            let _ = fs::remove_dir_all(&target);
            let mut command = setup::cargo_command();
            command.args([
                "lambda",
                "build",
                "--locked",
                "--output-format",
                "zip",
                flag,
                "--profile",
                profile,
            ]);
            command
                .env("CARGO_TARGET_DIR", &target)
                .env("PATH", process_path());
            command.arg("--lambda-dir").arg(target.join("lambda"));
            for function in FUNCTIONS {
                command.args(["--package", function]);
            }
            run(
                command,
                "build the functions",
                &logs.join(format!("{architecture}-{round}.log")),
                step,
            )?;
            let packed = target.join("packed");
            let mut pack = process::command(checkout::venv_program("python"));
            pack.arg(".github/pack-functions.py")
                .arg(target.join("lambda"))
                .arg(&packed);
            process::output(&mut pack, "pack the functions")?;
            let zips = FUNCTIONS.map(|function| packed.join(format!("{function}.zip")));
            let read: Result<Vec<Vec<u8>>, _> = zips.iter().map(fs::read).collect();
            let read = read.doing(|| "read the functions".into())?;
            match &first {
                None => first = Some(read),
                Some(before) if *before == read => {}
                Some(_) => {
                    return Err(Failure::new(format!(
                        "Two builds of the functions for {name} differ."
                    )));
                }
            }
        }
        let place = functions.join(architecture);
        fs::create_dir_all(&place).doing(|| format!("create {}", place.display()))?;
        for (function, zip) in FUNCTIONS.iter().zip(first.unwrap_or_default()) {
            fs::write(place.join(format!("{function}.zip")), zip)
                .doing(|| format!("write {function}.zip"))?;
        }
        said.push(format!("{architecture} byte-identical"));
    }
    let _ = fs::remove_dir_all(&target);
    Ok(said)
}

/// Copies the functions of one processor for processors that this machine cannot build, because the packages
/// need both. Returns for which.
fn complete(functions: &Path) -> Result<Vec<String>, Failure> {
    let built = PROCESSORS.map(|(architecture, ..)| functions.join(architecture));
    let first = built.iter().find(|place| place.exists());
    let first = first.ok_or_else(|| Failure::new("No target of a processor is installed."))?;
    let mut said = Vec::new();
    for place in built.iter().filter(|place| !place.exists()) {
        copy_folder(first, place)?;
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        said.push(format!("{name} not built here"));
    }
    Ok(said)
}

/// Returns the pinned tools of `.venv` first, cargo-lambda among them.
fn process_path() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [checkout::venv().join("bin")]
        .into_iter()
        .chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).doing(|| format!("create {}", to.display()))?;
    for file in files(from)? {
        let name = file.file_name().unwrap_or_default();
        fs::copy(&file, to.join(name)).doing(|| format!("copy {}", file.display()))?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = fs::read_dir(folder).doing(|| format!("list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Ok(files)
}

/// Makes the packages as the workflow does: pip installs only hashed packages and uses no index.
fn packages(functions: &Path, folder: &Path, logs: &Path, step: &Step) -> Result<(), Failure> {
    let wheels = folder.join("wheels");
    let mut download = process::command(checkout::venv_program("python"));
    download
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
        ])
        .args(["-r", "cdk/packages-requirements.txt", "--dest"])
        .arg(&wheels);
    run(
        download,
        "download the tools for the wheel",
        &logs.join("wheels.log"),
        step,
    )?;
    let mut make = npm(&["run", "package", "--"]);
    make.arg(functions)
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", &wheels);
    run(make, "make the packages", &logs.join("packages.log"), step)
}

/// Collects the assets and verifies them. Returns their number.
fn collect(version: &str, functions: &Path, assets: &Path) -> Result<usize, Failure> {
    for (architecture, ..) in PROCESSORS {
        let archive = assets.join(format!("zone-delegation-v{version}-{architecture}.tar.gz"));
        let mut pack = process::command("tar");
        pack.args([
            "--create",
            "--gzip",
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--mtime=@0",
            "--directory",
        ]);
        pack.arg(functions.join(architecture))
            .arg("--file")
            .arg(archive)
            .arg(".");
        process::output(&mut pack, "pack the functions")?;
    }
    for folder in ["dist/js", "dist/python", "templates"] {
        for file in files(&checkout::cdk().join(folder))? {
            let extension = file.extension().and_then(|extension| extension.to_str());
            if matches!(extension, Some("tgz" | "whl" | "yaml")) {
                let name = file.file_name().unwrap_or_default();
                fs::copy(&file, assets.join(name)).doing(|| format!("copy {}", file.display()))?;
            }
        }
    }
    let sbom = process::output(
        &mut npm(&[
            "sbom",
            "--package-lock-only",
            "--sbom-format",
            "cyclonedx",
            "--omit",
            "dev",
        ]),
        "list what the packages need",
    )?;
    fs::write(assets.join("zone-delegation-packages.cdx.json"), sbom)
        .doing(|| "write the bill of materials".into())?;
    let in_assets = |command: &str| {
        let mut shell = process::command("sh");
        shell.args(["-ec", command]).current_dir(assets);
        process::output(&mut shell, "verify the assets")
    };
    in_assets("sha256sum -- * > ../SHA256SUMS && mv ../SHA256SUMS .")?;
    Ok(in_assets("sha256sum --check --strict SHA256SUMS")?
        .lines()
        .count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_same_everywhere() {
        assert!(one_version().is_ok_and(|version| version.split('.').count() == 3));
    }

    #[test]
    fn nothing_is_released_without_dry_run() {
        assert!(command(&[]).unwrap_err().to_string().contains("--dry-run"));
        assert!(
            command(&["--fast"])
                .unwrap_err()
                .to_string()
                .contains("--fast")
        );
    }
}
