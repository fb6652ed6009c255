//! Deletes whose physical id the function never gave: the Create was never heard of, and may still run.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{Stack, Status};

use super::{CONSUMER, Fault, FaultRule, NAME, When, subdomain};
use crate::stage::{Stage, one, reason_of, stack};

/// A Create that dies in each attempt at an operation, and is never answered.
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
async fn whatever_a_create_made_before_it_died_goes() {
    // An attempt that finds what the one before it made may come further: then the stack stands, and is deleted.
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
async fn the_second_sweep_comes_as_late_as_a_create_can_live_or_the_delete_allows() {
    for (timeout, apart) in [(600, 470..570), (3_600, 1_190..1_350)] {
        let stage = Stage::published(|_| ()).await;
        let attempts = FaultRule::on_operation("PUT", 3, Fault::Kill(When::Before));
        stage.world.inject(attempts);
        let mut stack = stack("subject");
        let resource = subdomain(json!({"ServiceTimeout": timeout}));
        let status = stage.engine.create(&mut stack, &one(resource)).await;
        assert_eq!(status, Status::CreateRolledBack, "{:?}", stack.failures);
        // The first deletes the delegation, the second the zone, a minute after it has seen that the delegation is gone.
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
async fn a_create_that_comes_between_the_sweeps_leaves_nothing() {
    // The event is delivered late, when CloudFormation has long cancelled it.
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
async fn what_the_second_sweep_would_refuse_is_refused_by_the_first() {
    let stage = Stage::published(|_| ()).await;
    // The zone and its delegation stand, and someone uses it before the Delete comes.
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
async fn a_zone_that_was_given_is_swept_of_its_delegation_alone() {
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
async fn a_create_that_is_held_up_makes_nothing_after_its_delete_swept() {
    // It goes on in the state machine, and Route 53 answers it only when the last sweep is over.
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
async fn a_parent_that_is_out_of_reach_blocks_no_delete_of_what_was_refused() {
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
    // The Create has waited to its end, the Delete has not.
    let took = stage.world.now() - begun;
    assert!(took < Duration::from_secs(4_200), "{took:?}");
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_region_that_does_not_exist_is_said_at_once_and_blocks_no_delete() {
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
async fn an_update_towards_a_region_that_does_not_exist_is_rolled_back() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let resource = subdomain(json!({"NetworkRegion": "eu-west-9"}));
    stage.rolled_back(&mut stack, &one(resource)).await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_given_zone_that_was_not_marked_keeps_its_delegation() {
    // People delegated it. That its rollback finds nothing of this resource is what keeps the name alive.
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
async fn an_update_towards_a_parent_that_is_out_of_reach_is_rolled_back() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let silent = FaultRule::on_operation("GetParameters", u64::MAX, Fault::Silence(When::Before));
    stage.world.inject(silent.in_region("eu-west-2"));
    let resource = subdomain(json!({"NetworkRegion": "eu-west-2"}));
    stage.rolled_back(&mut stack, &one(resource)).await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}
