//! Identifies the request that an answer belongs to.

use crate::{Refusal, digest::request_digest, response_url::ResponseUrl};
use serde_json::Value;

/// The prefix of the physical id of a failed Create that created nothing.
const REFUSED: &str = "refused-";

/// The ids that every answer repeats from its request, and the URL to which it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Addressee {
    pub(crate) response_url: ResponseUrl,
    pub(crate) request_id: String,
    pub(crate) stack_id: String,
    pub(crate) logical_resource_id: String,
    /// None on Create.
    pub(crate) physical_resource_id: Option<String>,
    /// Whether the request is a Delete.
    pub(crate) deletes: bool,
}

impl Addressee {
    /// Reads the addressee from an event.
    ///
    /// # Errors
    ///
    /// The event lacks a member, or the ids are too long for an answer.
    pub(crate) fn of(event: &Value) -> Result<Self, Refusal> {
        let reason = match Self::named_by(event) {
            Ok(to) if to.can_be_answered() => {
                to.response_url.keep_secret();
                return Ok(to);
            }
            Ok(_) => "its ids leave no room for an answer".to_owned(),
            Err(name) => format!("its {name} is missing or unusable"),
        };
        Err(Refusal {
            reason: format!("The event is no request that can be answered: {reason}."),
            addressee: None,
        })
    }

    /// Returns the addressee, or the name of the missing member.
    fn named_by(event: &Value) -> Result<Self, &'static str> {
        let required = |name: &'static str| text(event, name).map(str::to_owned).ok_or(name);
        Ok(Self {
            response_url: ResponseUrl::new(required("ResponseURL")?).ok_or("ResponseURL")?,
            request_id: required("RequestId")?,
            stack_id: required("StackId")?,
            logical_resource_id: required("LogicalResourceId")?,
            physical_resource_id: text(event, "PhysicalResourceId").map(str::to_owned),
            deletes: false,
        })
    }

    pub(crate) fn refused_id(&self) -> String {
        format!("{REFUSED}{}", request_digest(&self.request_id))
    }
}

/// Returns the digest of the Create in a [refused id](Request::refused_id), or none if it is not one.
pub(crate) fn refused_digest(physical_resource_id: &str) -> Option<&str> {
    physical_resource_id.strip_prefix(REFUSED).filter(|digest| {
        digest.len() == 32
            && digest
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Returns whether a physical id is a [`Request::refused_id`], which is the answer of a Create that
/// created nothing. If that Create was interrupted, such as by the end of its invocation, something
/// that it created may exist nevertheless.
#[must_use]
pub fn is_refused_id(physical_resource_id: &str) -> bool {
    refused_digest(physical_resource_id).is_some()
}

/// Returns a member of the event if it is a string and not empty.
pub(crate) fn text<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    event.get(name)?.as_str().filter(|text| !text.is_empty())
}
