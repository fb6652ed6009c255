//! Tests complete CloudFormation stacks on the emulator: the CDK app's templates and the release binaries,
//! with IAM enforced.
//!
//! `tests/emulator/stacks` contains the suites, one per file. They run at the same time, each in accounts and
//! under a base domain of its own, because they mostly wait.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use crate::checkout;
use crate::emulator::{Emulator, fresh_folder};
use crate::failure::{Doing, Failure};
use crate::process;
use crate::progress::{Step, seconds};
use crate::setup::Build;
use crate::{setup, terminal, test};

/// A file of `tests/emulator/stacks`, and the environment in which it runs.
struct Suite {
    name: &'static str,
    base_domain: &'static str,
    networking: &'static str,
    consumer: &'static str,
}

const SUITES: [Suite; 11] = [
    Suite {
        name: "bad_input",
        base_domain: "example.com",
        networking: "111111111111",
        consumer: "222222222222",
    },
    Suite {
        name: "upgrade",
        base_domain: "example.net",
        networking: "444444444444",
        consumer: "555555555555",
    },
    Suite {
        name: "waits",
        base_domain: "example.org",
        networking: "666666666666",
        consumer: "777777777777",
    },
    Suite {
        name: "internet_facing_app",
        base_domain: "example.edu",
        networking: "888888888888",
        consumer: "898989898989",
    },
    Suite {
        name: "static_site",
        base_domain: "example.biz",
        networking: "343434343434",
        consumer: "454545454545",
    },
    Suite {
        name: "readme_page",
        base_domain: "example.eu",
        networking: "787878787878",
        consumer: "767676767676",
    },
    Suite {
        name: "migration",
        base_domain: "example.info",
        networking: "999999999999",
        consumer: "101010101010",
    },
    Suite {
        name: "comparison",
        base_domain: "example.dev",
        networking: "181818181818",
        consumer: "191919191919",
    },
    Suite {
        name: "trial",
        base_domain: "example.it",
        networking: "121212121212",
        consumer: "131313131313",
    },
    Suite {
        name: "trial_stopped",
        base_domain: "example.at",
        networking: "161616161616",
        consumer: "171717171717",
    },
    Suite {
        name: "conformance",
        base_domain: "example.us",
        networking: "141414141414",
        consumer: "151515151515",
    },
];

/// How long ACM takes to issue a certificate: longer than an invocation of `waits`.
const ISSUE_SECONDS: &str = "8";

/// Runs `cargo xtask stacks`: all suites, or only these.
///
/// # Errors
/// A suite fails, or does not exist.
pub(crate) fn command(wanted: &[&str]) -> Result<(), Failure> {
    let names = SUITES.map(|suite| suite.name);
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        return Err(Failure::new(format!(
            "There is no suite {unknown}; the suites are {}.",
            names.join(", ")
        )));
    }
    let logs = fresh_folder("stacks")?;
    let tools = setup::tools()?;
    setup::packages(&tools, &logs, &Step::hidden())?;
    setup::npm_packages(&checkout::lambda_node(), &logs, &Step::hidden())?;
    let binaries = setup::build(Build::Release, &logs, |_| {})?;
    let (zips, _) = setup::pack(&binaries, &logs)?;
    let result = run(wanted, &logs, &zips);
    remove_scratch();
    result
}

fn scratch() -> PathBuf {
    checkout::target().join("stacks").join("scratch")
}

/// Removes what only running suites need. Their logs are kept.
pub(crate) fn remove_scratch() {
    let _ = std::fs::remove_dir_all(scratch());
}

fn run(wanted: &[&str], logs: &Path, zips: &Path) -> Result<(), Failure> {
    let scratch = scratch();
    std::fs::create_dir_all(&scratch).doing(|| format!("create {}", scratch.display()))?;
    let registered = SUITES.map(|suite| (suite.base_domain, suite.networking));
    let node_modules = checkout::lambda_node().join("node_modules");
    let emulator = Emulator::start(
        &registered,
        &[
            "--issue-seconds".as_ref(),
            ISSUE_SECONDS.as_ref(),
            "--node-modules".as_ref(),
            node_modules.as_os_str(),
        ],
        &scratch,
        &logs.join("emulator.log"),
    )?;
    let results: Vec<Result<(), Failure>> = thread::scope(|scope| {
        let running: Vec<_> = SUITES
            .iter()
            .filter(|suite| wanted.is_empty() || wanted.contains(&suite.name))
            .map(|suite| scope.spawn(|| passed(suite, &emulator, logs, zips)))
            .collect();
        running
            .into_iter()
            .map(|one| {
                one.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    let failures: Vec<Failure> = results.into_iter().filter_map(Result::err).collect();
    for log in failures.iter().filter_map(Failure::log) {
        test::show_end(log);
    }
    failures.into_iter().next().map_or(Ok(()), Err)
}

fn passed(suite: &Suite, emulator: &Emulator, logs: &Path, zips: &Path) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut command = process::command(checkout::venv_program("python"));
    command
        .args(["-m", "unittest", "--verbose"])
        .arg(format!("stacks.{}", suite.name))
        .current_dir(checkout::emulator())
        .env("EMULATOR_ENDPOINT", emulator.endpoint())
        .env("DNS_ADDRESS", emulator.dns.address.to_string())
        .env("FUNCTION_ZIPS", zips)
        .env("FUNCTION_ARCHITECTURE", setup::architecture())
        .env("BASE_DOMAIN", suite.base_domain)
        .env("NETWORKING_ACCOUNT", suite.networking)
        .env("CONSUMER_ACCOUNT", suite.consumer)
        // The command that `trial` runs.
        .env("XTASK", std::env::current_exe().unwrap_or_default())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    process::without_proxies(&mut command);
    let log = logs.join(format!("{}.log", suite.name));
    let result = process::run(&mut command, &format!("pass {}", suite.name), &log, |_| {});
    terminal::line(format!(
        "  {:20} {} in {}",
        suite.name,
        if result.is_ok() { "passed" } else { "FAILED" },
        seconds(begun.elapsed())
    ));
    result
}
