//! Answers and errors in the form of each service.

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::Service;
use super::xml::Element;

/// The body of a successful call.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Route 53 and STS.
    Xml(Element),
    /// Route 53's 201 with `Location`.
    Created(Element, String),
    /// SSM, ACM, Step Functions.
    Json(Value),
    /// A 200 without a body.
    Empty,
}

/// An error of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// HTTP status.
    pub status: u16,
    /// The error's code, such as `NoSuchHostedZone`. Without one the answer has no body, like that of a proxy
    /// or a load balancer.
    pub code: String,
    /// The error's message.
    pub message: String,
}

impl ServiceError {
    /// Returns an error with this status, code and message.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    /// Returns a 400, the status of most errors.
    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Returns the throttling error of this service.
    pub(crate) fn throttled(service: Service) -> Self {
        match service {
            Service::Route53 | Service::Sts => Self::bad("Throttling", "Rate exceeded"),
            Service::Ssm | Service::Acm | Service::StepFunctions => {
                Self::bad("ThrottlingException", "Rate exceeded")
            }
        }
    }
}

/// The result of a call.
pub(crate) type Outcome = Result<Answer, ServiceError>;

impl Service {
    fn namespace(self) -> &'static str {
        match self {
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            _ => "https://route53.amazonaws.com/doc/2013-04-01/",
        }
    }

    fn json_type(self) -> &'static str {
        match self {
            Service::StepFunctions => "application/x-amz-json-1.0",
            _ => "application/x-amz-json-1.1",
        }
    }

    /// Returns the HTTP response for a result.
    pub(crate) fn response(self, outcome: &Outcome, request_id: &str) -> http::Response<Bytes> {
        let response = http::Response::builder().header("x-amzn-requestid", request_id);
        let response = match outcome {
            Ok(Answer::Empty) => response.status(200).body(Bytes::new()),
            Ok(Answer::Xml(element)) => response
                .status(200)
                .header("content-type", "text/xml")
                .body(element.document(self.namespace()).into()),
            Ok(Answer::Created(element, location)) => response
                .status(201)
                .header("content-type", "text/xml")
                .header("location", location)
                .body(element.document(self.namespace()).into()),
            Ok(Answer::Json(value)) => response
                .status(200)
                .header("content-type", self.json_type())
                .body(value.to_string().into()),
            // As a proxy or a gateway answers.
            Err(error) if error.code.is_empty() => response.status(error.status).body(Bytes::new()),
            Err(error) => {
                let response = response.status(error.status);
                match self {
                    _ if error.code.is_empty() => response.body(Bytes::new()),
                    Service::Route53 | Service::Sts => response
                        .header("content-type", "text/xml")
                        .body(self.error_document(error, request_id).into()),
                    _ => response.header("content-type", self.json_type()).body(
                        json!({"__type": error.code, "message": error.message})
                            .to_string()
                            .into(),
                    ),
                }
            }
        };
        response.expect("the parts of an answer are valid")
    }

    fn error_document(self, error: &ServiceError, request_id: &str) -> String {
        let side = if error.status < 500 {
            "Sender"
        } else {
            "Receiver"
        };
        Element::new("ErrorResponse")
            .with(
                Element::new("Error")
                    .text("Type", side)
                    .text("Code", &error.code)
                    .text("Message", &error.message),
            )
            .text("RequestId", request_id)
            .document(self.namespace())
    }
}
