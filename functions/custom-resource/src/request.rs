//! A request of CloudFormation, decoded.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>

use crate::{
    Owner, Properties, PropertyError, owner::hex, properties::integer_within,
    response_url::ResponseUrl, shorten,
};
use serde_json::{Value, json};
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
    const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

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

/// An event that is no request which can be served.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What is wrong with it, in a sentence.
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
    /// None on Create.
    pub(crate) physical_resource_id: Option<String>,
    /// Whether the request is a Delete.
    pub(crate) deletes: bool,
}

impl Request {
    /// The request in an event that arrived at `now`.
    ///
    /// Only what no answer can do without is refused. Properties that are unusable are kept as such, because they must
    /// not block a Delete.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], which knows whether it can be answered.
    pub fn decode(event: &Value, now: SystemTime) -> Result<Self, Refusal> {
        let mut to = Addressee::of(event)?;
        let refuse = |name: &str, expected: &str| Refusal {
            reason: format!("{name} is {}: expected {expected}.", shown(event, name)),
            addressee: Some(to.clone()),
        };
        let request_type = text(event, "RequestType")
            .and_then(|name| {
                RequestType::ALL
                    .into_iter()
                    .find(|known| known.name() == name)
            })
            .ok_or_else(|| refuse("RequestType", "Create, Update or Delete"))?;
        if request_type == RequestType::Create {
            to.physical_resource_id = None;
        } else if to.physical_resource_id.is_none() {
            return Err(refuse(
                "PhysicalResourceId",
                "the id that was answered before",
            ));
        }
        let (properties, service_timeout) = own_taken_out(event.get("ResourceProperties"));
        let (old_properties, _) = own_taken_out(event.get("OldResourceProperties"));
        Ok(Self {
            request_type,
            resource_type: text(event, "ResourceType").unwrap_or_default().to_owned(),
            properties: match &service_timeout {
                Ok(_) => properties,
                Err(fault) => properties.with_fault(fault.clone()),
            },
            old_properties,
            service_timeout: service_timeout.unwrap_or(LONGEST_SERVICE_TIMEOUT),
            // A URL that claims to be signed in the future would move the end of the request.
            requested_at: to.response_url.signed_at().map_or(now, |at| at.min(now)),
            request_id: to.request_id,
            stack_id: to.stack_id,
            logical_resource_id: to.logical_resource_id,
            physical_resource_id: to.physical_resource_id,
            response_url: to.response_url,
        })
    }

    /// The event that decodes to this request. It holds the response URL.
    pub(crate) fn to_event(&self) -> Value {
        let mut properties = self.properties.to_map();
        let timeout = self.service_timeout.as_secs().to_string();
        properties.insert("ServiceTimeout".into(), timeout.into());
        json!({
            "RequestType": self.request_type.name(),
            "ResponseURL": self.response_url.secret(),
            "RequestId": self.request_id,
            "StackId": self.stack_id,
            "LogicalResourceId": self.logical_resource_id,
            "ResourceType": self.resource_type,
            "PhysicalResourceId": self.physical_resource_id,
            "ResourceProperties": properties,
            "OldResourceProperties": self.old_properties.to_map(),
        })
    }

    pub(crate) fn addressee(&self) -> Addressee {
        Addressee {
            response_url: self.response_url.clone(),
            request_id: self.request_id.clone(),
            stack_id: self.stack_id.clone(),
            logical_resource_id: self.logical_resource_id.clone(),
            physical_resource_id: self.physical_resource_id.clone(),
            deletes: self.request_type == RequestType::Delete,
        }
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

    /// The physical id of a failed Create that names nothing.
    #[must_use]
    pub fn refused_id(&self) -> String {
        self.addressee().refused_id()
    }

    /// When CloudFormation stops waiting for the answer.
    #[must_use]
    pub fn times_out_at(&self) -> SystemTime {
        self.requested_at + self.service_timeout
    }

    /// When a wait must have ended: the last look is taken then. What is left until CloudFormation stops waiting (a
    /// twelfth of `ServiceTimeout`, 30 s at most) is for that look, for abandoning and for the answer.
    #[must_use]
    pub fn ends_at(&self) -> SystemTime {
        self.times_out_at() - self.margin()
    }

    pub(crate) fn margin(&self) -> Duration {
        (self.service_timeout / 12).min(Duration::from_secs(30))
    }
}

impl Addressee {
    fn of(event: &Value) -> Result<Self, Refusal> {
        let reason = match Self::named_by(event) {
            Ok(to) if to.can_be_answered() => return Ok(to),
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
        let parts = [
            self.stack_id.as_str(),
            &self.logical_resource_id,
            &self.request_id,
        ];
        format!("{REFUSED}{}", hex(&parts, 32))
    }
}

/// Whether a physical id is one of [`Request::refused_id`]: the Create that it answered named nothing. Something of
/// that Create may stand all the same where it was cut off, such as by the end of its invocation.
#[must_use]
pub fn is_refused_id(physical_resource_id: &str) -> bool {
    physical_resource_id
        .strip_prefix(REFUSED)
        .is_some_and(|digest| {
            digest.len() == 32
                && digest
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
}

/// A member of the event that is a string and not empty.
fn text<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    event.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn shown(event: &Value, name: &str) -> String {
    event.get(name).map_or_else(
        || "missing".into(),
        |value| shorten(&value.to_string(), 200),
    )
}

/// Properties without CloudFormation's own, and how long it waits.
fn own_taken_out(value: Option<&Value>) -> (Properties, Result<Duration, PropertyError>) {
    let mut properties = Properties::from(value.cloned().unwrap_or_default());
    properties.take("ServiceToken");
    let timeout = match properties.take("ServiceTimeout") {
        None => Ok(LONGEST_SERVICE_TIMEOUT),
        Some(value) => integer_within::<_, _, 1, 3_600>(&value)
            .map(Duration::from_secs)
            .map_err(|_| PropertyError::invalid("ServiceTimeout", &value, "1 to 3600 seconds")),
    };
    (properties, timeout)
}
