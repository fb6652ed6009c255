//! The waits of a delete: for resolvers to forget a delegation, and for a parent that protects it while they
//! use it.

use std::time::Duration;

use serde_json::json;

use super::{BUILD, Edit, NAME, subdomain, zones_of};
use crate::stage::Stage;

const HOUR: u64 = 3_600;

#[tokio::test(start_paused = true)]
async fn a_drain_continues_in_the_state_machine() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage
        .created(subdomain(json!({"Ttl": 1800, "DrainSeconds": 1800})))
        .await;
    let (zone, _) = zones_of(&stack);
    stage.deleted(&mut stack).await;
    let (ns_deleted, gone) = (
        stage.last("ChangeResourceRecordSets"),
        stage.last("DeleteHostedZone"),
    );
    let drained = gone - ns_deleted;
    // From INSYNC, which takes at most 40 s here.
    assert!(
        (1_800..1_800 + 40 + 90).contains(&drained.as_secs()),
        "{drained:?}\n{}",
        stage.history()
    );
    assert_eq!(stage.calls("StartExecution").len(), 1);
    assert_eq!(stage.world.zone(&zone).map(|zone| zone.id), None);
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_drain_lasts_as_long_as_resolvers_may_cache_a_delegation_whose_ttl_was_shortened() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({"Ttl": 1_800}))).await;
    stage
        .updated(&mut stack, subdomain(json!({"Ttl": 60})))
        .await;
    stage.deleted(&mut stack).await;
    let drained = stage.last("DeleteHostedZone") - stage.last("ChangeResourceRecordSets");
    assert!(drained.as_secs() >= 1_800, "{drained:?}");
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn without_a_waiter_a_drain_is_shortened_to_the_invocation() {
    let mut stage = Stage::published(|_| ()).await;
    let mut stack = stage
        .created(subdomain(json!({"DrainSeconds": 1800})))
        .await;
    stage.engine.lambda.waiter = false;
    let before = stage.world.now();
    stage.deleted(&mut stack).await;
    let drained = stage.last("DeleteHostedZone") - stage.last("ChangeResourceRecordSets");
    assert!(
        (700..900).contains(&drained.as_secs()),
        "{drained:?}\n{}",
        stage.history()
    );
    assert!(stage.world.now() - before < stage.engine.lambda.timeout);
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn without_a_waiter_a_drain_longer_than_the_invocation_is_refused() {
    let mut stage = Stage::published(|_| ()).await;
    stage.engine.lambda.waiter = false;
    let reason = stage
        .refused(subdomain(json!({"DrainSeconds": 1_800})))
        .await;
    assert!(
        reason.starts_with("DrainSeconds is 1800, and the time that a Delete has leaves 7"),
        "{reason}"
    );
    assert!(stage.calls("CreateHostedZone").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_drain_longer_than_a_delete_is_refused() {
    let stage = Stage::published(|_| ()).await;
    for (drain, timeout, most) in [(3_481, HOUR, 3_480), (600, 600, 480), (1, 100, 0)] {
        let properties = json!({"DrainSeconds": drain, "ServiceTimeout": timeout});
        assert_eq!(
            stage.refused(subdomain(properties)).await,
            format!(
                "DrainSeconds is {drain}, and the time that a Delete has leaves {most} at most: lower it, or raise ServiceTimeout and, \
                 where there is no state machine for waits, the function's time-out."
            )
        );
    }
    assert!(stage.calls("CreateHostedZone").is_empty());
    let mut stack = stage
        .created(subdomain(json!({"DrainSeconds": 3_480})))
        .await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_delegation_that_resolvers_use_is_deleted_when_they_stop() {
    for seconds in [30, 3_000] {
        let stage = Stage::published(|_| ()).await;
        let mut stack = stage.created(subdomain(json!({}))).await;
        let until = stage.world.now() + Duration::from_secs(seconds);
        stage.follow(until);
        stage.deleted(&mut stack).await;
        let ns_deleted = stage.last("ChangeResourceRecordSets");
        assert!(
            ns_deleted > until && ns_deleted < until + Duration::from_secs(150),
            "{}",
            stage.history()
        );
        assert!(stage.last("DeleteHostedZone") > ns_deleted);
        stage.check_no_subdomain();
    }
}

#[tokio::test(start_paused = true)]
async fn a_delegation_that_resolvers_use_until_the_end_is_kept_with_its_zone() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    let before = stage.world.now();
    stage.follow(Duration::MAX);
    let reason = stage.not_deleted(&mut stack).await;
    let took = (stage.world.now() - before).as_secs();
    assert!((HOUR - 31..HOUR).contains(&took), "{took}");
    assert!(reason.starts_with("Timed out after 35"), "{reason}");
    assert!(
        reason.contains(&format!(
            " s waiting for the parent of {NAME} to accept the deletion of its NS record set, which resolvers still use \
             (ACTIVE_DELEGATION_CHECK). CloudFormation waits one hour at most: try again once that can happen in time."
        )),
        "{reason}"
    );
    assert_eq!(stage.made_zones()[0].id, zone);
    assert!(stage.delegation().is_some());
    // They stop, and the next delete succeeds.
    stage.follow(stage.world.now());
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_delegation_that_resolvers_use_without_a_zone_is_waited_for_too() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    let until = stage.world.now() + Duration::from_secs(1_200);
    stage.follow(until);
    stage.world.remove_zone(&zone).unwrap();
    stage.deleted(&mut stack).await;
    assert!(stage.last("ChangeResourceRecordSets") > until);
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_zone_is_kept_while_another_record_set_names_one_of_its_servers() {
    // Somebody changed the record set, but it still has one of our servers: whoever gets that server gets the
    // name.
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    let ours = stage.world.zone(&zone).unwrap().hosts();
    let other = stage.world.make_zone(super::CONSUMER, NAME).unwrap();
    let mut hosts = stage.world.zone(&other).unwrap().hosts();
    hosts[0].clone_from(&ours[0]);
    stage.hijack(&hosts);
    stage.settle().await;
    let reason = stage.not_deleted(&mut stack).await;
    assert!(
        reason.contains(&format!(
            "waiting for {NAME} to be delegated to its zone {zone} no longer: ns-"
        )),
        "{reason}"
    );
    assert!(
        reason.contains(" refers to ns-") && reason.contains(&ours[0]),
        "{reason}"
    );
    assert_eq!(stage.made_zones()[0].id, zone);
    // Somebody corrects it while the next delete waits.
    let world = stage.world.clone();
    let build = stage.build.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1_000)).await;
        world
            .edit_records(&build, &[world::Edit::delete(NAME, "NS")])
            .unwrap();
    });
    stage.deleted(&mut stack).await;
    assert!(stage.world.zone(&zone).is_none());
    assert!(NAME.ends_with(BUILD));
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_deleted_record_set_that_some_servers_still_have_is_waited_for() {
    let stage = Stage::published(|settings| {
        settings.propagation = Duration::from_secs(40)..=Duration::from_secs(40);
    })
    .await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    stage
        .world
        .edit_records(&stage.build, &[world::Edit::delete(NAME, "NS")])
        .unwrap();
    let spread = stage.world.now() + Duration::from_secs(40);
    stage.deleted(&mut stack).await;
    assert!(
        stage.last("DeleteHostedZone") >= spread,
        "{}",
        stage.history()
    );
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn records_that_are_added_during_a_drain_are_not_lost() {
    for (records_on_delete, name, kind, value, keeps) in [
        (
            "Delete",
            format!("x.{NAME}"),
            "NS",
            "ns1.example.org.",
            "delegates further: NS x.NAME; delete these delegations first",
        ),
        (
            "Fail",
            format!("www.{NAME}"),
            "A",
            "192.0.2.1",
            "holds A www.NAME; delete these record sets, or set RecordsOnDelete to Delete",
        ),
    ] {
        let stage = Stage::published(|_| ()).await;
        let properties =
            json!({"Ttl": 1800, "DrainSeconds": 1800, "RecordsOnDelete": records_on_delete});
        let mut stack = stage.created(subdomain(properties)).await;
        let (zone, _) = zones_of(&stack);
        let (world, drained, put) = (
            stage.world.clone(),
            zone.clone(),
            Edit::create(&name, kind, 60, &[value]),
        );
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(600)).await;
            world.edit_records(&drained, &[put]).unwrap();
        });
        assert_eq!(
            stage.not_deleted(&mut stack).await,
            format!(
                "{NAME} was not deleted, and its NS record set in the parent, which was deleted before, was restored: its zone \
                 {zone} {}.",
                keeps.replace("NAME", NAME)
            )
        );
        assert!(stage.world.record_set(&zone, &name, kind).is_some());
        let restored = stage.world.record_set(&stage.build, NAME, "NS");
        assert_eq!(restored.and_then(|set| set.ttl), Some(1_800));
        stage
            .world
            .edit_records(&zone, &[Edit::delete(&name, kind)])
            .unwrap();
        stage.deleted(&mut stack).await;
        stage.check_no_subdomain();
    }
}
