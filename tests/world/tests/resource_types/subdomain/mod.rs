//! `Custom::DelegatedSubdomain`.

mod adopted;
mod defaults;
mod delete;
mod half_made;
mod ownership;
mod parent;
mod refused;
mod sweep;
mod verify;
mod waits;
mod zone;

use serde_json::{Value, json};
use world::cloudformation::{ResourceDefinition, Stack};
use world::{Edit, Fault, FaultRule, Guardrail, RecordSet, ServiceError, When, Zone};

use crate::stage::{BUILD, CONSUMER, LOGICAL_ID, NETWORK, PREFIX, Stage, with};

/// The name of most subdomains here.
const NAME: &str = "dev.build.example.com";
/// A subdomain `dev` across accounts, with some properties set. [`Stage::publish`] has to come first.
fn subdomain(properties: Value) -> ResourceDefinition {
    let resource = ResourceDefinition::new(
        "Custom::DelegatedSubdomain",
        json!({
            "Subdomain": "dev",
            "ParameterPrefix": PREFIX,
            "NetworkRoleArn": format!("arn:aws:iam::{NETWORK}:role/delegation"),
        }),
    );
    with(resource, properties)
}

/// The ids of the zone and of its parent, as a stack's subdomain says them.
fn zones_of(stack: &Stack) -> (String, String) {
    let attributes = &stack.resources[LOGICAL_ID].attributes;
    (
        attributes["HostedZoneId"].clone(),
        attributes["ParentHostedZoneId"].clone(),
    )
}

/// What the tests ask of a stage about subdomains.
impl Stage {
    /// A stage whose delegated zone is published, by people, to the consumer.
    async fn published(change: impl FnOnce(&mut world::Settings)) -> Self {
        let stage = Self::set(change).await;
        stage.publish(&stage.build);
        stage
    }

    /// The role that lets the consumer into the networking account is gone.
    fn close_network(&self) {
        self.world
            .delete_role(&format!("arn:aws:iam::{NETWORK}:role/delegation"));
    }

    /// The consumer's zones that people did not make.
    fn made_zones(&self) -> Vec<Zone> {
        let zones = self.world.zones().into_values();
        zones
            .filter(|zone| zone.account == CONSUMER && zone.made_by != world::Hand::Person)
            .collect()
    }

    /// When the last call of an operation with this word in its target was made.
    fn calls_of(&self, operation: &str, word: &str) -> world::Timestamp {
        let calls = self.calls(operation);
        calls
            .iter()
            .rev()
            .find(|call| call.target.contains(word))
            .unwrap()
            .at
    }

    /// The NS record set of [`NAME`] in the delegated zone.
    fn delegation(&self) -> Option<RecordSet> {
        self.world.record_set(&self.build, NAME, "NS")
    }

    /// Nothing of [`NAME`] stands, and no rule was broken.
    fn check_no_subdomain(&self) {
        assert!(
            self.made_zones().is_empty(),
            "{:#?}\n{}",
            self.made_zones(),
            self.history()
        );
        assert_eq!(self.delegation(), None, "{}", self.history());
        self.check();
    }

    /// Resolvers follow the delegation of [`NAME`] until a moment, and its parent's guardrail keeps it so long.
    fn follow(&self, until: world::Timestamp) {
        let keep = |zone: &mut Zone| {
            zone.guardrails.insert(Guardrail::ActiveDelegation);
            zone.followed_until.insert(world::Name::of(NAME), until);
        };
        self.world.edit_zone(&self.build, keep).unwrap();
    }

    /// A person puts another NS record set in the place of the one of [`NAME`].
    fn hijack(&self, hosts: &[String]) {
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let put = [Edit::create(NAME, "NS", 60, &hosts)];
        if self.delegation().is_some() {
            self.world
                .edit_records(&self.build, &[Edit::delete(NAME, "NS")])
                .unwrap();
        }
        self.world.edit_records(&self.build, &put).unwrap();
    }
}
