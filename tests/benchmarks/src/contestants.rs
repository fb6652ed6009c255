//! The functions and the alternatives that users would otherwise choose: start time, size and calls of each.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use runtime_api::{Process, event};
use serde_json::{Value, json};
use world::{Hand, World};

use crate::binaries::peak_memory;
use crate::places::Places;
use crate::scene::{self, PARENT, Scene};
use crate::wire::{ANSWER, Wire};

/// The contestants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Bare,
    DelegateSubdomain,
    PublishZone,
    Cdk,
    Python,
}

/// All contestants.
pub(crate) const ALL: [Who; 5] = [
    Who::Bare,
    Who::DelegateSubdomain,
    Who::PublishZone,
    Who::Cdk,
    Who::Python,
];

/// The measurements of one start and one create.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// From the start of the process to its first request for an invocation.
    pub(crate) to_next: Duration,
    /// From the start of the process to the acceptance of the answer's PUT, without pauses before polls.
    pub(crate) to_answer: Option<Duration>,
    /// The peak of the resident set until then, in bytes.
    pub(crate) peak_memory: u64,
    /// The number of AWS calls.
    pub(crate) calls: usize,
    /// The number of calls one after another, including the answer's PUT.
    pub(crate) rounds: usize,
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "a bare TCP client (the limit)",
            Self::DelegateSubdomain => "delegate-subdomain",
            Self::PublishZone => "publish-zone",
            Self::Cdk => "aws-cdk-lib's handler on Node",
            Self::Python => "a handler with boto3 and cfnresponse",
        }
    }

    /// Returns the program. For Node and Python it is a script that names its interpreter, so that no other
    /// process is involved.
    fn program(self, places: &Places) -> io::Result<PathBuf> {
        match self {
            Self::Bare => Ok(places.binaries.join("bare-client")),
            Self::DelegateSubdomain => Ok(places.binaries.join("delegate-subdomain")),
            Self::PublishZone => Ok(places.binaries.join("publish-zone")),
            Self::Cdk => script(
                &places.node,
                &places.contestants.join("node"),
                "bootstrap.cjs",
            ),
            Self::Python => script(
                &places.python,
                &places.contestants.join("python"),
                "bootstrap.py",
            ),
        }
    }

    /// Returns a request to create.
    fn event(self, scene: &Scene, number: usize, url: &str) -> Value {
        let account = scene::consumer(0);
        let role = scene::delegation_role(&account);
        let name = format!("{}{number}", format!("{self:?}").to_lowercase());
        let (resource_type, properties) = match self {
            Self::Bare | Self::DelegateSubdomain => {
                let definition = scene::subdomain(&account, &name, &Value::Null);
                (
                    "Custom::DelegatedSubdomain",
                    Value::Object(definition.properties),
                )
            }
            Self::PublishZone => {
                let prefix = format!("/bench/{name}");
                let properties =
                    json!({"HostedZoneId": scene.parent_zone, "ParameterPrefix": prefix});
                ("Custom::PublishedZone", properties)
            }
            Self::Cdk => {
                let servers: Vec<String> = (1..=4).map(|n| format!("ns-{n}.example.net")).collect();
                let properties = json!({
                    "AssumeRoleArn": role,
                    "ParentZoneId": scene.parent_zone,
                    "DelegatedZoneName": format!("{name}.{PARENT}"),
                    "DelegatedZoneNameServers": servers,
                    "TTL": 172_800,
                });
                ("Custom::CrossAccountZoneDelegation", properties)
            }
            Self::Python => {
                let properties = json!({
                    "DomainName": format!("{name}.{PARENT}"),
                    "ParentHostedZoneId": scene.parent_zone,
                    "NetworkRoleArn": role,
                });
                ("Custom::Delegation", properties)
            }
        };
        let mut event = event("Create", resource_type, properties, url);
        event["RequestId"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
        event["LogicalResourceId"] = json!(name);
        event
    }

    /// Starts it and lets it create one record set.
    ///
    /// # Errors
    /// It cannot be run, or answers FAILED.
    pub(crate) async fn start(
        self,
        places: &Places,
        scene: &Scene,
        wire: &Wire,
        number: usize,
    ) -> Result<Start, String> {
        let world: &World = &scene.world;
        let account = if self == Self::PublishZone {
            scene::NETWORK.to_owned()
        } else {
            scene::consumer(0)
        };
        let role = world::in_process::InProcess::role_arn(&account, "delegate-subdomain");
        let keys = world.credentials(&account, &role, Hand::Person);
        let mut environment: Vec<(&str, &str)> = vec![
            ("AWS_ACCESS_KEY_ID", &keys.access_key),
            ("AWS_SECRET_ACCESS_KEY", &keys.secret_key),
        ];
        let on_wire = wire.environment.iter();
        environment.extend(on_wire.map(|(name, value)| (name.as_str(), value.as_str())));
        wire.take();
        let program = self.program(places).map_err(|error| error.to_string())?;
        let mut process = Process::start(&program, &environment)
            .await
            .map_err(|error| error.to_string())?;
        let mut start = Start {
            to_next: process.started_in,
            to_answer: None,
            peak_memory: 0,
            calls: 0,
            rounds: 0,
        };
        if self != Self::Bare {
            let begun = Instant::now();
            let event = self.event(scene, number, &wire.new_url());
            let invoked = process.invoke(&event, Duration::from_secs(120)).await;
            let seen = wire.take();
            let answer =
                String::from_utf8_lossy(seen.answer.as_deref().unwrap_or_default()).into_owned();
            let status: Value = serde_json::from_str(&answer).unwrap_or_default();
            if status["Status"] != "SUCCESS" {
                let log = process.stop().await;
                return Err(format!(
                    "{} answered {answer:?} ({:?}): {log}",
                    self.name(),
                    invoked.outcome
                ));
            }
            let timeline = seen.timeline(begun);
            start.rounds = timeline.rounds();
            start.calls = timeline.calls_without(ANSWER);
            start.to_answer = Some(process.started_in + timeline.wall_without_pauses());
        }
        start.peak_memory = process.id().map_or(0, peak_memory);
        process.stop().await;
        Ok(start)
    }

    /// Returns the size of the zip that is uploaded, in bytes, and the size including the SDK if the runtime
    /// contains that.
    ///
    /// # Errors
    /// A part of it is missing.
    pub(crate) fn zipped(self, places: &Places) -> io::Result<(u64, Option<u64>)> {
        let node = places.contestants.join("node");
        let handlers = node.join("node_modules/aws-cdk-lib/custom-resource-handlers/dist");
        match self {
            Self::Bare | Self::DelegateSubdomain | Self::PublishZone => {
                Ok((places.zip(&[self.program(places)?], &[])?, None))
            }
            Self::Cdk => {
                let files = [
                    handlers.join("core/nodejs-entrypoint-handler"),
                    handlers.join("aws-route53/cross-account-zone-delegation-handler"),
                ];
                let not_the_sdk = ["aws-cdk-lib", "constructs", "@aws-cdk", ".bin"];
                let alone = places.zip(&files, &[])?;
                let with_sdk = places.zip(&[node.join("node_modules")], &not_the_sdk)?;
                Ok((alone, Some(alone + with_sdk)))
            }
            Self::Python => {
                let alone = places.zip(&[places.contestants.join("python/handler.py")], &[])?;
                let not_the_sdk = [
                    "pip",
                    "setuptools",
                    "_distutils_hack",
                    "pkg_resources",
                    "__pycache__",
                ];
                let with_sdk = places.zip(&[places.site_packages()?], &not_the_sdk)?;
                Ok((alone, Some(alone + with_sdk)))
            }
        }
    }
}

/// Returns a copy of a script, in the same folder, that the kernel runs with this interpreter.
fn script(interpreter: &Path, folder: &Path, name: &str) -> io::Result<PathBuf> {
    let source = std::fs::read_to_string(folder.join(name))?;
    let program = folder.join("bootstrap");
    let text = format!("#!{}\n{source}", interpreter.display());
    if std::fs::read_to_string(&program).ok().as_ref() != Some(&text) {
        std::fs::write(&program, text)?;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(program)
}
