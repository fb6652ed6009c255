//! The main job, end to end: a networking account delegates names to consumer accounts, on an emulated AWS.
//!
//! Every figure and line shown is read back from the emulated accounts or asked of the name servers, and checked: the
//! demo fails where what it shows is not what it promises. `cargo xtask test` runs the same code.

mod inventory;
mod picture;
mod refusal;
mod stacks;
mod walk;

use std::path::PathBuf;

use serde::Deserialize;

use crate::checkout;
use crate::emulator::{Emulator, fresh_folder};
use crate::failure::{Doing, Failure};
use crate::process;
use crate::progress::Progress;
use crate::setup;
use inventory::Inventory;
use stacks::Stacks;

/// The account that owns the base domain.
const NETWORKING: &str = "111111111111";
/// The team whose names the demo follows.
const CONSUMER: &str = "222222222222";
/// Another team, with a name of its own.
const NEIGHBOUR: &str = "333333333333";
const ACCOUNTS: [&str; 3] = [NETWORKING, CONSUMER, NEIGHBOUR];

const REGION: &str = "us-east-1";
const BASE_DOMAIN: &str = "example.com";
const SUB_DOMAIN: &str = "build";
const INSTANCE: &str = "dev";
const CONSUMER_NAME: &str = "dev";
const NEIGHBOUR_NAME: &str = "qa";
const APPLICATION: &str = "app1";

/// Steps of the demo: its bars count to this.
const STEPS: usize = 15;

/// `cargo xtask demo`.
///
/// # Errors
/// Whatever is not as the demo promises.
pub(crate) fn command(keep: bool) -> Result<(), Failure> {
    println!(
        "\n  zone-delegation: {} delegated across accounts\n",
        zone_name()
    );
    let progress = Progress::new(STEPS - usize::from(keep) * 3);
    let result = run(&progress, keep);
    progress.finish();
    remove_scratch();
    result
}

/// The delegated zone's name.
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

/// Removes what only a running demo needs; its logs stay.
pub(crate) fn remove_scratch() {
    let _ = std::fs::remove_dir_all(scratch());
}

#[derive(Deserialize)]
struct MadeZone {
    id: String,
    name_servers: Vec<String>,
}

/// The whole of it.
fn run(progress: &Progress, keep: bool) -> Result<(), Failure> {
    let logs = fresh_folder("demo")?;
    let tools = progress.step("Tools", |_| {
        let tools = setup::tools()?;
        let said = tools.said.clone();
        Ok((tools, said))
    })?;
    progress.step("Packages", |step| {
        Ok(((), setup::packages(&tools, &logs, step)?))
    })?;
    let zips = progress.step("Functions", |step| setup::functions(&logs, step))?;

    let emulator_log = logs.join("emulator.log");
    let scratch = scratch();
    let emulator = progress.step("AWS and name servers", |_| {
        std::fs::create_dir_all(&scratch).doing(|| format!("make {}", scratch.display()))?;
        let emulator = Emulator::start(&[(BASE_DOMAIN, NETWORKING)], &[], &scratch, &emulator_log)?;
        let said = format!(
            "emulated at {}, IAM enforced; DNS at {}",
            emulator.endpoint(),
            emulator.dns.address
        );
        Ok((emulator, said))
    })?;
    let result = on(progress, &emulator, zips, keep, &logs);
    // What the functions wrote tells why a stack failed.
    let functions_log = logs.join("functions-in-aws.log");
    write_function_logs(&emulator, &functions_log);
    result.map_err(|failure| failure.with_log(&functions_log))
}

fn on(
    progress: &Progress,
    emulator: &Emulator,
    zips: PathBuf,
    keep: bool,
    logs: &std::path::Path,
) -> Result<(), Failure> {
    let base = progress.step("Base domain", |_| {
        let base: MadeZone = emulator.ask(
            &["create-zone", NETWORKING, BASE_DOMAIN],
            "make the base domain",
        )?;
        let said = format!(
            "{BASE_DOMAIN} in {NETWORKING}: {}, {}, ...",
            base.id, base.name_servers[0]
        );
        Ok((base, said))
    })?;
    let stacks = Stacks::new(emulator, logs, scratch(), zips, base.id);
    progress.step("CDK bootstrap, synth", |step| {
        stacks.prepare(&ACCOUNTS, step)?;
        Ok(((), format!("{}; 3 stacks", ACCOUNTS.join(", "))))
    })?;
    let empty = Inventory::read(emulator)?;

    progress.step("Networking stack", |step| {
        let said = stacks.deploy(NETWORKING, &stacks::networking(), step)?;
        Ok(((), said))
    })?;
    progress.step("Neighbour's stack", |step| {
        let said = stacks.deploy(NEIGHBOUR, &stacks::consumer(NEIGHBOUR_NAME), step)?;
        Ok(((), said))
    })?;
    // The function tries for a minute, as long as IAM may take to know a new policy; others need not wait for it.
    let refused = std::thread::scope(|scope| {
        let reaching = scope.spawn(|| refusal::reach_for_a_foreign_name(emulator));
        progress.step("Nothing to deploy", |step| {
            step.at("cdk diff of what was deployed");
            stacks.diff_all(&[
                (NETWORKING, stacks::networking()),
                (NEIGHBOUR, stacks::consumer(NEIGHBOUR_NAME)),
            ])?;
            Ok(((), "cdk diff finds no difference in either stack".into()))
        })?;
        progress.step("Neighbour's reach", |step| {
            step.at("IAM may take a minute to know a new policy, so the function tries that long");
            let refused = reaching
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((refused, "turned away by IAM, nothing changed".to_owned()))
        })
    })?;
    progress.say(&refusal::shown(progress, &refused));
    progress.step("Consumer's stack", |step| {
        let said = stacks.deploy(CONSUMER, &stacks::consumer(CONSUMER_NAME), step)?;
        step.at("cdk diff of what was deployed");
        stacks.diff_all(&[(CONSUMER, stacks::consumer(CONSUMER_NAME))])?;
        Ok(((), format!("{said}, and nothing more to deploy")))
    })?;
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
    let stands = Inventory::read(emulator)?;
    stands.check_what_stands()?;
    progress.say(&picture::shown(progress, &stands));
    if keep {
        progress.finish();
        println!("{}", how_to_look(progress, emulator));
        // Until a signal comes, which ends everything.
        loop {
            std::thread::park();
        }
    }

    progress.step("Consumers destroyed", |step| {
        let consumers = [
            (CONSUMER, stacks::consumer(CONSUMER_NAME)),
            (NEIGHBOUR, stacks::consumer(NEIGHBOUR_NAME)),
        ];
        stacks.destroy_all(&consumers, step)?;
        let left = Inventory::read(emulator)?;
        left.check_consumers_gone(&empty)?;
        Ok((
            (),
            format!("{CONSUMER} and {NEIGHBOUR} are as they were before"),
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

fn write_function_logs(emulator: &Emulator, log: &std::path::Path) {
    #[derive(Deserialize)]
    struct Lines {
        lines: Vec<String>,
    }
    let mut arguments = vec!["function-logs"];
    arguments.extend(ACCOUNTS);
    if let Ok(found) = emulator.ask::<Lines>(&arguments, "read the functions' logs") {
        let _ = std::fs::write(log, found.lines.join("\n") + "\n");
    }
}

fn how_to_look(progress: &Progress, emulator: &Emulator) -> String {
    let (endpoint, dns) = (emulator.endpoint(), emulator.dns.address);
    let title = progress.bold("  All of it goes on until Ctrl-C, which leaves nothing behind.");
    let (name, python) = (
        application_domain(),
        checkout::shown(&checkout::venv_program("python")),
    );
    let tool = |file: &str| checkout::shown(&checkout::emulator().join(file));
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

    AWS           {endpoint}
    name servers  {dns}
    logs          {}

    {ask}
    {list}{python} {accounts} --endpoint {endpoint} inventory --region {REGION} {CONSUMER}
",
        checkout::target().join("demo").display(),
    )
}
