//! The environment of the proofs: accounts, zones, roles with the CDK app's own policies, and CloudFormation.

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

/// The account with the base domain and the delegated zone.
pub(crate) const NETWORK: &str = "111111111111";
/// A consumer, whose names are `dev`, `test` and their subdomains.
pub(crate) const CONSUMER: &str = "222222222222";
/// Another consumer, whose name is `ops`.
pub(crate) const SECOND: &str = "333333333333";
/// The Region of all stacks.
pub(crate) const REGION: &str = "eu-west-1";
/// The registered domain.
pub(crate) const BASE: &str = "example.com";
/// The delegated zone.
pub(crate) const BUILD: &str = "build.example.com";
/// The prefix under which it is published.
pub(crate) const PREFIX: &str = "/zone-delegation/dev";
/// The external id that the delegation roles require.
pub(crate) const EXTERNAL_ID: &str = "a-secret";

/// The names of each consumer, relative to the delegated zone.
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
    /// Validation records that a template keeps.
    pub(crate) kept_records: BTreeSet<Name>,
    /// Promises that are not checked.
    pub(crate) exempt: Exempt,
    /// The ownership tags, by zone, that people changed, with their values before.
    pub(crate) retagged: BTreeMap<String, BTreeMap<String, String>>,
}

/// Returns settings with short delays, so that a history takes milliseconds.
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
    /// Creates a world whose zones exist, are INSYNC and published.
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

    /// Creates another cast in a world in the state of this one.
    pub(crate) fn fork(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let world = self.world.fork(change);
        // The SDK's random pauses are drawn anew as well.
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

    /// Creates a cast as [`Cast::new`] does, with the delegated zone published by a stack of the networking
    /// account.
    pub(crate) async fn published(settings: Settings) -> (Self, Stack) {
        let cast = Self::new(settings).await;
        let mut stack = Stack::new(NETWORK, REGION, "network");
        let template = Template::from([("Published".to_owned(), cast.published_zone(PREFIX))]);
        let status = cast.engine.create(&mut stack, &template).await;
        assert_eq!(status, Status::Complete, "{:?}", stack.failures);
        (cast, stack)
    }

    /// People sign the base domain and the delegated zone, with its DS record set: so those in the latter count.
    pub(crate) fn sign_parents(&self) {
        let Ok(_) = self.world.sign_zone(&self.base_zone) else {
            return;
        };
        if let Ok(ds) = self.world.sign_zone(&self.build_zone) {
            let edit = Edit::create(BUILD, "DS", 900, &[&ds]);
            drop(self.world.edit_records(&self.base_zone, &[edit]));
        }
    }

    /// People leave a DS record set for a name in the delegated zone, which is signed, and no zone has the key.
    pub(crate) fn write_stale_ds(&self, name: &str) {
        self.sign_parents();
        let stale = format!("12345 13 2 {}", "0123456789ABCDEF".repeat(4));
        let edit = Edit::create(name, "DS", 900, &[&stale]);
        drop(self.world.edit_records(&self.build_zone, &[edit]));
    }

    /// `Custom::PublishedZone` of the delegated zone.
    pub(crate) fn published_zone(&self, prefix: &str) -> ResourceDefinition {
        ResourceDefinition::new(
            "Custom::PublishedZone",
            json!({"HostedZoneId": self.build_zone, "ParameterPrefix": prefix}),
        )
    }

    /// Notes that a template renamed a logical id.
    pub(crate) fn renamed(&self, account: &str, from: &str, to: &str) {
        let stack = Stack::new(account, REGION, "subject");
        self.world.renamed(&stack.id, from, to);
    }

    /// Panics with everything that was wrong, and the history that led to it.
    pub(crate) fn check(&self) {
        let violations = self.world.violations();
        assert!(violations.is_empty(), "{}\n{violations:#?}", self.history());
    }

    /// Returns the history so far, as a table.
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

/// Returns `Custom::DelegatedSubdomain` in the delegated zone, across accounts.
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

/// Sets some properties.
pub(crate) fn with(mut definition: ResourceDefinition, properties: Value) -> ResourceDefinition {
    let Value::Object(properties) = properties else {
        panic!("properties are an object");
    };
    definition.properties.extend(properties);
    definition
}

/// Returns `Custom::SubdomainCertificate` of a name in the zone of a subdomain of the same template.
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
