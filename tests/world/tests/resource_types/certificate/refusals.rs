//! Calls that are refused with another error than the one that the code expects.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::Status;
use world::{Fault, FaultRule, ServiceError, When};

use super::{arn, certificate, with_records};
use crate::stage::{Stage, one, stack};

fn refusal(status: u16, code: &str) -> Fault {
    Fault::Error(When::Before, ServiceError::new(status, code, "No."))
}

#[tokio::test(start_paused = true)]
async fn a_delete_fails_if_a_call_of_it_is_refused() {
    for operation in [
        "DescribeCertificate",
        "ListTagsForCertificate",
        "ListCertificates",
        "DeleteCertificate",
        "GetHostedZone",
        "ListResourceRecordSets",
        "ChangeResourceRecordSets",
    ] {
        for (status, code) in [
            (400, "ValidationException"),
            (403, "AccessDenied"),
            (404, "NotFound"),
            (409, "Busy"),
        ] {
            let stage = Stage::set(|_| ()).await;
            let zone = stage.delegated_zone("dev").await;
            let mut stack = stage.created(with_records(&zone)).await;
            let before = arn(&stack);
            let rule = FaultRule::on_operation(operation, u64::MAX, refusal(status, code));
            stage.world.inject(rule);
            let reason = stage.not_deleted(&mut stack).await;
            assert!(
                reason.contains(operation) && reason.contains(code),
                "{reason}"
            );
            assert_eq!(stage.the_certificate().arn, before, "{operation} {code}");
            stage.world.clear_faults();
            stage.deleted(&mut stack).await;
            assert_eq!(stage.cnames(&zone), [], "{operation} {code}");
            stage.check_no_certificate();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_with_an_id_of_cloudformation_fails_if_its_search_is_denied() {
    for (code, succeeds) in [
        ("AccessDeniedException", false),
        ("ValidationException", false),
        ("UnrecognizedClientException", true),
        ("InvalidClientTokenId", true),
    ] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        stage.world.inject(FaultRule::on_operation(
            "GetHostedZone",
            3,
            Fault::Kill(When::Before),
        ));
        let rule = FaultRule::on_operation("ListCertificates", u64::MAX, refusal(403, code));
        stage.world.inject(rule);
        let mut stack = stack("subject");
        let resource = certificate(&zone, json!({"ServiceTimeout": 900}));
        let status = stage.engine.create(&mut stack, &one(resource)).await;
        let expected = if succeeds {
            Status::CreateRolledBack
        } else {
            Status::NotDeleted
        };
        assert_eq!(status, expected, "{code}\n{}", stage.history());
        stage.check();
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_used_up_quota_is_reported_as_one() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let rule = FaultRule::on_operation(
        "RequestCertificate",
        u64::MAX,
        refusal(400, "InvalidParameterException"),
    );
    stage.world.inject(rule);
    let reason = stage.refused(certificate(&zone, json!({}))).await;
    assert!(
        reason.starts_with("ACM RequestCertificate on ") && !reason.contains("quota"),
        "{reason}"
    );
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_create_fails_if_a_read_of_its_certificate_is_refused() {
    for operation in ["DescribeCertificate", "ListTagsForCertificate"] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let kill = FaultRule::on_operation("RequestCertificate", 1, Fault::Kill(When::After));
        stage.world.inject(kill);
        let rule = FaultRule::on_operation(operation, 1, refusal(400, "ValidationException"));
        stage.world.inject(rule);
        let reason = stage.refused(with_records(&zone)).await;
        assert!(reason.contains(operation), "{reason}");
        assert_eq!(stage.calls("RequestCertificate").len(), 1);
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_waited_for() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(with_records(&zone)).await;
    let rule = FaultRule::on_operation("DeleteCertificate", 3, refusal(409, "ConflictException"));
    stage.world.inject(rule);
    let before = stage.world.now();
    stage.deleted(&mut stack).await;
    let took = stage.world.now() - before;
    assert!(
        took > Duration::from_secs(45),
        "a pause after each: {took:?}"
    );
    assert_eq!(stage.calls("DeleteCertificate").len(), 4);
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_cname_that_cannot_be_deleted_as_read_is_retried_with_pauses_and_named() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(with_records(&zone)).await;
    let words = "Tried to delete resource record set but it was not found";
    let stale = ServiceError::new(400, "InvalidChangeBatch", words);
    let rule = FaultRule::on_operation(
        "ChangeResourceRecordSets",
        u64::MAX,
        Fault::Error(When::Before, stale),
    );
    stage.world.inject(rule);
    let calls = stage.calls("ChangeResourceRecordSets").len();
    let reason = stage.not_deleted(&mut stack).await;
    assert!(reason.contains(words), "{reason}");
    let calls = stage.calls("ChangeResourceRecordSets").len() - calls;
    assert!((5..200).contains(&calls), "{calls} in an hour");
    stage.world.clear_faults();
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_cname_that_cannot_be_created_is_retried_with_pauses_and_named() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let words = "Tried to create resource record set but it already exists";
    let stale = ServiceError::new(400, "InvalidChangeBatch", words);
    let rule = FaultRule::on_operation(
        "ChangeResourceRecordSets",
        u64::MAX,
        Fault::Error(When::Before, stale),
    );
    stage.world.inject(rule);
    let reason = stage.refused(with_records(&zone)).await;
    assert!(reason.contains(words), "{reason}");
    let calls = stage.calls("ChangeResourceRecordSets").len();
    assert!((5..300).contains(&calls), "{calls} in an hour");
    stage.check_no_certificate();
}
