use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use std::{error::Error, fmt, iter};

/// A failed AWS call, as facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The name of the service as its documentation has it, e.g. `Route 53`.
    pub service: &'static str,
    /// The API operation, e.g. `CreateHostedZone`.
    pub operation: &'static str,
    /// The domain name, id or ARN of the call.
    pub target: String,
    /// The service's error code, e.g. `NoSuchHostedZone`, or none if the service did not answer.
    pub code: Option<String>,
    /// The service's message, or why there is no answer.
    pub message: String,
    /// The request id, for a support case, or none if the service did not answer.
    pub request_id: Option<String>,
    /// What can be done about it.
    pub kind: Kind,
}

/// What can be done about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The service refused the call, and would refuse it again.
    Refused,
    /// The call is not permitted, or not yet: a new policy may need a minute to reach every
    /// endpoint.
    Denied,
    /// Too many requests. A later attempt can succeed.
    Throttled,
    /// No usable answer arrived (connection, time-out, 5xx). The call may or may not have taken
    /// effect.
    NoAnswer,
    /// The endpoint's host name does not resolve: the Region does not exist, or this network blocks
    /// its name.
    NoEndpoint,
}

// Codes that the services of this project answer. Both of Route 53's are transient: `Throttling`
// (400) with "Rate exceeded", and `PriorRequestNotComplete` while an earlier change of the same
// zone is being applied.
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

/// glibc's words for a name for which DNS answers NXDOMAIN (`EAI_NONAME`). If the name servers do
/// not answer or fail, glibc reports `EAI_AGAIN`, which is transient.
const NO_SUCH_HOST: &str = "Name or service not known";

/// Returns why there is no answer: each error, then its cause. Never the errors' `Debug` form,
/// which contains the response's body: that of AssumeRole contains credentials.
fn causes(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    let said: Vec<String> = causes.map(ToString::to_string).collect();
    said.join(": ")
}

/// Returns service, operation and target in one phrase.
pub(crate) fn named(service: &str, operation: &str, target: &str) -> String {
    format!("{service} {operation} on {target}")
}

/// Limits how many characters of a body are shown.
const SHOWN: usize = 300;

/// Returns the HTTP status and the start of the text of an error response that the service did not
/// write, such as a proxy's.
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
    /// Extracts the facts from an SDK error.
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
            // Includes a response with status 2xx that cannot be parsed.
            (_, Some(200..300 | 500..)) => Kind::NoAnswer,
            (_, None) if causes(error).ends_with(NO_SUCH_HOST) => Kind::NoEndpoint,
            (_, None) => Kind::NoAnswer,
            (_, Some(429)) => Kind::Throttled,
            _ => Kind::Refused,
        };
        let message = match (error.message(), error.raw_response()) {
            (Some(message), _) => message.to_owned(),
            // The body of a successful response may contain credentials, so it is shown only for an
            // error status.
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

    /// Returns the error for a successful response that lacks a required field, which no AWS
    /// endpoint sends.
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

    /// Returns the failed call: service, operation and target.
    #[must_use]
    pub fn call(&self) -> String {
        named(self.service, self.operation, &self.target)
    }

    /// Returns whether the service answered this error code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Returns whether the same call may succeed later although nobody changes anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::NoAnswer)
    }
}

/// Writes "Route 53 CreateHostedZone on dev.example.com: message (Code, request id)" without a full
/// stop, so that the caller can add what to do next.
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
    fn a_successful_response_that_cannot_be_parsed_is_not_shown() {
        let body = SdkBody::from("<Credentials><SecretAccessKey>secret</SecretAccessKey>");
        let answer = HttpResponse::new(200.try_into().unwrap(), body);
        let unhandled = ErrorMetadata::builder().build();
        let (kind, message) = facts(&SdkError::service_error(unhandled, answer));
        assert_eq!(kind, Kind::NoAnswer);
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn an_error_response_of_a_proxy_is_shown_with_status_and_text() {
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
    fn nxdomain_is_permanent_and_a_name_server_time_out_is_transient() {
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
    fn the_error_of_an_unanswered_call_names_the_cause() {
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
