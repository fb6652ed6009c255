//! The answer to CloudFormation: a JSON body within 4,096 bytes.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>

use crate::{Failure, Success, request::Addressee, shorten::shorten_by};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most that CloudFormation takes as the whole body, in bytes.
pub(crate) const LARGEST_BODY: usize = 4_096;
/// The longest physical id that CloudFormation takes, in bytes.
const LONGEST_ID: usize = 1_024;

/// What must be left for a reason, in bytes. The ids that CloudFormation makes leave more than 2,000.
const SHORTEST_REASON: usize = 256;

/// What is answered: SUCCESS or FAILED.
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

    /// This answer, or FAILED where CloudFormation would not take it: what cannot be read by `Fn::GetAtt` must not
    /// pass for a success.
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

    /// The body of a [checked](Self::checked) answer. A reason that is too long is cut in its middle; ids never are.
    pub(crate) fn body(&self, to: &Addressee) -> Vec<u8> {
        match self {
            Self::Success(success) => success_body(success, to),
            Self::Failed(failure) => failed_body(failure, to),
        }
    }
}

impl Addressee {
    /// Whether its ids leave room for a reason.
    pub(crate) fn can_be_answered(&self) -> bool {
        failed_body(&Failure::new("-"), self).len() <= LARGEST_BODY - SHORTEST_REASON
    }

    /// On Delete CloudFormation wants its own id back.
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
    // A failed Update or Delete that named another id would replace the one that CloudFormation tracks
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
        &failure.reason
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

/// How many bytes of JSON text a character takes.
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
