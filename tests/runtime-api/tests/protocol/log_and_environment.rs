//! What a function reads from its environment, and what it logs.

use crate::stage::{
    LONG, PUBLISHED_ZONE, SECRET_KEY, SESSION_TOKEN, SUBDOMAIN, Stage, TYPES, good,
    signature_does_not_match, silence, with,
};
use runtime_api::{FUNCTION_ARN, Outcome, Reply, SIGNATURE, binary};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn no_secret_is_in_the_log_at_any_level() {
    let silent = format!("http://{}", silence().await);
    for resource_type in TYPES {
        let mut stage = Stage::with(
            resource_type,
            &[
                (
                    "RUST_LOG",
                    "trace,lambda_runtime=trace,aws_smithy_runtime=trace,hyper=trace,reqwest=trace",
                ),
                ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
                ("RUST_BACKTRACE", "1"),
                ("AWS_SESSION_TOKEN", SESSION_TOKEN),
                ("AWS_ENDPOINT_URL", &silent),
                (
                    "STATE_MACHINE_ARN",
                    "arn:aws:states:eu-west-1:111122223333:stateMachine:waiter",
                ),
            ],
        )
        .await;
        let create = stage.event("Create", resource_type, good(resource_type));
        stage
            .receiver
            .reply([Reply::Status(503), Reply::Reset, Reply::Status(403)]);
        stage.process.invoke(&create, Duration::from_secs(5)).await;
        stage
            .process
            .invoke(
                &json!({ "Waiter": { "FunctionArn": FUNCTION_ARN, "Request": create } }),
                LONG,
            )
            .await;
        let mut unreachable = create;
        unreachable["ResponseURL"] = format!("http://127.0.0.1:1/key?Signature={SIGNATURE}").into();
        unreachable["RequestType"] = json!("Destroy");
        stage
            .process
            .invoke(&unreachable, Duration::from_secs(1))
            .await;

        let log = stage.log().await;
        assert!(
            log.iter().any(|line| line["message"] == "request closed"),
            "{log:#?}"
        );
        for line in log {
            let line = line.to_string();
            for secret in [SIGNATURE, SECRET_KEY, SESSION_TOKEN, "Signature=c2"] {
                assert!(!line.contains(secret), "{secret} in {line}");
            }
        }
    }
}

#[tokio::test]
async fn secrets_are_redacted_in_an_aws_message_that_repeats_the_request() {
    let aws = format!("http://{}", signature_does_not_match().await);
    for resource_type in TYPES {
        let environment = [
            ("AWS_SESSION_TOKEN", SESSION_TOKEN),
            ("AWS_ENDPOINT_URL", aws.as_str()),
        ];
        let mut stage = Stage::with(resource_type, &environment).await;
        let create = stage.event("Create", resource_type, good(resource_type));
        let reason = stage.reason(&create).await;
        assert!(reason.contains("SignatureDoesNotMatch"), "{reason}");
        let log = stage.log().await;
        let calls: Vec<_> = log
            .iter()
            .filter(|line| line["outcome"] == "SignatureDoesNotMatch")
            .collect();
        assert!(!calls.is_empty(), "{log:#?}");
        for call in calls {
            assert!(
                call["target"]
                    .as_str()
                    .is_some_and(|target| !target.is_empty()),
                "{call}"
            );
            assert!(
                call["reason"]
                    .as_str()
                    .unwrap()
                    .contains("x-amz-security-token:[secret]"),
                "{call}"
            );
        }
        for text in log.iter().map(Value::to_string).chain([reason]) {
            for secret in [SESSION_TOKEN, SECRET_KEY, "AKIAWORLD", SIGNATURE] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
            assert!(
                text.chars().all(|c| !c.is_control() && c != '\u{202e}'),
                "{text:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_external_id_is_redacted_everywhere() {
    let id = "tenant-4711-secret";
    for value in [json!(id), json!({ "Value": id }), json!([id, id])] {
        let mut stage = Stage::without_aws(SUBDOMAIN).await;
        let properties = json!({
            "Subdomain": "dev", "ParameterPrefix": "/zone-delegation/dev", "NetworkRoleArn": id, "ExternalId": value,
        });
        let create = stage.event("Create", SUBDOMAIN, properties);
        let reason = stage.reason(&create).await;
        let log = stage.log().await;
        for text in log.iter().map(Value::to_string).chain([reason]) {
            assert!(!text.contains(id), "{text}");
        }
    }
}

#[tokio::test]
async fn a_large_event_takes_little_memory() {
    for resource_type in TYPES {
        let mut stage = Stage::without_aws(resource_type).await;
        let large = vec![0; 3_000_000];
        let create = stage.event(
            "Create",
            resource_type,
            with(good(resource_type), "Comment", large),
        );
        let reason = stage.reason(&create).await;
        assert!(reason.contains("too large"), "{reason}");
        let id = stage.process.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.unwrap().trim().trim_end_matches(" kB");
        let peak: u64 = peak.parse().unwrap();
        assert!(peak < 100_000, "{peak} kB");
    }
}

#[tokio::test]
async fn plain_http_is_answered_only_while_an_endpoint_override_is_set() {
    for (name, is_answered) in [
        ("AWS_ENDPOINT_URL", true),
        ("AWS_ENDPOINT_URL_ROUTE_53", true),
        ("OTHER", false),
    ] {
        let environment = [("AWS_ENDPOINT_URL", ""), (name, "http://127.0.0.1:1")];
        let mut stage = Stage::with(PUBLISHED_ZONE, &environment).await;
        let create = stage.event("Create", PUBLISHED_ZONE, json!({}));
        let invoked = stage.process.invoke(&create, LONG).await;
        assert_eq!(invoked.outcome, Outcome::Response(json!({ "Done": true })));
        let answers = stage.receiver.answers().len();
        assert_eq!(answers, usize::from(is_answered), "{name}");
    }
}

#[tokio::test]
async fn a_request_of_another_stack_than_stack_id_is_failed() {
    for resource_type in TYPES {
        let other = "arn:aws:cloudformation:eu-west-1:111122223333:stack/other/1";
        let mut stage = Stage::with(resource_type, &[("STACK_ID", other)]).await;
        for event in [
            stage.event("Create", resource_type, good(resource_type)),
            stage.delete(resource_type, "some-id", good(resource_type)),
        ] {
            let reason = stage.reason(&event).await;
            assert!(reason.contains("STACK_ID"), "{reason}");
        }
    }
}

#[tokio::test]
async fn each_request_has_a_closing_line() {
    let mut stage = Stage::without_aws(PUBLISHED_ZONE).await;
    let create = stage.event("Create", PUBLISHED_ZONE, json!({}));
    let reason = stage.reason(&create).await;
    let log = stage.log().await;
    let closing: Vec<_> = log
        .iter()
        .filter(|line| line["message"] == "request closed")
        .collect();
    let [line] = closing.as_slice() else {
        panic!("{log:#?}")
    };
    for (name, value) in [
        ("outcome", "FAILED"),
        ("reason", &reason),
        ("request_type", "Create"),
        ("resource_type", PUBLISHED_ZONE),
        ("logical_resource_id", "Resource"),
        ("waited_for", ""),
        ("level", "INFO"),
    ] {
        assert_eq!(line[name], value, "{line:#}");
    }
    assert!(
        line["duration_ms"].is_u64() && line["timestamp"].is_string(),
        "{line:#}"
    );
    assert_eq!(
        line["span"]["invocation"],
        "00000000-0000-4000-8000-000000000000"
    );
}

#[tokio::test]
async fn an_invalid_variable_is_logged_and_its_default_used() {
    for resource_type in [PUBLISHED_ZONE, SUBDOMAIN] {
        let variables = [
            ("RUST_LOG", "verbose"),
            ("MAX_INVOCATION_AGE_SECONDS", "a quarter"),
            ("STATE_MACHINE_ARN", "waiter"),
            ("DNS_NAME_SERVERS", "ns.example.com"),
        ];
        let mut stage = Stage::with(resource_type, &variables).await;
        let create = stage.event("Create", resource_type, json!({}));
        stage.reason(&create).await;
        let log = stage.log().await;
        let warnings: Vec<_> = log
            .iter()
            .filter(|line| line["level"] == "WARN")
            .map(Value::to_string)
            .collect();
        for (name, value) in variables {
            // Only one of the functions queries name servers.
            let said = warnings.iter().any(|line| line.contains(value));
            assert!(
                said || (resource_type, name) == (PUBLISHED_ZONE, "DNS_NAME_SERVERS"),
                "{name}: {warnings:#?}"
            );
        }
    }
}

#[tokio::test]
async fn a_function_started_outside_of_lambda_reports_that() {
    for name in ["publish-zone", "delegate-subdomain"] {
        let output = std::process::Command::new(binary(name))
            .env_clear()
            .output()
            .unwrap();
        assert!(!output.status.success());
        let line: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            line["message"]
                .as_str()
                .unwrap()
                .starts_with("this is a Lambda function"),
            "{line}"
        );
    }
}
