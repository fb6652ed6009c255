//! The accounts, zones and roles with which every measurement starts.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use world::cloudformation::{AnswerDesk, Stack, Status, Template};
use world::cloudformation::{Engine, FunctionHost, LambdaSettings, ResourceDefinition};
use world::in_process::InProcess;
use world::{Edit, Role, Settings, World};

/// The account with the base domain and the parent zone.
pub(crate) const NETWORK: &str = "111111111111";
/// The Region of all stacks.
pub(crate) const REGION: &str = "eu-west-1";
/// The parent zone.
pub(crate) const PARENT: &str = "build.example.com";
/// The prefix under which it is published.
const PREFIX: &str = "/zone-delegation/dev";

/// A world whose parent zone exists and resolves.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) parent_zone: String,
}

/// Returns settings with which calls take no time and changes are INSYNC at once, so that only what is
/// measured takes time.
pub(crate) fn settings() -> Settings {
    Settings {
        latency: Duration::ZERO..=Duration::ZERO,
        propagation: Duration::ZERO..=Duration::ZERO,
        certificate_appears: Duration::ZERO..=Duration::ZERO,
        validation_records_appear: Duration::ZERO..=Duration::ZERO,
        validation_interval: Duration::from_secs(1),
        issuance: Duration::ZERO..=Duration::ZERO,
        ..Settings::default()
    }
}

impl Scene {
    /// Prepares a world, in which each consumer account has its roles.
    pub(crate) fn new(world: World, consumers: usize) -> Self {
        let base_zone = world
            .make_zone(NETWORK, "example.com")
            .expect("a new world");
        let parent_zone = world.make_zone(NETWORK, PARENT).expect("a new world");
        let hosts = |zone: &str| world.zone(zone).expect("it was created").hosts();
        world.register("example.com", &hosts(&base_zone));
        let servers = hosts(&parent_zone);
        let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
        let delegation = Edit::create(PARENT, "NS", 900, &servers);
        world
            .edit_records(&base_zone, &[delegation])
            .expect("a new zone");
        put_function_roles(&world, NETWORK);
        for index in 0..consumers {
            let account = consumer(index);
            put_function_roles(&world, &account);
            put_delegation_role(&world, &account);
        }
        Self { world, parent_zone }
    }

    /// Publishes the parent zone with a stack of the networking account.
    pub(crate) async fn publish(&self, engine: &Engine) -> Stack {
        let mut stack = Stack::new(NETWORK, REGION, "network");
        let template = Template::from([("Published".to_owned(), self.published_zone())]);
        let status = engine.create(&mut stack, &template).await;
        assert_eq!(status, Status::Complete, "{:?}", stack.failures);
        stack
    }

    /// Publishes the parent zone without a stack.
    pub(crate) fn publish_by_hand(&self) {
        let zone = self.world.zone(&self.parent_zone).expect("it was created");
        for (name, value) in [
            ("hosted-zone-id", self.parent_zone.clone()),
            ("hosted-zone-name", PARENT.to_owned()),
            ("name-servers", zone.hosts().join(",")),
        ] {
            self.world
                .write_parameter(NETWORK, REGION, &format!("{PREFIX}/{name}"), &value);
        }
    }

    /// Returns `Custom::PublishedZone` of the parent zone.
    pub(crate) fn published_zone(&self) -> ResourceDefinition {
        ResourceDefinition::new(
            "Custom::PublishedZone",
            json!({"HostedZoneId": self.parent_zone, "ParameterPrefix": PREFIX}),
        )
    }

    /// Returns CloudFormation for this world, with the functions in this process.
    pub(crate) fn in_process(&self) -> Engine {
        let world = self.world.clone();
        self.engine(|desk| Arc::new(InProcess::new(world, desk)))
    }

    /// Returns CloudFormation for this world, with the functions on a host.
    pub(crate) fn engine(&self, host: impl FnOnce(AnswerDesk) -> Arc<dyn FunctionHost>) -> Engine {
        Engine::new(self.world.clone(), LambdaSettings::default(), host)
    }
}

/// Returns the id of a consumer account.
pub(crate) fn consumer(index: usize) -> String {
    format!("2{index:011}")
}

/// Returns the ARN of a consumer's delegation role.
pub(crate) fn delegation_role(account: &str) -> String {
    format!("arn:aws:iam::{NETWORK}:role/delegation-{account}")
}

/// Returns `Custom::DelegatedSubdomain` across accounts, with these additional properties.
pub(crate) fn subdomain(account: &str, name: &str, further: &Value) -> ResourceDefinition {
    let mut definition = ResourceDefinition::new(
        "Custom::DelegatedSubdomain",
        json!({
            "Subdomain": name,
            "ParameterPrefix": PREFIX,
            "NetworkRoleArn": delegation_role(account),
        }),
    );
    let further = further.as_object().cloned().unwrap_or_default();
    definition.properties.extend(further);
    definition
}

/// Returns `Custom::SubdomainCertificate` of a name in the zone of a subdomain of the same template.
pub(crate) fn certificate(zone_of: &str, name: &str, further: &Value) -> ResourceDefinition {
    let mut definition = ResourceDefinition::new(
        "Custom::SubdomainCertificate",
        json!({
            "HostedZoneId": {"Fn::GetAtt": [zone_of, "HostedZoneId"]},
            "DomainName": name,
        }),
    );
    let further = further.as_object().cloned().unwrap_or_default();
    definition.properties.extend(further);
    definition
}

/// Returns a policy that allows everything. Other tests prove what roles forbid.
fn everything() -> (String, Value) {
    let all =
        json!({"Statement": [{"Sid": "all", "Effect": "Allow", "Action": "*", "Resource": "*"}]});
    ("policy".to_owned(), all)
}

fn put_function_roles(world: &World, account: &str) {
    let nobody = json!({"Statement": [{"Effect": "Deny", "Action": "*", "Principal": "*"}]});
    for name in ["publish-zone", "delegate-subdomain"] {
        world.put_role(Role::new(account, name, &nobody, &[everything()]).expect("it is modelled"));
    }
}

fn put_delegation_role(world: &World, account: &str) {
    let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}}]});
    let name = format!("delegation-{account}");
    world.put_role(Role::new(NETWORK, &name, &trust, &[everything()]).expect("it is modelled"));
}
