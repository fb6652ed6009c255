//! The defaults of the time to live and of the drain, and the sentences about a name that is in use.

use std::time::Duration;

use serde_json::json;
use world::{Edit, Fault, FaultRule, ServiceError, When};

use super::{BUILD, NAME, NETWORK, subdomain, zones_of};
use crate::stage::{LOGICAL_ID, STALE_DS, Stage};

#[tokio::test(start_paused = true)]
async fn ttl_at_parent_and_apex_and_drain_are_five_minutes_by_default() {
    for (properties, ttl, drain) in [
        (json!({}), 300, 300),
        (json!({"Ttl": 60}), 60, 60),
        (json!({"Ttl": 60, "DrainSeconds": 0}), 60, 0),
    ] {
        let stage = Stage::published(|_| ()).await;
        let mut stack = stage.created(subdomain(properties)).await;
        let (zone, _) = zones_of(&stack);
        let apex = stage.world.record_set(&zone, NAME, "NS").unwrap();
        assert_eq!(apex.ttl, Some(ttl));
        assert_eq!(stage.delegation().unwrap().ttl, Some(ttl));
        stage.deleted(&mut stack).await;
        let drained = stage.last("DeleteHostedZone") - stage.last("ChangeResourceRecordSets");
        // From INSYNC, which takes at most 40 s here.
        assert!(
            (drain..drain + 100).contains(&drained.as_secs()),
            "{drained:?}\n{}",
            stage.history()
        );
        stage.check_no_subdomain();
    }
}

#[tokio::test(start_paused = true)]
async fn a_default_drain_is_shortened_to_the_time_that_a_delete_has() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({"Ttl": 86_400}))).await;
    let before = stage.world.now();
    stage.deleted(&mut stack).await;
    assert!(stage.world.now() - before < Duration::from_secs(3_600));
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_create_succeeds_although_the_role_does_not_permit_the_apex() {
    let stage = Stage::published(|_| ()).await;
    let denied = ServiceError::new(403, "AccessDenied", "No.");
    let fault = Fault::Error(When::Before, denied);
    // The first change is that of the apex, or that of the parent, which is retried.
    stage.world.inject(FaultRule::on_operation(
        "ChangeResourceRecordSets",
        1,
        fault,
    ));
    let mut stack = stage.created(subdomain(json!({}))).await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_delivered_again_after_an_update_changes_nothing() {
    let mut stage = Stage::published(|_| ()).await;
    stage.engine.delivery.again = Some(Duration::from_secs(200));
    let mut stack = stage.created(subdomain(json!({}))).await;
    stage.engine.delivery.again = None;
    let changed = subdomain(json!({"Ttl": 60, "Comment": "new", "Tags": {"team": "a"}}));
    stage.updated(&mut stack, changed).await;
    let (zone, _) = zones_of(&stack);
    let before = (stage.delegation(), stage.world.zone(&zone).unwrap().tags);
    stage.engine.idle().await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let after = (stage.delegation(), stage.world.zone(&zone).unwrap().tags);
    assert_eq!(after, before, "{}", stage.history());
    assert_eq!(stage.delegation().unwrap().ttl, Some(60));
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn an_occluded_validation_cname_is_named_as_such() {
    let stage = Stage::published(|_| ()).await;
    let (record, value) = world::validation_record(NETWORK, NAME);
    let cname = Edit::create(&record, "CNAME", 60, &[&value]);
    stage.world.edit_records(&stage.build, &[cname]).unwrap();
    let reason = stage.refused(subdomain(json!({}))).await;
    assert!(
        reason.contains(" ACM validates and renews certificates: replace them by certificates"),
        "{reason}"
    );
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_ds_record_set_at_the_name_is_not_in_the_way() {
    // The parent is not signed, so that no resolver takes it into account.
    let stage = Stage::published(|_| ()).await;
    let ds = Edit::create(NAME, "DS", 60, &[STALE_DS]);
    stage.world.edit_records(&stage.build, &[ds]).unwrap();
    let mut stack = stage.created(subdomain(json!({}))).await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_delegation_to_servers_that_do_not_serve_the_name_is_reported_as_dangling() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    stage.world.remove_zone(&zone).unwrap();
    stage.settle().await;
    let reason = stage.refused(subdomain(json!({}))).await;
    assert!(
        reason.starts_with(&format!(
            "{NAME} was not delegated: {BUILD} ({}) has a dangling delegation for it, NS {NAME} (",
            stage.build
        )),
        "{reason}"
    );
    assert!(stage.delegation().is_some());
    assert!(stage.made_zones().is_empty());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_cloudformation_gave_up_leaves_nothing() {
    // The Delete of the new logical id fails, and CloudFormation forgets it. The old one is deleted later.
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    let owner = stack.id.clone();
    stage.world.renamed(&stack.id, LOGICAL_ID, "Renamed");
    stage.world.renamed(&stack.id, "Renamed", LOGICAL_ID);
    stage
        .world
        .edit_zone(&zone, |zone| {
            for (key, value) in [
                ("stack-id", owner.as_str()),
                ("logical-id", "Renamed"),
                ("previous-logical-id", LOGICAL_ID),
                ("created-as", LOGICAL_ID),
                ("incomplete", "true"),
            ] {
                zone.tags
                    .insert(format!("zone-delegation:{key}"), value.to_owned());
            }
        })
        .unwrap();
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}
