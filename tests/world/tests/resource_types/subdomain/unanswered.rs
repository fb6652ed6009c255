//! Deletes with a physical id of CloudFormation: the Create was never answered, and may still run.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{Stack, Status};

use super::{CONSUMER, Fault, FaultRule, NAME, When, subdomain};
use crate::stage::{Stage, one, reason_of, stack};

/// Returns the stack of a Create that dies in each attempt at an operation and is never answered.
async fn never_answered(
    stage: &Stage,
    operation: &str,
    when: When,
    properties: serde_json::Value,
) -> (Stack, Status) {
    let attempts = 1 + u64::from(stage.engine.lambda.retries);
    stage.world.inject(FaultRule::on_operation(
        operation,
        attempts,
        Fault::Kill(when),
    ));
    let mut stack = stack("subject");
    let resource = super::with(subdomain(properties), json!({"ServiceTimeout": 600}));
    let status = stage.engine.create(&mut stack, &one(resource)).await;
    stage.world.clear_faults();
    (stack, status)
}

#[tokio::test(start_paused = true)]
async fn everything_that_an_unanswered_create_created_is_deleted() {
    // An attempt that finds what the previous one created may complete the Create. Then the stack exists, and
    // is deleted.
    let mut never_answered_at = Vec::new();
    for (operation, when) in [
        ("CreateHostedZone", When::Before),
        ("CreateHostedZone", When::After),
        ("ChangeTagsForResource", When::Before),
        ("ChangeResourceRecordSets", When::Before),
        ("ChangeResourceRecordSets", When::After),
        ("GetChange", When::After),
        ("PUT", When::Before),
    ] {
        let stage = Stage::published(|_| ()).await;
        let (mut stack, status) = never_answered(&stage, operation, when, json!({})).await;
        stage.engine.idle().await;
        if status == Status::Complete {
            stage.deleted(&mut stack).await;
        } else {
            assert_eq!(
                status,
                Status::CreateRolledBack,
                "{operation} {when:?}\n{}",
                stage.history()
            );
            assert_eq!(
                stack.failures,
                ["CloudFormation did not receive a response"]
            );
            never_answered_at.push(operation);
        }
        stage.check_no_subdomain();
    }
    assert!(
        never_answered_at.contains(&"GetChange") && never_answered_at.contains(&"PUT"),
        "{never_answered_at:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_second_search_is_after_the_longest_life_of_a_create_if_the_delete_has_the_time() {
    for (timeout, apart) in [(600, 470..570), (3_600, 1_190..1_350)] {
        let stage = Stage::published(|_| ()).await;
        let attempts = FaultRule::on_operation("PUT", 3, Fault::Kill(When::Before));
        stage.world.inject(attempts);
        let mut stack = stack("subject");
        let resource = subdomain(json!({"ServiceTimeout": timeout}));
        let status = stage.engine.create(&mut stack, &one(resource)).await;
        assert_eq!(status, Status::CreateRolledBack, "{:?}", stack.failures);
        // The first search deletes the delegation, the second the zone, a minute after it has seen that the
        // delegation is deleted.
        let between =
            stage.last("DeleteHostedZone") - stage.calls_of("ChangeResourceRecordSets", "DELETE");
        assert!(
            apart.contains(&between.as_secs()),
            "{between:?}\n{}",
            stage.history()
        );
        stage.check_no_subdomain();
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_between_the_two_searches_leaves_nothing() {
    // The event is delivered after CloudFormation has cancelled it.
    for late in [5, 60, 290] {
        let mut stage = Stage::published(|_| ()).await;
        stage.engine.habits.cancels_siblings = true;
        stage.engine.delivery.again = Some(Duration::from_secs(late));
        let mut stack = stack("subject");
        let mut template = one(subdomain(json!({})));
        template.insert("Bad".to_owned(), subdomain(json!({"Nonsense": "x"})));
        let status = stage.engine.create(&mut stack, &template).await;
        stage.engine.idle().await;
        assert_eq!(
            status,
            Status::CreateRolledBack,
            "{:?}\n{}",
            stack.failures,
            stage.history()
        );
        stage.check_no_subdomain();
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_the_second_search_would_refuse_is_refused_by_the_first() {
    let stage = Stage::published(|_| ()).await;
    // The zone and its delegation exist, and somebody uses the zone before the Delete arrives.
    let world = stage.world.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(300)).await;
        let mut zones = world.zones().into_values();
        let zone = zones.rfind(|zone| zone.account == CONSUMER).unwrap();
        let edit = world::Edit::create(&format!("www.{NAME}"), "A", 60, &["192.0.2.1"]);
        world.edit_records(&zone.id, &[edit]).unwrap();
    });
    let (mut stack, status) = never_answered(&stage, "PUT", When::Before, json!({})).await;
    assert_eq!(status, Status::NotDeleted, "{}", stage.history());
    let zone = stage.made_zones()[0].id.clone();
    assert_eq!(
        reason_of(&stack.failures[1]),
        format!(
            "{NAME} was not deleted, and nothing was changed: its zone {zone} holds A www.{NAME}; delete these record sets, or set \
             RecordsOnDelete to Delete. What Subject created may still exist: find it by its ownership tags."
        )
    );
    assert!(
        stage.delegation().is_some(),
        "nothing was touched\n{}",
        stage.history()
    );
    stage
        .world
        .edit_records(&zone, &[world::Edit::delete(&format!("www.{NAME}"), "A")])
        .unwrap();
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn only_the_delegation_of_an_existing_zone_is_deleted() {
    let stage = Stage::published(|_| ()).await;
    let given = stage.world.make_zone(CONSUMER, NAME).unwrap();
    stage.settle().await;
    let (stack, status) =
        never_answered(&stage, "PUT", When::Before, json!({"HostedZoneId": given})).await;
    assert_eq!(
        status,
        Status::CreateRolledBack,
        "{:?}\n{}",
        stack.failures,
        stage.history()
    );
    let zone = stage.world.zone(&given).unwrap();
    assert!(zone.tags.is_empty(), "{:?}", zone.tags);
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_delayed_create_creates_nothing_after_its_delete() {
    // It continues in the state machine, and Route 53 answers it only after the second search of the Delete.
    let mut stage = Stage::published(|_| ()).await;
    stage.engine.habits.cancels_siblings = true;
    let down = Fault::unavailable(When::Before);
    stage
        .world
        .inject(FaultRule::on_operation("CreateHostedZone", u64::MAX, down));
    let world = stage.world.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1_800)).await;
        world.clear_faults();
    });
    let mut stack = stack("subject");
    let mut template = one(subdomain(json!({})));
    template.insert("Bad".to_owned(), subdomain(json!({"Nonsense": "x"})));
    let status = stage.engine.create(&mut stack, &template).await;
    stage.engine.idle().await;
    assert_eq!(
        status,
        Status::CreateRolledBack,
        "{:?}\n{}",
        stack.failures,
        stage.history()
    );
    assert!(
        stage.world.now() > stage.engine.lambda.max_invocation_age(),
        "the Create was still there"
    );
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_parent_does_not_block_the_delete_of_a_refused_create() {
    let stage = Stage::published(|_| ()).await;
    stage.world.inject(FaultRule::on_operation(
        "GetParameters",
        u64::MAX,
        Fault::Silence(When::Before),
    ));
    let begun = stage.world.now();
    let reason = stage.refused(subdomain(json!({}))).await;
    assert!(
        reason.contains(
            " while reading the parent zone. The last AWS call that failed is SSM GetParameters on"
        ),
        "{reason}"
    );
    // The Create has waited until its end, the Delete has not.
    let took = stage.world.now() - begun;
    assert!(took < Duration::from_secs(4_200), "{took:?}");
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_region_that_does_not_exist_is_reported_at_once_and_does_not_block_a_delete() {
    let stage = Stage::published(|_| ()).await;
    let begun = stage.world.now();
    let reason = stage
        .refused(subdomain(json!({"NetworkRegion": "eu-west-9"})))
        .await;
    let start = "SSM GetParameters on /zone-delegation/dev: dispatch failure: ";
    let end = "Name or service not known; check that the Region is one of AWS's, and that this function's network resolves its endpoint.";
    assert!(
        reason.starts_with(start) && reason.ends_with(end),
        "{reason}"
    );
    let took = stage.world.now() - begun;
    assert!(took < Duration::from_secs(120), "{took:?}");
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn an_update_to_a_region_that_does_not_exist_is_rolled_back() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let resource = subdomain(json!({"NetworkRegion": "eu-west-9"}));
    stage.rolled_back(&mut stack, &one(resource)).await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn an_existing_zone_without_ownership_tags_keeps_its_delegation() {
    // People created the delegation. It is kept because the rollback finds nothing of this resource.
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    stage.give_only(
        "delegate-subdomain",
        &json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "route53:ChangeTagsForResource", "Resource": "*"},
        ]),
    );
    let reason = stage
        .refused(subdomain(
            json!({"HostedZoneId": zone, "AdoptDelegation": true}),
        ))
        .await;
    assert!(reason.contains("ChangeTagsForResource"), "{reason}");
    assert!(stage.delegation().is_some(), "{}", stage.history());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn an_update_to_an_unreachable_parent_is_rolled_back() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let silent = FaultRule::on_operation("GetParameters", u64::MAX, Fault::Silence(When::Before));
    stage.world.inject(silent.in_region("eu-west-2"));
    let resource = subdomain(json!({"NetworkRegion": "eu-west-2"}));
    stage.rolled_back(&mut stack, &one(resource)).await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}
