//! Events that are not requests, and invalid requests.

use crate::stage::{LONG, PUBLISHED_ZONE, REFUSED_ID, SUBDOMAIN, Stage, TYPES, good, with};
use runtime_api::{FUNCTION_ARN, Invoked, Outcome, SIGNATURE};
use serde_json::json;

#[tokio::test]
async fn an_unknown_resource_type_is_refused_with_the_known_ones() {
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
        // Its rollback must succeed.
        let delete = stage.delete(
            resource_type,
            body["PhysicalResourceId"].as_str().unwrap(),
            json!({}),
        );
        assert_eq!(stage.answer(&delete).await["Status"], "SUCCESS");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_does_not_end_the_function() {
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
        // JSON that names nobody to answer: an error would only make Lambda deliver it again.
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
async fn a_request_that_cannot_be_parsed_is_still_answered() {
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
    // Deeper than a JSON parser reads.
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
        "The properties are nested too deeply: expected a JSON object."
    );
}

#[tokio::test]
async fn an_invalid_property_is_named_with_the_valid_values() {
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
async fn the_delete_of_a_refused_create_succeeds_without_aws() {
    for resource_type in TYPES {
        let mut stage = Stage::without_aws(resource_type).await;
        // Without the properties that name where something could be. With them a Delete searches there,
        // whatever the others are.
        for bad in [json!({ "Colour": "red" }), json!("none"), json!(null)] {
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
async fn a_late_create_creates_nothing() {
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
            log.iter().all(|line| line["message"] != "AWS call"),
            "{log:?}"
        );
    }
}

#[tokio::test]
async fn an_event_of_the_state_machine_from_another_origin_is_refused() {
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
