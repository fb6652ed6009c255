//! The environment of these tests: a registered domain with a delegated zone, accounts, and CloudFormation.
//!
//! The roles have many permissions here. The proofs show that the app's own policies are sufficient.

use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use serde_json::{Value, json};
use world::cloudformation::{
    Engine, FunctionHost, LambdaSettings, ResourceDefinition, Stack, Status, Template,
};
use world::in_process::InProcess;
use world::{Edit, Event, Hand, Role, Settings, Table, Timestamp, World};

/// The account with the registered domain and the delegated zone.
pub(crate) const NETWORK: &str = "111111111111";
/// The account with the stacks' subdomains and certificates.
pub(crate) const CONSUMER: &str = "222222222222";
/// The Region of all stacks.
pub(crate) const REGION: &str = "eu-west-1";
/// The registered domain.
pub(crate) const BASE: &str = "example.com";
/// The delegated zone.
pub(crate) const BUILD: &str = "build.example.com";
/// The value of a DS record set to which no zone has the key.
pub(crate) const STALE_DS: &str =
    "12345 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";
/// Where the delegated zone is published.
pub(crate) const PREFIX: &str = "/zone-delegation/dev";
/// The logical id of the resource in a stack of one resource.
pub(crate) const LOGICAL_ID: &str = "Subject";

/// The world with its zones, and CloudFormation.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) engine: Engine,
    /// The host that runs the functions.
    pub(crate) host: Arc<dyn FunctionHost>,
    /// The registered domain's zone.
    pub(crate) base: String,
    /// The delegated zone.
    pub(crate) build: String,
}

impl Stage {
    /// Creates a world with these settings whose zones are INSYNC.
    pub(crate) async fn set(change: impl FnOnce(&mut Settings)) -> Self {
        crate::log::ask_each_time();
        let mut settings = Settings::default();
        change(&mut settings);
        fastrand::seed(settings.seed);
        let world = World::new(settings);
        let base = world.make_zone(NETWORK, BASE).unwrap();
        world.register(BASE, &world.zone(&base).unwrap().hosts());
        let build = world.make_zone(NETWORK, BUILD).unwrap();
        for account in [NETWORK, CONSUMER] {
            for function in ["publish-zone", "delegate-subdomain"] {
                world.put_role(role(
                    account,
                    function,
                    &json!({"Service": "lambda.amazonaws.com"}),
                ));
            }
        }
        let mut host: Option<Arc<dyn FunctionHost>> = None;
        let engine = Engine::new(world.clone(), LambdaSettings::default(), |desk| {
            host.insert(Arc::new(InProcess::new(world.clone(), desk)))
                .clone()
        });
        let stage = Self {
            world,
            engine,
            host: host.expect("it was created with the engine"),
            base,
            build,
        };
        stage.delegate(&stage.base, &stage.build);
        stage.settle().await;
        stage
    }

    /// Waits until every change is INSYNC.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }

    /// Lets a person delegate a zone's name to it.
    pub(crate) fn delegate(&self, parent: &str, zone: &str) {
        let zone = self.world.zone(zone).unwrap();
        let hosts = zone.hosts();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let edit = Edit::create(&zone.name.to_string(), "NS", 900, &hosts);
        self.world.edit_records(parent, &[edit]).unwrap();
    }

    /// A person signs a zone and writes its DS record set into its parent zone.
    pub(crate) fn sign(&self, parent: &str, zone: &str) {
        let ds = self.world.sign_zone(zone).unwrap();
        let name = self.world.zone(zone).unwrap().name.to_string();
        let edit = Edit::create(&name, "DS", 60, &[&ds]);
        self.world.edit_records(parent, &[edit]).unwrap();
    }

    /// People sign the registered domain and the delegated zone, so that DS record sets in the latter count.
    pub(crate) fn sign_parents(&self) {
        self.world.sign_zone(&self.base).unwrap();
        self.sign(&self.base, &self.build);
    }

    /// A person's clients in the consumer's account.
    pub(crate) fn person(&self) -> SdkConfig {
        let keys = self.world.credentials(CONSUMER, "", Hand::Person);
        self.world.sdk_config(&keys, REGION)
    }

    /// Returns a zone of the consumer in the delegated one. People have created and delegated it, and it is
    /// INSYNC.
    pub(crate) async fn delegated_zone(&self, label: &str) -> String {
        let name = format!("{label}.{BUILD}");
        let zone = self.world.make_zone(CONSUMER, &name).unwrap();
        self.delegate(&self.build, &zone);
        self.settle().await;
        zone
    }

    /// Lets people publish a zone of the networking account to the consumer, under [`PREFIX`].
    pub(crate) fn publish(&self, zone: &str) {
        self.publish_at(zone, "delegation", REGION, PREFIX);
    }

    /// Does the same for those who may assume a role, in a Region and under a prefix.
    pub(crate) fn publish_at(&self, zone: &str, reader: &str, region: &str, prefix: &str) {
        let zone = self.world.zone(zone).unwrap();
        let function = format!("arn:aws:iam::{CONSUMER}:role/delegate-subdomain");
        self.world
            .put_role(role(NETWORK, reader, &json!({"AWS": function})));
        for (name, value) in [
            ("hosted-zone-id", zone.id.clone()),
            ("hosted-zone-name", zone.name.normalized()),
            ("name-servers", zone.hosts().join(",")),
        ] {
            self.world
                .write_parameter(NETWORK, region, &format!("{prefix}/{name}"), &value);
        }
    }

    /// Gives a function in the consumer's account exactly these permissions.
    pub(crate) fn give_only(&self, function: &str, statements: &Value) {
        let trust = json!({"Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"},
        }]});
        let permissions = ("permissions".to_owned(), json!({ "Statement": statements }));
        let role = Role::new(CONSUMER, function, &trust, &[permissions]).unwrap();
        self.world.put_role(role);
    }

    /// Returns the name servers of a zone, as sentences list them.
    pub(crate) fn servers(&self, zone: &str) -> String {
        let mut hosts = self.world.zone(zone).unwrap().hosts();
        hosts.sort();
        hosts.join(", ")
    }

    /// Returns a stack of one resource that is created.
    pub(crate) async fn created(&self, resource: ResourceDefinition) -> Stack {
        let mut stack = stack("subject");
        let status = self.engine.create(&mut stack, &one(resource)).await;
        assert_eq!(
            status,
            Status::Complete,
            "{:?}\n{}",
            stack.failures,
            self.history()
        );
        stack
    }

    /// Returns why a stack of one resource cannot be created. Checks that nothing of it remains, and that
    /// nothing else failed.
    pub(crate) async fn refused(&self, resource: ResourceDefinition) -> String {
        let mut stack = stack("subject");
        let status = self.engine.create(&mut stack, &one(resource)).await;
        self.engine.idle().await;
        assert_eq!(
            status,
            Status::CreateRolledBack,
            "{:?}\n{}",
            stack.failures,
            self.history()
        );
        self.the_failure(&stack)
    }

    /// Updates the resource of a stack.
    pub(crate) async fn updated(&self, stack: &mut Stack, resource: ResourceDefinition) {
        let status = self.engine.update(stack, &one(resource)).await;
        assert_eq!(
            status,
            Status::Complete,
            "{:?}\n{}",
            stack.failures,
            self.history()
        );
        assert!(
            stack.orphans.is_empty(),
            "{:?}\n{}",
            stack.orphans,
            self.history()
        );
    }

    /// Returns why an update of the resource of a stack is rolled back.
    pub(crate) async fn rolled_back(&self, stack: &mut Stack, template: &Template) -> String {
        let status = self.engine.update(stack, template).await;
        self.engine.idle().await;
        assert_eq!(
            status,
            Status::RolledBack,
            "{:?}\n{}",
            stack.failures,
            self.history()
        );
        assert!(
            stack.orphans.is_empty(),
            "{:?}\n{}",
            stack.orphans,
            self.history()
        );
        self.the_failure(stack)
    }

    /// Deletes a stack.
    pub(crate) async fn deleted(&self, stack: &mut Stack) {
        let status = self.engine.delete(stack).await;
        assert_eq!(
            status,
            Status::Deleted,
            "{:?}\n{}",
            stack.failures,
            self.history()
        );
    }

    /// Returns why a stack cannot be deleted.
    pub(crate) async fn not_deleted(&self, stack: &mut Stack) -> String {
        let status = self.engine.delete(stack).await;
        assert_eq!(status, Status::NotDeleted, "{}", self.history());
        reason_of(&self.the_failure(stack)).to_owned()
    }

    fn the_failure(&self, stack: &Stack) -> String {
        let [reason] = stack.failures.as_slice() else {
            panic!("{:?}\n{}", stack.failures, self.history());
        };
        reason.clone()
    }

    /// Checks that no rule was violated.
    pub(crate) fn check(&self) {
        let violations = self.world.violations();
        assert!(violations.is_empty(), "{violations:#?}\n{}", self.history());
    }

    /// Returns the history so far, as a table.
    pub(crate) fn history(&self) -> String {
        Table(&self.world.log()).to_string()
    }

    /// Returns the functions' calls of an operation so far, including those that failed.
    pub(crate) fn calls(&self, operation: &str) -> Vec<Event> {
        let is_it = |event: &Event| {
            event.action.ends_with(&format!(":{operation}"))
                && matches!(event.hand, Some(Hand::Function(_)))
        };
        self.world.log().into_iter().filter(is_it).collect()
    }

    /// Returns when a call of an operation last took effect.
    pub(crate) fn last(&self, operation: &str) -> Timestamp {
        let calls = self.calls(operation);
        let effective = calls.iter().rev().find(|event| event.outcome.contains('!'));
        effective
            .unwrap_or_else(|| panic!("no {operation}\n{}", self.history()))
            .at
    }
}

/// Returns a new stack of the consumer.
pub(crate) fn stack(name: &str) -> Stack {
    Stack::new(CONSUMER, REGION, name)
}

/// Returns the template of one resource.
pub(crate) fn one(resource: ResourceDefinition) -> Template {
    Template::from([(LOGICAL_ID.to_owned(), resource)])
}

/// Adds a second resource that depends on the first and is refused, so that an update fails late.
pub(crate) fn failing_afterwards(resource: ResourceDefinition) -> Template {
    let mut bad = ResourceDefinition::new("Custom::Unknown", json!({}));
    bad.depends_on.push(LOGICAL_ID.to_owned());
    let mut template = one(resource);
    template.insert("Bad".to_owned(), bad);
    template
}

/// Sets some properties.
pub(crate) fn with(mut resource: ResourceDefinition, properties: Value) -> ResourceDefinition {
    let Value::Object(properties) = properties else {
        panic!("properties are an object");
    };
    resource.properties.extend(properties);
    resource
}

/// Returns a role with all permissions, for the principals in `trusts`.
pub(crate) fn role(account: &str, name: &str, trusts: &Value) -> Role {
    let all = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusts}]});
    Role::new(account, name, &trust, &[("all".to_owned(), all)]).unwrap()
}

/// Returns the reason in a Delete's failure, which names the resource first.
pub(crate) fn reason_of(failure: &str) -> &str {
    failure.split_once(": ").expect("names its resource").1
}
