//! A running function, and what is around it.

use runtime_api::{Answer, Invoked, Outcome, Process, Receiver, binary, event};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use world::{Hand, Settings, World};

pub(crate) const PUBLISHED_ZONE: &str = "Custom::PublishedZone";
pub(crate) const SUBDOMAIN: &str = "Custom::DelegatedSubdomain";
pub(crate) const CERTIFICATE: &str = "Custom::SubdomainCertificate";
pub(crate) const TYPES: [&str; 3] = [PUBLISHED_ZONE, SUBDOMAIN, CERTIFICATE];

/// An id as a failed Create that made nothing is answered with.
pub(crate) const REFUSED_ID: &str = "refused-0123456789abcdef0123456789abcdef";
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYSECRETKEY";
pub(crate) const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJrSECRETTOKEN";
pub(crate) const ACCOUNT: &str = "111122223333";

/// Longer than anything here takes, and what a Delete with a drain has to be given.
pub(crate) const LONG: Duration = Duration::from_secs(150);

/// A running function, and where its answers go.
pub(crate) struct Stage {
    pub(crate) process: Process,
    pub(crate) receiver: Receiver,
}

impl Stage {
    /// The function that serves a resource type, with these variables in its environment.
    pub(crate) async fn with(resource_type: &str, environment: &[(&str, &str)]) -> Self {
        let name = if resource_type == PUBLISHED_ZONE {
            "publish-zone"
        } else {
            "delegate-subdomain"
        };
        let keys = [
            ("AWS_ACCESS_KEY_ID", "AKIAWORLD"),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ];
        let environment = [&keys, environment].concat();
        Self {
            process: Process::start(&binary(name), &environment).await.unwrap(),
            receiver: Receiver::start().await.unwrap(),
        }
    }

    /// One whose AWS is not there: what must be answered without it.
    pub(crate) async fn without_aws(resource_type: &str) -> Self {
        Self::with(resource_type, &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]).await
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

    /// Invokes, for an invocation that ends as a success; the last answer's body.
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

    /// The reason, where FAILED is answered.
    pub(crate) async fn reason(&mut self, event: &Value) -> String {
        let body = self.answer(event).await;
        assert_eq!(body["Status"], "FAILED", "{body}");
        body["Reason"].as_str().unwrap().to_owned()
    }

    /// Kills the function. Its log, line by line.
    pub(crate) async fn log(self) -> Vec<Value> {
        let log = self.process.stop().await;
        let line = |line| {
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}\nin {log}"))
        };
        log.lines().map(line).collect()
    }
}

/// Properties that are right in form.
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

/// A world on a port, and a key of it that may do anything.
pub(crate) async fn world() -> (World, String, String) {
    let world = World::scaled(Settings::default(), 60);
    let (address, _) = world::serve(world.clone()).await.unwrap();
    let keys = world.credentials(ACCOUNT, "", Hand::Person);
    (world, format!("http://{address}"), keys.access_key)
}

/// A service that takes connections and never says anything.
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
