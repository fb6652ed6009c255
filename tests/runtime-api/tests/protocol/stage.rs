//! A running function, and its environment.

use runtime_api::{Answer, Invoked, Outcome, Process, Receiver, binary, event};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value, json};
use std::{fmt, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use world::{Hand, Settings, World};

pub(crate) const PUBLISHED_ZONE: &str = "Custom::PublishedZone";
pub(crate) const SUBDOMAIN: &str = "Custom::DelegatedSubdomain";
pub(crate) const CERTIFICATE: &str = "Custom::SubdomainCertificate";
pub(crate) const TYPES: [&str; 3] = [PUBLISHED_ZONE, SUBDOMAIN, CERTIFICATE];

/// The id with which a failed Create that created nothing is answered.
pub(crate) const REFUSED_ID: &str = "refused-0123456789abcdef0123456789abcdef";
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYSECRETKEY";
pub(crate) const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJrSECRETTOKEN";
pub(crate) const ACCOUNT: &str = "111122223333";

/// Longer than anything here takes, and the time that a Delete with a drain needs.
pub(crate) const LONG: Duration = Duration::from_secs(150);

/// A running function, and the receiver of its answers.
pub(crate) struct Stage {
    pub(crate) process: Process,
    pub(crate) receiver: Receiver,
}

impl Stage {
    /// Starts the function that serves a resource type, with these variables in its environment.
    pub(crate) async fn with(resource_type: &str, environment: &[(&str, &str)]) -> Self {
        let name = if resource_type == PUBLISHED_ZONE {
            "publish-zone"
        } else {
            "delegate-subdomain"
        };
        let keys = [
            ("AWS_ACCESS_KEY_ID", "AKIAWORLD"),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            // No server is there. While it is set, answers may be sent to the receiver, which is no AWS host.
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ];
        let environment = [&keys, environment].concat();
        Self {
            process: Process::start(&binary(name), &environment).await.unwrap(),
            receiver: Receiver::start().await.unwrap(),
        }
    }

    /// Starts a function whose AWS cannot be reached, for what must be answered without it.
    pub(crate) async fn without_aws(resource_type: &str) -> Self {
        Self::with(resource_type, &[]).await
    }

    pub(crate) fn event(
        &self,
        request_type: &str,
        resource_type: &str,
        properties: Value,
    ) -> Value {
        event(
            request_type,
            resource_type,
            properties,
            &self.receiver.url(),
        )
    }

    pub(crate) fn delete(&self, resource_type: &str, id: &str, properties: Value) -> Value {
        let mut event = self.event("Delete", resource_type, properties);
        event["PhysicalResourceId"] = id.into();
        event
    }

    /// Invokes the function, whose invocation has to succeed. Returns the last answer's body.
    pub(crate) async fn answer(&mut self, event: &Value) -> Value {
        let before = self.receiver.answers().len();
        let Invoked { outcome, .. } = self.process.invoke(event, LONG).await;
        assert_eq!(outcome, Outcome::Response(json!({ "Done": true })));
        let answers = self.receiver.answers();
        assert_eq!(answers.len(), before + 1, "one answer for one request");
        let Answer { body, bytes, .. } = answers.last().unwrap().clone();
        assert!(bytes.len() <= 4_096, "{} bytes", bytes.len());
        for name in ["RequestId", "StackId", "LogicalResourceId"] {
            assert_eq!(body[name], event[name]);
        }
        body
    }

    /// Returns the reason of an answer, which has to be FAILED.
    pub(crate) async fn reason(&mut self, event: &Value) -> String {
        let body = self.answer(event).await;
        assert_eq!(body["Status"], "FAILED", "{body}");
        body["Reason"].as_str().unwrap().to_owned()
    }

    /// Kills the function. Returns its log, line by line.
    pub(crate) async fn log(self) -> Vec<Value> {
        let log = self.process.stop().await;
        let line = |line| {
            let line: Line = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error}: {line}\nin {log}"));
            Value::Object(line.0)
        };
        log.lines().map(line).collect()
    }
}

/// A line of the log: a JSON object in which each name is unique.
struct Line(Map<String, Value>);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Line;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Line, A::Error> {
        let mut line = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if line.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("{name} is twice")));
            }
        }
        Ok(Line(line))
    }
}

/// Returns properties in a valid form.
pub(crate) fn good(resource_type: &str) -> Value {
    match resource_type {
        PUBLISHED_ZONE => {
            json!({ "HostedZoneId": "Z0000000001", "ParameterPrefix": "/zone-delegation/dev" })
        }
        SUBDOMAIN => json!({ "Subdomain": "dev", "ParentHostedZoneId": "Z0000000001" }),
        _ => json!({ "HostedZoneId": "Z0000000001", "DomainName": "dev.example.com" }),
    }
}

pub(crate) fn with(mut properties: Value, name: &str, value: impl Into<Value>) -> Value {
    properties[name] = value.into();
    properties
}

/// Returns a world on a port, and an access key with all permissions.
pub(crate) async fn world() -> (World, String, String) {
    let world = World::scaled(Settings::default(), 60);
    let (address, _) = world::serve(world.clone()).await.unwrap();
    let keys = world.credentials(ACCOUNT, "", Hand::Person);
    (world, format!("http://{address}"), keys.access_key)
}

/// Returns a service that accepts connections and never answers.
pub(crate) async fn silence() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    address
}

/// Returns a service that refuses every call as AWS does when a signature does not match: with the request,
/// and so with its session token.
pub(crate) async fn signature_does_not_match() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 16_384];
            let length = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..length]).replace("\r\n", "\n");
            let message = format!(
                "The request signature we calculated does not match. The Canonical String for this request should have \
                 been\n'{}'\u{202e}",
                request.replace(": ", ":")
            );
            let body = if request.contains("x-amz-target") {
                json!({ "__type": "SignatureDoesNotMatch", "message": message }).to_string()
            } else {
                format!(
                    "<?xml version=\"1.0\"?><ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>\
                     <Message>{}</Message></Error><RequestId>1-2-3</RequestId></ErrorResponse>",
                    message.replace('&', "&amp;")
                )
            };
            let response = format!(
                "HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    address
}
