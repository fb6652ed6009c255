//! The answer to CloudFormation: a JSON body of at most 4,096 bytes.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>

use crate::{Failure, Success, addressee::Addressee, redact::shown, shorten::shorten_by};
use serde::Serialize;
use std::collections::BTreeMap;

/// The largest body that CloudFormation accepts, in bytes.
pub(crate) const LARGEST_BODY: usize = 4_096;
/// The longest physical id that CloudFormation accepts, in bytes.
const LONGEST_ID: usize = 1_024;

/// The least space for a reason, in bytes. CloudFormation's own ids leave more than 2,000.
const SHORTEST_REASON: usize = 256;

/// The answer: SUCCESS or FAILED.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Success(Success),
    Failed(Failure),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a BTreeMap<&'static str, String>>,
}

impl Answer {
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(Failure::new(reason))
    }

    pub(crate) fn status(&self) -> &'static str {
        match self {
            Self::Success(_) => "SUCCESS",
            Self::Failed(_) => "FAILED",
        }
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Success(_) => None,
            Self::Failed(failure) => Some(&failure.reason),
        }
    }

    /// Returns this answer, or FAILED if CloudFormation would not accept it: a success must not
    /// lack attributes that a template reads with `Fn::GetAtt`.
    pub(crate) fn checked(self, to: &Addressee) -> Self {
        let Self::Success(success) = &self else {
            return self;
        };
        let id = to.id_of_success(success);
        if id.is_empty() || id.len() > LONGEST_ID {
            return Self::failed(format!(
                "The physical resource id has {} bytes, CloudFormation takes 1 to {LONGEST_ID}. This is a mistake of the function.",
                id.len()
            ));
        }
        let size = success_body(success, to).len();
        if size <= LARGEST_BODY {
            return self;
        }
        Self::Failed(
            Failure::new(format!(
                "The attributes make an answer of {size} bytes, CloudFormation takes {LARGEST_BODY}: {}.",
                success
                    .attributes
                    .iter()
                    .map(|(name, value)| format!("{name} has {} bytes", value.len()))
                    .collect::<Vec<_>>()
                    .join(", ")
            ))
            .with_id(id),
        )
    }

    /// Returns the body of a [checked](Self::checked) answer. A reason that is too long is
    /// shortened in its middle; ids never are.
    pub(crate) fn body(&self, to: &Addressee) -> Vec<u8> {
        match self {
            Self::Success(success) => success_body(success, to),
            Self::Failed(failure) => failed_body(failure, to),
        }
    }
}

impl Addressee {
    /// Returns whether the ids leave enough space for a reason.
    pub(crate) fn can_be_answered(&self) -> bool {
        failed_body(&Failure::new("-"), self).len() <= LARGEST_BODY - SHORTEST_REASON
    }

    /// Returns the physical id of a success. For a Delete it is the id in the request.
    fn id_of_success<'a>(&'a self, success: &'a Success) -> &'a str {
        match &self.physical_resource_id {
            Some(id) if self.deletes => id,
            _ => &success.physical_resource_id,
        }
    }
}

fn success_body(success: &Success, to: &Addressee) -> Vec<u8> {
    encode(&Body {
        status: "SUCCESS",
        reason: "",
        physical_resource_id: to.id_of_success(success),
        stack_id: &to.stack_id,
        request_id: &to.request_id,
        logical_resource_id: &to.logical_resource_id,
        data: (!success.attributes.is_empty()).then_some(&success.attributes),
    })
}

fn failed_body(failure: &Failure, to: &Addressee) -> Vec<u8> {
    // CloudFormation would replace the id that it tracks by that of a failed Update or Delete
    // (https://github.com/aws/aws-cdk/issues/13527).
    let refused = to.refused_id();
    let id = to
        .physical_resource_id
        .as_ref()
        .or(failure.physical_resource_id.as_ref())
        .unwrap_or(&refused);
    let reason = if failure.reason.trim().is_empty() {
        "No reason was given."
    } else {
        &shown(&failure.reason)
    };
    let body = |reason: &str| {
        encode(&Body {
            status: "FAILED",
            reason,
            physical_resource_id: id,
            stack_id: &to.stack_id,
            request_id: &to.request_id,
            logical_resource_id: &to.logical_resource_id,
            data: None,
        })
    };
    let frame = body("-").len() - 1;
    body(&shorten_by(
        reason,
        LARGEST_BODY - frame.min(LARGEST_BODY),
        weight_in_json,
    ))
}

/// Returns the number of bytes of a character in JSON text.
fn weight_in_json(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

fn encode(body: &Body<'_>) -> Vec<u8> {
    serde_json::to_vec(body).expect("strings are always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response_url::ResponseUrl;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn to(physical_resource_id: Option<&str>, deletes: bool) -> Addressee {
        Addressee {
            response_url: ResponseUrl::new("https://bucket/key".into()).unwrap(),
            request_id: "request".into(),
            stack_id: "stack".into(),
            logical_resource_id: "Zone".into(),
            physical_resource_id: physical_resource_id.map(str::to_owned),
            deletes,
        }
    }

    fn json_of(answer: Answer, to: &Addressee) -> Value {
        let body = answer.checked(to).body(to);
        assert!(body.len() <= LARGEST_BODY, "{} bytes", body.len());
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn a_success_has_its_id_and_attributes() {
        let success = Success::new("id")
            .attribute("HostedZoneId", "Z1")
            .attribute("DomainName", "a.b");
        assert_eq!(
            json_of(Answer::Success(success), &to(None, false)),
            json!({
                "Status": "SUCCESS",
                "PhysicalResourceId": "id",
                "StackId": "stack",
                "RequestId": "request",
                "LogicalResourceId": "Zone",
                "Data": { "HostedZoneId": "Z1", "DomainName": "a.b" },
            })
        );
    }

    #[test]
    fn an_update_may_answer_another_id_and_a_delete_answers_its_own() {
        let success = || Answer::Success(Success::new("new"));
        assert_eq!(
            json_of(success(), &to(Some("old"), false))["PhysicalResourceId"],
            "new"
        );
        assert_eq!(
            json_of(success(), &to(Some("old"), true))["PhysicalResourceId"],
            "old"
        );
        let nothing = Answer::Success(Success::default());
        assert_eq!(
            json_of(nothing, &to(Some("old"), true))["Status"],
            "SUCCESS"
        );
    }

    #[test]
    fn a_failure_has_a_reason_and_the_id_that_cloudformation_tracks() {
        let failure = || Answer::Failed(Failure::new("No.").with_id("created"));
        let create = to(None, false);
        assert_eq!(
            json_of(failure(), &create),
            json!({
                "Status": "FAILED",
                "Reason": "No.",
                "PhysicalResourceId": "created",
                "StackId": "stack",
                "RequestId": "request",
                "LogicalResourceId": "Zone",
            })
        );
        assert_eq!(
            json_of(failure(), &to(Some("old"), false))["PhysicalResourceId"],
            "old"
        );
        assert_eq!(
            json_of(failure(), &to(Some("old"), true))["PhysicalResourceId"],
            "old"
        );
        let refused = json_of(Answer::failed(" "), &create);
        assert_eq!(refused["Reason"], "No reason was given.");
        assert!(crate::is_refused_id(
            refused["PhysicalResourceId"].as_str().unwrap()
        ));
    }

    #[test]
    fn secrets_are_redacted_and_control_characters_escaped_in_a_reason() {
        let reason =
            "Route 53 said: x-amz-security-token:IQoJb3JpZ2lu\n\u{202e}moc.elpmaxe\u{1b}[2J";
        let answer = json_of(Answer::failed(reason), &to(None, false));
        assert_eq!(
            answer["Reason"],
            "Route 53 said: x-amz-security-token:[secret]\\n\\u{202e}moc.elpmaxe\\u{1b}[2J"
        );
    }

    #[test]
    fn attributes_that_are_too_large_fail_with_the_id_of_the_resource() {
        let success = Success::new("id")
            .attribute("Small", "x")
            .attribute("NameServers", "n".repeat(4_000));
        let answer = json_of(Answer::Success(success), &to(None, false));
        assert_eq!(answer["Status"], "FAILED");
        assert_eq!(answer["PhysicalResourceId"], "id");
        let reason = answer["Reason"].as_str().unwrap();
        assert!(reason.contains("CloudFormation takes 4096"), "{reason}");
        assert!(
            reason.contains("NameServers has 4000 bytes, Small has 1 bytes"),
            "{reason}"
        );
    }

    #[test]
    fn a_body_of_exactly_the_limit_is_sent() {
        let frame = Answer::Success(Success::new("id").attribute("A", ""))
            .body(&to(None, false))
            .len();
        for (more, status) in [(0, "SUCCESS"), (1, "FAILED")] {
            let value = "x".repeat(LARGEST_BODY - frame + more);
            let answer = Answer::Success(Success::new("id").attribute("A", value));
            assert_eq!(json_of(answer, &to(None, false))["Status"], status);
        }
    }

    #[test]
    fn an_id_that_cloudformation_does_not_accept_fails() {
        for id in [String::new(), "x".repeat(LONGEST_ID + 1)] {
            let answer = json_of(Answer::Success(Success::new(id)), &to(None, false));
            assert_eq!(answer["Status"], "FAILED");
        }
        let longest = "x".repeat(LONGEST_ID);
        let answer = json_of(Answer::Success(Success::new(&longest)), &to(None, false));
        assert_eq!(
            (&answer["Status"], &answer["PhysicalResourceId"]),
            (&json!("SUCCESS"), &json!(longest))
        );
    }

    #[test]
    fn an_event_whose_ids_leave_no_space_for_a_reason_is_recognized() {
        assert!(to(Some(&"x".repeat(LONGEST_ID)), false).can_be_answered());
        assert!(!to(Some(&"x".repeat(LARGEST_BODY)), false).can_be_answered());
        assert!(!to(Some(&"\u{1}".repeat(LARGEST_BODY / 6)), false).can_be_answered());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever characters the reason and the ids contain, the body is small enough, can be
        /// parsed, and contains the ids and both ends of the reason.
        #[test]
        fn an_answer_with_any_reason_is_small_enough(reason in "(\\PC|[\u{0}-\u{1f}\"\\\\€𝄞]){1,6000}", id in "(\\PC|[\u{0}-\u{1f}\"\\\\]){1,250}") {
            let to = to(Some(&id), false);
            let answer = json_of(Answer::failed(reason.clone()), &to);
            prop_assert_eq!(answer["PhysicalResourceId"].as_str().unwrap(), id);
            let sent = answer["Reason"].as_str().unwrap();
            let full = shown(&reason);
            if reason.trim().is_empty() {
                prop_assert_eq!(sent, "No reason was given.");
            } else if sent != full {
                let (start, end) = sent.split_once(crate::shorten::CUT).unwrap();
                prop_assert!(full.starts_with(start) && full.ends_with(end));
                // The reason was shortened no more than necessary: a character takes at most six
                // bytes, at either end of the gap.
                let body = Answer::failed(reason.clone()).body(&to).len();
                prop_assert!(body + 12 > LARGEST_BODY, "{} bytes", body);
            }
        }
    }
}
