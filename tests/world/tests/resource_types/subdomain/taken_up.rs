//! A zone given by `HostedZoneId` that others have delegated already: the name is in use, and survives whatever fails.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::Status;
use world::{Edit, Fault, FaultRule, Role, When};

use super::{BUILD, CONSUMER, NAME, NETWORK, subdomain};
use crate::stage::{Stage, one, stack};

/// The TTL that the record set of people has on the stage.
const BEFORE: Option<u32> = Some(900);

/// The subdomain of a given zone, with another TTL than the record set has.
fn taking_up(zone: &str) -> world::cloudformation::ResourceDefinition {
    subdomain(json!({"HostedZoneId": zone, "Ttl": 60}))
}

impl Stage {
    /// All is as it was before the zone was taken up.
    fn check_put_back(&self, zone: &str) {
        let set = self.delegation();
        assert_eq!(set.and_then(|set| set.ttl), BEFORE, "{}", self.history());
        let tags = self.world.zone(zone).unwrap().tags;
        assert!(tags.is_empty(), "{tags:?}\n{}", self.history());
        self.check();
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_fails_afterwards_puts_back_what_stood() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    stage
        .world
        .edit_records(&stage.base, &[Edit::delete(BUILD, "NS")])
        .unwrap();
    stage.settle().await;
    let reason = stage.refused(taking_up(&zone)).await;
    assert!(
        reason.starts_with(&format!("{NAME} is delegated, and does not resolve: ")),
        "{reason}"
    );
    stage.check_put_back(&zone);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_may_not_change_the_parent_leaves_what_stood() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let trust = json!({"Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": format!("arn:aws:iam::{CONSUMER}:role/delegate-subdomain")},
    }]});
    let reads = json!({"Statement": [{
        "Effect": "Allow", "Resource": "*",
        "Action": ["ssm:GetParameters", "route53:GetHostedZone", "route53:ListResourceRecordSets"],
    }]});
    let role = Role::new(
        NETWORK,
        "delegation",
        &trust,
        &[("reads".to_owned(), reads)],
    );
    stage.world.put_role(role.unwrap());
    let reason = stage.refused(taking_up(&zone)).await;
    assert!(
        reason.contains("ChangeResourceRecordSets on dev.build.example.com"),
        "{reason}"
    );
    stage.check_put_back(&zone);
    // Its owner grants the right, and the name changes hands.
    stage.publish(&stage.build);
    let mut stack = stage.created(taking_up(&zone)).await;
    assert_eq!(stage.delegation().and_then(|set| set.ttl), Some(60));
    // From then on it is this resource's, and goes with it.
    stage.deleted(&mut stack).await;
    assert_eq!(stage.delegation(), None, "{}", stage.history());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_create_that_dies_on_the_way_puts_back_what_stood() {
    for (operation, when) in [
        ("ChangeTagsForResource", When::After),
        ("ChangeResourceRecordSets", When::Before),
        ("ChangeResourceRecordSets", When::After),
        ("GetChange", When::Before),
        ("PUT", When::Before),
    ] {
        let stage = Stage::published(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        stage.world.inject(FaultRule::on_operation(
            operation,
            1 + u64::from(stage.engine.lambda.retries),
            Fault::Kill(when),
        ));
        let mut stack = stack("subject");
        let resource = super::with(taking_up(&zone), json!({"ServiceTimeout": 600}));
        let status = stage.engine.create(&mut stack, &one(resource)).await;
        stage.engine.idle().await;
        assert_eq!(
            status,
            Status::CreateRolledBack,
            "{operation} {when:?}: {:?}\n{}",
            stack.failures,
            stage.history()
        );
        stage.check_put_back(&zone);
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_to_a_zone_that_fails_afterwards_puts_back_what_stood() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let other = subdomain(json!({"Subdomain": "other", "VerifyDelegation": false}));
    let mut stack = stage.created(other).await;
    stage
        .world
        .edit_records(&stage.base, &[Edit::delete(BUILD, "NS")])
        .unwrap();
    stage.settle().await;
    stage.rolled_back(&mut stack, &one(taking_up(&zone))).await;
    stage.check_put_back(&zone);
    stage.deleted(&mut stack).await;
    stage.check_put_back(&zone);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_cancelled_and_still_comes_to_its_end_puts_back_what_stood() {
    let mut stage = Stage::published(|settings| {
        settings.propagation = Duration::from_secs(40)..=Duration::from_secs(40);
    })
    .await;
    stage.engine.habits.cancels_siblings = true;
    let zone = stage.delegated_zone("dev").await;
    let mut template = one(taking_up(&zone));
    let bad = world::cloudformation::ResourceDefinition::new("Custom::Unknown", json!({}));
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
    stage.check_put_back(&zone);
}

#[tokio::test(start_paused = true)]
async fn a_note_of_what_stood_is_dropped_where_nothing_stands_any_more() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(taking_up(&zone)).await;
    // The stack forgets it, as with a policy that retains it, and someone takes the record set out.
    stack.resources.clear();
    stage
        .world
        .edit_records(&stage.build, &[Edit::delete(NAME, "NS")])
        .unwrap();
    stage
        .world
        .edit_records(&stage.base, &[Edit::delete(BUILD, "NS")])
        .unwrap();
    stage.settle().await;
    let template = one(taking_up(&zone));
    let status = stage.engine.update(&mut stack, &template).await;
    stage.engine.idle().await;
    assert_eq!(
        status,
        Status::RolledBack,
        "{:?}\n{}",
        stack.failures,
        stage.history()
    );
    // What this Create made goes with it.
    assert_eq!(stage.delegation(), None, "{}", stage.history());
    stage.check();
}
