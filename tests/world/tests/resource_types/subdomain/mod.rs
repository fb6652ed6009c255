//! `Custom::DelegatedSubdomain`.

mod adopted;
mod defaults;
mod delete;
mod leftovers;
mod ownership;
mod parent;
mod refused;
mod unanswered;
mod verify;
mod waits;
mod zone;

use serde_json::{Value, json};
use world::cloudformation::{ResourceDefinition, Stack};
use world::{Edit, Fault, FaultRule, Guardrail, RecordSet, ServiceError, When, Zone};

use crate::stage::{BUILD, CONSUMER, LOGICAL_ID, NETWORK, PREFIX, Stage, with};

/// The name of most subdomains here.
const NAME: &str = "dev.build.example.com";
/// Returns a subdomain `dev` across accounts, with some properties set. Needs [`Stage::publish`] before.
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

/// Returns the ids of the zone and of its parent, from the attributes of a stack's subdomain.
fn zones_of(stack: &Stack) -> (String, String) {
    let attributes = &stack.resources[LOGICAL_ID].attributes;
    (
        attributes["HostedZoneId"].clone(),
        attributes["ParentHostedZoneId"].clone(),
    )
}

/// What the tests about subdomains need of a stage.
impl Stage {
    /// Returns a stage whose delegated zone people have published to the consumer.
    async fn published(change: impl FnOnce(&mut world::Settings)) -> Self {
        let stage = Self::set(change).await;
        stage.publish(&stage.build);
        stage
    }

    /// Deletes the role that the consumer assumes in the networking account.
    fn close_network(&self) {
        self.world
            .delete_role(&format!("arn:aws:iam::{NETWORK}:role/delegation"));
    }

    /// Returns the consumer's zones that people did not create.
    fn made_zones(&self) -> Vec<Zone> {
        let zones = self.world.zones().into_values();
        zones
            .filter(|zone| zone.account == CONSUMER && zone.made_by != world::Hand::Person)
            .collect()
    }

    /// Returns when the last call of an operation with this word in its target was made.
    fn calls_of(&self, operation: &str, word: &str) -> world::Timestamp {
        let calls = self.calls(operation);
        calls
            .iter()
            .rev()
            .find(|call| call.target.contains(word))
            .unwrap()
            .at
    }

    /// Returns the NS record set of [`NAME`] in the delegated zone.
    fn delegation(&self) -> Option<RecordSet> {
        self.world.record_set(&self.build, NAME, "NS")
    }

    /// Checks that nothing of [`NAME`] exists and no rule was violated.
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

    /// Lets resolvers use the delegation of [`NAME`] until a moment. Its parent's guardrail protects it so
    /// long.
    fn follow(&self, until: world::Timestamp) {
        let keep = |zone: &mut Zone| {
            zone.guardrails.insert(Guardrail::ActiveDelegation);
            zone.followed_until.insert(world::Name::of(NAME), until);
        };
        self.world.edit_zone(&self.build, keep).unwrap();
    }

    /// Lets a person replace the NS record set of [`NAME`] by another one.
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
