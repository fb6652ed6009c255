//! The world that the proofs play in: accounts, zones, roles with the CDK app's own policies, and CloudFormation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use world::cloudformation::{Engine, LambdaSettings, ResourceDefinition, Stack, Status, Template};
use world::in_process::InProcess;
use world::{Edit, Name, Settings, Table, World};

use crate::exclusions::{ADOPTED_AND_ROLLED_BACK, CREATED_RECENTLY, RECENTLY};
use crate::invariants::Exempt;
use crate::roles;

/// Holds the base domain and the delegated zone.
pub(crate) const NETWORK: &str = "111111111111";
/// A consumer, whose names are `dev` and `test` with all that is below.
pub(crate) const CONSUMER: &str = "222222222222";
/// Another consumer, whose name is `ops`.
pub(crate) const SECOND: &str = "333333333333";
/// Where all stacks are.
pub(crate) const REGION: &str = "eu-west-1";
/// The registered domain.
pub(crate) const BASE: &str = "example.com";
/// The delegated zone.
pub(crate) const BUILD: &str = "build.example.com";
/// Where it is published.
pub(crate) const PREFIX: &str = "/zone-delegation/dev";
/// What the delegation roles ask for.
pub(crate) const EXTERNAL_ID: &str = "a-secret";

/// The names each consumer may have, relative to the delegated zone.
pub(crate) const NAMES: [(&str, &[&str]); 2] = [
    (CONSUMER, &["dev", "test", "a.dev", "b.a.dev"]),
    (SECOND, &["ops", "a.ops"]),
];

/// A world with its people, roles and CloudFormation.
pub(crate) struct Cast {
    pub(crate) world: World,
    pub(crate) engine: Engine,
    /// The base domain's zone.
    pub(crate) base_zone: String,
    /// The delegated zone.
    pub(crate) build_zone: String,
    /// Validation records that a template said to keep.
    pub(crate) kept_records: BTreeSet<Name>,
    /// What is not checked.
    pub(crate) exempt: Exempt,
    /// Ownership tags that people changed, by zone, as they were before.
    pub(crate) retagged: BTreeMap<String, BTreeMap<String, String>>,
}

/// Quick settings, so that a history takes milliseconds.
pub(crate) fn settings(seed: u64) -> Settings {
    let seconds = Duration::from_secs;
    Settings {
        seed,
        latency: Duration::from_millis(5)..=Duration::from_millis(20),
        propagation: seconds(1)..=seconds(20),
        adopted_may_be_deleted: ADOPTED_AND_ROLLED_BACK.is_known_to_the_world(),
        unanswered: if CREATED_RECENTLY.is_known_to_the_world() {
            RECENTLY
        } else {
            Duration::ZERO
        },
        ..Settings::default()
    }
}

impl Cast {
    /// A world whose zones stand, are INSYNC and published.
    pub(crate) async fn new(settings: Settings) -> Self {
        fastrand::seed(settings.seed);
        let world = World::new(settings);
        let base_zone = world.make_zone(NETWORK, BASE).unwrap();
        let build_zone = world.make_zone(NETWORK, BUILD).unwrap();
        let hosts = |zone: &str| world.zone(zone).unwrap().hosts();
        world.register(BASE, &hosts(&base_zone));
        let servers = hosts(&build_zone);
        let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
        let edit = Edit::create(BUILD, "NS", 900, &servers);
        world.edit_records(&base_zone, &[edit]).unwrap();
        roles::put_delegation_roles(&world, &build_zone, PREFIX);
        tokio::time::sleep(Duration::from_secs(60)).await;
        Self {
            engine: engine(&world),
            world,
            base_zone,
            build_zone,
            kept_records: BTreeSet::new(),
            exempt: Exempt::default(),
            retagged: BTreeMap::new(),
        }
    }

    /// Another cast in a world that begins as this one is now.
    pub(crate) fn fork(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let world = self.world.fork(change);
        // What the SDK draws, for its pauses, is drawn anew as well.
        fastrand::seed(world.settings().seed);
        Self {
            engine: engine(&world),
            world,
            base_zone: self.base_zone.clone(),
            build_zone: self.build_zone.clone(),
            kept_records: self.kept_records.clone(),
            exempt: self.exempt.clone(),
            retagged: self.retagged.clone(),
        }
    }

    /// As [`Cast::new`], with the delegated zone published by a stack of the networking account.
    pub(crate) async fn published(settings: Settings) -> (Self, Stack) {
        let cast = Self::new(settings).await;
        let mut stack = Stack::new(NETWORK, REGION, "network");
        let template = Template::from([("Published".to_owned(), cast.published_zone(PREFIX))]);
        let status = cast.engine.create(&mut stack, &template).await;
        assert_eq!(status, Status::Complete, "{:?}", stack.failures);
        (cast, stack)
    }

    /// `Custom::PublishedZone` of the delegated zone.
    pub(crate) fn published_zone(&self, prefix: &str) -> ResourceDefinition {
        ResourceDefinition::new(
            "Custom::PublishedZone",
            json!({"HostedZoneId": self.build_zone, "ParameterPrefix": prefix}),
        )
    }

    /// Says that the template of the subject of an account's test renamed a logical id.
    pub(crate) fn renamed(&self, account: &str, from: &str, to: &str) {
        let stack = Stack::new(account, REGION, "subject");
        self.world.renamed(&stack.id, from, to);
    }

    /// All that was seen to be wrong, with the history that led to it.
    pub(crate) fn check(&self) {
        let violations = self.world.violations();
        assert!(violations.is_empty(), "{}\n{violations:#?}", self.history());
    }

    /// The history so far, as a table.
    pub(crate) fn history(&self) -> String {
        Table(&self.world.log()).to_string()
    }
}

fn engine(world: &World) -> Engine {
    let engine = Engine::new(world.clone(), LambdaSettings::default(), |desk| {
        Arc::new(InProcess::new(world.clone(), desk).under(roles::function_role))
    });
    let world = world.clone();
    engine.deploying(move |stack, template| roles::deploy(&world, stack, template))
}

/// `Custom::DelegatedSubdomain` below the delegated zone, across accounts.
pub(crate) fn subdomain(account: &str, name: &str) -> ResourceDefinition {
    ResourceDefinition::new(
        "Custom::DelegatedSubdomain",
        json!({
            "Subdomain": name,
            "ParameterPrefix": PREFIX,
            "NetworkRoleArn": roles::delegation_role(account),
            "ExternalId": EXTERNAL_ID,
        }),
    )
}

/// With some properties set.
pub(crate) fn with(mut definition: ResourceDefinition, properties: Value) -> ResourceDefinition {
    let Value::Object(properties) = properties else {
        panic!("properties are an object");
    };
    definition.properties.extend(properties);
    definition
}

/// `Custom::SubdomainCertificate` of a name in the zone of a subdomain of the same template.
pub(crate) fn certificate(zone_of: &str, name: &str) -> ResourceDefinition {
    ResourceDefinition::new(
        "Custom::SubdomainCertificate",
        json!({
            "HostedZoneId": {"Fn::GetAtt": [zone_of, "HostedZoneId"]},
            "DomainName": name,
            "ValidationRecordsOnDelete": "Delete",
        }),
    )
}
