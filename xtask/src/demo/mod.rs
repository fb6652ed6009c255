//! Shows the main job, end to end: a networking account delegates names to consumer accounts, on an emulated
//! AWS.
//!
//! Every figure and line is read from the emulated accounts or queried from the name servers, and checked:
//! the demo fails if its output is not what it promises. `cargo xtask test` runs the same code.

mod inventory;
mod picture;
mod refusal;
mod stacks;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::checkout;
use crate::emulator::{Emulator, fresh_folder};
use crate::failure::{Doing, Failure};
use crate::process;
use crate::progress::{Progress, Step};
use crate::setup::{self, Build};
use crate::terminal;
use inventory::Inventory;
use stacks::Stacks;

/// The account that owns the base domain.
const NETWORKING: &str = "111111111111";
/// The account of the team whose names the demo shows.
const CONSUMER: &str = "222222222222";
/// The account of another team, with a name of its own.
const NEIGHBOR: &str = "333333333333";
const ACCOUNTS: [&str; 3] = [NETWORKING, CONSUMER, NEIGHBOR];

const REGION: &str = "us-east-1";
const BASE_DOMAIN: &str = "example.com";
const SUB_DOMAIN: &str = "build";
const INSTANCE: &str = "dev";
const CONSUMER_NAME: &str = "dev";
const NEIGHBOR_NAME: &str = "qa";
const APPLICATION: &str = "app1";

/// The number of steps, which the progress bars show.
const STEPS: usize = 16;
/// How many of these `--keep` omits.
const STEPS_OF_THE_END: usize = 3;

/// What the demo does in addition to its main job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Whether everything keeps running until a signal arrives.
    pub(crate) keep: bool,
    /// The way to build the functions.
    pub(crate) build: Build,
}

/// Runs `cargo xtask demo`.
///
/// # Errors
/// The first thing that is not as the demo promises.
pub(crate) fn command(options: Options) -> Result<(), Failure> {
    terminal::line(format!(
        "\n  zone-delegation: {} delegated across accounts\n",
        zone_name()
    ));
    let logs = fresh_folder("demo")?;
    let progress = Progress::new(if options.keep {
        STEPS - STEPS_OF_THE_END
    } else {
        STEPS
    });
    let result = run(&progress, options, &logs);
    progress.finish();
    remove_scratch();
    result
}

/// Returns the delegated zone's name.
fn zone_name() -> String {
    format!("{SUB_DOMAIN}.{BASE_DOMAIN}")
}

fn consumer_domain() -> String {
    format!("{CONSUMER_NAME}.{}", zone_name())
}

fn application_domain() -> String {
    format!("{APPLICATION}.{}", consumer_domain())
}

fn scratch() -> PathBuf {
    checkout::target().join("demo").join("scratch")
}

/// Removes what only a running demo needs. Its logs are kept.
pub(crate) fn remove_scratch() {
    let _ = std::fs::remove_dir_all(scratch());
}

#[derive(Deserialize)]
struct MadeZone {
    id: String,
    name_servers: Vec<String>,
}

/// Runs all steps. The functions are built while everything is prepared that does not need them.
fn run(progress: &Progress, options: Options, logs: &Path) -> Result<(), Failure> {
    let tools = progress.step("Tools", |_| {
        let tools = setup::tools()?;
        let said = tools.said.clone();
        Ok((tools, said))
    })?;
    thread::scope(|scope| {
        let building = Building::start(scope, options.build, logs);
        progress.step("Packages", |step| {
            Ok(((), setup::packages(&tools, logs, step)?))
        })?;
        let scratch = scratch();
        let emulator = progress.step("AWS and name servers", |_| {
            std::fs::create_dir_all(&scratch).doing(|| format!("create {}", scratch.display()))?;
            let emulator_log = logs.join("emulator.log");
            let registered = [(BASE_DOMAIN, NETWORKING)];
            let emulator = Emulator::start(&registered, &[], &scratch, &emulator_log)?;
            let said = format!(
                "emulated at {}, IAM enforced; DNS at {}",
                emulator.endpoint(),
                emulator.dns.address
            );
            Ok((emulator, said))
        })?;
        let result = on(progress, &emulator, building, options, logs);
        // The functions' logs explain why a stack failed.
        let functions_log = write_function_logs(&emulator, logs);
        result.map_err(|failure| failure.with_log(&functions_log))
    })
}

/// The build of the functions, in another thread.
struct Building<'scope> {
    lines: mpsc::Receiver<String>,
    built: thread::ScopedJoinHandle<'scope, Result<Vec<PathBuf>, Failure>>,
}

impl<'scope> Building<'scope> {
    fn start<'env>(
        scope: &'scope thread::Scope<'scope, 'env>,
        build: Build,
        logs: &'env Path,
    ) -> Self {
        let (sender, lines) = mpsc::channel();
        let built = scope.spawn(move || {
            setup::build(build, logs, |line| {
                // If the demo has failed meanwhile, nobody receives this.
                let _ = sender.send(line.to_owned());
            })
        });
        Self { lines, built }
    }

    /// Waits for the end of the build and shows its progress.
    fn finish(self, step: &Step) -> Result<Vec<PathBuf>, Failure> {
        for line in &self.lines {
            if let Some((done, of)) = units(&line) {
                step.reached(done, of);
            }
            // Without the progress bar and its figures.
            let text = line.rsplit("] ").next().unwrap_or_default();
            step.at(text.split_once(": ").map_or(text, |(_, crates)| crates));
        }
        let built = self.built.join();
        built.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Returns cargo's progress: `Building [==>   ] 53/231: aws-sdk-route53`.
fn units(line: &str) -> Option<(u64, u64)> {
    let (_, figures) = line
        .trim_start()
        .strip_prefix("Building [")?
        .split_once("] ")?;
    let (done, of) = figures.split(':').next()?.split_once('/')?;
    Some((done.trim().parse().ok()?, of.trim().parse().ok()?))
}

fn on(
    progress: &Progress,
    emulator: &Emulator,
    building: Building<'_>,
    options: Options,
    logs: &Path,
) -> Result<(), Failure> {
    let base = progress.step("Base domain", |_| {
        let base: MadeZone = emulator.ask(
            &["create-zone", NETWORKING, BASE_DOMAIN],
            "create the base domain",
        )?;
        let said = format!(
            "{BASE_DOMAIN} in {NETWORKING}: {}, {}, ...",
            base.id, base.name_servers[0]
        );
        Ok((base, said))
    })?;
    let stacks = Stacks::new(emulator, logs, scratch(), base.id);
    progress.step("CDK bootstrap", |step| {
        stacks.bootstrap_all(&ACCOUNTS, step)?;
        Ok(((), ACCOUNTS.join(", ")))
    })?;
    let zips = progress.step("Functions", |step| {
        setup::pack(&building.finish(step)?, logs)
    })?;
    progress.step("CDK synth", |step| {
        stacks.synth(&zips, step)?;
        Ok(((), "3 stacks".into()))
    })?;
    let empty = Inventory::read(emulator)?;

    progress.step("Networking stack", |step| {
        let said = stacks.deploy(NETWORKING, &stacks::networking(), step)?;
        Ok(((), said))
    })?;
    progress.step("Neighbor's stack", |step| {
        let said = stacks.deploy(NEIGHBOR, &stacks::consumer(NEIGHBOR_NAME), step)?;
        Ok(((), said))
    })?;
    progress.step("Nothing to deploy", |step| {
        step.at("cdk diff of what was deployed");
        stacks.diff_all(&[
            (NETWORKING, stacks::networking()),
            (NEIGHBOR, stacks::consumer(NEIGHBOR_NAME)),
        ])?;
        Ok(((), "cdk diff finds no difference in either stack".into()))
    })?;
    // The function retries for a minute, because a new IAM policy may need that long. The demo continues
    // meanwhile.
    let refused = thread::scope(|scope| {
        let reaching = scope.spawn(|| refusal::ask_for_a_name_that_was_not_granted(emulator));
        progress.step("Consumer's stack", |step| {
            let said = stacks.deploy(CONSUMER, &stacks::consumer(CONSUMER_NAME), step)?;
            step.at("cdk diff of what was deployed");
            stacks.diff_all(&[(CONSUMER, stacks::consumer(CONSUMER_NAME))])?;
            Ok(((), format!("{said}, and nothing more to deploy")))
        })?;
        progress.step("Neighbor's request", |step| {
            step.at(
                "a new IAM policy may take a minute to apply, so the function retries that long",
            );
            let refused = reaching
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((refused, "refused by IAM, nothing changed".to_owned()))
        })
    })?;
    progress.say(&refusal::shown(progress, &refused));
    let walked = progress.step("Resolution", |_| {
        emulator.wait_for_dns()?;
        let walked = walk::down_to(emulator, &application_domain())?;
        let said = format!(
            "{} through {} zones from {BASE_DOMAIN} down",
            application_domain(),
            walked.len()
        );
        Ok((walked, said))
    })?;
    progress.say(&walk::shown(progress, &application_domain(), &walked));
    let found = Inventory::read(emulator)?;
    found.check_what_exists()?;
    progress.say(&picture::shown(progress, &found));
    if options.keep {
        progress.finish();
        terminal::line(how_to_look(progress, emulator, logs));
        // Until a signal ends the process.
        loop {
            write_function_logs(emulator, logs);
            thread::sleep(Duration::from_secs(5));
        }
    }

    progress.step("Consumers destroyed", |step| {
        let consumers = [
            (CONSUMER, stacks::consumer(CONSUMER_NAME)),
            (NEIGHBOR, stacks::consumer(NEIGHBOR_NAME)),
        ];
        stacks.destroy_all(&consumers, step)?;
        let left = Inventory::read(emulator)?;
        left.check_consumers_deleted(&empty)?;
        Ok((
            (),
            format!("{CONSUMER} and {NEIGHBOR} are as they were before"),
        ))
    })?;
    progress.step("Networking destroyed", |step| {
        stacks.destroy(NETWORKING, &stacks::networking(), step)?;
        Ok(((), format!("{NETWORKING} too")))
    })?;
    let left = progress.step("What is left", |_| {
        let left = Inventory::read(emulator)?;
        left.check_same(&empty)?;
        Ok((
            left,
            "no zone, record set, parameter, certificate or role".to_owned(),
        ))
    })?;
    progress.say(&picture::left(progress, &left));
    Ok(())
}

/// Writes the functions' logs so far, and returns the file.
fn write_function_logs(emulator: &Emulator, logs: &Path) -> PathBuf {
    #[derive(Deserialize)]
    struct Lines {
        lines: Vec<String>,
    }
    let log = functions_log(logs);
    let mut arguments = vec!["function-logs"];
    arguments.extend(ACCOUNTS);
    if let Ok(found) = emulator.ask::<Lines>(&arguments, "read the functions' logs") {
        let _ = std::fs::write(&log, found.lines.join("\n") + "\n");
    }
    log
}

fn functions_log(logs: &Path) -> PathBuf {
    logs.join("functions-in-aws.log")
}

/// Returns commands for another terminal while the demo continues. Every path is absolute.
fn how_to_look(progress: &Progress, emulator: &Emulator, logs: &Path) -> String {
    let (endpoint, dns) = (emulator.endpoint(), emulator.dns.address);
    let title =
        progress.bold("  Everything keeps running until Ctrl-C, which leaves nothing behind.");
    let quoted = |path: PathBuf| format!("'{}'", path.display());
    let (name, python) = (
        application_domain(),
        quoted(checkout::venv_program("python")),
    );
    let tool = |file: &str| quoted(checkout::emulator().join(file));
    let ask = if process::has("dig") {
        format!("dig @{} -p {} {name} NS", dns.ip(), dns.port())
    } else {
        format!("{python} {} {dns} {name} NS", tool("ask_dns.py"))
    };
    let list = if process::has("aws") {
        format!(
            "AWS_ACCESS_KEY_ID={CONSUMER} AWS_SECRET_ACCESS_KEY=test \\\n      \
             aws --region {REGION} --endpoint-url {endpoint} route53 list-hosted-zones\n    "
        )
    } else {
        String::new()
    };
    let accounts = tool("accounts.py");
    format!(
        "{title}

    AWS              {endpoint}
    name servers     {dns}
    functions' log   {}
    all logs         {}

    {ask}
    {list}{python} {accounts} --endpoint {endpoint} inventory --region {REGION} {CONSUMER}
",
        functions_log(logs).display(),
        logs.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_of_cargo_is_read_from_its_bar() {
        let line = "    Building [=====>      ] 53/231: aws-sdk-route53, hickory-proto";
        assert_eq!(units(line), Some((53, 231)));
        assert_eq!(units("   Compiling aws-sdk-route53 v1.132.0"), None);
    }
}
