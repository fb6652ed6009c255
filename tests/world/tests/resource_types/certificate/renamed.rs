//! A logical id that is renamed in the template keeps its certificate if the template names the former id.

use serde_json::{Value, json};
use world::cloudformation::{ResourceDefinition, Stack, Status, Template};
use world::{Fault, FaultRule, ServiceError, When};

use super::{arn, certificate};
use crate::stage::{LOGICAL_ID, Stage, with};

const RENAMED: &str = "Renamed";

/// Returns the resource under its new logical id.
fn renamed(resource: ResourceDefinition) -> Template {
    let former = with(resource, json!({"FormerLogicalIds": [LOGICAL_ID]}));
    Template::from([(RENAMED.to_owned(), former)])
}

/// Returns a certificate under its old logical id, in a stack in which it may be renamed.
async fn under_its_old_name(stage: &Stage, zone: &str) -> (Stack, String) {
    let resource = certificate(zone, json!({"ValidationRecordsOnDelete": "Delete"}));
    let stack = stage.created(resource).await;
    for (from, to) in [(LOGICAL_ID, RENAMED), (RENAMED, LOGICAL_ID)] {
        stage.world.renamed(&stack.id, from, to);
    }
    let arn = arn(&stack);
    (stack, arn)
}

fn with_records(zone: &str, properties: Value) -> ResourceDefinition {
    let resource = certificate(zone, json!({"ValidationRecordsOnDelete": "Delete"}));
    with(resource, properties)
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_transferred_and_deleted_under_its_new_logical_id() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (mut stack, before) = under_its_old_name(&stage, &zone).await;
    let tagged = with_records(&zone, json!({"Tags": {"team": "a"}}));
    let status = stage.engine.update(&mut stack, &renamed(tagged)).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    let certificate = stage.the_certificate();
    assert_eq!(certificate.arn, before);
    assert_eq!(stack.resources[RENAMED].physical_id, before);
    assert_eq!(certificate.tags["team"], "a");
    assert_eq!(certificate.tags["zone-delegation:logical-id"], RENAMED);
    assert!(
        !certificate
            .tags
            .contains_key("zone-delegation:previous-logical-id")
    );
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_is_rolled_back_returns_the_certificate() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (mut stack, before) = under_its_old_name(&stage, &zone).await;
    let mut template = renamed(with_records(&zone, json!({})));
    let mut bad = ResourceDefinition::new("Custom::Unknown", json!({}));
    bad.depends_on.push(RENAMED.to_owned());
    template.insert("Bad".to_owned(), bad);
    stage.rolled_back(&mut stack, &template).await;
    let certificate = stage.the_certificate();
    assert_eq!((arn(&stack), &certificate.arn), (before.clone(), &before));
    assert_eq!(certificate.tags["zone-delegation:logical-id"], LOGICAL_ID);
    // Afterwards it can still be renamed.
    let template = renamed(with_records(&zone, json!({})));
    let status = stage.engine.update(&mut stack, &template).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    assert_eq!(stage.the_certificate().arn, before);
    stage.deleted(&mut stack).await;
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_fails_or_is_never_answered_keeps_the_certificate() {
    let refused = ServiceError::new(400, "TagPolicyException", "No.");
    for (fault, times) in [
        (Fault::Error(When::Before, refused), 1),
        (Fault::Kill(When::Before), 3),
    ] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let (mut stack, before) = under_its_old_name(&stage, &zone).await;
        let rule = FaultRule::on_operation("AddTagsToCertificate", times, fault);
        stage.world.inject(rule);
        let template = renamed(with_records(&zone, json!({"ServiceTimeout": 900})));
        stage.rolled_back(&mut stack, &template).await;
        let certificate = stage.the_certificate();
        assert_eq!((arn(&stack), &certificate.arn), (before.clone(), &before));
        assert_eq!(certificate.tags["zone-delegation:logical-id"], LOGICAL_ID);
        stage.world.clear_faults();
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone), []);
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_property_another_certificate_replaces_it() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (mut stack, before) = under_its_old_name(&stage, &zone).await;
    let template = Template::from([(RENAMED.to_owned(), certificate(&zone, json!({})))]);
    let status = stage.engine.update(&mut stack, &template).await;
    assert_eq!(status, Status::Complete, "{:?}", stack.failures);
    assert_ne!(stage.the_certificate().arn, before);
    stage.check();
}
