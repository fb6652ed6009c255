//! A request of CloudFormation, decoded.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>

use crate::{
    Owner, Properties,
    owner::hex,
    properties::{self, PropertyError},
    response_url::ResponseUrl,
};
use serde_json::{Map, Value, json};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// The longest that CloudFormation waits for an answer, and how long it waits where a template does not say.
pub const LONGEST_SERVICE_TIMEOUT: Duration = Duration::from_secs(3_600);
/// What a refused id starts with.
const REFUSED: &str = "refused-";

/// What CloudFormation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestType {
    /// A resource is to be made.
    Create,
    /// A resource is to be changed, or replaced.
    Update,
    /// A resource is to be removed.
    Delete,
}

impl RequestType {
    /// As CloudFormation names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
        }
    }
}

impl fmt::Display for RequestType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A request of CloudFormation. `Debug` shows neither the response URL nor the values of properties.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is asked for.
    pub request_type: RequestType,
    /// Unique for each request. The same request may be delivered more than once.
    pub request_id: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The resource's logical id in its template.
    pub logical_resource_id: String,
    /// The resource's type, such as `Custom::PublishedZone`.
    pub resource_type: String,
    /// The id that was answered before: none on Create, always there on Update and Delete. Where a Create was never
    /// answered, its Delete carries one of CloudFormation's own.
    pub physical_resource_id: Option<String>,
    /// What the template says.
    pub properties: Properties,
    /// What the template said before. Empty except on Update.
    pub old_properties: Properties,
    /// How long CloudFormation waits for the answer, 1 s to 3,600 s.
    pub service_timeout: Duration,
    /// When CloudFormation made the request, from its response URL; where that does not say, when it was first seen.
    pub requested_at: SystemTime,
    pub(crate) response_url: ResponseUrl,
}

/// A request that cannot be decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What is wrong with it.
    pub reason: String,
    /// Where FAILED can be answered; none where the event does not say.
    pub(crate) addressee: Option<Addressee>,
}

/// Who waits for an answer: what every answer repeats.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Addressee {
    pub(crate) response_url: ResponseUrl,
    pub(crate) request_id: String,
    pub(crate) stack_id: String,
    pub(crate) logical_resource_id: String,
    pub(crate) physical_resource_id: Option<String>,
}

impl Request {
    /// The request in an event that arrived at `now`.
    ///
    /// Only what no answer can do without is refused. Properties that are unusable are kept as such, because they must
    /// not block a Delete.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], which says whether it can be answered.
    pub fn decode(event: &Value, now: SystemTime) -> Result<Self, Refusal> {
        let text = |name: &str| {
            event
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let addressee = (|| {
            Some(Addressee {
                response_url: ResponseUrl::new(text("ResponseURL")?),
                request_id: text("RequestId")?,
                stack_id: text("StackId")?,
                logical_resource_id: text("LogicalResourceId")?,
                physical_resource_id: text("PhysicalResourceId"),
            })
        })();
        let Some(addressee) = addressee else {
            return Err(Refusal {
                reason: "The event is not a request of CloudFormation.".into(),
                addressee: None,
            });
        };
        let refuse = |reason: String| Refusal {
            reason,
            addressee: Some(addressee.clone()),
        };
        let request_type = match event.get("RequestType").and_then(Value::as_str) {
            Some("Create") => RequestType::Create,
            Some("Update") => RequestType::Update,
            Some("Delete") => RequestType::Delete,
            _ => return Err(refuse("RequestType is unknown.".into())),
        };
        let mut properties =
            Properties::from(event.get("ResourceProperties").cloned().unwrap_or_default());
        properties.take("ServiceToken");
        let service_timeout =
            properties
                .take("ServiceTimeout")
                .map_or(LONGEST_SERVICE_TIMEOUT, |value| {
                    properties::integer_within::<_, _, 1, 3_600>(value)
                        .map_or(LONGEST_SERVICE_TIMEOUT, Duration::from_secs)
                });
        let mut old_properties = Properties::from(
            event
                .get("OldResourceProperties")
                .cloned()
                .unwrap_or_default(),
        );
        old_properties.take("ServiceToken");
        old_properties.take("ServiceTimeout");
        Ok(Self {
            request_type,
            resource_type: text("ResourceType").unwrap_or_default(),
            properties,
            old_properties,
            service_timeout,
            requested_at: addressee
                .response_url
                .signed_at()
                .map_or(now, |at| at.min(now)),
            request_id: addressee.request_id,
            stack_id: addressee.stack_id,
            logical_resource_id: addressee.logical_resource_id,
            physical_resource_id: addressee.physical_resource_id,
            response_url: addressee.response_url,
        })
    }

    /// The event that decodes to this request, response URL included.
    pub(crate) fn to_event(&self) -> Value {
        let mut event = Map::new();
        event.insert("RequestType".into(), json!(self.request_type.name()));
        event.into()
    }

    /// Whose the resource is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner {
            stack_id: self.stack_id.clone(),
            logical_id: self.logical_resource_id.clone(),
        }
    }

    /// The `CallerReference` of a zone that this request makes.
    #[must_use]
    pub fn caller_reference(&self) -> String {
        self.owner().caller_reference(&self.request_id)
    }

    /// The idempotency token of what this request makes.
    #[must_use]
    pub fn token(&self) -> String {
        self.owner().token(&self.request_id)
    }

    /// The physical id that Update and Delete carry; empty on Create.
    #[must_use]
    pub fn physical_id(&self) -> &str {
        self.physical_resource_id.as_deref().unwrap_or_default()
    }

    /// When a wait of this request must have ended: CloudFormation's time-out less what abandoning and answering need.
    #[must_use]
    pub fn ends_at(&self) -> SystemTime {
        self.requested_at + self.service_timeout - self.margin()
    }

    /// A twelfth of the service's time-out, 30 s at most.
    pub(crate) fn margin(&self) -> Duration {
        (self.service_timeout / 12).min(Duration::from_secs(30))
    }

    /// The physical id of a failed Create that names nothing.
    #[must_use]
    pub fn refused_id(&self) -> String {
        refused_id(&self.stack_id, &self.logical_resource_id, &self.request_id)
    }
}

pub(crate) fn refused_id(stack_id: &str, logical_resource_id: &str, request_id: &str) -> String {
    format!(
        "{REFUSED}{}",
        hex(&[stack_id, logical_resource_id, request_id], 32)
    )
}

/// Whether a physical id is one of [`Request::refused_id`]: the Create it answered named nothing. Something of it may
/// stand all the same where that Create was cut off.
#[must_use]
pub fn is_refused_id(physical_resource_id: &str) -> bool {
    physical_resource_id
        .strip_prefix(REFUSED)
        .is_some_and(|digest| {
            digest.len() == 32
                && digest
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        })
}
