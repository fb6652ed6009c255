//! From the request of a certificate to ISSUED.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::Status;
use world::{Edit, Fault, FaultRule, Guardrail, Hand, ServiceError, When, Zone};

use super::{NAME, ZONE, arn, below_build, certificate, validation};
use crate::stage::{CONSUMER, LOGICAL_ID, REGION, Stage, one, stack};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_certificate_is_issued_described_and_deleted() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    let made = stage.the_certificate();
    assert_eq!(
        (made.status.as_str(), made.region.as_str()),
        ("ISSUED", REGION)
    );
    assert_eq!(
        (made.names, made.key_algorithm.as_str()),
        (vec![NAME.to_owned()], "RSA_2048")
    );
    let resource = &stack.resources[LOGICAL_ID];
    assert_eq!(resource.physical_id, made.arn);
    let attributes: Vec<_> = resource
        .attributes
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        attributes,
        [
            ("CertificateArn", made.arn.as_str()),
            ("DomainName", NAME),
            ("Region", REGION)
        ]
    );
    let (record, value) = validation(NAME);
    let set = stage.world.record_set(&zone, &record, "CNAME").unwrap();
    assert_eq!((set.ttl, set.values), (Some(300), vec![value]));
    stage.deleted(&mut stack).await;
    assert_eq!(stage.cnames(&zone).len(), 1, "Keep is the default");
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn late_resource_records_are_waited_for() {
    let stage =
        Stage::set(|settings| settings.validation_records_appear = 4 * MINUTE..=4 * MINUTE).await;
    let zone = stage.delegated_zone("dev").await;
    let before = stage.world.now();
    stage.created(certificate(&zone, json!({}))).await;
    let put = stage.last("ChangeResourceRecordSets");
    assert!(
        (4 * MINUTE..5 * MINUTE).contains(&(put - before)),
        "{}",
        stage.history()
    );
    assert_eq!(stage.calls("ChangeResourceRecordSets").len(), 1);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn an_equal_cname_is_not_changed() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (record, value) = validation(NAME);
    let value = value.to_uppercase();
    let by_hand = Edit::create(&record, "CNAME", 60, &[value.trim_end_matches('.')]);
    stage.world.edit_records(&zone, &[by_hand]).unwrap();
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    stage.deleted(&mut stack).await;
    let set = stage.world.record_set(&zone, &record, "CNAME").unwrap();
    assert_eq!((set.ttl, set.written_by), (Some(60), Hand::Person));
    assert_eq!(stage.calls("ChangeResourceRecordSets").len(), 0);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_cname_with_another_value_fails_the_certificate() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let (record, value) = validation(NAME);
    let by_hand = Edit::create(&record, "CNAME", 60, &["other.example.net."]);
    stage.world.edit_records(&zone, &[by_hand]).unwrap();
    let reason = stage
        .refused(certificate(
            &zone,
            json!({"ValidationRecordsOnDelete": "Delete"}),
        ))
        .await;
    let (name, wanted) = (record.trim_end_matches('.'), value.trim_end_matches('.'));
    assert_eq!(
        reason,
        format!(
            "The validation CNAME {name} in zone {zone} has the value other.example.net., and ACM asks for {wanted}: \
             remove that record set if nobody needs it, then deploy again."
        )
    );
    let set = stage.world.record_set(&zone, &record, "CNAME").unwrap();
    assert_eq!(set.values, ["other.example.net."]);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_wildcard_and_its_apex_share_one_cname() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let names = json!({"DomainName": ZONE, "SubjectAlternativeNames": [format!("*.{ZONE}"), NAME]});
    stage.created(certificate(&zone, names)).await;
    let mut records: Vec<_> = stage
        .cnames(&zone)
        .into_iter()
        .map(|(key, _)| key.name.to_string())
        .collect();
    let mut expected = vec![validation(ZONE).0, validation(NAME).0];
    records.sort();
    expected.sort();
    assert_eq!(records, expected);
    assert_eq!(
        stage.calls("ChangeResourceRecordSets").len(),
        1,
        "all in one batch"
    );
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_issued_after_fifty_minutes_in_the_state_machine() {
    let stage = Stage::set(|settings| settings.issuance = 50 * MINUTE..=50 * MINUTE).await;
    let zone = stage.delegated_zone("dev").await;
    let before = stage.world.now();
    stage.created(certificate(&zone, json!({}))).await;
    let took = stage.world.now() - before;
    assert!(
        (50 * MINUTE..53 * MINUTE).contains(&took),
        "{took:?}\n{}",
        stage.history()
    );
    assert_eq!(stage.calls("StartExecution").len(), 1);
    let looks = stage.calls("DescribeCertificate").len();
    assert!(looks < 120, "{looks} polls\n{}", stage.history());
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn without_a_waiter_the_wait_ends_with_the_invocation() {
    let mut stage = Stage::set(|settings| settings.issuance = 50 * MINUTE..=50 * MINUTE).await;
    stage.engine.lambda.waiter = false;
    let zone = stage.delegated_zone("dev").await;
    let before = stage.world.now();
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
            "The function ran out of time waiting for certificate {arn} for {NAME} to be issued. Give the function a longer \
             time-out, or a state machine for its waits. The certificate {arn} was deleted."
        )
    );
    assert!(stage.world.now() - before < stage.engine.lambda.timeout);
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_takes_longer_than_the_service_timeout_is_deleted_and_failed() {
    for seconds in [30_u64, 120, 1_200] {
        let stage = Stage::set(|settings| settings.issuance = 50 * MINUTE..=50 * MINUTE).await;
        let zone = stage.delegated_zone("dev").await;
        let before = stage.world.now();
        let properties = json!({"ServiceTimeout": seconds, "ValidationRecordsOnDelete": "Delete"});
        let reason = stage.refused(certificate(&zone, properties)).await;
        let arn = stage.requested();
        let after = reason.split(' ').nth(3).unwrap().parse::<u64>().unwrap();
        assert_eq!(
            reason,
            format!(
                "Timed out after {after} s waiting for certificate {arn} for {NAME} to be issued. Its ServiceTimeout of \
                 {seconds} s can be raised to 3600 s. The certificate {arn} was deleted."
            )
        );
        let margin = seconds.div_ceil(12).min(30);
        assert!(
            (seconds - margin..seconds).contains(&after),
            "{after} of {seconds}"
        );
        assert!(stage.world.now() - before < Duration::from_secs(seconds + 60));
        assert_eq!(stage.cnames(&zone), []);
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn each_name_is_validated_in_the_zone_with_the_longest_name() {
    let stage = Stage::set(|_| ()).await;
    let outer = stage.delegated_zone("dev").await;
    let other = stage.delegated_zone("ops").await;
    let inner_name = below_build("a.dev");
    let inner = stage.world.make_zone(CONSUMER, &inner_name).unwrap();
    stage.delegate(&outer, &inner);
    stage.settle().await;
    let names = [
        below_build("x.a.dev"),
        below_build("ops"),
        format!("*.{inner_name}"),
    ];
    let properties = json!({
        "AdditionalHostedZoneIds": [other, inner],
        "SubjectAlternativeNames": names,
        "ValidationRecordsOnDelete": "Delete",
    });
    let mut stack = stage.created(certificate(&outer, properties)).await;
    let names_in = |zone: &str| {
        let mut names: Vec<_> = stage
            .cnames(zone)
            .into_iter()
            .map(|(key, _)| key.name.to_string())
            .collect();
        names.sort();
        names
    };
    let mut inside = vec![validation(&names[0]).0, validation(&inner_name).0];
    inside.sort();
    assert_eq!(names_in(&outer), [validation(NAME).0]);
    assert_eq!(names_in(&inner), inside);
    assert_eq!(names_in(&other), [validation(&names[1]).0]);
    stage.deleted(&mut stack).await;
    for zone in [&outer, &inner, &other] {
        assert_eq!(stage.cnames(zone), []);
    }
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_certificate_for_cloudfront_is_created_in_its_region() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage
        .created(certificate(&zone, json!({"Region": "us-east-1"})))
        .await;
    assert_eq!(stage.the_certificate().region, "us-east-1");
    assert!(arn(&stack).starts_with("arn:aws:acm:us-east-1:"));
    assert_eq!(
        stack.resources[LOGICAL_ID].attributes["Region"],
        "us-east-1"
    );
    stage.deleted(&mut stack).await;
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn an_empty_region_means_the_stacks_region() {
    // The property of a template whose parameter was left empty.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    stage
        .created(certificate(&zone, json!({"Region": ""})))
        .await;
    assert_eq!(stage.the_certificate().region, REGION);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn another_stacks_certificate_for_the_same_name_is_not_used() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let first = stage.created(certificate(&zone, json!({}))).await;
    let mut second = stack("other");
    let template = one(certificate(&zone, json!({})));
    let status = stage.engine.create(&mut second, &template).await;
    assert_eq!(status, Status::Complete, "{}", stage.history());
    assert_ne!(arn(&first), arn(&second));
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn every_key_algorithm_is_found_again_by_a_second_attempt() {
    for algorithm in ["RSA_2048", "EC_prime256v1", "EC_secp384r1"] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let kill = FaultRule::on_operation("RequestCertificate", 1, Fault::Kill(When::After));
        stage.world.inject(kill);
        stage
            .created(certificate(&zone, json!({"KeyAlgorithm": algorithm})))
            .await;
        assert_eq!(stage.the_certificate().key_algorithm, algorithm);
        assert_eq!(
            stage.calls("RequestCertificate").len(),
            1,
            "{}",
            stage.history()
        );
        stage.check();
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_not_yet_listed_is_found_again_by_its_idempotency_token() {
    // The second attempt is a minute after the first, and the certificate becomes visible even later.
    let stage = Stage::set(|settings| {
        settings.certificate_appears = Duration::from_secs(100)..=Duration::from_secs(100);
    })
    .await;
    let zone = stage.delegated_zone("dev").await;
    let kill = FaultRule::on_operation("RequestCertificate", 1, Fault::Kill(When::After));
    stage.world.inject(kill);
    let stack = stage.created(certificate(&zone, json!({}))).await;
    assert_eq!(
        stage.calls("RequestCertificate").len(),
        2,
        "{}",
        stage.history()
    );
    assert_eq!(stage.the_certificate().arn, arn(&stack));
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_request_delivered_twice_makes_one_certificate() {
    for again in [1, 20, 400] {
        let mut stage = Stage::set(|settings| settings.issuance = 10 * MINUTE..=10 * MINUTE).await;
        let zone = stage.delegated_zone("dev").await;
        stage.engine.delivery.again = Some(Duration::from_secs(again));
        let stack = stage.created(certificate(&zone, json!({}))).await;
        stage.engine.idle().await;
        assert_eq!(stage.the_certificate().arn, arn(&stack));
        assert_eq!(stage.cnames(&zone).len(), 1);
        stage.check();
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_delivered_again_and_fails_keeps_its_certificate() {
    let mut stage =
        Stage::set(|settings| settings.issuance = Duration::ZERO..=Duration::ZERO).await;
    let zone = stage.delegated_zone("dev").await;
    stage.engine.delivery.again = Some(Duration::from_secs(400));
    let denied = ServiceError::new(403, "AccessDenied", "No.");
    stage.world.inject(FaultRule {
        skip: 1,
        ..FaultRule::on_operation(
            "ListTagsForCertificate",
            9,
            Fault::Error(When::Before, denied),
        )
    });
    let stack = stage.created(certificate(&zone, json!({}))).await;
    stage.engine.idle().await;
    assert!(
        stage.calls("ListTagsForCertificate").len() > 1,
        "{}",
        stage.history()
    );
    assert_eq!(stage.the_certificate().arn, arn(&stack));
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_is_reported() {
    let stage = Stage::set(|settings| settings.certificates = 0).await;
    let zone = stage.delegated_zone("dev").await;
    let reason = stage.refused(certificate(&zone, json!({}))).await;
    let request = reason
        .split("(LimitExceededException, request ")
        .nth(1)
        .unwrap();
    let request = request.split(')').next().unwrap();
    assert_eq!(
        reason,
        format!(
            "The certificate for {NAME} was not requested, because a quota of ACM is used up: ACM RequestCertificate on {NAME}: \
             Error: you have reached your limit of certificates (LimitExceededException, request {request}); delete \
             certificates that nobody needs, put fewer names on this one, or ask AWS for a higher quota, then deploy again."
        )
    );
    assert_eq!(
        stage.calls("RequestCertificate").len(),
        1,
        "not worth a retry"
    );
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_guardrail_that_refuses_the_cname_is_named() {
    let stage = Stage::set(|settings| settings.validation_records_appear = MINUTE..=MINUTE).await;
    let zone = stage.delegated_zone("dev").await;
    let guard = |zone: &mut Zone| assert!(zone.guardrails.insert(Guardrail::NsOcclusion));
    stage.world.edit_zone(&zone, guard).unwrap();
    // The name was delegated after it was checked.
    let other = stage.world.make_zone(CONSUMER, NAME).unwrap();
    let world = stage.world.clone();
    let (into, hosts) = (zone.clone(), stage.world.zone(&other).unwrap().hosts());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        world
            .edit_records(&into, &[Edit::create(NAME, "NS", 60, &hosts)])
            .unwrap();
    });
    let reason = stage.refused(certificate(&zone, json!({}))).await;
    let record = validation(NAME).0;
    let record = record.trim_end_matches('.');
    assert!(
        reason.starts_with(&format!(
            "The guardrail NS_OCCLUSION_CHECK of zone {zone} refuses the validation CNAME {record}: Route 53 \
             ChangeResourceRecordSets on {record}: [Change rejected by guardrail NS_OCCLUSION_CHECK"
        )),
        "{reason}"
    );
    assert!(
        reason.contains(" (InvalidChangeBatch, request "),
        "{reason}"
    );
    assert!(
        reason.ends_with("; change that zone or its guardrail, then deploy again."),
        "{reason}"
    );
    stage.check_no_certificate();
}
