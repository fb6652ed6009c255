//! The protocol, on the binaries that are deployed: what CloudFormation gets, whatever comes in and whatever is broken.

use runtime_api::{
    Answer, FUNCTION_ARN, Invoked, Outcome, Process, Receiver, Reply, SIGNATURE, binary, event,
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use world::{Hand, Settings, World};

const PUBLISHED_ZONE: &str = "Custom::PublishedZone";
const SUBDOMAIN: &str = "Custom::DelegatedSubdomain";
const CERTIFICATE: &str = "Custom::SubdomainCertificate";
const TYPES: [&str; 3] = [PUBLISHED_ZONE, SUBDOMAIN, CERTIFICATE];

/// An id as a failed Create that made nothing is answered with.
const REFUSED_ID: &str = "refused-0123456789abcdef0123456789abcdef";
const SECRET_KEY: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYSECRETKEY";
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJrSECRETTOKEN";
const ACCOUNT: &str = "111122223333";

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// A running function, and where its answers go.
struct Stage {
    process: Process,
    receiver: Receiver,
}

impl Stage {
    /// The function that serves a resource type, with these variables in its environment.
    async fn with(resource_type: &str, environment: &[(&str, &str)]) -> Self {
        let name = if resource_type == PUBLISHED_ZONE {
            "publish-zone"
        } else {
            "delegate-subdomain"
        };
        let keys = [
            ("AWS_ACCESS_KEY_ID", "AKIAWORLD"),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ];
        let environment = [&keys, environment].concat();
        Self {
            process: Process::start(&binary(name), &environment).await.unwrap(),
            receiver: Receiver::start().await.unwrap(),
        }
    }

    /// One whose AWS is not there: what must be answered without it.
    async fn without_aws(resource_type: &str) -> Self {
        Self::with(resource_type, &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]).await
    }

    fn event(&self, request_type: &str, resource_type: &str, properties: Value) -> Value {
        event(
            request_type,
            resource_type,
            properties,
            &self.receiver.url(),
        )
    }

    fn delete(&self, resource_type: &str, id: &str, properties: Value) -> Value {
        let mut event = self.event("Delete", resource_type, properties);
        event["PhysicalResourceId"] = id.into();
        event
    }

    /// Invokes, for an invocation that ends as a success; the last answer's body.
    async fn answer(&mut self, event: &Value) -> Value {
        let before = self.receiver.answers().len();
        let Invoked { outcome, .. } = self.process.invoke(event, LONG).await;
        assert_eq!(outcome, Outcome::Response(json!({ "Done": true })));
        let answers = self.receiver.answers();
        assert_eq!(answers.len(), before + 1, "one answer for one request");
        let Answer { body, bytes, .. } = answers.last().unwrap().clone();
        assert!(bytes.len() <= 4_096, "{} bytes", bytes.len());
        for name in ["RequestId", "StackId", "LogicalResourceId"] {
            assert_eq!(body[name], event[name]);
        }
        body
    }

    /// The reason, where FAILED is answered.
    async fn reason(&mut self, event: &Value) -> String {
        let body = self.answer(event).await;
        assert_eq!(body["Status"], "FAILED", "{body}");
        body["Reason"].as_str().unwrap().to_owned()
    }

    /// Kills the function. Its log, line by line.
    async fn log(self) -> Vec<Value> {
        let log = self.process.stop().await;
        let line = |line| {
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}\nin {log}"))
        };
        log.lines().map(line).collect()
    }
}

/// Properties that are right in form.
fn good(resource_type: &str) -> Value {
    match resource_type {
        PUBLISHED_ZONE => {
            json!({ "HostedZoneId": "Z0000000001", "ParameterPrefix": "/zone-delegation/dev" })
        }
        SUBDOMAIN => json!({ "Subdomain": "dev", "ParentHostedZoneId": "Z0000000001" }),
        _ => json!({ "HostedZoneId": "Z0000000001", "DomainName": "dev.example.com" }),
    }
}

fn with(mut properties: Value, name: &str, value: impl Into<Value>) -> Value {
    properties[name] = value.into();
    properties
}

/// A world on a port, and a key of it that may do anything.
async fn world() -> (World, String, String) {
    let world = World::scaled(Settings::default(), 60);
    let (address, _) = world::serve(world.clone()).await.unwrap();
    let keys = world.credentials(ACCOUNT, "", Hand::Person);
    (world, format!("http://{address}"), keys.access_key)
}

/// A service that takes connections and never says anything.
async fn silence() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    address
}

#[tokio::test]
async fn an_unknown_resource_type_is_refused_with_those_that_exist() {
    for (served, resource_type, known) in [
        (
            PUBLISHED_ZONE,
            SUBDOMAIN,
            "it serves Custom::PublishedZone.",
        ),
        (
            SUBDOMAIN,
            PUBLISHED_ZONE,
            "it serves Custom::DelegatedSubdomain, Custom::SubdomainCertificate.",
        ),
    ] {
        let mut stage = Stage::without_aws(served).await;
        let create = stage.event("Create", resource_type, json!({}));
        let body = stage.answer(&create).await;
        let reason = body["Reason"].as_str().unwrap();
        assert!(
            reason.contains(resource_type) && reason.ends_with(known),
            "{reason}"
        );
        // Its rollback must get through.
        let delete = stage.delete(
            resource_type,
            body["PhysicalResourceId"].as_str().unwrap(),
            json!({}),
        );
        assert_eq!(stage.answer(&delete).await["Status"], "SUCCESS");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_does_not_end_the_function() {
    for level in ["info", "trace"] {
        let aws = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        let mut stage = Stage::with(PUBLISHED_ZONE, &[aws, ("RUST_LOG", level)]).await;
        for body in [
            &b"{"[..],
            b"",
            b"\xff\xfe",
            b"{\"RequestType\":\"Create\",}",
        ] {
            let invoked = stage.process.invoke_with(body, LONG).await;
            assert!(
                matches!(invoked.outcome, Outcome::Error(_)),
                "{:?}",
                invoked.outcome
            );
        }
        // JSON, but nobody to answer: an error would only make Lambda deliver it again.
        for body in [
            "null",
            "[]",
            "7",
            "\"text\"",
            "{}",
            r#"{"ResponseURL":"x","RequestType":"Create"}"#,
        ] {
            let invoked = stage.process.invoke_with(body, LONG).await;
            assert_eq!(
                invoked.outcome,
                Outcome::Response(json!({ "Done": true })),
                "{body}"
            );
        }
        let unknown = stage.event("Create", "Custom::Other", json!({}));
        stage.reason(&unknown).await;
        assert_eq!(stage.receiver.answers().len(), 1);
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_answered_all_the_same() {
    let mut stage = Stage::without_aws(SUBDOMAIN).await;
    let mut destroy = stage.event("Destroy", SUBDOMAIN, json!({}));
    assert_eq!(
        stage.reason(&destroy).await,
        r#"RequestType is "Destroy": expected Create, Update or Delete."#
    );
    destroy["RequestType"] = json!("Delete");
    assert_eq!(
        stage.reason(&destroy).await,
        "PhysicalResourceId is missing: expected the id that was answered before."
    );
    // Deeper than a JSON parser goes.
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let text = stage
        .event("Create", SUBDOMAIN, json!("DEEP"))
        .to_string()
        .replace("\"DEEP\"", &deep);
    let invoked = stage.process.invoke_with(text, LONG).await;
    assert_eq!(invoked.outcome, Outcome::Response(json!({ "Done": true })));
    let answer = stage.receiver.answers().pop().unwrap().body;
    assert_eq!(
        answer["Reason"],
        r#"The properties are "nested too deeply": expected a JSON object."#
    );
}

#[tokio::test]
async fn a_wrong_property_is_named_with_what_is_right() {
    for resource_type in TYPES {
        let mut stage = Stage::without_aws(resource_type).await;
        let required = match resource_type {
            PUBLISHED_ZONE => "HostedZoneId",
            SUBDOMAIN => "Subdomain",
            _ => "DomainName",
        };
        let mut missing = good(resource_type);
        missing.as_object_mut().unwrap().remove(required);
        for (properties, parts) in [
            (
                with(good(resource_type), "Colour", "red"),
                vec!["Property Colour is unknown", required],
            ),
            (missing, vec![required, "missing"]),
            (
                with(good(resource_type), required, json!(["a"])),
                vec![required, "[\"a\"]", "expected a string"],
            ),
            (
                with(good(resource_type), "ServiceTimeout", "soon"),
                vec!["ServiceTimeout", "soon", "1 to 3600 seconds"],
            ),
            (json!("none"), vec!["expected a JSON object"]),
        ] {
            for request_type in ["Create", "Update"] {
                let mut event = stage.event(request_type, resource_type, properties.clone());
                event["PhysicalResourceId"] = json!(REFUSED_ID);
                event["OldResourceProperties"] = json!({});
                let reason = stage.reason(&event).await;
                assert!(
                    parts.iter().all(|part| reason.contains(part)),
                    "{resource_type}: {reason}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_delete_of_what_was_refused_succeeds_without_aws() {
    for resource_type in TYPES {
        let mut stage = Stage::without_aws(resource_type).await;
        for bad in [
            json!({ "Colour": "red" }),
            json!("none"),
            json!(null),
            with(good(resource_type), "Tags", "x=y"),
        ] {
            let create = stage.event("Create", resource_type, bad.clone());
            let refused = stage.answer(&create).await;
            assert_eq!(refused["Status"], "FAILED");
            let id = refused["PhysicalResourceId"].as_str().unwrap();
            let delete = stage.delete(resource_type, id, bad);
            let deleted = stage.answer(&delete).await;
            assert_eq!(
                (&deleted["Status"], &deleted["PhysicalResourceId"]),
                (&json!("SUCCESS"), &json!(id))
            );
        }
    }
}

#[tokio::test]
async fn large_properties_are_refused_within_the_limit() {
    for resource_type in TYPES {
        let mut stage = Stage::without_aws(resource_type).await;
        let long = "\u{1}\"\\é".repeat(64 * 1_024 / 5);
        for properties in [
            with(good(resource_type), "Colour", long.as_str()),
            with(good(resource_type), &long, "red"),
            with(good(resource_type), "HostedZoneId", long.as_str()),
            with(good(resource_type), "Tags", long.as_str()),
        ] {
            let create = stage.event("Create", resource_type, properties);
            assert!(create.to_string().len() > 64 * 1_024);
            stage.reason(&create).await;
        }
    }
}

#[tokio::test]
async fn aws_out_of_reach_fails_before_the_deadline() {
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
        // Proxies of the environment are for others.
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
async fn an_answer_goes_over_tls_to_those_whom_the_system_trusts() {
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
async fn an_answer_is_tried_again_where_that_can_help() {
    let mut stage = Stage::without_aws(PUBLISHED_ZONE).await;
    let create = stage.event("Create", PUBLISHED_ZONE, json!({}));
    stage
        .receiver
        .reply([Reply::Status(503), Reply::Reset, Reply::Status(500)]);
    let invoked = stage.process.invoke(&create, LONG).await;
    assert_eq!(invoked.outcome, Outcome::Response(json!({ "Done": true })));
    assert_eq!(stage.receiver.answers().len(), 4);

    // Nobody waits any longer: a success, so that Lambda does not deliver it again.
    stage.receiver.reply([Reply::Status(403)]);
    let invoked = stage.process.invoke(&create, LONG).await;
    assert_eq!(invoked.outcome, Outcome::Response(json!({ "Done": true })));
    assert_eq!(stage.receiver.answers().len(), 5);

    // Out of reach until the end: an error, so that Lambda does.
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

#[tokio::test]
async fn a_waiters_event_of_another_making_is_refused() {
    let mut stage = Stage::without_aws(SUBDOMAIN).await;
    let request = stage.event("Create", SUBDOMAIN, good(SUBDOMAIN));
    for (arn, digest) in [
        (FUNCTION_ARN, "0".repeat(64)),
        (
            "arn:aws:lambda:eu-west-1:999999999999:function:x",
            "0".into(),
        ),
    ] {
        let forged = json!({ "Waiter": {
            "FunctionArn": arn, "Request": request, "Progress": { "Zone": "Z1" }, "WaitingFor": "", "RequestedAt": 0,
            "Turn": 0, "Digest": digest,
        } });
        let Invoked { outcome, .. } = stage.process.invoke(&forged, LONG).await;
        let Outcome::Error(error) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(error["errorType"], "TurnRefused");
        assert!(!error.to_string().contains(SIGNATURE));
    }
    assert_eq!(stage.receiver.answers().len(), 0);
}

#[tokio::test]
async fn a_create_that_comes_too_late_makes_nothing() {
    for resource_type in TYPES {
        let mut stage = Stage::without_aws(resource_type).await;
        let mut create = stage.event(
            "Create",
            resource_type,
            with(good(resource_type), "ServiceTimeout", "1800"),
        );
        let url = create["ResponseURL"].as_str().unwrap();
        let (before, expires) = url.split_once("Expires=").unwrap();
        let (expires, after) = expires.split_once('&').unwrap();
        let expires: u64 = expires.parse().unwrap();
        create["ResponseURL"] = format!("{before}Expires={}&{after}", expires - 1_900).into();
        let reason = stage.reason(&create).await;
        assert!(
            reason.ends_with("s old and its ServiceTimeout is 1800 s: nothing was done."),
            "{reason}"
        );
        let log = stage.log().await;
        assert!(
            log.iter().all(|line| line["target"] != "aws_calls"),
            "{log:?}"
        );
    }
}

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
async fn a_variable_that_is_not_understood_is_said_and_its_default_used() {
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
            // Only one of the functions asks name servers.
            let said = warnings.iter().any(|line| line.contains(value));
            assert!(
                said || (resource_type, name) == (PUBLISHED_ZONE, "DNS_NAME_SERVERS"),
                "{name}: {warnings:#?}"
            );
        }
    }
}

#[tokio::test]
async fn outside_of_lambda_it_says_so() {
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

#[tokio::test]
async fn a_zone_is_published_and_unpublished() {
    let (world, endpoint, key) = world().await;
    let zone = world.make_zone(ACCOUNT, "build.example.com").unwrap();
    let mut stage = Stage::with(
        PUBLISHED_ZONE,
        &[("AWS_ENDPOINT_URL", &endpoint), ("AWS_ACCESS_KEY_ID", &key)],
    )
    .await;
    let properties = with(good(PUBLISHED_ZONE), "HostedZoneId", zone.as_str());
    let create = stage.event("Create", PUBLISHED_ZONE, properties.clone());
    let created = stage.answer(&create).await;
    assert_eq!(created["Status"], "SUCCESS", "{created}");
    assert_eq!(created["PhysicalResourceId"], "/zone-delegation/dev");
    assert_eq!(created["Data"]["HostedZoneName"], "build.example.com");
    // The same event once more, as Lambda delivers it.
    assert_eq!(stage.answer(&create).await["Data"], created["Data"]);
    let delete = stage.delete(PUBLISHED_ZONE, "/zone-delegation/dev", properties);
    assert_eq!(stage.answer(&delete).await["Status"], "SUCCESS");
    assert_eq!(
        stage.answer(&delete).await["Status"],
        "SUCCESS",
        "what is gone already"
    );
}

#[tokio::test]
async fn a_subdomain_is_delegated_and_removed() {
    let (world, endpoint, key) = world().await;
    let parent = world.make_zone(ACCOUNT, "build.example.com").unwrap();
    let mut stage = Stage::with(
        SUBDOMAIN,
        &[("AWS_ENDPOINT_URL", &endpoint), ("AWS_ACCESS_KEY_ID", &key)],
    )
    .await;
    let properties = with(good(SUBDOMAIN), "ParentHostedZoneId", parent.as_str());
    let properties = with(properties, "VerifyDelegation", "false");
    let create = stage.event("Create", SUBDOMAIN, properties.clone());
    let created = stage.answer(&create).await;
    assert_eq!(created["Status"], "SUCCESS", "{created}");
    assert_eq!(created["Data"]["DomainName"], "dev.build.example.com");
    let delete = stage.delete(
        SUBDOMAIN,
        created["PhysicalResourceId"].as_str().unwrap(),
        properties,
    );
    let deleted = stage.answer(&delete).await;
    assert_eq!(deleted["Status"], "SUCCESS", "{deleted}");
    assert_eq!(world.violations(), []);
}
