//! Whose event it is: CloudFormation's, or the waiter's.

use crate::{Refusal, Request, hand_over::Turn};
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, time::SystemTime};

/// An event, decoded.
#[derive(Debug)]
pub(crate) enum Event {
    Request(Request),
    Turn(Turn),
    /// CloudFormation's, as far as it says whose it is, but not to be served.
    Refused(Refusal),
    /// The waiter's, as far as it says whose it is, but not of this function's making.
    TurnRefused(String),
}

impl Event {
    /// Decodes what arrived at `now` at the function with this ARN.
    pub(crate) fn decode(mut event: Value, function_arn: &str, now: SystemTime) -> Self {
        match event.get_mut("Waiter").map(Value::take) {
            Some(waiter) => {
                Turn::decode(waiter, function_arn).map_or_else(Self::TurnRefused, Self::Turn)
            }
            None => Request::decode(&event, now).map_or_else(Self::Refused, Self::Request),
        }
    }
}

/// The event as a value. Where it is nested too deeply for that, its outermost members are saved: who waits for an
/// answer is among them.
pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| {
        serde_json::from_str::<BTreeMap<String, &RawValue>>(text)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, raw)| {
                let value = serde_json::from_str::<Value>(raw.get());
                (name, value.unwrap_or_else(|_| "nested too deeply".into()))
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestType, answer::Answer};
    use proptest::{collection, prelude::*, sample::select};
    use serde_json::{Map, json};
    use std::time::Duration;

    const ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:zones";

    fn decode(event: Value) -> Event {
        Event::decode(
            event,
            ARN,
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_549_700),
        )
    }

    #[test]
    fn an_event_that_is_nested_too_deeply_still_says_who_waits() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let event = parse(&format!(
            r#"{{"RequestType":"Create","ResponseURL":"https://b/k","RequestId":"r","StackId":"s",
                "LogicalResourceId":"l","ResourceType":"Custom::Zone","ResourceProperties":{{"Deep":{deep}}}}}"#
        ));
        let Event::Request(request) = decode(event) else {
            panic!("no request")
        };
        assert_eq!(request.request_type, RequestType::Create);
        assert_eq!(
            request
                .properties
                .parse::<BTreeMap<String, String>>()
                .unwrap_err()
                .to_string(),
            r#"The properties are "nested too deeply": expected a JSON object."#
        );
        assert_eq!(parse(&deep), json!({}));
    }

    /// Any JSON value, small.
    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            select(vec![
                "",
                "Create",
                "Delete",
                "true",
                "3600",
                "0",
                "https://b/k?X-Amz-Date=20261124T194807Z"
            ])
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                collection::btree_map("[A-Za-z]{0,8}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// A member of an event: what CloudFormation would send, anything else, or nothing.
    fn member(right: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
        prop_oneof![
            6 => select(right).prop_map(|text| Some(Value::from(text))),
            1 => any_value().prop_map(Some),
            1 => Just(None),
        ]
    }

    /// Something that looks like an event of CloudFormation.
    fn like_a_request() -> impl Strategy<Value = Value> {
        let members = (
            member(&["Create", "Update", "Delete"]),
            member(&[
                "https://b/k?X-Amz-Date=20261124T194807Z&X-Amz-Signature=abc",
                "http://127.0.0.1:1/",
            ]),
            member(&["request"]),
            member(&["stack"]),
            member(&["Zone"]),
            member(&["Custom::Zone"]),
            member(&["id"]),
            proptest::option::of(any_value()),
            proptest::option::of(any_value()),
        );
        members.prop_map(
            |(kind, url, request, stack, logical, resource, id, properties, old)| {
                let members: Map<_, _> = [
                    ("RequestType", kind),
                    ("ResponseURL", url),
                    ("RequestId", request),
                    ("StackId", stack),
                    ("LogicalResourceId", logical),
                    ("ResourceType", resource),
                    ("PhysicalResourceId", id),
                    ("ResourceProperties", properties),
                    ("OldResourceProperties", old),
                ]
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect();
                Value::Object(members)
            },
        )
    }

    /// Wants a property whose name has a digit, so that [`any_value`] never makes it.
    #[derive(Debug, serde::Deserialize)]
    struct Typed {
        #[serde(rename = "Needed1", deserialize_with = "crate::properties::boolean")]
        _needed: bool,
    }

    /// A request, or a refusal that can say so: nothing else, and no panic.
    fn holds(event: &Value) {
        match decode(event.clone()) {
            Event::Request(request) => {
                assert_eq!(
                    request.physical_resource_id.is_none(),
                    request.request_type == RequestType::Create
                );
                assert!(request.properties.parse::<Typed>().is_err());
                assert!((1..=3_600).contains(&request.service_timeout.as_secs()));
                assert!(request.ends_at() < request.times_out_at());
                let body = Answer::failed("x".repeat(5_000)).body(&request.addressee());
                assert!(body.len() <= 4_096);
                assert!(!format!("{request:?}").contains("Signature"));
            }
            Event::Refused(refusal) => {
                assert!(!refusal.reason.is_empty() && refusal.reason.len() < 1_000);
                if let Some(to) = refusal.addressee {
                    for (name, value) in [
                        ("RequestId", to.request_id),
                        ("StackId", to.stack_id),
                        ("LogicalResourceId", to.logical_resource_id),
                        ("ResponseURL", to.response_url.secret().to_owned()),
                    ] {
                        assert_eq!(event[name], value);
                    }
                }
            }
            Event::Turn(turn) => panic!("made up: {turn:?}"),
            Event::TurnRefused(reason) => {
                assert!(event.get("Waiter").is_some() && !reason.is_empty());
            }
        }
    }

    /// `PROPTEST_CASES`, or so many that they take seconds.
    fn inputs() -> ProptestConfig {
        let mut config = ProptestConfig::default();
        if std::env::var_os("PROPTEST_CASES").is_none() {
            config.cases = 60_000;
        }
        config
    }

    proptest! {
        #![proptest_config(inputs())]

        #[test]
        fn any_json_is_a_request_or_refused(event in any_value()) {
            holds(&event);
        }

        #[test]
        fn any_event_like_a_request_is_one_or_refused(event in like_a_request()) {
            holds(&event);
        }

        #[test]
        fn any_made_up_turn_is_refused(waiter in any_value(), request in like_a_request(), digest in "[0-9a-f]{64}") {
            holds(&json!({ "Waiter": waiter }));
            holds(&json!({ "Waiter": {
                "FunctionArn": ARN, "Request": request, "Progress": waiter, "WaitingFor": "", "RequestedAt": 0, "Turn": 0,
                "Digest": digest,
            } }));
        }

        #[test]
        fn any_text_is_parsed(text in "\\PC{0,60}") {
            holds(&parse(&text));
        }
    }
}
