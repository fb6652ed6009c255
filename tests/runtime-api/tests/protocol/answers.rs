//! The answer on the wire, and its retries.

use crate::stage::{LONG, PUBLISHED_ZONE, SUBDOMAIN, Stage, TYPES, good, silence};
use runtime_api::{Invoked, Outcome, Receiver, Reply, event};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_request_fails_before_the_deadline_if_aws_is_unreachable() {
    let silent = format!("http://{}", silence().await);
    for endpoint in ["http://127.0.0.1:1", &silent] {
        for resource_type in TYPES {
            let mut stage = Stage::with(resource_type, &[("AWS_ENDPOINT_URL", endpoint)]).await;
            let time = Duration::from_secs(4);
            let create = stage.event("Create", resource_type, good(resource_type));
            let Invoked { outcome, took } = stage.process.invoke(&create, time).await;
            assert_eq!(
                outcome,
                Outcome::Response(json!({ "Done": true })),
                "{resource_type} at {endpoint}"
            );
            assert!(took < time, "{took:?}");
            let answers = stage.receiver.answers();
            assert_eq!(
                (answers.len(), &answers[0].body["Status"]),
                (1, &json!("FAILED"))
            );
            assert!(
                answers[0].body["Reason"].as_str().unwrap().len() > 40,
                "{}",
                answers[0].body
            );
        }
    }
}

#[tokio::test]
async fn an_answer_is_a_put_with_a_length_and_no_content_type() {
    let mut stage = Stage::with(
        SUBDOMAIN,
        // The function must not use the proxies of the environment.
        &[
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("http_proxy", "http://127.0.0.1:1"),
            ("ALL_PROXY", "http://127.0.0.1:1"),
        ],
    )
    .await;
    let create = stage.event("Create", SUBDOMAIN, json!({}));
    stage.reason(&create).await;
    let answer = stage.receiver.answers().pop().unwrap();
    assert_eq!(answer.method, "PUT");
    assert!(
        create["ResponseURL"]
            .as_str()
            .unwrap()
            .ends_with(&answer.target),
        "{}",
        answer.target
    );
    assert_eq!(answer.headers.get("content-type"), None);
    assert_eq!(answer.headers.get("transfer-encoding"), None);
    assert_eq!(
        answer.headers["content-length"],
        answer.bytes.len().to_string().as_str()
    );
}

#[tokio::test]
async fn an_answer_is_sent_over_tls_only_to_trusted_hosts() {
    let (receiver, certificate) = Receiver::start_over_tls().await.unwrap();
    let roots = format!("{}/receiver.pem", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&roots, certificate).unwrap();
    for resource_type in [PUBLISHED_ZONE, SUBDOMAIN] {
        let mut trusting = Stage::with(resource_type, &[("SSL_CERT_FILE", &roots)]).await;
        let create = event("Create", resource_type, json!({}), &receiver.url());
        let before = receiver.answers().len();
        let invoked = trusting.process.invoke(&create, LONG).await;
        assert_eq!(invoked.outcome, Outcome::Response(json!({ "Done": true })));
        assert_eq!(receiver.answers().len(), before + 1);

        let mut stranger = Stage::with(resource_type, &[]).await;
        let invoked = stranger
            .process
            .invoke(&create, Duration::from_secs(2))
            .await;
        let Outcome::Error(error) = invoked.outcome else {
            panic!("{:?}", invoked.outcome)
        };
        assert!(
            error["errorMessage"]
                .as_str()
                .unwrap()
                .contains("certificate"),
            "{error}"
        );
        assert_eq!(receiver.answers().len(), before + 1);
    }
}

#[tokio::test]
async fn an_answer_is_retried_if_that_can_help() {
    let mut stage = Stage::without_aws(PUBLISHED_ZONE).await;
    let create = stage.event("Create", PUBLISHED_ZONE, json!({}));
    stage
        .receiver
        .reply([Reply::Status(503), Reply::Reset, Reply::Status(500)]);
    let invoked = stage.process.invoke(&create, LONG).await;
    assert_eq!(invoked.outcome, Outcome::Response(json!({ "Done": true })));
    assert_eq!(stage.receiver.answers().len(), 4);

    // Refused while CloudFormation may wait: an error, so that Lambda delivers it again and an alarm reports
    // it.
    stage.receiver.reply([Reply::Status(403)]);
    let Outcome::Error(error) = stage.process.invoke(&create, LONG).await.outcome else {
        panic!("the answer was refused")
    };
    assert_eq!(error["errorType"], "Unanswered");
    assert_eq!(stage.receiver.answers().len(), 5);

    // Refused after the URL has expired: nobody waits any longer, and Lambda must not deliver it again.
    stage.receiver.reply([Reply::Status(403)]);
    let mut late = create.clone();
    late["ResponseURL"] = json!(stage.receiver.url_signed(Duration::from_secs(7_200)));
    let invoked = stage.process.invoke(&late, LONG).await;
    assert_eq!(invoked.outcome, Outcome::Response(json!({ "Done": true })));
    assert_eq!(stage.receiver.answers().len(), 6);

    // Unreachable until the end: an error, so that Lambda delivers it again.
    let mut unreachable = create;
    unreachable["ResponseURL"] = json!("http://127.0.0.1:1/key");
    let time = Duration::from_secs(4);
    let Invoked { outcome, took } = stage.process.invoke(&unreachable, time).await;
    let Outcome::Error(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error["errorType"], "Unanswered");
    assert!(took < time && took > time / 2, "{took:?}");
}
