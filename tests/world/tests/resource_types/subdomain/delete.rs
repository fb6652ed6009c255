//! Deletes that are refused before anything is changed, and deletes that need no permissions.

use serde_json::json;
use std::time::Duration;
use world::Edit;
use world::cloudformation::Status;

use super::{BUILD, CONSUMER, NAME, NETWORK, Zone, subdomain, zones_of};
use crate::stage::{Stage, one, stack};

/// Deletes a subdomain whose delete is refused, and checks that zone and delegation are unchanged. Then
/// repairs the cause and deletes again. Returns the sentence.
async fn refused_until(
    break_it: impl AsyncFnOnce(&Stage, &str),
    mend_it: impl FnOnce(&Stage, &str),
    properties: serde_json::Value,
) -> String {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(properties)).await;
    let (zone, _) = zones_of(&stack);
    break_it(&stage, &zone).await;
    let (records, delegation) = (stage.world.zone(&zone).unwrap().records, stage.delegation());
    let reason = stage.not_deleted(&mut stack).await;
    assert_eq!(stage.world.zone(&zone).unwrap().records, records);
    assert_eq!(stage.delegation(), delegation);
    mend_it(&stage, &zone);
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
    reason.replace(&zone, "ZONE")
}

/// Takes the permission to change record sets from every function.
fn deny_changes(stage: &Stage) {
    let denied =
        super::ServiceError::new(403, "AccessDenied", "The role may not change this name.");
    stage.world.inject(super::FaultRule::on_operation(
        "ChangeResourceRecordSets",
        u64::MAX,
        super::Fault::Error(super::When::Before, denied),
    ));
}

fn put(stage: &Stage, zone: &str, name: &str, kind: &str, value: &str) {
    stage
        .world
        .edit_records(zone, &[Edit::create(name, kind, 60, &[value])])
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn records_in_the_zone_refuse_its_delete() {
    let www = format!("www.{NAME}");
    let (at, there) = (www.clone(), www.clone());
    let reason = refused_until(
        async |stage, zone| put(stage, zone, &at, "A", "192.0.2.1"),
        |stage, zone| {
            stage
                .world
                .edit_records(zone, &[Edit::delete(&there, "A")])
                .unwrap();
        },
        json!({}),
    )
    .await;
    assert_eq!(
        reason,
        format!(
            "{NAME} was not deleted, and nothing was changed: its zone ZONE holds A {www}; delete these record sets, or set \
             RecordsOnDelete to Delete."
        )
    );
}

#[tokio::test(start_paused = true)]
async fn delegations_in_the_zone_always_refuse_its_delete() {
    for records_on_delete in ["Fail", "Delete"] {
        let name = format!("a.{NAME}");
        let reason = refused_until(
            async |stage, zone| {
                let child = stage.world.make_zone(CONSUMER, &name).unwrap();
                stage.delegate(zone, &child);
            },
            |stage, zone| {
                stage
                    .world
                    .edit_records(zone, &[Edit::delete(&name, "NS")])
                    .unwrap();
            },
            json!({"RecordsOnDelete": records_on_delete}),
        )
        .await;
        assert_eq!(
            reason,
            format!(
                "{NAME} was not deleted, and nothing was changed: its zone ZONE delegates further: NS {name}; delete these \
                 delegations first."
            )
        );
    }
}

#[tokio::test(start_paused = true)]
async fn dnssec_and_protections_always_refuse_its_delete() {
    let sign = |zone: &mut Zone, signed| zone.signed = signed;
    let reason = refused_until(
        async |stage, zone| {
            stage
                .world
                .edit_zone(zone, |zone| sign(zone, true))
                .unwrap();
        },
        |stage, zone| {
            stage
                .world
                .edit_zone(zone, |zone| sign(zone, false))
                .unwrap();
        },
        json!({"RecordsOnDelete": "Delete"}),
    )
    .await;
    assert_eq!(
        reason,
        format!(
            "{NAME} was not deleted, and nothing was changed: its zone ZONE is signed (DNSSEC); remove the DS record set from the parent, \
             then disable signing and delete the key-signing keys."
        )
    );
    let reason = refused_until(
        async |stage, zone| {
            put(stage, zone, NAME, "TXT", "\"kept\"");
            let key = (world::Name::of(NAME), "TXT".to_owned());
            stage
                .world
                .edit_zone(zone, |zone| {
                    drop(zone.protections.insert(key, String::new()));
                })
                .unwrap();
        },
        |stage, zone| {
            stage
                .world
                .edit_zone(zone, |zone| zone.protections.clear())
                .unwrap();
        },
        json!({"RecordsOnDelete": "Delete"}),
    )
    .await;
    assert_eq!(
        reason,
        format!(
            "{NAME} was not deleted, and nothing was changed: its zone ZONE has record set protections (TXT {NAME}); delete them \
             first (DeleteResourceRecordSetProtections)."
        )
    );
}

#[tokio::test(start_paused = true)]
async fn records_are_deleted_with_the_zone_if_the_template_says_so_and_validation_cnames_always() {
    for (records_on_delete, by_hand) in [("Delete", true), ("Fail", false)] {
        let stage = Stage::published(|_| ()).await;
        let mut stack = stage
            .created(subdomain(json!({"RecordsOnDelete": records_on_delete})))
            .await;
        let (zone, _) = zones_of(&stack);
        let (record, value) = world::validation_record(CONSUMER, NAME);
        put(&stage, &zone, &record, "CNAME", &value);
        if by_hand {
            for label in 0..150 {
                put(&stage, &zone, &format!("h{label}.{NAME}"), "A", "192.0.2.1");
            }
        }
        // The world lets a function delete only what it created itself, unless the owner permits more.
        stage.deleted(&mut stack).await;
        assert!(stage.world.zone(&zone).is_none());
        assert_eq!(stage.delegation(), None);
        stage.check_no_subdomain();
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_is_kept_without_permissions_and_without_dns() {
    let stage = Stage::published(|settings| settings.dns_reachable = false).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    stage.close_network();
    stage
        .world
        .edit_records(&stage.build, &[Edit::delete(NAME, "NS")])
        .unwrap();
    stage.settle().await;
    let reason = stage.not_deleted(&mut stack).await;
    assert!(
        reason.contains(&format!("and may still delegate to it (the name servers of {BUILD} cannot be found from the root down)")),
        "{reason}"
    );
    assert_eq!(stage.made_zones()[0].id, zone);
    stage.publish(&stage.build);
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_dangling_delegation_is_reported_without_permissions() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    stage.close_network();
    stage.world.remove_zone(&zone).unwrap();
    let reason = stage.not_deleted(&mut stack).await;
    assert!(
        reason.starts_with(&format!(
            "{NAME} was not deleted: its zone {zone} does not exist, and {BUILD} still delegates to it (ns-"
        )),
        "{reason}"
    );
    assert!(
        reason.contains("), so that anyone may take over the name; ")
            && reason.contains(" (AccessDenied, request "),
        "{reason}"
    );
    assert!(
        reason.ends_with(&format!(
            "). Restore the permissions, or ask the owner of {BUILD} to delete the record set, then delete again."
        )),
        "{reason}"
    );
    stage
        .world
        .edit_records(&stage.build, &[Edit::delete(NAME, "NS")])
        .unwrap();
    stage.settle().await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_record_set_whose_ttl_someone_changed_is_deleted_too() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    stage.hijack(&stage.delegation().unwrap().values);
    stage.settle().await;
    let before = stage.calls("ChangeResourceRecordSets").len();
    stage.deleted(&mut stack).await;
    // First with the values of the template, then with those that exist.
    let changes = stage.calls("ChangeResourceRecordSets");
    let outcomes = changes[before..].iter().map(|change| &change.outcome[..]);
    assert!(
        outcomes.eq(["InvalidChangeBatch", "ok!"]),
        "{}",
        stage.history()
    );
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_zone_is_deleted_if_its_create_had_no_permission_to_delegate() {
    let stage = Stage::published(|_| ()).await;
    deny_changes(&stage);
    let reason = stage.refused(subdomain(json!({}))).await;
    assert!(reason.contains("(AccessDenied, request "), "{reason}");
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_zone_is_kept_if_its_delegation_is_accepted_and_not_in_sync_when_the_role_is_deleted() {
    let stage = Stage::published(|_| ()).await;
    let slow = Duration::from_secs(150);
    stage
        .world
        .change_settings(|settings| settings.propagation = slow..=slow);
    let (world, parent) = (stage.world.clone(), stage.build.clone());
    let closing = tokio::spawn(async move {
        while world.record_set(&parent, NAME, "NS").is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.delete_role(&format!("arn:aws:iam::{NETWORK}:role/delegation"));
    });
    let mut stack = stack("subject");
    let template = one(subdomain(json!({})));
    let status = stage.engine.create(&mut stack, &template).await;
    closing.await.unwrap();
    assert_eq!(status, Status::NotDeleted, "{}", stage.history());
    assert_eq!(stage.made_zones().len(), 1, "{}", stage.history());
    assert!(stage.delegation().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_existing_zone_whose_delegation_may_not_be_deleted_is_not_to_be_deleted_either() {
    let stage = Stage::published(|_| ()).await;
    let zone = stage.world.make_zone(CONSUMER, NAME).unwrap();
    let mut stack = stage
        .created(subdomain(json!({"HostedZoneId": zone})))
        .await;
    deny_changes(&stage);
    let reason = stage.not_deleted(&mut stack).await;
    assert!(
        reason.starts_with(&format!(
            "{NAME} was not deleted: its zone {zone} exists, and its NS record set in {BUILD} cannot be deleted ("
        )),
        "{reason}"
    );
    assert!(
        reason.ends_with(&format!(
            " If {BUILD} does not exist, delete the stack and retain this resource."
        )),
        "{reason}"
    );
    stage.world.clear_faults();
    stage.deleted(&mut stack).await;
    assert_eq!(stage.delegation(), None);
    assert!(stage.world.zone(&zone).unwrap().tags.is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_guardrail_of_the_parent_refuses_a_delete() {
    // Whatever a later guardrail is about: the sentence names it, and nothing is forced.
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    let refusal = super::ServiceError::new(
        400,
        "InvalidChangeBatch",
        "[Change rejected by guardrail ALIAS_TARGET_CHECK for resource record set]",
    );
    let fault = super::Fault::Error(super::When::Before, refusal);
    stage.world.inject(super::FaultRule::on_operation(
        "ChangeResourceRecordSets",
        1,
        fault,
    ));
    let reason = stage.not_deleted(&mut stack).await;
    assert!(
        reason.starts_with(&format!(
            "{BUILD} refuses to delete the NS record set of {NAME}: Route 53 ChangeResourceRecordSets on \
             {NAME}: [Change rejected by guardrail ALIAS_TARGET_CHECK"
        )),
        "{reason}"
    );
    assert!(
        reason.contains(&format!("; ask the owner of {BUILD}. What {NAME}/{zone}/")),
        "{reason}"
    );
    assert_eq!(stage.made_zones()[0].id, zone);
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn an_invalid_name_does_not_block_a_delete() {
    // The name is too long only together with the parent's name, which the function therefore has to read
    // first.
    let stage = Stage::published(|_| ()).await;
    let labels = ["a", "b", "c", "d"]
        .map(|letter| letter.repeat(60))
        .join(".");
    let reason = stage.refused(subdomain(json!({"Subdomain": labels}))).await;
    assert!(
        reason.starts_with("Property Subdomain is not a domain name: "),
        "{reason}"
    );
    stage.check_no_subdomain();
}

#[tokio::test(start_paused = true)]
async fn a_delegated_zone_is_kept_without_permissions() {
    let stage = Stage::published(|_| ()).await;
    let mut stack = stage.created(subdomain(json!({}))).await;
    let (zone, _) = zones_of(&stack);
    stage.close_network();
    let reason = stage.not_deleted(&mut stack).await;
    assert!(
        reason.starts_with(&format!(
            "{NAME} was not deleted: its zone {zone} exists, and its NS record set in {BUILD} cannot be deleted (The role \
             arn:aws:iam::111111111111:role/delegation cannot be assumed: STS AssumeRole on "
        )),
        "{reason}"
    );
    assert!(reason.contains(" (AccessDenied, request "), "{reason}");
    assert!(
        reason.contains(") and may still delegate to it (ns-") && reason.contains(" refers to ns-"),
        "{reason}"
    );
    assert!(
        reason.ends_with(&format!(
            "). Restore the permissions, or ask the owner of {BUILD} to delete the record set, then delete again. If {BUILD} does \
             not exist, delete the zone by hand, then delete again."
        )),
        "{reason}"
    );
    assert_eq!(stage.made_zones()[0].id, zone);
    // Its owner removes it. The answer of the parent's own servers is enough.
    stage
        .world
        .edit_records(&stage.build, &[Edit::delete(NAME, "NS")])
        .unwrap();
    stage.settle().await;
    stage.deleted(&mut stack).await;
    stage.check_no_subdomain();
}
