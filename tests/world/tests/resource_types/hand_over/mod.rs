//! Waits that continue in a state machine: the hand-over itself, its turns, and the data between them.

mod crash_points;
mod in_sync;
mod input;

use std::time::Duration;

use serde_json::json;
use world::cloudformation::ResourceDefinition;
use world::{Fault, FaultRule, ServiceError, When};

use crate::stage::{CONSUMER, NETWORK, PREFIX, Stage};

/// Returns a stage whose certificates take this many seconds to be issued. Lambda ends the function after a
/// minute, so that its later attempts run while CloudFormation still waits.
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
    // An external zone has no CallerReference that would distinguish the deliveries of its request.
    let mut stage = Stage::set(|_| ()).await;
    stage.publish(&stage.build);
    stage.engine.lambda.timeout = Duration::from_secs(60);
    let zone = stage
        .world
        .make_zone(CONSUMER, "dev.build.example.com")
        .unwrap();
    stage.settle().await;
    let throttled = FaultRule::on_operation("GetParameters", 40, Fault::Throttle);
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

#[tokio::test(start_paused = true)]
async fn only_the_call_that_a_new_policy_does_not_allow_yet_is_sent_again() {
    let stage = Stage::set(|_| ()).await;
    stage.publish(&stage.build);
    let denied = ServiceError::new(403, "AccessDenied", "No.");
    stage.world.inject(FaultRule::on_operation(
        "ChangeResourceRecordSets",
        8,
        Fault::Error(When::Before, denied),
    ));
    let properties = json!({
        "Subdomain": "dev",
        "ParameterPrefix": PREFIX,
        "NetworkRoleArn": format!("arn:aws:iam::{NETWORK}:role/delegation"),
    });
    stage
        .created(ResourceDefinition::new(
            "Custom::DelegatedSubdomain",
            properties,
        ))
        .await;
    for once in ["AssumeRole", "GetParameters", "CreateHostedZone"] {
        assert_eq!(stage.calls(once).len(), 1, "{once}\n{}", stage.history());
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_out_names_the_call_that_was_throttled_since_before_the_hand_over() {
    let stage = Stage::set(|_| ()).await;
    stage.publish(&stage.build);
    let throttled = FaultRule::on_operation("GetParameters", u64::MAX, Fault::Throttle);
    stage.world.inject(throttled);
    let properties = json!({
        "Subdomain": "dev",
        "ParameterPrefix": PREFIX,
        "NetworkRoleArn": format!("arn:aws:iam::{NETWORK}:role/delegation"),
    });
    let reason = stage
        .refused(ResourceDefinition::new(
            "Custom::DelegatedSubdomain",
            properties,
        ))
        .await;
    assert_eq!(stage.world.executions().len(), 1);
    let (start, rest) = reason
        .split_once(", request ")
        .expect("it has a request id");
    assert!(
        start.starts_with("Timed out after 35")
            && start.ends_with(&format!(
                " s while reading the parent zone. The last AWS call that failed is SSM GetParameters on {PREFIX}: Rate exceeded \
                 (ThrottlingException"
            )),
        "{reason}"
    );
    let (_, counted) = rest
        .split_once("); AWS throttled this call ")
        .expect("it was throttled");
    let (times, since) = counted
        .split_once(" times, the first time ")
        .expect("it is counted");
    let (seconds, next) = since.split_once(" s ago. ").expect("it says since when");
    assert!(
        times.parse::<u32>().unwrap() > 50 && seconds.parse::<u32>().unwrap() > 3_500,
        "{reason}"
    );
    assert_eq!(
        next,
        "Try again when other requests use less of that account's rate limit."
    );
}
