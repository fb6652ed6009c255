//! Distinguishes CloudFormation's events from those of the state machine.

use crate::{Refusal, Request, Settings, hand_over::Turn};
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, time::SystemTime};

/// A decoded event.
#[derive(Debug)]
pub(crate) enum Event {
    Request(Box<Request>),
    Turn(Box<Turn>),
    /// An event of CloudFormation, as far as it can be read, that must not be served.
    Refused(Refusal),
    /// An event of the state machine, as far as it can be read, that this function did not create.
    TurnRefused(String),
}

impl Event {
    /// Decodes an event that arrived at `now` at the function with this ARN.
    pub(crate) fn decode(
        mut event: Value,
        function_arn: &str,
        settings: &Settings,
        now: SystemTime,
    ) -> Self {
        let Some(waiter) = event.get_mut("Waiter").map(Value::take) else {
            return Request::decode(&event, now)
                .map_or_else(Self::Refused, |request| Self::Request(Box::new(request)))
                .admitted(settings);
        };
        let execution = event.get("Execution").and_then(Value::as_str);
        let turn = Turn::decode(waiter, function_arn).and_then(|turn| {
            turn.is_of(execution.unwrap_or_default(), settings)?;
            Ok(turn)
        });
        turn.map_or_else(Self::TurnRefused, |turn| Self::Turn(Box::new(turn)))
            .admitted(settings)
    }

    /// Returns the event, or its refusal if this function must not serve it.
    fn admitted(self, settings: &Settings) -> Self {
        let (stack_id, response_url) = match &self {
            Self::Request(request) => (&request.stack_id, &request.response_url),
            Self::Turn(turn) => (&turn.request.stack_id, &turn.request.response_url),
            Self::Refused(Refusal {
                addressee: Some(to),
                ..
            }) => (&to.stack_id, &to.response_url),
            Self::Refused(_) | Self::TurnRefused(_) => return self,
        };
        let can_be_answered = response_url.may_be_answered(settings.has_endpoint_override);
        let served = settings.stack_id.as_ref();
        let reason = if !can_be_answered {
            "Its ResponseURL is not an HTTPS URL of an AWS host.".to_owned()
        } else if let Some(served) = served.filter(|served| *served != stack_id) {
            format!(
                "The request is of stack {stack_id}, and this function serves the stack {served} alone (its variable \
                 STACK_ID): use a function of the request's own stack as the ServiceToken."
            )
        } else {
            return self;
        };
        let addressee = match self {
            Self::Request(request) => Box::new(request.addressee()),
            Self::Refused(Refusal {
                addressee: Some(to),
                ..
            }) => to,
            Self::Turn(_) | Self::TurnRefused(_) | Self::Refused(_) => {
                return Self::TurnRefused(reason);
            }
        };
        Self::Refused(Refusal {
            reason,
            addressee: can_be_answered.then_some(addressee),
        })
    }
}

/// The largest event that is parsed completely, in bytes. CloudFormation invokes asynchronously,
/// for which Lambda accepts 1 MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>); Step Functions
/// passes 256 KB. A `serde_json::Value` needs up to 30 times the memory of its text.
const LARGEST: usize = 1 << 20;

/// Replaces a member of an event that is not parsed.
const TOO_DEEP: &str = "nested too deeply";
const TOO_LARGE: &str = "too large";
/// All such replacements.
pub(crate) const UNREAD: [&str; 2] = [TOO_DEEP, TOO_LARGE];

/// Parses an event. If it is nested too deeply or too large, only its outermost members are parsed,
/// as far as possible. They include everything that an answer needs.
pub(crate) fn parse(text: &str) -> Value {
    let whole = (text.len() <= LARGEST).then(|| serde_json::from_str(text).ok());
    whole.flatten().unwrap_or_else(|| {
        serde_json::from_str::<BTreeMap<String, &RawValue>>(text)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, raw)| (name, member(raw.get())))
            .collect()
    })
}

/// Returns a member of an event that cannot be parsed completely.
fn member(text: &str) -> Value {
    if text.len() > LARGEST / 16 {
        return TOO_LARGE.into();
    }
    serde_json::from_str(text).unwrap_or_else(|_| TOO_DEEP.into())
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
            &Settings::default(),
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_549_700),
        )
    }

    #[test]
    fn an_event_that_is_nested_too_deeply_can_still_be_answered() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let event = parse(&format!(
            r#"{{"RequestType":"Create","ResponseURL":"https://b.amazonaws.com/k","RequestId":"r","StackId":"s",
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
            "The properties are nested too deeply: expected a JSON object."
        );
        assert_eq!(parse(&deep), json!({}));
    }

    #[test]
    fn an_event_that_is_too_large_can_still_be_answered() {
        let large = format!("[{}0]", "0,".repeat(3_000_000));
        let event = parse(&format!(
            r#"{{"RequestType":"Delete","ResponseURL":"https://b.amazonaws.com/k","RequestId":"r","StackId":"s","PhysicalResourceId":"p",
                "LogicalResourceId":"l","ResourceType":"Custom::Zone","ResourceProperties":{{"Large":{large}}}}}"#
        ));
        let Event::Request(request) = decode(event) else {
            panic!("no request")
        };
        assert_eq!(request.physical_id(), "p");
        assert_eq!(
            request
                .properties
                .parse::<BTreeMap<String, String>>()
                .unwrap_err()
                .to_string(),
            "The properties are too large: expected a JSON object."
        );
    }

    /// Generates any small JSON value.
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
                "https://b.amazonaws.com/k?X-Amz-Date=20261124T194807Z"
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

    /// Generates a member of an event: what CloudFormation would send, any other value, or none.
    fn member(right: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
        prop_oneof![
            6 => select(right).prop_map(|text| Some(Value::from(text))),
            1 => any_value().prop_map(Some),
            1 => Just(None),
        ]
    }

    /// Generates events that resemble CloudFormation's.
    fn like_a_request() -> impl Strategy<Value = Value> {
        let members = (
            member(&["Create", "Update", "Delete"]),
            member(&[
                "https://b.amazonaws.com/k?X-Amz-Date=20261124T194807Z&X-Amz-Signature=abc",
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

    /// Requires a property whose name has a digit, so that [`any_value`] never generates it.
    #[derive(Debug, serde::Deserialize)]
    struct Typed {
        #[serde(rename = "Needed1", deserialize_with = "crate::properties::boolean")]
        _needed: bool,
    }

    /// Checks that an event is decoded to a request or to a refusal, and that nothing panics.
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
            Event::Turn(turn) => panic!("not a turn of this function: {turn:?}"),
            Event::TurnRefused(reason) => {
                assert!(event.get("Waiter").is_some() && !reason.is_empty());
            }
        }
    }

    /// Returns `PROPTEST_CASES` cases, by default so many that they take seconds.
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
        fn any_json_is_decoded_or_refused(event in any_value()) {
            holds(&event);
        }

        #[test]
        fn any_event_that_resembles_a_request_is_decoded_or_refused(event in like_a_request()) {
            holds(&event);
        }

        #[test]
        fn any_turn_of_another_origin_is_refused(waiter in any_value(), request in like_a_request(), digest in "[0-9a-f]{64}") {
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
