//! Deploys the CDK app to the emulated accounts.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    APPLICATION, BASE_DOMAIN, CONSUMER, CONSUMER_NAME, INSTANCE, NEIGHBOR, NEIGHBOR_NAME,
    NETWORKING, REGION, SUB_DOMAIN,
};
use crate::checkout;
use crate::emulator::Emulator;
use crate::failure::{Doing, Failure};
use crate::process;
use crate::progress::Step;
use crate::setup;

/// Returns the networking stack's name in the CDK app.
pub(super) fn networking() -> String {
    format!("zone-delegation-networking-{INSTANCE}")
}

/// Returns the name, in the CDK app, of the stack of the consumer with this first name.
pub(super) fn consumer(name: &str) -> String {
    let own = if name == INSTANCE {
        String::new()
    } else {
        format!("-{name}")
    };
    format!("zone-delegation-consumer-{INSTANCE}{own}")
}

/// Returns the prefix under which the networking stack publishes the delegated zone.
pub(super) fn parameter_prefix() -> String {
    format!("/zone-delegation/{INSTANCE}")
}

/// Returns the name of the delegation role that the networking stack creates for an account.
pub(super) fn delegation_role(account: &str) -> String {
    format!("arn:aws:iam::{NETWORKING}:role/zone-delegation-{INSTANCE}-{account}")
}

/// The app's stacks.
pub(super) struct Stacks<'a> {
    emulator: &'a Emulator,
    logs: &'a Path,
    scratch: PathBuf,
    base_zone: String,
}

impl<'a> Stacks<'a> {
    pub(super) fn new(
        emulator: &'a Emulator,
        logs: &'a Path,
        scratch: PathBuf,
        base_zone: String,
    ) -> Self {
        Self {
            emulator,
            logs,
            scratch,
            base_zone,
        }
    }

    /// Runs `cdk bootstrap` for all accounts at the same time.
    pub(super) fn bootstrap_all(&self, accounts: &[&str], step: &Step) -> Result<(), Failure> {
        let (of, done) = (accounts.len() as u64, AtomicU64::new(0));
        step.reached(0, of);
        thread::scope(|scope| {
            let bootstrap = |account| {
                let result = self.bootstrap(account, step);
                step.reached(done.fetch_add(1, Ordering::Relaxed) + 1, of);
                result
            };
            let running = accounts
                .iter()
                .map(|account| scope.spawn(move || bootstrap(account)));
            joined(running.collect())
        })
    }

    fn bootstrap(&self, account: &str, step: &Step) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Opened {
            buckets: Vec<String>,
        }
        self.run(
            account,
            &["bootstrap", &format!("aws://{account}/{REGION}")],
            &format!("bootstrap {account}"),
            &format!("bootstrap-{account}"),
            |line| step.at(event(line)),
        )?;
        // The bucket refuses requests without TLS, and the emulator on loopback uses plain HTTP.
        let opened: Opened = self.emulator.ask(
            &["open-bootstrap-bucket", account],
            "open the bootstrap bucket",
        )?;
        if opened.buckets.len() == 1 {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "The bootstrap of {account} created {} buckets instead of one.",
                opened.buckets.len()
            )))
        }
    }

    /// Runs `cdk synth` once for all deployments, in a folder of the demo's own, because `cdk/cdk.json` is
    /// the user's.
    pub(super) fn synth(&self, zips: &Path, step: &Step) -> Result<(), Failure> {
        let folder = self.scratch.join("app");
        let file = folder.join("cdk.json");
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&file, configuration(&self.base_zone, zips).to_string()))
            .doing(|| format!("write {}", file.display()))?;
        let mut command = self.cdk(NETWORKING);
        command
            .current_dir(folder)
            .args(["synth", "--quiet", "--output"])
            .arg(self.assembly());
        let log = self.logs.join("synth.log");
        process::run(&mut command, "synthesize the CDK app", &log, |line| {
            step.at(line);
        })
    }

    /// Runs `cdk deploy` for one stack, without the stacks on which it depends: they belong to other
    /// accounts.
    pub(super) fn deploy(
        &self,
        account: &str,
        stack: &str,
        step: &Step,
    ) -> Result<String, Failure> {
        let mut resources = 0;
        self.run(
            account,
            &[
                "deploy",
                stack,
                "--exclusively",
                "--app",
                &self.assembly().display().to_string(),
                "--require-approval",
                "never",
                "--progress",
                "events",
            ],
            &format!("deploy {stack}"),
            &format!("deploy-{stack}"),
            |line| {
                if let Some((done, of)) = count(line) {
                    step.reached(done, of);
                    resources = of;
                }
                step.at(event(line));
            },
        )?;
        Ok(format!("{resources} resources in {account}"))
    }

    /// Runs `cdk diff` for deployed stacks at the same time, and expects no difference.
    ///
    /// # Errors
    /// There is a difference, or the command fails.
    pub(super) fn diff_all(&self, stacks: &[(&str, String)]) -> Result<(), Failure> {
        thread::scope(|scope| {
            let running = stacks
                .iter()
                .map(|(account, stack)| scope.spawn(|| self.diff(account, stack)));
            joined(running.collect())
        })
    }

    fn diff(&self, account: &str, stack: &str) -> Result<(), Failure> {
        self.run(
            account,
            &[
                "diff",
                stack,
                "--exclusively",
                "--fail",
                "--app",
                &self.assembly().display().to_string(),
            ],
            &format!("find no difference in {stack}"),
            &format!("diff-{stack}"),
            |_| {},
        )
    }

    /// Runs `cdk destroy` for stacks in different accounts at the same time.
    pub(super) fn destroy_all(
        &self,
        stacks: &[(&str, String)],
        step: &Step,
    ) -> Result<(), Failure> {
        thread::scope(|scope| {
            let running = stacks
                .iter()
                .map(|(account, stack)| scope.spawn(|| self.destroy(account, stack, step)));
            joined(running.collect())
        })
    }

    /// Runs `cdk destroy` for one stack.
    pub(super) fn destroy(&self, account: &str, stack: &str, step: &Step) -> Result<(), Failure> {
        self.run(
            account,
            &[
                "destroy",
                stack,
                "--exclusively",
                "--force",
                "--app",
                &self.assembly().display().to_string(),
                "--progress",
                "events",
            ],
            &format!("destroy {stack}"),
            &format!("destroy-{stack}"),
            |line| step.at(event(line)),
        )
    }

    fn assembly(&self) -> PathBuf {
        self.scratch.join("cdk.out")
    }

    fn run(
        &self,
        account: &str,
        arguments: &[&str],
        doing: &str,
        log: &str,
        on_line: impl FnMut(&str),
    ) -> Result<(), Failure> {
        let mut command = self.cdk(account);
        // Outside of cdk/, because its cdk.json would make the CDK synthesize the app again.
        command.current_dir(&self.scratch).args(arguments);
        process::run(
            &mut command,
            doing,
            &self.logs.join(format!("{log}.log")),
            on_line,
        )
    }

    fn cdk(&self, account: &str) -> Command {
        let mut command = process::command(
            checkout::cdk()
                .join("node_modules")
                .join(".bin")
                .join("cdk"),
        );
        process::without_proxies(&mut command);
        command
            .env("AWS_ENDPOINT_URL", self.emulator.endpoint())
            .env("AWS_ACCESS_KEY_ID", account)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("CDK_DISABLE_CLI_TELEMETRY", "true")
            .args(["--no-notices", "--no-color"]);
        command
    }
}

/// Returns the `cdk.json` of the demo: the complete configuration of the app, and its feature flags.
fn configuration(base_zone: &str, zips: &Path) -> Value {
    let cdk = checkout::cdk();
    let tsx = cdk.join("node_modules").join(".bin").join("tsx");
    let app = cdk.join("bin").join("zone-delegation.ts");
    json!({
        "app": format!("\"{}\" \"{}\"", tsx.display(), app.display()),
        "versionReporting": false,
        "context": {
            "@aws-cdk/core:validateAgainstDefaultRules": true,
            "@aws-cdk/aws-iam:minimizePolicies": true,
            "instance": INSTANCE,
            "baseDomain": BASE_DOMAIN,
            "baseHostedZoneId": base_zone,
            "subDomain": SUB_DOMAIN,
            "networkingAccount": NETWORKING,
            "region": REGION,
            // No resolver caches the demo's names, so no drain is needed.
            "consumers": [
                {
                    "account": CONSUMER,
                    "names": [CONSUMER_NAME],
                    "applications": [APPLICATION],
                    "drainSeconds": 0,
                },
                { "account": NEIGHBOR, "names": [NEIGHBOR_NAME], "drainSeconds": 0 },
            ],
            "architecture": setup::architecture(),
            "functionZips": zips.display().to_string(),
        },
    })
}

/// Waits for all threads and returns the first failure.
fn joined(running: Vec<ScopedJoinHandle<'_, Result<(), Failure>>>) -> Result<(), Failure> {
    let results: Vec<_> = running
        .into_iter()
        .map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)))
        .collect();
    results.into_iter().collect()
}

/// Returns the progress of a deployment: `stack |  3/14 | ...`.
fn count(line: &str) -> Option<(u64, u64)> {
    let (done, of) = line.split('|').nth(1)?.trim().split_once('/')?;
    Some((done.trim().parse().ok()?, of.trim().parse().ok()?))
}

/// Returns the event in a line of a deployment, without the stack's name and the time.
fn event(line: &str) -> String {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    match parts.as_slice() {
        [_, _, _, status, kind, resource, ..] => format!("{resource} {kind} {status}"),
        _ => line.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "zone-delegation-networking-dev |  3/14 | 8:01:02 PM | CREATE_COMPLETE      | AWS::IAM::Role | PublishedZone/Role (R1)";

    #[test]
    fn events_of_a_deployment_are_read() {
        assert_eq!(count(LINE), Some((3, 14)));
        assert_eq!(
            event(LINE),
            "PublishedZone/Role (R1) AWS::IAM::Role CREATE_COMPLETE"
        );
        assert_eq!(count("✨  Deployment time: 8.1s"), None);
    }

    #[test]
    fn the_app_runs_outside_of_its_folder() {
        let configuration = configuration("Z0BASE", Path::new("/zips"));
        let words: Vec<&str> = configuration["app"]
            .as_str()
            .unwrap()
            .split('"')
            .filter(|word| !word.trim().is_empty())
            .collect();
        assert_eq!(words.len(), 2);
        assert!(words.iter().all(|word| Path::new(word).is_absolute()));
    }

    #[test]
    fn names_are_those_of_the_app() {
        assert_eq!(networking(), "zone-delegation-networking-dev");
        assert_eq!(consumer("dev"), "zone-delegation-consumer-dev");
        assert_eq!(consumer("qa"), "zone-delegation-consumer-dev-qa");
    }
}
