//! `Custom::PublishedZone`.

mod delete;
mod errors;
mod names;
mod publish;
mod renamed;
mod repeated;
mod retained;
mod tags;
mod upgrade;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use world::Parameter;
use world::cloudformation::ResourceDefinition;

use crate::stage::{CONSUMER, PREFIX, REGION, Stage, with};

/// The parameters below a prefix.
const PARTS: [&str; 3] = ["hosted-zone-id", "hosted-zone-name", "name-servers"];

/// Returns a zone published under [`PREFIX`], with some properties set.
fn published(zone: &str, properties: Value) -> ResourceDefinition {
    let resource = ResourceDefinition::new(
        "Custom::PublishedZone",
        json!({"HostedZoneId": zone, "ParameterPrefix": PREFIX}),
    );
    with(resource, properties)
}

/// What the tests about parameters need of a stage. The consumer's account publishes, because the function
/// knows only its own account.
impl Stage {
    /// Returns the parameters by name.
    fn parameters(&self) -> BTreeMap<String, Parameter> {
        let all = self.world.parameters().into_iter();
        all.map(|((_, _, name), parameter)| (name, parameter))
            .collect()
    }

    /// Returns the values under a prefix, by the last part of their names. All of them, or none.
    fn values(&self, prefix: &str) -> Option<[String; 3]> {
        let parameters = self.parameters();
        let values = PARTS.map(|part| {
            parameters
                .get(&format!("{prefix}/{part}"))
                .map(|p| p.value.clone())
        });
        let [Some(id), Some(name), Some(servers)] = values else {
            assert_eq!(values, [None, None, None], "{}", self.history());
            return None;
        };
        Some([id, name, servers])
    }

    /// Returns the values that publish a zone.
    fn wanted(&self, zone: &str) -> Option<[String; 3]> {
        let zone = self.world.zone(zone).unwrap();
        let mut hosts = zone.hosts();
        hosts.sort();
        Some([zone.id.clone(), zone.name.normalized(), hosts.join(",")])
    }

    /// Returns the logical id in the tags of a parameter, and its former one, if that is noted.
    fn marks(&self, name: &str) -> (Option<String>, Option<String>) {
        let parameter = &self.parameters()[name];
        let tag = |key: &str| {
            parameter
                .tags
                .get(&format!("zone-delegation:{key}"))
                .cloned()
        };
        (tag("logical-id"), tag("previous-logical-id"))
    }

    /// Lets a person write a parameter.
    fn write(&self, name: &str, value: &str) {
        self.world.write_parameter(CONSUMER, REGION, name, value);
    }

    /// Checks that no parameter is left and no rule was violated.
    fn check_nothing_published(&self) {
        assert_eq!(self.parameters(), BTreeMap::new(), "{}", self.history());
        self.check();
    }
}
