//! `Custom::SubdomainCertificate`: a certificate of ACM, validated by CNAMEs in zones of this account.
//!
//! 1. **Whose a certificate is, its tags say**, which it carries from `RequestCertificate` on. What this resource has
//!    is found by them, never remembered.
//! 2. **SUCCESS means ISSUED.** Until then each call looks once: at the certificate, at its CNAMEs, and at DNS from the
//!    outside, so that a certificate which can never be issued is answered with the cause ([`diagnosis`]).
//! 3. **What fails leaves nothing.** A certificate that was not issued is deleted before FAILED is answered. Where that
//!    does not work, the answer names it, and the stack's rollback deletes it.
//! 4. **A CNAME is shared.** ACM gives one account the same CNAME for the same name, whatever certificate asks. It is
//!    made by CREATE alone, taken as it is where it stands, and goes only when no other certificate needs it.

mod acm;
mod arn;
mod cause;
mod create;
mod delete;
mod described;
mod diagnosis;
mod error;
mod issue;
mod observed;
mod ownership;
mod plan;
mod progress;
mod properties;
mod remove;
mod successor;
mod undo;
mod update;
mod validation_records;
mod validation_zones;

use acm::Acm;
use arn::CertificateArn;
use aws_types::SdkConfig;
use custom_resource::{Failure, Invocation, Outlook, Request, RequestType, Step, Success};
use dns_check::{Dns, Transport};
use hosted_zones::Route53;
use progress::Progress;
use properties::Wanted;
use serde_json::Value;

/// The resource type, with what it needs of the world.
#[derive(Debug)]
pub(crate) struct Certificates<T> {
    /// From which the clients for ACM are made: one for each Region.
    config: SdkConfig,
    route53: Route53,
    dns: Dns<T>,
}

impl<T: Transport> Certificates<T> {
    pub(crate) fn new(config: &SdkConfig, dns: Dns<T>) -> Self {
        Self {
            config: config.clone(),
            route53: Route53::new(aws_sdk_route53::Client::new(config)),
            dns,
        }
    }

    pub(crate) async fn advance(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Result<Step, Failure> {
        let mut progress = Progress::read(progress);
        let step = match request.request_type {
            RequestType::Create => self.create(request, &mut progress, invocation).await,
            RequestType::Update => self.update(request, &mut progress, invocation).await,
            RequestType::Delete => self.delete(request, &mut progress, invocation).await,
        };
        let trouble = match step {
            Ok(step) => return Ok(step),
            Err(error) => error.trouble(),
        };
        if trouble.outlook == Outlook::Passing {
            progress.failed = Some(trouble.reason.clone());
        }
        let progress_so_far = Some(progress.write());
        match trouble.settle(request, invocation, progress_so_far, None) {
            Ok(wait) => Ok(wait),
            Err(failure) => Err(self
                .undo_before(failure, request, &progress, invocation)
                .await),
        }
    }

    /// ACM in a Region; in the function's own where none is named.
    fn acm(&self, region: Option<&str>) -> Acm {
        Acm::new(&self.config, region)
    }
}

/// The answer for a certificate that is issued.
fn success(arn: &CertificateArn, wanted: &Wanted) -> Success {
    Success::new(arn.as_str())
        .attribute("CertificateArn", arn.as_str())
        .attribute("DomainName", wanted.names.domain.to_string())
        .attribute("Region", arn.region())
}
