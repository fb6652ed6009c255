//! `delegate-subdomain`: the Lambda function of a consumer account.
//!
//! 1. **Each resource type is a loop**: observe what exists, plan, act. `hosted_zones` and the modules for
//!    the other services make the calls.
//! 2. **Level-triggered.** Everything that a later call needs can be found again from what exists: if a
//!    process is killed at any point, the next call, or the stack's rollback, finds what it left and
//!    completes it.
//! 3. **The order makes it safe.** A name is delegated only to a zone that exists, and a zone is deleted only
//!    after every name server of Route 53 has deleted its delegation.

mod certificate;
mod error;
mod network;
mod public_zone;
mod region;
mod subdomain;
mod waiter;

use aws_types::SdkConfig;
use certificate::Certificates;
use custom_resource::{Failure, Invocation, Request, ResourceTypes, Step};
use dns_check::{Dns, Transport};
use serde_json::Value;
use subdomain::Subdomains;
pub use waiter::StateMachine;

/// The resource types of this function.
#[derive(Debug)]
pub struct DelegateSubdomain<T> {
    subdomains: Subdomains<T>,
    certificates: Certificates<T>,
}

const SUBDOMAIN: &str = "Custom::DelegatedSubdomain";
const CERTIFICATE: &str = "Custom::SubdomainCertificate";

impl<T: Transport + Clone> DelegateSubdomain<T> {
    /// Creates the resource types with the SDK's configuration, from which all clients are created, and DNS.
    pub fn new(config: &SdkConfig, dns: Dns<T>) -> Self {
        Self {
            subdomains: Subdomains::new(config, dns.clone()),
            certificates: Certificates::new(config, dns),
        }
    }
}

impl<T: Transport> ResourceTypes for DelegateSubdomain<T> {
    fn names(&self) -> &'static [&'static str] {
        &[SUBDOMAIN, CERTIFICATE]
    }

    async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        // Boxed: each contains a future for each of its AWS calls, and the callers would each contain it
        // again.
        match request.resource_type.as_str() {
            SUBDOMAIN => Box::pin(self.subdomains.advance(request, progress, invocation)).await,
            CERTIFICATE => Box::pin(self.certificates.advance(request, progress, invocation)).await,
            // The protocol answers every other resource type itself.
            other => unreachable!("{other} is not one of the names"),
        }
    }

    async fn abandon(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Option<String> {
        match request.resource_type.as_str() {
            CERTIFICATE => Box::pin(self.certificates.abandon(request, progress, invocation)).await,
            // The Delete of a subdomain finds and removes what exists of it.
            _ => None,
        }
    }
}
