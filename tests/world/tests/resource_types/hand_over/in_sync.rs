//! Changes that Route 53 takes ten minutes to bring to its name servers, as in an incident: the wait is handed over, no change is
//! made twice, and nothing is answered before the changes are INSYNC.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use world::cloudformation::{ResourceDefinition, Status};
use world::{Hand, Timestamp};

use crate::stage::{CONSUMER, NETWORK, PREFIX, Stage, one, stack, with};

const LONG: Duration = Duration::from_secs(600);

async fn slow() -> Stage {
    let stage = Stage::set(|_| ()).await;
    stage.publish(&stage.build);
    stage
        .world
        .change_settings(|settings| settings.propagation = LONG..=LONG);
    stage
}

fn subdomain(more: Value) -> ResourceDefinition {
    let properties = json!({
        "Subdomain": "dev",
        "ParameterPrefix": PREFIX,
        "NetworkRoleArn": format!("arn:aws:iam::{NETWORK}:role/delegation"),
        "DrainSeconds": 0,
    });
    with(
        ResourceDefinition::new("Custom::DelegatedSubdomain", properties),
        more,
    )
}

/// When the function made its changes so far.
fn changes(stage: &Stage) -> Vec<Timestamp> {
    let changes = stage.calls("ChangeResourceRecordSets");
    changes.into_iter().map(|event| event.at).collect()
}

/// No invocation waits longer than a wait may last without a hand-over.
fn check_invocations(stage: &Stage) {
    let mut invocations: BTreeMap<u64, (Timestamp, Timestamp)> = BTreeMap::new();
    for event in stage.world.log() {
        if let Some(Hand::Function(work)) = event.hand {
            let times = invocations
                .entry(work.invocation)
                .or_insert((event.at, event.at));
            times.1 = event.at;
        }
    }
    for (invocation, (first, last)) in invocations {
        let lasted = last - first;
        assert!(
            lasted < Duration::from_secs(130),
            "invocation {invocation} lasted {lasted:?}\n{}",
            stage.history()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_and_a_delete_hand_over_and_answer_only_when_their_changes_are_in_sync() {
    let stage = slow().await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let created = changes(&stage);
    // The TTL of the zone's apex, and the delegation.
    assert_eq!(created.len(), 2, "{}", stage.history());
    assert!(stage.world.now() >= created[1] + LONG);
    assert_eq!(stage.calls("StartExecution").len(), 1);
    stage.deleted(&mut stack).await;
    let deleted = changes(&stage);
    assert_eq!(deleted.len(), 3, "{}", stage.history());
    assert!(stage.last("DeleteHostedZone") >= deleted[2] + LONG);
    assert_eq!(stage.calls("StartExecution").len(), 2);
    check_invocations(&stage);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_replaced_zone_is_in_sync_before_the_name_moves_and_no_change_is_made_twice() {
    let stage = slow().await;
    let zone = stage
        .world
        .make_zone(CONSUMER, "dev.build.example.com")
        .unwrap();
    let mut stack = stage
        .created(subdomain(json!({"HostedZoneId": zone})))
        .await;
    let before = changes(&stage).len();
    stage.updated(&mut stack, subdomain(json!({}))).await;
    let made = changes(&stage);
    let [apex, delegation] = made[before..] else {
        panic!("{}", stage.history());
    };
    assert!(delegation >= apex + LONG, "{}", stage.history());
    assert!(stage.world.now() >= delegation + LONG);
    check_invocations(&stage);
    stage.deleted(&mut stack).await;
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_ttl_that_changes_is_answered_when_it_is_in_sync_and_changed_once() {
    let stage = slow().await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let before = changes(&stage).len();
    stage
        .updated(&mut stack, subdomain(json!({"Ttl": 60})))
        .await;
    let made = changes(&stage);
    assert_eq!(made.len(), before + 1, "{}", stage.history());
    assert!(stage.world.now() >= made[before] + LONG);
    stage.deleted(&mut stack).await;
    check_invocations(&stage);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_not_in_sync_in_time_is_named_and_undone() {
    let stage = slow().await;
    let world = stage.world.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(300)).await;
        let quick = Duration::from_secs(10);
        world.change_settings(|settings| settings.propagation = quick..=quick);
    });
    let mut stack = stack("subject");
    let properties = subdomain(json!({"ServiceTimeout": 400}));
    let status = stage.engine.create(&mut stack, &one(properties)).await;
    assert_eq!(status, Status::CreateRolledBack, "{}", stage.history());
    let [reason, ..] = stack.failures.as_slice() else {
        panic!("it failed");
    };
    assert!(
        reason.contains("waiting for every name server of Route 53 to have the change of dev.build.example.com in zone "),
        "{reason}"
    );
    stage.engine.idle().await;
    check_invocations(&stage);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_cannot_query_its_change_any_more_asks_the_name_servers() {
    for (removed_after, is_deleted) in [(200, false), (590, true)] {
        let stage = slow().await;
        let mut stack = stage.created(subdomain(json!({}))).await;
        let before = changes(&stage).len();
        let world = stage.world.clone();
        tokio::spawn(async move {
            // While the deletion of the NS record set is pending.
            tokio::time::sleep(Duration::from_secs(removed_after)).await;
            world.delete_role(&format!("arn:aws:iam::{NETWORK}:role/delegation"));
        });
        if is_deleted {
            stage.deleted(&mut stack).await;
            assert!(stage.last("DeleteHostedZone") >= changes(&stage)[before] + LONG);
        } else {
            let reason = stage.not_deleted(&mut stack).await;
            assert!(reason.contains("may still delegate to it (ns-"), "{reason}");
            stage.publish(&stage.build);
            stage.deleted(&mut stack).await;
        }
        check_invocations(&stage);
        stage.check();
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_state_machine_the_invocation_waits_as_long_as_it_can() {
    let mut stage = slow().await;
    stage.engine.lambda.waiter = false;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let created = changes(&stage);
    assert_eq!(created.len(), 2, "{}", stage.history());
    assert!(stage.world.now() >= created[1] + LONG);
    stage.deleted(&mut stack).await;
    stage.check();
}
