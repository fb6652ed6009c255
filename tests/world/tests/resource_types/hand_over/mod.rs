//! Waits that go on in a state machine: the hand-over itself, its turns, and what passes through them.

mod crash_points;
mod input;

use std::time::Duration;

use serde_json::json;
use world::cloudformation::ResourceDefinition;

use crate::stage::Stage;

/// A stage whose certificates take so many seconds to be issued, with a function that Lambda ends after a minute, so that its
/// other attempts come while CloudFormation still waits.
async fn short_invocations(seed: u64, issuance: u64) -> (Stage, String) {
    let mut stage = Stage::set(|settings| {
        settings.seed = seed;
        settings.issuance = Duration::from_secs(issuance)..=Duration::from_secs(issuance);
    })
    .await;
    stage.engine.lambda.timeout = Duration::from_secs(60);
    let zone = stage.delegated_zone("dev").await;
    (stage, zone)
}

fn certificate(zone: &str) -> ResourceDefinition {
    ResourceDefinition::new(
        "Custom::SubdomainCertificate",
        json!({
            "HostedZoneId": zone,
            "DomainName": "app.dev.build.example.com",
            "ValidationRecordsOnDelete": "Delete",
            "ServiceTimeout": 1800,
        }),
    )
}
