//! Decodes a request of CloudFormation.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>

use crate::{
    Properties, PropertyError,
    addressee::{Addressee, is_refused_id, refused_digest, text},
    properties::integer_within,
    response_url::ResponseUrl,
    shorten,
};
use serde_json::{Value, json};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// How long CloudFormation waits for an answer at most, and if the template does not specify it.
pub const LONGEST_SERVICE_TIMEOUT: Duration = Duration::from_secs(3_600);

/// The operation that CloudFormation requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestType {
    /// Create a resource.
    Create,
    /// Change or replace a resource.
    Update,
    /// Delete a resource.
    Delete,
}

impl RequestType {
    const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// Returns CloudFormation's name of the operation.
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
    /// The requested operation.
    pub request_type: RequestType,
    /// Unique for each request. The same request may be delivered more than once.
    pub request_id: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The resource's logical id in its template.
    pub logical_resource_id: String,
    /// The resource's type, such as `Custom::PublishedZone`.
    pub resource_type: String,
    /// The id of the previous answer: none on Create, always present on Update and Delete. If a
    /// Create was never answered, its Delete has an id that CloudFormation assigned.
    pub physical_resource_id: Option<String>,
    /// The properties in the template.
    pub properties: Properties,
    /// The properties in the previous template. Empty except on Update.
    pub old_properties: Properties,
    /// How long CloudFormation waits for the answer, 1 s to 3,600 s.
    pub service_timeout: Duration,
    /// When CloudFormation made the request, from its response URL. If the URL does not say, when
    /// the request first arrived.
    pub requested_at: SystemTime,
    pub(crate) response_url: ResponseUrl,
}

/// An event that cannot be served as a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What is wrong with the event, as a sentence.
    pub reason: String,
    /// Where to send FAILED, or none if the event does not say.
    pub(crate) addressee: Option<Box<Addressee>>,
}

impl Request {
    /// Decodes the request in an event that arrived at `now`.
    ///
    /// Refuses only an event that lacks what an answer needs. Unusable properties are kept as such,
    /// because they must not prevent a Delete.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], which knows whether it can be answered.
    pub fn decode(event: &Value, now: SystemTime) -> Result<Self, Refusal> {
        let mut to = Addressee::of(event)?;
        let refuse = |name: &str, expected: &str| Refusal {
            reason: format!("{name} is {}: expected {expected}.", shown(event, name)),
            addressee: Some(Box::new(to.clone())),
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
        let (properties, service_timeout) =
            without_cloudformations_own(event.get("ResourceProperties"));
        let (old_properties, _) = without_cloudformations_own(event.get("OldResourceProperties"));
        properties.keep_secrets();
        old_properties.keep_secrets();
        // Resources that an earlier release created with such tags must remain usable: their Delete
        // writes no tags, and an Update of theirs may be a rollback.
        let properties = match request_type {
            RequestType::Create => properties.refusing_reserved_tags(),
            RequestType::Update => properties.without_reserved_tags(),
            RequestType::Delete => properties,
        };
        Ok(Self {
            request_type,
            resource_type: text(event, "ResourceType").unwrap_or_default().to_owned(),
            properties: match &service_timeout {
                Ok(_) => properties,
                Err(fault) => properties.with_fault(fault.clone()),
            },
            old_properties,
            service_timeout: service_timeout.unwrap_or(LONGEST_SERVICE_TIMEOUT),
            // A date in the future would move the end of the request.
            requested_at: to.response_url.signed_at().map_or(now, |at| at.min(now)),
            request_id: to.request_id,
            stack_id: to.stack_id,
            logical_resource_id: to.logical_resource_id,
            physical_resource_id: to.physical_resource_id,
            response_url: to.response_url,
        })
    }

    /// Returns the event that decodes to this request. It contains the response URL.
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

    /// The physical id that Update and Delete carry; empty on Create.
    #[must_use]
    pub fn physical_id(&self) -> &str {
        self.physical_resource_id.as_deref().unwrap_or_default()
    }

    /// Returns the digest of the Create that was refused, if the physical id is a [refused id](Self::refused_id).
    #[must_use]
    pub fn refused_create(&self) -> Option<&str> {
        refused_digest(self.physical_id())
    }

    /// Returns whether the physical id names nothing: it is that of a refused Create, or one that
    /// CloudFormation assigned because there was no answer, which consists of the stack's name and
    /// the logical id.
    pub(crate) fn names_nothing(&self) -> bool {
        let stack = self.stack_id.split('/').nth(1).unwrap_or_default();
        let id = self.physical_id();
        is_refused_id(id)
            || id
                .strip_prefix(stack)
                .is_some_and(|rest| rest.starts_with(&format!("-{}-", self.logical_resource_id)))
    }

    /// Returns the physical id of a failed Create that created nothing.
    #[must_use]
    pub fn refused_id(&self) -> String {
        self.addressee().refused_id()
    }

    /// Returns when CloudFormation stops waiting for the answer.
    #[must_use]
    pub fn times_out_at(&self) -> SystemTime {
        self.requested_at + self.service_timeout
    }

    /// Returns when a wait must end and the last poll takes place. The rest of the time that
    /// CloudFormation waits (a twelfth of `ServiceTimeout`, at most 30 s) is for that poll, for
    /// abandoning and for the answer.
    #[must_use]
    pub fn ends_at(&self) -> SystemTime {
        self.times_out_at() - self.margin()
    }

    pub(crate) fn margin(&self) -> Duration {
        (self.service_timeout / 12).min(Duration::from_secs(30))
    }
}

fn shown(event: &Value, name: &str) -> String {
    event.get(name).map_or_else(
        || "missing".into(),
        |value| shorten(&value.to_string(), 200),
    )
}

/// Returns the properties without CloudFormation's own, and how long CloudFormation waits.
fn without_cloudformations_own(
    value: Option<&Value>,
) -> (Properties, Result<Duration, PropertyError>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_refused_id;

    const NOW: Duration = Duration::from_secs(1_795_549_700);

    fn event() -> Value {
        json!({
            "RequestType": "Update",
            "ResponseURL": "https://bucket.s3.amazonaws.com/key?X-Amz-Date=20261124T194807Z&X-Amz-Signature=abc",
            "RequestId": "request",
            "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev/1",
            "LogicalResourceId": "Zone",
            "ResourceType": "Custom::Zone",
            "PhysicalResourceId": "old",
            "ResourceProperties": { "ServiceToken": "arn:aws:lambda:x", "ServiceTimeout": "600", "Name": "dev" },
            "OldResourceProperties": { "ServiceToken": "arn:aws:lambda:x", "ServiceTimeout": "0", "Name": "test" },
        })
    }

    fn decode(event: &Value) -> Result<Request, Refusal> {
        Request::decode(event, SystemTime::UNIX_EPOCH + NOW)
    }

    /// Returns the event with one member set, or removed.
    fn with(name: &str, value: impl Into<Option<Value>>) -> Value {
        let mut event = event();
        let members = event.as_object_mut().unwrap();
        match value.into() {
            Some(value) => members.insert(name.into(), value),
            None => members.remove(name),
        };
        event
    }

    #[test]
    fn a_request_is_decoded() {
        let request = decode(&event()).unwrap();
        assert_eq!(request.request_type, RequestType::Update);
        assert_eq!(request.physical_id(), "old");
        assert_eq!(
            request.properties,
            Properties::from(json!({ "Name": "dev" }))
        );
        assert_eq!(
            request.old_properties,
            Properties::from(json!({ "Name": "test" }))
        );
        assert_eq!(request.service_timeout, Duration::from_secs(600));
        let signed_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_549_687);
        assert_eq!(request.requested_at, signed_at);
        assert_eq!(request.times_out_at(), signed_at + Duration::from_secs(600));
        assert_eq!(request.ends_at(), signed_at + Duration::from_secs(570));
    }

    #[test]
    fn a_request_is_equal_after_the_state_machine_carried_it() {
        let request = decode(&event()).unwrap();
        assert_eq!(decode(&request.to_event()), Ok(request));
        let create = decode(&with("RequestType", json!("Create"))).unwrap();
        assert_eq!(
            create.physical_resource_id, None,
            "none on Create, whatever the event says"
        );
        assert_eq!(decode(&create.to_event()), Ok(create));
    }

    #[test]
    fn an_event_without_a_usable_url_or_ids_is_not_answered() {
        for name in ["ResponseURL", "RequestId", "StackId", "LogicalResourceId"] {
            for value in [
                None,
                Some(json!(null)),
                Some(json!("")),
                Some(json!(1)),
                Some(json!(["x"])),
            ] {
                let refusal = decode(&with(name, value)).unwrap_err();
                assert_eq!(refusal.addressee, None);
                assert!(
                    refusal
                        .reason
                        .contains(&format!("{name} is missing or unusable")),
                    "{}",
                    refusal.reason
                );
            }
        }
        assert_eq!(
            decode(&with("ResponseURL", json!("s3://bucket")))
                .unwrap_err()
                .addressee,
            None
        );
        assert_eq!(
            decode(&with("RequestId", json!("x".repeat(65_536))))
                .unwrap_err()
                .addressee,
            None
        );
        for event in [json!(null), json!([]), json!("text"), json!(1), json!({})] {
            assert_eq!(decode(&event).unwrap_err().addressee, None);
        }
    }

    #[test]
    fn an_event_that_cannot_be_served_is_refused_with_the_reason() {
        for (name, value, reason) in [
            (
                "RequestType",
                Some(json!("create")),
                r#"RequestType is "create": expected Create, Update or Delete."#,
            ),
            (
                "RequestType",
                Some(json!(7)),
                "RequestType is 7: expected Create, Update or Delete.",
            ),
            (
                "RequestType",
                None,
                "RequestType is missing: expected Create, Update or Delete.",
            ),
            (
                "PhysicalResourceId",
                None,
                "PhysicalResourceId is missing: expected the id that was answered before.",
            ),
            (
                "PhysicalResourceId",
                Some(json!(["x"])),
                r#"PhysicalResourceId is ["x"]: expected the id that was answered before."#,
            ),
        ] {
            let refusal = decode(&with(name, value)).unwrap_err();
            assert_eq!(refusal.reason, reason);
            assert_eq!(refusal.addressee.unwrap().request_id, "request");
        }
    }

    #[test]
    fn a_request_with_properties_of_any_shape_is_decoded() {
        for (value, reason) in [
            (
                json!("text"),
                "The properties are a string: expected a JSON object.",
            ),
            (
                json!([1, 2]),
                "The properties are an array: expected a JSON object.",
            ),
            (
                json!({ "ServiceTimeout": "3601" }),
                r#"Property ServiceTimeout is "3601": expected 1 to 3600 seconds."#,
            ),
            (
                json!({ "ServiceTimeout": ["60"] }),
                r#"Property ServiceTimeout is ["60"]: expected 1 to 3600 seconds."#,
            ),
        ] {
            let request = decode(&with("ResourceProperties", value)).unwrap();
            let error = request
                .properties
                .parse::<std::collections::BTreeMap<String, String>>();
            assert_eq!(error.unwrap_err().to_string(), reason);
            assert_eq!(request.service_timeout, LONGEST_SERVICE_TIMEOUT);
        }
        for value in [None, Some(json!(null)), Some(json!({}))] {
            let request = decode(&with("ResourceProperties", value)).unwrap();
            assert_eq!(request.properties, Properties::default());
        }
        let large: serde_json::Map<_, _> = (0..1_000)
            .map(|n| (format!("P{n}"), json!("x".repeat(64))))
            .collect();
        let request = decode(&with("ResourceProperties", json!(large))).unwrap();
        assert_eq!(request.properties.names().count(), 1_000);
    }

    #[test]
    fn a_url_without_a_date_or_with_a_future_one_counts_from_now() {
        for url in [
            "https://bucket/key",
            "https://bucket/key?X-Amz-Date=20991231T000000Z",
        ] {
            let request = decode(&with("ResponseURL", json!(url))).unwrap();
            assert_eq!(request.requested_at, SystemTime::UNIX_EPOCH + NOW);
        }
    }

    #[test]
    fn a_refused_id_is_recognized() {
        let request = decode(&with("RequestType", json!("Create"))).unwrap();
        assert!(is_refused_id(&request.refused_id()));
        assert_eq!(request.refused_id(), decode(&event()).unwrap().refused_id());
        for id in [
            "",
            "refused-",
            "refused-0",
            "refused-ABCDEF0123456789ABCDEF0123456789",
            "Stack-Zone-1ABC",
        ] {
            assert!(!is_refused_id(id), "{id}");
        }
        assert!(!is_refused_id(&format!("{}0", request.refused_id())));
    }

    #[test]
    fn a_refused_id_and_one_that_cloudformation_assigned_name_nothing() {
        let mut request = decode(&event()).unwrap();
        for (id, names_nothing) in [
            (request.refused_id().as_str(), true),
            ("dev-Zone-1A2B3C4D", true),
            ("dev-Zone", false),
            ("dev-Other-1A2B3C4D", false),
            ("/zone-delegation/dev", false),
            ("app.example.com/Z1/Z2/0123456789abcdef", false),
            ("arn:aws:acm:eu-west-1:111122223333:certificate/1", false),
        ] {
            request.physical_resource_id = Some(id.to_owned());
            assert_eq!(request.names_nothing(), names_nothing, "{id}");
        }
    }

    #[test]
    fn debug_shows_neither_the_url_nor_values() {
        let shown = format!("{:?}", decode(&event()).unwrap());
        for secret in ["abc", "bucket", "dev\"", "test"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        let refusal = format!("{:?}", decode(&with("RequestType", None)).unwrap_err());
        assert!(!refusal.contains("abc"), "{refusal}");
    }
}
