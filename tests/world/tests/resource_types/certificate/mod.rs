//! `Custom::SubdomainCertificate`.

mod crash_points;
mod delete;
mod diagnosis;
mod ended;
mod issue;
mod kept;
mod properties;
mod refusals;
mod regions;
mod update;
mod validation_records;

use serde_json::{Value, json};
use world::cloudformation::{ResourceDefinition, Stack};
use world::{Certificate, RecordKey, RecordSet, validation_record};

use crate::stage::{BUILD, CONSUMER, LOGICAL_ID, Stage, with};

/// The zone of most certificates here.
const ZONE: &str = "dev.build.example.com";
/// The name on most certificates here.
const NAME: &str = "app.dev.build.example.com";

/// Returns a certificate for [`NAME`] in a zone, with some properties set.
fn certificate(zone: &str, properties: Value) -> ResourceDefinition {
    let resource = ResourceDefinition::new(
        "Custom::SubdomainCertificate",
        json!({"HostedZoneId": zone, "DomainName": NAME}),
    );
    with(resource, properties)
}

/// Returns a certificate whose CNAMEs are deleted with it.
fn with_records(zone: &str) -> ResourceDefinition {
    certificate(zone, json!({"ValidationRecordsOnDelete": "Delete"}))
}

/// Returns the ARN of a stack's certificate.
fn arn(stack: &Stack) -> String {
    stack.resources[LOGICAL_ID].physical_id.clone()
}

/// What the tests about certificates need of a stage.
impl Stage {
    /// Returns the only certificate.
    fn the_certificate(&self) -> Certificate {
        let certificates: Vec<_> = self.world.certificates().into_values().collect();
        let [certificate] = certificates.as_slice() else {
            panic!("{certificates:#?}\n{}", self.history());
        };
        certificate.clone()
    }

    /// Checks that no certificate exists and no rule was violated.
    fn check_no_certificate(&self) {
        let certificates = self.world.certificates();
        assert!(
            certificates.is_empty(),
            "{certificates:#?}\n{}",
            self.history()
        );
        self.check();
    }

    /// Returns the CNAMEs of a zone.
    fn cnames(&self, zone: &str) -> Vec<(RecordKey, RecordSet)> {
        let records = self.world.zone(zone).unwrap().records;
        records
            .into_iter()
            .filter(|(key, _)| key.kind == "CNAME")
            .collect()
    }

    /// Returns the ARN of the certificate that was requested last.
    fn requested(&self) -> String {
        let calls = self.calls("RequestCertificate");
        let mut arns = calls
            .iter()
            .filter_map(|call| call.target.split(' ').nth(1));
        arns.next_back()
            .unwrap_or_else(|| panic!("none\n{}", self.history()))
            .to_owned()
    }
}

/// Returns the validation record of a name: its own name and its value.
fn validation(name: &str) -> (String, String) {
    validation_record(CONSUMER, name)
}

/// Returns a name in the delegated zone.
fn below_build(labels: &str) -> String {
    format!("{labels}.{BUILD}")
}
