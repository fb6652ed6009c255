//! Certificates that end in another state while the function waits for them.

use std::time::Duration;

use serde_json::json;

use super::{NAME, certificate};
use crate::stage::Stage;

#[tokio::test(start_paused = true)]
async fn a_certificate_that_acm_gave_up_on_is_deleted_and_failed() {
    let stage = Stage::set(|settings| {
        settings.issuance = Duration::from_secs(3_000)..=Duration::from_secs(3_000);
    })
    .await;
    let zone = stage.delegated_zone("dev").await;
    become_after(&stage, 100, "VALIDATION_TIMED_OUT");
    let reason = stage
        .refused(certificate(
            &zone,
            json!({"ValidationRecordsOnDelete": "Delete"}),
        ))
        .await;
    assert_eq!(
        reason,
        format!(
            "The certificate for {NAME} was not issued: ACM gave up after 72 hours, because it did not find the validation CNAMEs \
             over DNS; see to it that the zone is delegated, then deploy again."
        )
    );
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_is_revoked_meanwhile_is_deleted_and_failed() {
    let stage = Stage::set(|settings| {
        settings.issuance = Duration::from_secs(3_000)..=Duration::from_secs(3_000);
    })
    .await;
    let zone = stage.delegated_zone("dev").await;
    become_after(&stage, 100, "REVOKED");
    let reason = stage.refused(certificate(&zone, json!({}))).await;
    let arn = stage.requested();
    assert_eq!(
        reason,
        format!(
            "The certificate {arn} is REVOKED, and of no use any more: replace it by deploying it under another logical id."
        )
    );
    stage.check_no_certificate();
}

/// Gives the only certificate another status after this many seconds.
fn become_after(stage: &Stage, seconds: u64, status: &'static str) {
    let world = stage.world.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let arn = world.certificates().into_keys().next().unwrap();
        world
            .edit_certificate(&arn, |certificate| certificate.status = status.to_owned())
            .unwrap();
    });
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_someone_deletes_meanwhile_is_not_requested_again() {
    let stage = Stage::set(|settings| {
        settings.issuance = Duration::from_secs(3_000)..=Duration::from_secs(3_000);
    })
    .await;
    let zone = stage.delegated_zone("dev").await;
    let world = stage.world.clone();
    let acm = aws_sdk_acm::Client::new(&stage.person());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(100)).await;
        let arn = world.certificates().into_keys().next().unwrap();
        acm.delete_certificate()
            .certificate_arn(arn)
            .send()
            .await
            .unwrap();
    });
    let reason = stage
        .refused(certificate(
            &zone,
            json!({"ValidationRecordsOnDelete": "Delete"}),
        ))
        .await;
    let arn = stage.requested();
    assert_eq!(
        reason,
        format!(
            "The certificate {arn} was deleted by someone while it was waited for: deploy again."
        )
    );
    assert_eq!(stage.calls("RequestCertificate").len(), 1);
    assert_eq!(stage.cnames(&zone), [], "its CNAME went with it");
    stage.check_no_certificate();
}
