//! What a delete does with the CNAMEs: it deletes those that no other certificate needs, if the template says
//! so.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{Status, Template};
use world::{Edit, Fault, FaultRule, Guardrail, Name, ServiceError, When};

use super::{NAME, ZONE, validation, with_records};
use crate::stage::{Stage, one, stack, with};

#[tokio::test(start_paused = true)]
async fn a_certificate_that_is_in_use_at_the_last_moment_keeps_its_cname() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(with_records(&zone)).await;
    let in_use = ServiceError::new(400, "ResourceInUseException", "Certificate is in use.");
    stage.world.inject(FaultRule::on_operation(
        "DeleteCertificate",
        1,
        Fault::Error(When::Before, in_use),
    ));
    stage.deleted(&mut stack).await;
    // Deleted, created again, deleted.
    let changes = stage.calls("ChangeResourceRecordSets");
    assert_eq!(changes.len(), 4, "{}", stage.history());
    assert_eq!(stage.calls("DeleteCertificate").len(), 2);
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_cname_is_deleted_with_the_last_certificate_that_lists_it() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut first = stage.created(with_records(&zone)).await;
    // The wildcard of the same name has the same CNAME.
    let wildcard = json!({"DomainName": ZONE, "SubjectAlternativeNames": [format!("*.{NAME}")]});
    let mut second = stack("second");
    let resource = with(with_records(&zone), wildcard);
    assert_eq!(
        stage.engine.create(&mut second, &one(resource)).await,
        Status::Complete
    );
    assert_eq!(stage.cnames(&zone).len(), 2);
    stage.deleted(&mut first).await;
    assert_eq!(
        stage.cnames(&zone).len(),
        2,
        "the second one is renewed by it"
    );
    stage.deleted(&mut second).await;
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn two_certificates_that_are_deleted_at_once_leave_no_cname() {
    for seed in 0..8 {
        let stage = Stage::set(|settings| settings.seed = seed).await;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stack("subject");
        let template =
            Template::from(["One", "Two"].map(|id| (id.to_owned(), with_records(&zone))));
        assert_eq!(
            stage.engine.create(&mut stack, &template).await,
            Status::Complete
        );
        assert_eq!(
            (stage.world.certificates().len(), stage.cnames(&zone).len()),
            (2, 1)
        );
        stage.deleted(&mut stack).await;
        assert_eq!(stage.cnames(&zone), [], "{}", stage.history());
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_cname_that_was_changed_since_stays() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(with_records(&zone)).await;
    let record = validation(NAME).0;
    let edits = [
        Edit::delete(&record, "CNAME"),
        Edit::create(&record, "CNAME", 60, &["other.example.net."]),
    ];
    stage.world.edit_records(&zone, &edits[..1]).unwrap();
    stage.world.edit_records(&zone, &edits[1..]).unwrap();
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone).len(), 1);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_cname_that_existed_before_is_deleted_too() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (record, value) = validation(NAME);
    stage
        .world
        .edit_records(&zone, &[Edit::create(&record, "CNAME", 60, &[&value])])
        .unwrap();
    let mut stack = stage.created(with_records(&zone)).await;
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_cname_in_use_is_deleted_when_nobody_queries_it_any_more() {
    // ACTIVE_RECORD_CHECK permits the change after some time, so it is waited for.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(with_records(&zone)).await;
    let until = stage.world.now() + Duration::from_secs(1_500);
    let record = Name::of(&validation(NAME).0);
    stage
        .world
        .edit_zone(&zone, |zone| {
            zone.guardrails.insert(Guardrail::ActiveRecord);
            zone.followed_until.insert(record, until);
        })
        .unwrap();
    stage.deleted(&mut stack).await;
    assert!(stage.world.now() > until);
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}
