//! `Custom::DelegatedSubdomain`: a subdomain's zone and its NS record set in the parent.

mod create;
mod delegate;
mod delegation;
mod delete;
mod delete_zone;
mod half_made;
mod ownership;
mod parent;
pub(crate) mod properties;
mod remove;
mod update;

use crate::network::Roles;
use aws_types::SdkConfig;
use custom_resource::{Failure, Invocation, Request, RequestType, Step, Success};
use delegation::{Delegation, Proof};
use dns_check::{Dns, Transport};
use hosted_zones::{HostedZone, Route53};
use parent::Parent;
use serde_json::Value;

/// The resource type, with what it needs of the world.
#[derive(Debug)]
pub(crate) struct Subdomains<T> {
    /// This account's Route 53.
    route53: Route53,
    /// Other accounts', by their delegation roles.
    roles: Roles,
    dns: Dns<T>,
}

impl<T: Transport> Subdomains<T> {
    pub(crate) fn new(config: &SdkConfig, dns: Dns<T>) -> Self {
        Self {
            route53: Route53::new(aws_sdk_route53::Client::new(config)),
            roles: Roles::new(config),
            dns,
        }
    }

    pub(crate) async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        // What a Create has made when it fails, so that its FAILED answer names it; an Update takes it back.
        let mut made = None;
        let step = match request.request_type {
            RequestType::Create => self
                .create(request, invocation, &mut made)
                .await
                .map(Step::Done),
            RequestType::Update => self
                .update(request, invocation, &mut made)
                .await
                .map(Step::Done),
            RequestType::Delete => self.delete(request, progress.clone(), invocation).await,
        };
        let error = match step {
            Ok(step) => return Ok(step),
            Err(error) => error,
        };
        let id = made.as_ref().map(ToString::to_string);
        let settled = error.trouble().settle(request, invocation, progress, id);
        if settled.is_err()
            && request.request_type == RequestType::Update
            && let Some(made) = made
        {
            Box::pin(self.take_back(&made, request, invocation)).await;
        }
        settled
    }
}

/// The answer for a delegation that stands. It keeps the request's own id if that names this delegation.
fn success(request: &Request, zone: &HostedZone, parent: &Parent, proof: Proof) -> Success {
    let delegation = Delegation::new(zone, &parent.id, &request.owner(), proof);
    let id = match Delegation::parse(request.physical_id()) {
        Some(current) if current.is_same(&delegation) => current,
        _ => delegation,
    };
    Success::new(id.to_string())
        .attribute("HostedZoneId", zone.id.as_str())
        .attribute("DomainName", zone.name.as_str())
        .attribute("NameServers", zone.name_servers.to_string())
        .attribute("ParentHostedZoneId", parent.id.as_str())
        .attribute("ParentDomainName", parent.name.as_str())
}
