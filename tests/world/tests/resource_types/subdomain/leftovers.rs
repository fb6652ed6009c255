//! Leftovers of a failed update: its rollback removes exactly these, and nothing blocks it.

use serde_json::json;
use world::cloudformation::{ResourceDefinition, Status, Template};
use world::{Edit, RecordKey};

use super::{BUILD, CONSUMER, LOGICAL_ID, NAME, NETWORK, subdomain, zones_of};
use crate::stage::{Stage, failing_afterwards, one, with};

/// Returns a subdomain of a parent in the same account.
fn below(parent: &str, properties: serde_json::Value) -> ResourceDefinition {
    let resource = ResourceDefinition::new(
        "Custom::DelegatedSubdomain",
        json!({"Subdomain": "dev", "ParentHostedZoneId": parent}),
    );
    with(resource, properties)
}

/// Plays with a rollback that carries either id.
async fn rolled_back_in_both_ways(play: impl AsyncFn(&Stage)) {
    for carries_new_id in [true, false] {
        let mut stage = Stage::published(|_| ()).await;
        stage.engine.habits.rollback_carries_new_id = carries_new_id;
        play(&stage).await;
        stage.check();
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_name_is_rolled_back_and_the_old_name_works() {
    rolled_back_in_both_ways(async |stage| {
        let mut stack = stage.created(subdomain(json!({}))).await;
        let (zone, _) = zones_of(&stack);
        let template = failing_afterwards(subdomain(json!({"Subdomain": "test"})));
        stage.rolled_back(&mut stack, &template).await;
        let standing: Vec<_> = stage.made_zones().into_iter().map(|zone| zone.id).collect();
        assert_eq!(standing, [zone], "{}", stage.history());
        assert!(stage.delegation().is_some());
        assert_eq!(
            stage
                .world
                .record_set(&stage.build, &format!("test.{BUILD}"), "NS"),
            None
        );
        stage.deleted(&mut stack).await;
        stage.check_no_subdomain();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_existing_zone_moved_to_another_parent_loses_only_that_delegation() {
    // One zone that is delegated from a second parent, and then from the first one again.
    rolled_back_in_both_ways(async |stage| {
        let parents = [
            stage.world.make_zone(CONSUMER, BUILD).unwrap(),
            stage.world.make_zone(CONSUMER, BUILD).unwrap(),
        ];
        let given = stage.world.make_zone(CONSUMER, NAME).unwrap();
        stage.settle().await;
        let of = |parent: &str| {
            below(
                parent,
                json!({"HostedZoneId": given, "VerifyDelegation": false}),
            )
        };
        let mut stack = stage.created(of(&parents[0])).await;
        stage
            .rolled_back(&mut stack, &failing_afterwards(of(&parents[1])))
            .await;
        assert!(
            stage.world.record_set(&parents[0], NAME, "NS").is_some(),
            "{}",
            stage.history()
        );
        assert_eq!(
            stage.world.record_set(&parents[1], NAME, "NS"),
            None,
            "{}",
            stage.history()
        );
        let zone = stage.world.zone(&given).unwrap();
        assert!(
            zone.tags.contains_key("zone-delegation:stack-id"),
            "it is this resource's again"
        );
        stage.deleted(&mut stack).await;
        assert!(stage.world.zone(&given).unwrap().tags.is_empty());
        assert_eq!(stage.world.record_set(&parents[0], NAME, "NS"), None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_update_towards_a_parent_that_cannot_be_read_is_rolled_back() {
    rolled_back_in_both_ways(async |stage| {
        let mut stack = stage.created(subdomain(json!({}))).await;
        let (zone, _) = zones_of(&stack);
        let elsewhere = json!({"NetworkRoleArn": format!("arn:aws:iam::{NETWORK}:role/nobody")});
        let reason = stage
            .rolled_back(&mut stack, &one(subdomain(elsewhere)))
            .await;
        assert!(
            reason.starts_with(&format!(
                "The role arn:aws:iam::{NETWORK}:role/nobody cannot be assumed: STS AssumeRole"
            )),
            "{reason}"
        );
        assert_eq!(stage.made_zones().len(), 1);
        assert_eq!(zones_of(&stack).0, zone);
        stage.deleted(&mut stack).await;
        stage.check_no_subdomain();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn records_in_a_leftover_zone_do_not_fail_the_rollback() {
    // The rollback deletes its NS record set and logs its name, and CloudFormation's clean-up reports the
    // records in it.
    let mut stage = Stage::published(|_| ()).await;
    stage.engine.habits.rollback_carries_new_id = false;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (kept, _) = zones_of(&stack);
    let name = format!("test.{BUILD}");
    let (world, at) = (stage.world.clone(), name.clone());
    tokio::spawn(async move {
        let of_test = |zone: &world::Zone| zone.name.normalized() == at;
        loop {
            if let Some(zone) = world.zones().values().find(|zone| of_test(zone)) {
                let edit = Edit::create(&format!("www.{at}"), "A", 60, &["192.0.2.1"]);
                return world.edit_records(&zone.id, &[edit]).unwrap();
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
    let template = failing_afterwards(subdomain(json!({"Subdomain": "test"})));
    let status = stage.engine.update(&mut stack, &template).await;
    assert_eq!(
        status,
        Status::RolledBack,
        "{:?}\n{}",
        stack.failures,
        stage.history()
    );
    assert_eq!(zones_of(&stack).0, kept);
    assert_eq!(
        stage.world.record_set(&stage.build, &name, "NS"),
        None,
        "nobody is led to it"
    );
    let left: Vec<_> = stage
        .made_zones()
        .into_iter()
        .filter(|zone| zone.id != kept)
        .collect();
    let [left] = left.as_slice() else {
        panic!("{left:#?}")
    };
    let [orphan] = stack.orphans.as_slice() else {
        panic!("{:?}", stack.orphans)
    };
    assert!(
        orphan.reason.contains(&left.id) && orphan.reason.contains(&format!("A www.{name}")),
        "{}",
        orphan.reason
    );
    assert!(stage.delegation().is_some());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_leftover_of_an_earlier_replacement_is_not_changed() {
    // It was kept because of its records. A later update and its rollback do not concern it.
    rolled_back_in_both_ways(async |stage| {
        let mut stack = stage.created(subdomain(json!({}))).await;
        let (left, _) = zones_of(&stack);
        let www = Edit::create(&format!("www.{NAME}"), "A", 60, &["192.0.2.1"]);
        stage.world.edit_records(&left, &[www]).unwrap();
        let status = stage
            .engine
            .update(&mut stack, &one(subdomain(json!({"Subdomain": "test"}))))
            .await;
        assert_eq!(status, Status::Complete);
        assert_eq!(stack.orphans.len(), 1, "{:?}", stack.orphans);
        assert!(
            stack.orphans[0].reason.contains(&left),
            "{}",
            stack.orphans[0].reason
        );
        let (kept, _) = zones_of(&stack);
        let records = stage.world.zone(&left).unwrap().records;
        // Now to another name, and back.
        let status = stage
            .engine
            .update(
                &mut stack,
                &failing_afterwards(subdomain(json!({"Subdomain": "ops"}))),
            )
            .await;
        assert_eq!(
            status,
            Status::RolledBack,
            "{:?}\n{}",
            stack.failures,
            stage.history()
        );
        assert_eq!(zones_of(&stack).0, kept);
        let mut standing: Vec<_> = stage.made_zones().into_iter().map(|zone| zone.id).collect();
        standing.sort();
        let mut expected = [left.clone(), kept];
        expected.sort();
        assert_eq!(standing, expected, "{}", stage.history());
        assert_eq!(stage.world.zone(&left).unwrap().records, records);
        assert!(
            stage.delegation().is_some(),
            "it exists with its delegation, unchanged"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_successful_update_keeps_the_zone_that_it_replaces() {
    // Only CloudFormation's clean-up deletes it. Before that, the old name works.
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (old, _) = zones_of(&stack);
    let before = stage.world.now();
    stage
        .updated(&mut stack, subdomain(json!({"Subdomain": "test"})))
        .await;
    let log = stage.world.log();
    let answered = log
        .iter()
        .rfind(|event| event.at > before && event.action.starts_with("Update"))
        .unwrap()
        .at;
    let gone = stage.calls("DeleteHostedZone");
    assert!(
        gone.iter().all(|call| call.at > answered),
        "{}",
        stage.history()
    );
    assert!(stage.world.zone(&old).is_none());
    assert!(stage.world.record_set(&stage.build, NAME, "NS").is_none());
    let key = RecordKey::new(&world::Name::of(&format!("test.{BUILD}")), "NS");
    assert!(
        stage
            .world
            .zone(&stage.build)
            .unwrap()
            .published
            .contains_key(&key)
    );
    assert_eq!(
        stack.resources[LOGICAL_ID].attributes["DomainName"],
        format!("test.{BUILD}")
    );
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn the_rollback_waits_for_a_leftover_delegation_that_resolvers_use() {
    let mut stage = Stage::published(|_| ()).await;
    stage.engine.habits.rollback_carries_new_id = false;
    let mut stack = stage.created(subdomain(json!({"Subdomain": "test"}))).await;
    let until = stage.world.now() + std::time::Duration::from_secs(500);
    stage.follow(until);
    stage
        .rolled_back(&mut stack, &failing_afterwards(subdomain(json!({}))))
        .await;
    assert!(stage.world.now() > until);
    assert_eq!(stage.made_zones().len(), 1);
    assert_eq!(stage.delegation(), None);
    let mut template = Template::new();
    template.insert(
        LOGICAL_ID.to_owned(),
        subdomain(json!({"Subdomain": "test"})),
    );
    assert_eq!(stack.resources.len(), template.len());
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}
