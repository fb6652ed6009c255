//! Waits that go on in a state machine: the hand-over itself, its turns, and what passes through them.

mod crash_points;
mod input;

use std::time::Duration;

use serde_json::json;
use world::cloudformation::ResourceDefinition;
use world::{Fault, FaultRule};

use crate::stage::{CONSUMER, NETWORK, PREFIX, Stage};

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

#[tokio::test(start_paused = true)]
async fn a_create_that_is_handed_over_before_its_first_write_is_continued() {
    // An external zone has no CallerReference that would tell the deliveries of its request apart.
    let mut stage = Stage::set(|_| ()).await;
    stage.publish(&stage.build);
    stage.engine.lambda.timeout = Duration::from_secs(60);
    let zone = stage
        .world
        .make_zone(CONSUMER, "dev.build.example.com")
        .unwrap();
    stage.settle().await;
    let throttled = FaultRule::on_operation("GetParameters", 8, Fault::Throttle);
    stage.world.inject(throttled);
    let properties = json!({
        "Subdomain": "dev",
        "ParameterPrefix": PREFIX,
        "NetworkRoleArn": format!("arn:aws:iam::{NETWORK}:role/delegation"),
        "HostedZoneId": zone,
        "DrainSeconds": 0,
    });
    let subdomain = ResourceDefinition::new("Custom::DelegatedSubdomain", properties);
    let mut stack = stage.created(subdomain).await;
    assert_eq!(stage.world.executions().len(), 1, "{}", stage.history());
    stage.deleted(&mut stack).await;
    stage.check();
}
