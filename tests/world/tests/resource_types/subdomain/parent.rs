//! Where the parent is published, and the role with which it is read.

use serde_json::json;

use super::{BUILD, NAME, NETWORK, PREFIX, subdomain, zones_of};
use crate::stage::{LOGICAL_ID, REGION, Stage, failing_afterwards};

const ELSEWHERE: &str = "us-east-1";

#[tokio::test(start_paused = true)]
async fn the_parent_is_read_in_the_region_of_the_property() {
    let stage = Stage::set(|_| ()).await;
    stage.publish_at(&stage.build, "delegation", ELSEWHERE, PREFIX);
    // Another zone is published in the Region of the stack.
    stage.publish(&stage.base);
    let mut stack = stage
        .created(subdomain(json!({"NetworkRegion": ELSEWHERE})))
        .await;
    let attributes = &stack.resources[LOGICAL_ID].attributes;
    assert_eq!(
        (
            attributes["ParentHostedZoneId"].as_str(),
            attributes["DomainName"].as_str()
        ),
        (stage.build.as_str(), NAME)
    );
    assert!(stage.delegation().is_some());
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
    // If nothing is published there, nothing is created.
    let reason = stage
        .refused(subdomain(json!({"NetworkRegion": "eu-central-1"})))
        .await;
    assert!(
        reason.starts_with(&format!(
            "Nothing is published at {PREFIX}/hosted-zone-id, "
        )),
        "{reason}"
    );
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn another_role_or_prefix_for_the_same_parent_is_no_replacement() {
    let second_role = format!("arn:aws:iam::{NETWORK}:role/second");
    for (change, reader, region, prefix) in [
        (
            json!({"NetworkRoleArn": second_role}),
            "second",
            REGION,
            PREFIX,
        ),
        (
            json!({"ParameterPrefix": "/second"}),
            "delegation",
            REGION,
            "/second",
        ),
        (
            json!({"NetworkRegion": ELSEWHERE}),
            "delegation",
            ELSEWHERE,
            PREFIX,
        ),
    ] {
        let stage = Stage::published(|_| ()).await;
        stage.publish_at(&stage.build, reader, region, prefix);
        let mut stack = stage.created(subdomain(json!({}))).await;
        let id = stack.resources[LOGICAL_ID].physical_id.clone();
        let (zone, _) = zones_of(&stack);
        let changed = subdomain(change);
        stage
            .rolled_back(&mut stack, &failing_afterwards(changed.clone()))
            .await;
        assert_eq!(stack.resources[LOGICAL_ID].physical_id, id);
        stage.updated(&mut stack, changed).await;
        assert_eq!(stack.resources[LOGICAL_ID].physical_id, id);
        assert_eq!(stage.made_zones().len(), 1);
        assert_eq!(stage.made_zones()[0].id, zone);
        assert_eq!(
            stage.calls("ChangeResourceRecordSets").len(),
            // At the apex of the zone, and in its parent.
            2,
            "{}",
            stage.history()
        );
        // The previous role is deleted.
        if reader == "second" {
            stage.close_network();
        }
        stage.deleted(&mut stack).await;
        stage.check_no_subdomain();
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_published_under_another_prefix_is_another_parent() {
    let stage = Stage::published(|_| ()).await;
    stage.publish_at(&stage.base, "delegation", ELSEWHERE, PREFIX);
    let mut stack = stage.created(subdomain(json!({}))).await;
    let id = stack.resources[LOGICAL_ID].physical_id.clone();
    stage
        .updated(&mut stack, subdomain(json!({"NetworkRegion": ELSEWHERE})))
        .await;
    assert_ne!(stack.resources[LOGICAL_ID].physical_id, id);
    assert_eq!(zones_of(&stack).1, stage.base, "not that of {BUILD}");
    assert_eq!(stage.delegation(), None);
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn another_parent_of_the_same_name_gets_a_zone_of_its_own() {
    let stage = Stage::published(|_| ()).await;
    let other = stage.world.make_zone(NETWORK, BUILD).unwrap();
    stage.publish_at(&other, "delegation", ELSEWHERE, PREFIX);
    let unverified = json!({"VerifyDelegation": false});
    let mut stack = stage.created(subdomain(unverified)).await;
    let (zone, _) = zones_of(&stack);
    let moved = json!({"NetworkRegion": ELSEWHERE, "VerifyDelegation": false});
    stage.updated(&mut stack, subdomain(moved)).await;
    let (new, parent) = zones_of(&stack);
    assert_eq!(parent, other);
    assert_ne!(
        new, zone,
        "the old one serves the old parent until it is deleted"
    );
    assert!(stage.world.zone(&zone).is_none());
    assert!(stage.world.record_set(&other, NAME, "NS").is_some());
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}
