//! Who waits for an answer.

use crate::{Refusal, digest::request_digest, response_url::ResponseUrl};
use serde_json::Value;

/// What the id of a failed Create that names nothing starts with.
const REFUSED: &str = "refused-";

/// What every answer repeats of its request, and where it goes.
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
    /// The one who waits, as far as the event says.
    ///
    /// # Errors
    ///
    /// The event does not say, or an answer could not hold its ids.
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

    /// The addressee, or the member that is missing.
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

/// The digest of the Create in a [refused id](Request::refused_id); none where it is not one.
pub(crate) fn refused_digest(physical_resource_id: &str) -> Option<&str> {
    physical_resource_id.strip_prefix(REFUSED).filter(|digest| {
        digest.len() == 32
            && digest
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Whether a physical id is one of [`Request::refused_id`]: the Create that it answered named nothing. Something of
/// that Create may stand all the same where it was cut off, such as by the end of its invocation.
#[must_use]
pub fn is_refused_id(physical_resource_id: &str) -> bool {
    refused_digest(physical_resource_id).is_some()
}

/// A member of the event that is a string and not empty.
pub(crate) fn text<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    event.get(name)?.as_str().filter(|text| !text.is_empty())
}
