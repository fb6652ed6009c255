//! Certificates that a request finds and did not create: kept by `DeletionPolicy: Retain`, or created by a later request.

use std::time::Duration;

use serde_json::{Value, json};
use world::cloudformation::{ResourceDefinition, Stack, Status};
use world::{Edit, Fault, FaultRule, ServiceError, When};

use super::{NAME, arn, below_build, certificate, validation, with_records};
use crate::stage::{Stage, one, stack};

/// Creates the resource and lets CloudFormation keep it. The returned stack does not have it any more.
async fn kept(stage: &Stage, resource: ResourceDefinition) -> (Stack, String) {
    let created = stage.created(resource).await;
    (stack("subject"), arn(&created))
}

/// Changes the validation CNAME, so that a Create that needs it is refused.
fn occupy(stage: &Stage, zone: &str) {
    let record = validation(NAME).0;
    let other = Edit::create(&record, "CNAME", 60, &["other.example.net."]);
    if stage.world.record_set(zone, &record, "CNAME").is_some() {
        let delete = Edit::delete(&record, "CNAME");
        stage.world.edit_records(zone, &[delete]).unwrap();
    }
    stage.world.edit_records(zone, &[other]).unwrap();
}

fn free(stage: &Stage, zone: &str) {
    let delete = Edit::delete(&validation(NAME).0, "CNAME");
    stage.world.edit_records(zone, &[delete]).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_create_that_fails_keeps_a_retained_certificate() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (mut stack, before) = kept(&stage, with_records(&zone)).await;
    let unchanged = stage.the_certificate();
    occupy(&stage, &zone);
    let status = stage
        .engine
        .create(&mut stack, &one(with_records(&zone)))
        .await;
    assert_eq!(status, Status::CreateRolledBack, "{}", stage.history());
    assert!(
        stack.failures[0].contains("other.example.net."),
        "{:?}",
        stack.failures
    );
    let certificate = stage.the_certificate();
    assert_eq!(
        (&certificate.arn, &certificate.tags),
        (&before, &unchanged.tags)
    );
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_retained_certificate_is_adopted_with_the_tags_and_cname_of_the_template() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (mut stack, before) = kept(&stage, with_records(&zone)).await;
    let made_by = stage.the_certificate().tags["zone-delegation:request"].clone();
    free(&stage, &zone);
    let tagged = json!({"Tags": {"team": "b"}, "ValidationRecordsOnDelete": "Delete"});
    let status = stage
        .engine
        .create(&mut stack, &one(certificate(&zone, tagged)))
        .await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    let certificate = stage.the_certificate();
    assert_eq!((arn(&stack), &certificate.arn), (before.clone(), &before));
    assert_eq!(certificate.tags["team"], "b");
    assert_eq!(certificate.tags["zone-delegation:request"], made_by);
    assert_eq!(stage.cnames(&zone).len(), 1);
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_create_keeps_a_retained_certificate() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (mut stack, before) = kept(&stage, with_records(&zone)).await;
    tokio::time::sleep(Duration::from_secs(7_300)).await;
    let kill = Fault::Kill(When::After);
    let killed = FaultRule::on_operation("ListTagsForCertificate", 3, kill);
    stage.world.inject(killed);
    let properties = json!({"ServiceTimeout": 900, "ValidationRecordsOnDelete": "Delete"});
    let resource = certificate(&zone, properties);
    let status = stage.engine.create(&mut stack, &one(resource)).await;
    assert_eq!(status, Status::CreateRolledBack, "{}", stage.history());
    assert_eq!(
        stack.failures,
        ["CloudFormation did not receive a response"]
    );
    assert_eq!(stage.the_certificate().arn, before);
    assert_eq!(stage.cnames(&zone).len(), 1);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn an_update_that_adopts_a_retained_certificate_and_fails_keeps_it() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let other = |properties: Value| {
        let names = json!({"SubjectAlternativeNames": [below_build("b.dev")]});
        crate::stage::with(certificate(&zone, names), properties)
    };
    let (mut stack, retained) = kept(&stage, other(json!({}))).await;
    tokio::time::sleep(Duration::from_secs(7_300)).await;
    let created = stage
        .engine
        .create(&mut stack, &one(certificate(&zone, json!({}))))
        .await;
    assert_eq!(created, Status::Complete);
    let refused = ServiceError::new(400, "TagPolicyException", "No.");
    let refused = Fault::Error(When::Before, refused);
    stage
        .world
        .inject(FaultRule::on_operation("AddTagsToCertificate", 1, refused));
    let tagged = one(other(json!({"Tags": {"team": "b"}})));
    stage.rolled_back(&mut stack, &tagged).await;
    assert!(
        stage.world.certificates().contains_key(&retained),
        "{}",
        stage.history()
    );
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_retained_certificate_is_not_mistaken_for_the_successor_of_an_update() {
    // Only the name of the successor that an Update noted matches the retained certificate.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let named = |name: &str, properties: Value| {
        let base = json!({"DomainName": below_build(name), "ServiceTimeout": 900});
        crate::stage::with(certificate(&zone, base), properties)
    };
    let (mut stack, retained) = kept(&stage, named("a.dev", json!({}))).await;
    let created = stage
        .engine
        .create(&mut stack, &one(named("b.dev", json!({}))))
        .await;
    assert_eq!(created, Status::Complete);
    // Neither the Update nor its rollback is answered, so the Delete finds the note.
    let first = stage.engine.next_invocation();
    for (attempt, call) in [10, 10, 10, 1, 1, 1].into_iter().enumerate() {
        let rule = FaultRule::on_call(first + attempt as u64, call, Fault::Kill(When::Before));
        stage.world.inject(rule);
    }
    let changed = named("a.dev", json!({"KeyAlgorithm": "EC_prime256v1"}));
    let status = stage.engine.update(&mut stack, &one(changed)).await;
    assert_eq!(status, Status::RollbackFailed, "{}", stage.history());
    stage.engine.idle().await;
    stage.world.clear_faults();
    assert_eq!(stage.world.certificates().len(), 3);
    stage.deleted(&mut stack).await;
    assert_eq!(stage.the_certificate().arn, retained, "{}", stage.history());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_redelivered_delete_of_a_refused_create_keeps_a_later_certificate() {
    let mut stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    occupy(&stage, &zone);
    stage.engine.delivery.again = Some(Duration::from_secs(600));
    stage.refused(with_records(&zone)).await;
    stage.engine.delivery.again = None;
    stage.world.clear_faults();
    free(&stage, &zone);
    let later = stage.created(with_records(&zone)).await;
    stage.engine.idle().await;
    assert_eq!(stage.the_certificate().arn, arn(&later));
    assert_eq!(stage.cnames(&zone).len(), 1);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_delete_of_a_refused_create_deletes_what_that_create_left() {
    // The Create is answered FAILED without an ARN, because there was no time to undo it.
    let mut stage = Stage::set(|_| ()).await;
    stage.engine.lambda.waiter = false;
    let zone = stage.delegated_zone("dev").await;
    let denied = ServiceError::new(400, "AccessDeniedException", "Not yet.");
    stage.world.inject(FaultRule::on_operation(
        "DescribeCertificate",
        u64::MAX,
        Fault::Error(When::Before, denied),
    ));
    stage.world.inject(FaultRule::on_operation(
        "ListTagsForCertificate",
        u64::MAX,
        Fault::unavailable(When::Before),
    ));
    let world = stage.world.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1_200)).await;
        world.clear_faults();
    });
    let mut stack = stack("subject");
    stage
        .engine
        .create(&mut stack, &one(with_records(&zone)))
        .await;
    stage.engine.idle().await;
    stage.world.clear_faults();
    if stack.status == Status::NotDeleted {
        stage.deleted(&mut stack).await;
    }
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}
