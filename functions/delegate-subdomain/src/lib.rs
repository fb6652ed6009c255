//! `delegate-subdomain`: the Lambda function of a consumer account.
//!
//! 1. **A resource type's folder reads top to bottom**: properties, create, update, delete. It says *what* must
//!    hold; `hosted_zones` and the modules over the other services say *how*.
//! 2. **Level-triggered.** Nothing is remembered between two calls that cannot be found again by what stands: a
//!    process killed at any point leaves what the next call, or the stack's rollback, finds and finishes.
//! 3. **The order is the safety.** A name is delegated only to a zone that exists, and a zone goes only after every
//!    name server of Route 53 has forgotten that it was delegated to.

mod certificate;
mod error;
mod network;
mod public_zone;
mod region;
mod subdomain;
mod waiter;

use aws_types::SdkConfig;
use certificate::Certificates;
use custom_resource::{Failure, Invocation, Request, ResourceTypes, Step, Success};
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
    /// Over the SDK's configuration, from which all clients are made, and DNS.
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
        // Boxed: each holds a future for each of its AWS calls, and the layers above would each hold it again.
        match request.resource_type.as_str() {
            SUBDOMAIN => Box::pin(self.subdomains.advance(request, progress, invocation)).await,
            CERTIFICATE => Box::pin(self.certificates.advance(request, progress, invocation)).await,
            // A Delete: whatever it was made for, nothing of another type was made here.
            _ => Ok(Step::Done(Success::new(request.physical_id()))),
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
            // What stands of a subdomain is found and removed by its Delete.
            _ => None,
        }
    }
}
