use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use std::{error::Error, fmt, iter};

/// A failed AWS call, as facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The service's name as people say it, e.g. `Route 53`.
    pub service: &'static str,
    /// The API operation, e.g. `CreateHostedZone`.
    pub operation: &'static str,
    /// What the call was about: a domain name, an id or an ARN.
    pub target: String,
    /// The service's error code, e.g. `NoSuchHostedZone`; none where no answer came.
    pub code: Option<String>,
    /// The service's message, or why no answer came.
    pub message: String,
    /// The request id, for a support case; none where no answer came.
    pub request_id: Option<String>,
    /// What can be done about it.
    pub kind: Kind,
}

/// What can be done about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The service refused: asking again changes nothing.
    Refused,
    /// Not allowed, or not yet: a new policy takes up to a minute to reach every endpoint.
    Denied,
    /// Too many requests: ask again later.
    Throttled,
    /// No usable answer came (connection, time-out, 5xx): the call may have taken effect or not.
    NoAnswer,
    /// The endpoint's host name does not exist: there is no such Region, or this network hides it.
    NoEndpoint,
}

// Codes as the services of this project answer them. Route 53 says `Throttling` (400) with "Rate exceeded", and
// `PriorRequestNotComplete` while an earlier change of the same zone is under way: both pass.
const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "TooManyUpdates",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "ConcurrentModification",
    "RequestInProgressException",
];
const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "NotAuthorizedException",
    "UnauthorizedOperation",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "ExpiredToken",
    "ExpiredTokenException",
];

/// What glibc says of a name for which DNS answers NXDOMAIN (`EAI_NONAME`). Name servers that are silent, or that have
/// trouble of their own, are `EAI_AGAIN`, and pass.
const NO_SUCH_HOST: &str = "Name or service not known";

/// Why there is no answer, each cause after its consequence. Never their `Debug` form, which holds the answer's body:
/// that of AssumeRole has credentials in it.
fn causes(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    let said: Vec<String> = causes.map(ToString::to_string).collect();
    said.join(": ")
}

/// A call in words.
pub(crate) fn named(service: &str, operation: &str, target: &str) -> String {
    format!("{service} {operation} on {target}")
}

/// The most characters of a body that are shown.
const SHOWN: usize = 300;

/// An error answer that is not of the service's form, as from a proxy: its HTTP status and the start of its text.
fn unparsed(response: &HttpResponse) -> String {
    let status = response.status().as_u16();
    let body = response.body().bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let mut characters = text.trim().chars();
    let mut shown: String = characters
        .by_ref()
        .take(SHOWN)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let kept = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(kept)
        })
        .collect();
    if characters.next().is_some() {
        shown.push_str("...");
    }
    if shown.is_empty() {
        return format!("HTTP status {status} without text");
    }
    format!("HTTP status {status}: {shown}")
}

impl AwsError {
    /// The facts of an SDK error.
    pub(crate) fn new<E>(
        service: &'static str,
        operation: &'static str,
        target: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|r| r.status().as_u16());
        let kind = match (code.as_deref(), status) {
            (Some(code), _) if THROTTLED.contains(&code) => Kind::Throttled,
            (Some(code), _) if DENIED.contains(&code) => Kind::Denied,
            // Also one that said yes and cannot be understood.
            (_, Some(200..300 | 500..)) => Kind::NoAnswer,
            (_, None) if causes(error).ends_with(NO_SUCH_HOST) => Kind::NoEndpoint,
            (_, None) => Kind::NoAnswer,
            (_, Some(429)) => Kind::Throttled,
            _ => Kind::Refused,
        };
        let message = match (error.message(), error.raw_response()) {
            (Some(message), _) => message.to_owned(),
            // A good answer may hold credentials, whether it can be parsed or not.
            (None, Some(response)) if !response.status().is_success() => unparsed(response),
            (None, _) => causes(error),
        };
        Self {
            service,
            operation,
            target: target.to_owned(),
            code,
            message,
            request_id: error.request_id().map(str::to_owned),
            kind,
        }
    }

    /// A good answer without what its model requires, which no AWS endpoint gives.
    #[must_use]
    pub fn malformed(service: &'static str, operation: &'static str, target: &str) -> Self {
        Self {
            service,
            operation,
            target: target.to_owned(),
            code: None,
            message: "the answer lacks what the API promises".to_owned(),
            request_id: None,
            kind: Kind::NoAnswer,
        }
    }

    /// Which call failed: service, operation and target.
    #[must_use]
    pub fn call(&self) -> String {
        named(self.service, self.operation, &self.target)
    }

    /// Whether the service answered this error code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the same call may succeed later without anyone's doing.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::NoAnswer)
    }
}

/// "Route 53 CreateHostedZone on dev.example.com: message (Code, request id)", without a full stop, so that the
/// caller can say what to do next.
impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.trim().trim_end_matches('.');
        write!(f, "{}: {message}", self.call())?;
        match (&self.code, &self.request_id) {
            (Some(code), Some(id)) => write!(f, " ({code}, request {id})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, Some(id)) => write!(f, " (request {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl Error for AwsError {}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};
    use std::io;

    fn facts(error: &SdkError<ErrorMetadata, HttpResponse>) -> (Kind, String) {
        let AwsError { kind, message, .. } = AwsError::new("STS", "AssumeRole", "role", error);
        (kind, message)
    }

    #[test]
    fn what_is_not_understood_is_not_repeated() {
        let body = SdkBody::from("<Credentials><SecretAccessKey>secret</SecretAccessKey>");
        let answer = HttpResponse::new(200.try_into().unwrap(), body);
        let unhandled = ErrorMetadata::builder().build();
        let (kind, message) = facts(&SdkError::service_error(unhandled, answer));
        assert_eq!(kind, Kind::NoAnswer);
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn an_error_that_is_not_of_the_services_form_is_shown_with_its_status_and_text() {
        let shown = |status: u16, body: &str| {
            let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            let unhandled = ErrorMetadata::builder().build();
            facts(&SdkError::service_error(unhandled, answer))
        };
        let (kind, message) = shown(403, "<h1>Blocked\u{1b}[2J\nby the proxy</h1>\n");
        assert_eq!(kind, Kind::Refused);
        assert_eq!(
            message,
            r"HTTP status 403: <h1>Blocked\u{1b}[2J\nby the proxy</h1>"
        );
        let (kind, message) = shown(503, "");
        assert_eq!(kind, Kind::NoAnswer);
        assert_eq!(message, "HTTP status 503 without text");
        let (_, message) = shown(502, &"x".repeat(10_000));
        assert_eq!(message, format!("HTTP status 502: {}...", "x".repeat(300)));
    }

    #[test]
    fn a_host_that_does_not_exist_is_told_from_name_servers_that_are_silent() {
        let kind = |said: &str| {
            let words = format!("dns error: failed to lookup address information: {said}");
            facts(&SdkError::dispatch_failure(ConnectorError::io(
                words.into(),
            )))
            .0
        };
        assert_eq!(kind("Name or service not known"), Kind::NoEndpoint);
        assert_eq!(kind("Temporary failure in name resolution"), Kind::NoAnswer);
    }

    #[test]
    fn a_call_without_an_answer_says_why() {
        let closed = io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer");
        let error = SdkError::dispatch_failure(ConnectorError::io(closed.into()));
        assert_eq!(
            facts(&error),
            (
                Kind::NoAnswer,
                "dispatch failure: io error: connection reset by peer".to_owned()
            )
        );
    }
}
