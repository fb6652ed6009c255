//! Which zone a subdomain delegates.

use std::time::Duration;

use serde_json::json;

use super::{CONSUMER, Edit, Fault, FaultRule, NAME, When, subdomain, zones_of};
use crate::stage::{Stage, failing_afterwards};

#[tokio::test(start_paused = true)]
async fn another_zone_of_the_name_replaces_it_in_one_batch() {
    let stage = Stage::published(|_| ()).await;
    let given = stage.world.make_zone(CONSUMER, NAME).unwrap();
    stage.settle().await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (made, _) = zones_of(&stack);
    let swapped = subdomain(json!({"HostedZoneId": given}));
    stage
        .rolled_back(&mut stack, &failing_afterwards(swapped.clone()))
        .await;
    assert_eq!(zones_of(&stack).0, made);
    stage.updated(&mut stack, swapped).await;
    assert_eq!(zones_of(&stack).0, given);
    assert!(stage.made_zones().is_empty());
    stage.deleted(&mut stack).await;
    let batches: Vec<String> = stage
        .calls("ChangeResourceRecordSets")
        .into_iter()
        // CloudFormation's clean-up tries to delete the record set of the replaced zone, and finds another.
        .filter(|call| call.outcome.contains('!'))
        .map(|call| call.target)
        .collect();
    let swap = format!("DELETE {NAME}. NS, CREATE {NAME}. NS");
    assert_eq!(
        batches,
        [
            format!("UPSERT {NAME}. NS"),
            format!("CREATE {NAME}. NS"),
            // Replaced, rolled back, and replaced finally.
            swap.clone(),
            swap.clone(),
            swap,
            format!("DELETE {NAME}. NS"),
        ]
    );
    assert!(stage.world.zone(&given).is_some());
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_zone_was_deleted_creates_no_other() {
    // It dies after it has created the zone, which somebody deletes before Lambda retries.
    let stage = Stage::published(|_| ()).await;
    let kill = FaultRule::on_operation("CreateHostedZone", 1, Fault::Kill(When::After));
    stage.world.inject(kill);
    let world = stage.world.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Some(zone) = world.zones().values().find(|zone| zone.account == CONSUMER) {
                return world.remove_zone(&zone.id).unwrap();
            }
        }
    });
    let reason = stage.refused(subdomain(json!({}))).await;
    let start = format!(
        "The zone {NAME} was not created: this request created one before, which was deleted since (Route 53 CreateHostedZone on {NAME}: A hosted \
         zone has already been created with the specified caller reference: "
    );
    assert!(reason.starts_with(&start), "{reason}");
    assert!(
        reason.contains(" (HostedZoneAlreadyExists, request "),
        "{reason}"
    );
    assert!(
        reason.ends_with(")). Deploy again, which makes a new request."),
        "{reason}"
    );
    assert_eq!(stage.calls("CreateHostedZone").len(), 2);
    assert_eq!(stage.calls("ChangeResourceRecordSets").len(), 0);
    stage.check_no_subdomain();
    // As the sentence says.
    let mut stack = stage.created(subdomain(json!({}))).await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_delegation_that_another_tool_deletes_is_restored_by_the_next_update() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let created = stage.world.record_set(&stage.build, NAME, "NS");
    let wipe = [Edit::delete(NAME, "NS")];
    stage.world.edit_records(&stage.build, &wipe).unwrap();
    stage.settle().await;
    let web = subdomain(json!({"Comment": "web"}));
    stage.updated(&mut stack, web).await;
    let restored = stage.world.record_set(&stage.build, NAME, "NS");
    let values = |set: Option<world::RecordSet>| set.map(|set| (set.ttl, set.values));
    assert_eq!(values(restored), values(created));
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}
