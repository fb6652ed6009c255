//! An existing zone that others have already delegated: the name is in use, and keeps working whatever fails.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{ResourceDefinition, Status};
use world::{Edit, Fault, FaultRule, When};

use super::{BUILD, NAME, subdomain};
use crate::stage::{Stage, failing_afterwards, one, stack, with};

/// The TTL of the record set that people created.
const BEFORE: Option<u32> = Some(900);

/// Returns the subdomain of an existing zone, with another TTL than that of the record set.
fn adopting(zone: &str) -> ResourceDefinition {
    subdomain(json!({"HostedZoneId": zone, "Ttl": 60, "AdoptDelegation": true}))
}

impl Stage {
    /// Checks that everything is as it was before the zone was adopted.
    fn check_as_before(&self, zone: &str) {
        let set = self.delegation();
        assert_eq!(set.and_then(|set| set.ttl), BEFORE, "{}", self.history());
        let tags = self.world.zone(zone).unwrap().tags;
        assert!(tags.is_empty(), "{tags:?}\n{}", self.history());
        self.check();
    }

    /// Deletes the delegation of the delegated zone, which the check over DNS then finds.
    async fn cut_off(&self) {
        let edit = [Edit::delete(BUILD, "NS")];
        self.world.edit_records(&self.base, &edit).unwrap();
        self.settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_delegation_that_exists_is_refused_unless_the_property_allows_it() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let reason = stage
        .refused(subdomain(json!({"HostedZoneId": zone})))
        .await;
    assert_eq!(
        reason,
        format!(
            "{NAME} was not delegated: {BUILD} already delegates it to HostedZoneId {zone}. Set AdoptDelegation to true to adopt \
             that delegation as it is, or delete the NS record set."
        )
    );
    stage.check_as_before(&zone);
}

#[tokio::test(start_paused = true)]
async fn an_adopted_delegation_is_not_changed_and_is_deleted_with_its_resource() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    // The zone is signed, with its DS record set in the parent.
    stage.sign_parents();
    stage.sign(&stage.build, &zone);
    let mut stack = stage.created(adopting(&zone)).await;
    assert!(stage.calls("ChangeResourceRecordSets").is_empty());
    assert_eq!(stage.delegation().and_then(|set| set.ttl), BEFORE);
    let changed = with(adopting(&zone), json!({"DrainSeconds": 1}));
    stage.updated(&mut stack, changed.clone()).await;
    assert_eq!(stage.delegation().and_then(|set| set.ttl), BEFORE);
    stage
        .updated(&mut stack, with(changed, json!({"Ttl": 30})))
        .await;
    assert_eq!(stage.delegation().and_then(|set| set.ttl), Some(30));
    stage.deleted(&mut stack).await;
    assert_eq!(stage.delegation(), None, "{}", stage.history());
    let ds = stage.world.record_set(&stage.build, NAME, "DS");
    assert!(ds.is_some(), "{}", stage.history());
    assert!(stage.world.zone(&zone).unwrap().tags.is_empty());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_create_that_fails_afterwards_changes_nothing() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    stage.cut_off().await;
    let reason = stage.refused(adopting(&zone)).await;
    assert!(
        reason.starts_with(&format!("{NAME} is delegated, but does not resolve: ")),
        "{reason}"
    );
    stage.check_as_before(&zone);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_dies_at_any_call_changes_nothing() {
    for (operation, when) in [
        ("ChangeTagsForResource", When::After),
        ("PUT", When::Before),
    ] {
        let stage = Stage::published(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let attempts = 1 + u64::from(stage.engine.lambda.retries);
        let kill = FaultRule::on_operation(operation, attempts, Fault::Kill(when));
        stage.world.inject(kill);
        let mut stack = stack("subject");
        let resource = with(adopting(&zone), json!({"ServiceTimeout": 600}));
        let status = stage.engine.create(&mut stack, &one(resource)).await;
        stage.engine.idle().await;
        if status == Status::CreateRolledBack {
            stage.check_as_before(&zone);
        } else {
            assert_eq!(status, Status::Complete, "{operation}");
            assert_eq!(stage.delegation().and_then(|set| set.ttl), BEFORE);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_fails_afterwards_changes_nothing() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let other = subdomain(json!({"Subdomain": "other", "VerifyDelegation": false}));
    let mut stack = stage.created(other).await;
    stage.cut_off().await;
    stage.rolled_back(&mut stack, &one(adopting(&zone))).await;
    stage.check_as_before(&zone);
    stage.deleted(&mut stack).await;
    stage.check_as_before(&zone);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_adopted_and_is_rolled_back_changes_nothing() {
    for carries_new_id in [true, false] {
        let mut stage = Stage::published(|_| ()).await;
        stage.engine.habits.rollback_carries_new_id = carries_new_id;
        let zone = stage.delegated_zone("dev").await;
        let other = subdomain(json!({"Subdomain": "other"}));
        let mut stack = stage.created(other).await;
        stage
            .rolled_back(&mut stack, &failing_afterwards(adopting(&zone)))
            .await;
        stage.check_as_before(&zone);
        stage.deleted(&mut stack).await;
        stage.check_as_before(&zone);
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_replaces_an_adopted_delegation_deletes_it() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(adopting(&zone)).await;
    stage
        .updated(&mut stack, subdomain(json!({"Subdomain": "other"})))
        .await;
    assert_eq!(stage.delegation(), None, "{}", stage.history());
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_create_that_still_completes_changes_nothing() {
    let mut stage = Stage::published(|settings| {
        settings.propagation = Duration::from_secs(40)..=Duration::from_secs(40);
    })
    .await;
    stage.engine.habits.cancels_siblings = true;
    let zone = stage.delegated_zone("dev").await;
    let mut template = one(adopting(&zone));
    let bad = ResourceDefinition::new("Custom::Unknown", json!({}));
    template.insert("Bad".to_owned(), bad);
    let mut stack = stack("subject");
    let status = stage.engine.create(&mut stack, &template).await;
    stage.engine.idle().await;
    assert_eq!(
        status,
        Status::CreateRolledBack,
        "{:?}\n{}",
        stack.failures,
        stage.history()
    );
    stage.check_as_before(&zone);
}
