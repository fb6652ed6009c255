//! A decoded request: its caller, its place and its operation.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::answer::ServiceError;
use super::signature::CredentialScope;
use super::xml::Element;
use crate::iam::principal::Caller;

/// The services of this world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Route 53, REST XML, 2013-04-01.
    Route53,
    /// Systems Manager Parameter Store, JSON 1.1.
    Ssm,
    /// Certificate Manager, JSON 1.1.
    Acm,
    /// Security Token Service, query XML, 2011-06-15.
    Sts,
    /// Step Functions, JSON 1.0.
    StepFunctions,
}

impl Service {
    /// Returns the service by its name in the credential scope, which is also its prefix in IAM.
    pub(crate) fn by_scope(name: &str) -> Option<Self> {
        Some(match name {
            "route53" => Self::Route53,
            "ssm" => Self::Ssm,
            "acm" => Self::Acm,
            "sts" => Self::Sts,
            "states" => Self::StepFunctions,
            _ => return None,
        })
    }

    /// Returns the name in the credential scope and in IAM.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route53 => "route53",
            Self::Ssm => "ssm",
            Self::Acm => "acm",
            Self::Sts => "sts",
            Self::StepFunctions => "states",
        }
    }
}

/// A decoded request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) region: String,
    pub(crate) access_key: String,
    pub(crate) session_token: Option<String>,
    pub(crate) caller: Caller,
    /// The variable parts of the path.
    pub(crate) path: Vec<String>,
    /// The query string, or the form of an STS call.
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    /// What the call is about, for the log.
    pub(crate) target: String,
    /// Whether it changed anything.
    pub(crate) effect: bool,
}

impl Call {
    /// Decodes a request as far as possible without the world's state.
    ///
    /// # Errors It is not signed for a service of this world.
    pub(crate) fn decode(request: &http::Request<Bytes>) -> Result<Self, ServiceError> {
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let scope = CredentialScope::of(request.headers()).ok_or_else(|| {
            ServiceError::new(403, "MissingAuthenticationToken", "Request is not signed")
        })?;
        let service = Service::by_scope(&scope.service).ok_or_else(|| {
            ServiceError::new(404, "UnknownService", format!("no {}", scope.service))
        })?;
        let mut query = form(request.uri().query().unwrap_or_default());
        let mut path = Vec::new();
        let operation = match service {
            Service::Route53 => {
                let segments: Vec<String> = request
                    .uri()
                    .path()
                    .split('/')
                    .filter(|segment| !segment.is_empty())
                    .map(percent_decode)
                    .collect();
                let (operation, variables) = route53_operation(request.method(), &segments);
                path = variables;
                operation
            }
            Service::Sts => {
                query = form(std::str::from_utf8(request.body()).unwrap_or_default());
                query.get("Action").cloned().unwrap_or_default()
            }
            Service::Ssm | Service::Acm | Service::StepFunctions => header("x-amz-target")
                .and_then(|target| target.split('.').next_back())
                .unwrap_or_default()
                .to_owned(),
        };
        Ok(Self {
            service,
            operation,
            region: scope.region,
            access_key: scope.access_key,
            session_token: header("x-amz-security-token").map(ToOwned::to_owned),
            caller: Caller::default(),
            path,
            query,
            body: request.body().clone(),
            target: String::new(),
            effect: false,
        })
    }

    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> Result<Value, ServiceError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ServiceError::bad("SerializationException", error.to_string()))
    }

    /// Returns the body as XML.
    pub(crate) fn xml(&self) -> Result<Element, ServiceError> {
        std::str::from_utf8(&self.body)
            .map_err(|error| error.to_string())
            .and_then(Element::parse)
            .map_err(|error| ServiceError::bad("MalformedInput", error))
    }
}

/// Returns the operation of a Route 53 request and the variable parts of its path. Empty if there is none.
fn route53_operation(method: &http::Method, segments: &[String]) -> (String, Vec<String>) {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (operation, variables): (&str, &[&str]) = match (method.as_str(), segments.as_slice()) {
        ("POST", ["2013-04-01", "hostedzone"]) => ("CreateHostedZone", &[]),
        ("GET", ["2013-04-01", "hostedzone"]) => ("ListHostedZones", &[]),
        ("GET", ["2013-04-01", "hostedzonesbyname"]) => ("ListHostedZonesByName", &[]),
        ("GET", ["2013-04-01", "hostedzone", id]) => ("GetHostedZone", &[id]),
        ("POST", ["2013-04-01", "hostedzone", id]) => ("UpdateHostedZoneComment", &[id]),
        ("DELETE", ["2013-04-01", "hostedzone", id]) => ("DeleteHostedZone", &[id]),
        ("GET", ["2013-04-01", "hostedzone", id, "rrset"]) => ("ListResourceRecordSets", &[id]),
        ("POST", ["2013-04-01", "hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", &[id]),
        ("GET", ["2013-04-01", "hostedzone", id, "dnssec"]) => ("GetDNSSEC", &[id]),
        ("GET", ["2013-04-01", "hostedzone", id, "rrsetprotection"]) => {
            ("ListResourceRecordSetProtections", &[id])
        }
        ("GET", ["2013-04-01", "change", id]) => ("GetChange", &[id]),
        ("GET", ["2013-04-01", "tags", kind, id]) => ("ListTagsForResource", &[kind, id]),
        ("POST", ["2013-04-01", "tags", kind, id]) => ("ChangeTagsForResource", &[kind, id]),
        ("POST", ["2013-04-01", "tags", kind]) => ("ListTagsForResources", &[kind]),
        _ => ("", &[]),
    };
    (
        operation.to_owned(),
        variables.iter().map(|part| (*part).to_owned()).collect(),
    )
}

fn form(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (
                percent_decode(&name.replace('+', " ")),
                percent_decode(&value.replace('+', " ")),
            )
        })
        .collect()
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_escapes() {
        let form = form("Action=AssumeRole&A+B=%2Fx%zz&empty=");
        assert_eq!(form["Action"], "AssumeRole");
        assert_eq!(form["A B"], "/x%zz");
        assert_eq!(form["empty"], "");
    }

    #[test]
    fn paths_name_operations() {
        let operation = |method: &str, path: &str| {
            let segments: Vec<String> = path
                .split('/')
                .filter(|segment| !segment.is_empty())
                .map(ToOwned::to_owned)
                .collect();
            route53_operation(&method.parse().unwrap(), &segments)
        };
        assert_eq!(
            operation("POST", "/2013-04-01/hostedzone/Z1/rrset/"),
            ("ChangeResourceRecordSets".into(), vec!["Z1".into()])
        );
        assert_eq!(
            operation("GET", "/2013-04-01/tags/hostedzone/Z1"),
            (
                "ListTagsForResource".into(),
                vec!["hostedzone".into(), "Z1".into()]
            )
        );
        assert_eq!(operation("GET", "/2013-04-01/nothing").0, "");
    }
}
