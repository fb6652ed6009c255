//! `publish-zone`: the Lambda function of the networking account.
//!
//! It publishes a delegated zone for the consumer accounts: its id, name and name servers, in SSM Parameter
//! Store. Tags, which are written together with a parameter, name its owner. A parameter without these tags
//! is never overwritten and never deleted.

mod act;
mod error;
mod observed;
mod parameters;
mod plan;
mod properties;
mod published_zone;

use aws_types::SdkConfig;
use custom_resource::{Failure, Invocation, Request, ResourceTypes, Step};
use published_zone::PublishedZones;
use serde_json::Value;

/// The resource type of this function.
#[derive(Debug)]
pub struct PublishZone {
    zones: PublishedZones,
}

impl PublishZone {
    /// Creates the resource type with the SDK's configuration, from which all clients are created.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            zones: PublishedZones::new(config),
        }
    }
}

impl ResourceTypes for PublishZone {
    fn names(&self) -> &'static [&'static str] {
        &["Custom::PublishedZone"]
    }

    async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        // Boxed: it contains a future for each AWS call, and the callers would each contain it again.
        Box::pin(self.zones.advance(request, progress, invocation)).await
    }

    /// Does nothing: the Delete of an unfinished request finds and removes what it wrote.
    async fn abandon(&self, _: &Request, _: Option<Value>, _: &Invocation) -> Option<String> {
        None
    }
}
