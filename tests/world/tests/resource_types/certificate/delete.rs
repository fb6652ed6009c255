//! Deletes: a certificate in use is waited for, what other certificates need is kept, and a missing
//! certificate is a success.

use std::time::Duration;

use serde_json::json;
use world::cloudformation::{ResourceDefinition, Stack, Status};
use world::{Fault, FaultRule, When};

use super::{NAME, arn, certificate, validation, with_records};
use crate::log::Log;
use crate::stage::{LOGICAL_ID, Stage, one, stack};

const USERS: [&str; 2] = [
    "arn:aws:cloudfront::222222222222:distribution/E1",
    "arn:aws:elasticloadbalancing:eu-west-1:222222222222:loadbalancer/app/lb/1",
];

/// Lets something use a certificate, until a moment if one is given.
fn use_it(stage: &Stage, arn: &str, stops_after: Option<Duration>) {
    let users = USERS.map(str::to_owned).to_vec();
    stage
        .world
        .edit_certificate(arn, |certificate| certificate.in_use_by = users)
        .unwrap();
    if let Some(after) = stops_after {
        let (world, arn) = (stage.world.clone(), arn.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            world
                .edit_certificate(&arn, |certificate| certificate.in_use_by.clear())
                .unwrap();
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_in_use_is_deleted_when_nothing_uses_it_any_more() {
    for minutes in [1, 50] {
        let log = Log::start();
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(with_records(&zone)).await;
        let until = stage.world.now() + Duration::from_secs(60 * minutes);
        use_it(
            &stage,
            &arn(&stack),
            Some(Duration::from_secs(60 * minutes)),
        );
        stage.deleted(&mut stack).await;
        let gone = stage.last("DeleteCertificate");
        assert!(
            (until..until + Duration::from_secs(90)).contains(&gone),
            "{}",
            stage.history()
        );
        assert_eq!(
            stage.calls("DeleteCertificate").len(),
            1,
            "nothing is tried by force"
        );
        let said = log.lines_with("in use by");
        assert!(!said.is_empty());
        for line in said {
            assert!(USERS.iter().all(|user| line.contains(user)), "{line}");
        }
        assert_eq!(stage.cnames(&zone), []);
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_stays_in_use_is_kept_and_its_users_are_named() {
    for waiter in [true, false] {
        let mut stage = Stage::set(|_| ()).await;
        stage.engine.lambda.waiter = waiter;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(with_records(&zone)).await;
        let arn = arn(&stack);
        use_it(&stage, &arn, None);
        let before = stage.world.now();
        let reason = stage.not_deleted(&mut stack).await;
        let took = stage.world.now() - before;
        let waited = format!(
            "waiting for certificate {arn} to be released by {}. ",
            USERS.join(", ")
        );
        assert!(reason.contains(&waited), "{reason}");
        if waiter {
            assert!(reason.starts_with("Timed out after 35"), "{reason}");
            assert!(
                reason.ends_with(
                    "CloudFormation waits one hour at most: try again once that can happen in time."
                ),
                "{reason}"
            );
            // Half a minute early, because dates have whole seconds.
            assert!((3_569..3_600).contains(&took.as_secs()), "{took:?}");
        } else {
            assert!(
                reason.starts_with("The function ran out of time "),
                "{reason}"
            );
            assert!(
                reason.ends_with(
                    "Give the function a longer time-out, or a state machine for its waits."
                ),
                "{reason}"
            );
            assert!(took < stage.engine.lambda.timeout);
        }
        assert_eq!(stage.the_certificate().arn, arn);
        assert_eq!(
            stage.cnames(&zone).len(),
            1,
            "it is renewed as long as it exists"
        );
        assert_eq!(stage.calls("DeleteCertificate").len(), 0);
        // When it is not in use any more, the next delete succeeds.
        stage
            .world
            .edit_certificate(&arn, |certificate| certificate.in_use_by.clear())
            .unwrap();
        stage.deleted(&mut stack).await;
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_certificate_is_deleted_with_success() {
    // The certificate, the zone, or both are missing.
    for (certificate_gone, zone_gone) in [(true, false), (false, true), (true, true)] {
        let stage = Stage::set(|_| ()).await;
        let zone = stage.delegated_zone("dev").await;
        let mut stack = stage.created(with_records(&zone)).await;
        if certificate_gone {
            let acm = aws_sdk_acm::Client::new(&stage.person());
            acm.delete_certificate()
                .certificate_arn(arn(&stack))
                .send()
                .await
                .unwrap();
        }
        if zone_gone {
            let record = validation(NAME).0;
            stage
                .world
                .edit_records(&zone, &[world::Edit::delete(&record, "CNAME")])
                .unwrap();
            stage.world.remove_zone(&zone).unwrap();
        }
        stage.deleted(&mut stack).await;
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_whose_tags_name_another_stack_is_not_changed() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(with_records(&zone)).await;
    let other = stack.id.replace("/subject/", "/other/");
    stage
        .world
        .edit_certificate(&arn(&stack), |certificate| {
            certificate
                .tags
                .insert("zone-delegation:stack-id".to_owned(), other);
        })
        .unwrap();
    stage.deleted(&mut stack).await;
    stage.the_certificate();
    assert_eq!(stage.cnames(&zone).len(), 1);
    stage.check();
}

#[tokio::test(start_paused = true)]
async fn the_certificate_of_an_unanswered_create_is_deleted() {
    // The process dies in each attempt after it has requested the certificate. CloudFormation deletes with an
    // id of its own.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    stage.world.inject(FaultRule::on_operation(
        "DescribeCertificate",
        3,
        Fault::Kill(When::Before),
    ));
    let mut stack = stack("subject");
    let properties = json!({"ServiceTimeout": 900, "ValidationRecordsOnDelete": "Delete"});
    let resource = certificate(&zone, properties);
    let status = stage.engine.create(&mut stack, &one(resource)).await;
    assert_eq!(status, Status::CreateRolledBack, "{}", stage.history());
    assert_eq!(
        stack.failures,
        ["CloudFormation did not receive a response"]
    );
    assert_eq!(stage.cnames(&zone), []);
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_delete_wins_over_a_create_that_still_runs() {
    // The failure of the other resource cancels the Create at any of its calls.
    for step in 0..24 {
        let mut stage = Stage::set(|settings| {
            settings.seed = step;
            settings.issuance = Duration::from_secs(600)..=Duration::from_secs(600);
        })
        .await;
        stage.engine.habits.cancels_siblings = true;
        let zone = stage.delegated_zone("dev").await;
        let first = stage.engine.next_invocation();
        for (invocation, milliseconds) in [(first, step * 500), (first + 1, step * 261)] {
            let delay = Fault::Delay(Duration::from_millis(milliseconds));
            stage.world.inject(FaultRule::on_call(invocation, 1, delay));
        }
        cancelled(&stage, with_records(&zone)).await;
        assert_eq!(stage.cnames(&zone), [], "{step}\n{}", stage.history());
        stage.check_no_certificate();
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_create_requests_nothing_after_its_delete() {
    // It continues in the state machine, and Route 53 answers it only after the second search of the Delete.
    let mut stage = Stage::set(|_| ()).await;
    stage.engine.habits.cancels_siblings = true;
    let zone = stage.delegated_zone("dev").await;
    stage.world.inject(FaultRule::on_operation(
        "GetHostedZone",
        u64::MAX,
        Fault::unavailable(When::Before),
    ));
    let world = stage.world.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1_800)).await;
        world.clear_faults();
    });
    cancelled(&stage, certificate(&zone, json!({}))).await;
    assert!(
        stage.world.now() > Duration::from_secs(1_800),
        "the Create was still there"
    );
    stage.check_no_certificate();
}

/// Creates a certificate beside a resource that is refused at once, so that CloudFormation does not wait for
/// the certificate.
async fn cancelled(stage: &Stage, resource: ResourceDefinition) -> Stack {
    let mut stack = stack("subject");
    let mut template = one(resource);
    template.insert(
        "Bad".to_owned(),
        certificate("Z404", json!({"Nonsense": "x"})),
    );
    let status = stage.engine.create(&mut stack, &template).await;
    assert_eq!(
        status,
        Status::CreateRolledBack,
        "{:?}\n{}",
        stack.failures,
        stage.history()
    );
    stage.engine.idle().await;
    stack
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_not_enabled_does_not_block_the_delete_of_a_refused_create() {
    // ACM does not know this account's credentials in that Region, so the Create could not have requested
    // anything.
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let reason = stage
        .refused(certificate(&zone, json!({"Region": "ap-south-2"})))
        .await;
    assert!(
        reason.starts_with("ACM ListCertificates on all certificates: The security token included in the request is invalid (UnrecognizedClientException"),
        "{reason}"
    );
    assert!(
        reason
            .ends_with("; grant the function's role this action, in this Region and on this zone, and name only zones of this account."),
        "{reason}"
    );
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_region_that_does_not_exist_is_reported_at_once_and_does_not_block_a_delete() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let begun = stage.world.now();
    let reason = stage
        .refused(certificate(&zone, json!({"Region": "us-east-3"})))
        .await;
    let start = "ACM ListCertificates on all certificates: dispatch failure: ";
    let end = "Name or service not known; check that the Region is one of AWS's, and that this function's network resolves its endpoint.";
    assert!(
        reason.starts_with(start) && reason.ends_with(end),
        "{reason}"
    );
    let took = stage.world.now() - begun;
    assert!(took < Duration::from_secs(120), "{took:?}");
    // The rollback of an Update is not blocked either.
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    let elsewhere = certificate(&zone, json!({"Region": "us-east-3"}));
    stage.rolled_back(&mut stack, &one(elsewhere)).await;
    stage.deleted(&mut stack).await;
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn properties_that_became_invalid_do_not_block_a_delete() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(with_records(&zone)).await;
    let resource = stack.resources.get_mut(LOGICAL_ID).unwrap();
    resource
        .properties
        .insert("KeyAlgorithm".to_owned(), json!("RSA_512"));
    resource
        .properties
        .insert("Region".to_owned(), json!("nowhere"));
    stage.deleted(&mut stack).await;
    assert_eq!(
        stage.cnames(&zone),
        [],
        "the properties say that they are deleted"
    );
    stage.check_no_certificate();
}

#[tokio::test(start_paused = true)]
async fn a_delete_with_a_lost_answer_does_not_count_as_denied() {
    let stage = Stage::set(|_| ()).await;
    let zone = stage.delegated_zone("dev").await;
    let mut stack = stage.created(certificate(&zone, json!({}))).await;
    let id = json!({"StringEquals": {"aws:ResourceTag/zone-delegation:stack-id": stack.id}});
    stage.give_only(
        "delegate-subdomain",
        &json!([
            {"Effect": "Allow", "Action": ["route53:*", "acm:DescribeCertificate", "acm:List*"], "Resource": "*"},
            {"Effect": "Allow", "Action": "acm:DeleteCertificate", "Resource": "*", "Condition": id},
        ]),
    );
    stage.world.inject(FaultRule::on_operation(
        "DeleteCertificate",
        1,
        Fault::Reset(When::After),
    ));
    stage.deleted(&mut stack).await;
    let outcomes = stage.calls("DeleteCertificate").into_iter();
    let last = outcomes.map(|call| call.outcome).next_back();
    assert!(
        last.unwrap().contains("AccessDenied"),
        "{}",
        stage.history()
    );
    assert!(stage.world.certificates().is_empty());
    stage.check();
}
