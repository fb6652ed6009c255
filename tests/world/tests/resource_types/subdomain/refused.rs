//! Errors of AWS and of properties: each is reported, and none is mistaken for another.

use std::time::Duration;

use serde_json::json;

use super::{Fault, FaultRule, NAME, ServiceError, When, subdomain, zones_of};
use crate::stage::{LOGICAL_ID, Stage};

/// Returns an error that no call expects.
fn unexpected() -> Fault {
    Fault::Error(When::Before, ServiceError::new(400, "Unheard", "No."))
}

#[tokio::test(start_paused = true)]
async fn a_create_reports_every_refusal() {
    for operation in [
        "AssumeRole",
        "GetParameters",
        "GetHostedZone",
        "ListHostedZonesByName",
        "ListResourceRecordSets",
        "CreateHostedZone",
        "ChangeTagsForResource",
        "ChangeResourceRecordSets",
        "GetChange",
    ] {
        let stage = Stage::published(|_| ()).await;
        stage
            .world
            .inject(FaultRule::on_operation(operation, 1, unexpected()));
        let reason = stage.refused(subdomain(json!({}))).await;
        assert!(
            reason.contains(operation) && reason.contains("(Unheard, request "),
            "{operation}: {reason}"
        );
        stage.check_no_subdomain();
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_reports_every_refusal_and_keeps_the_zone() {
    for operation in [
        "AssumeRole",
        "GetHostedZone",
        "ListTagsForResource",
        "ListResourceRecordSets",
        "ChangeResourceRecordSets",
        "GetChange",
        "DeleteHostedZone",
    ] {
        let stage = Stage::published(|_| ()).await;
        let mut stack = stage.created(subdomain(json!({}))).await;
        let (zone, _) = zones_of(&stack);
        stage
            .world
            .inject(FaultRule::on_operation(operation, u64::MAX, unexpected()));
        let reason = stage.not_deleted(&mut stack).await;
        assert!(
            reason.contains(operation) && reason.contains("(Unheard, request "),
            "{operation}: {reason}"
        );
        assert!(stage.world.zone(&zone).is_some(), "{operation}");
        stage.world.clear_faults();
        stage.deleted(&mut stack).await;
        stage.check_no_subdomain();
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_continues_if_signing_and_protections_cannot_be_checked() {
    for operation in ["GetDNSSEC", "ListResourceRecordSetProtections"] {
        for code in ["Unheard", "AccessDenied"] {
            let stage = Stage::published(|_| ()).await;
            let mut stack = stage.created(subdomain(json!({}))).await;
            let refusal = ServiceError::new(403, code, "No.");
            let fault = Fault::Error(When::Before, refusal);
            stage
                .world
                .inject(FaultRule::on_operation(operation, u64::MAX, fault));
            stage.deleted(&mut stack).await;
            stage.check_no_subdomain();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn record_sets_that_cannot_be_deleted_as_read_are_reported() {
    let refusal = ServiceError::new(
        400,
        "InvalidChangeBatch",
        "[Tried to delete resource record set but it was not found]",
    );
    let stage = Stage::published(|_| ()).await;
    let properties = json!({"RecordsOnDelete": "Delete", "DrainSeconds": 0});
    let mut stack = stage.created(subdomain(properties)).await;
    let (zone, _) = zones_of(&stack);
    let www = world::Edit::create(&format!("www.{NAME}"), "A", 60, &["192.0.2.1"]);
    stage.world.edit_records(&zone, &[www]).unwrap();
    for skip in [0, 1] {
        // First the NS record set in the parent, then the record sets of the zone.
        let fault = Fault::Error(When::Before, refusal.clone());
        let rule = FaultRule::on_operation("ChangeResourceRecordSets", u64::MAX, fault);
        stage.world.inject(FaultRule { skip, ..rule });
        let (begun, calls) = (
            stage.world.now(),
            stage.calls("ChangeResourceRecordSets").len(),
        );
        let reason = stage.not_deleted(&mut stack).await;
        assert!(
            reason.contains("it was not found] (InvalidChangeBatch, request "),
            "{reason}"
        );
        let took = stage.world.now() - begun;
        assert!(took < Duration::from_secs(180), "{took:?}");
        let calls = stage.calls("ChangeResourceRecordSets").len() - calls;
        assert!(calls < 15, "{calls}");
        assert!(stage.world.zone(&zone).is_some());
        stage.world.clear_faults();
    }
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_region_that_the_function_does_not_know_does_not_block_a_delete() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let resource = stack.resources.get_mut(LOGICAL_ID).unwrap();
    let region = json!("mx-middle-1");
    resource
        .properties
        .insert("NetworkRegion".to_owned(), region);
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_name_that_gives_certificates_for_the_parent_is_refused() {
    let stage = Stage::published(|_| ()).await;
    for (labels, why) in [
        (
            "_acme-challenge",
            "whoever holds _acme-challenge can get certificates",
        ),
        (
            "_0123456789abcdef0123456789abcdef",
            "is where ACM validates the name above it",
        ),
        (
            NAME,
            "it ends in the name of the parent zone, build.example.com, to which it is relative: write 'dev'",
        ),
    ] {
        let reason = stage.refused(subdomain(json!({"Subdomain": labels}))).await;
        assert!(
            reason.starts_with(&format!("Property Subdomain is '{labels}': "))
                && reason.contains(why),
            "{reason}"
        );
    }
    assert!(stage.calls("CreateHostedZone").is_empty());
    stage.check();
}
