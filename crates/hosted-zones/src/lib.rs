//! Route 53 as this project uses it.
//!
//! 1. **Names are parsed once.** [`DomainName`] and [`HostedZoneId`] are normalized when they are
//!    read, so that comparisons are exact, whatever case, dots and escapes a service writes.
//! 2. **CREATE and DELETE, never UPSERT.** A [`Change`] has no third form, so a record set of
//!    someone else cannot be overwritten. An update is a DELETE of the exact old record set and a
//!    CREATE of the new one in one batch, which Route 53 applies as a whole or not at all.
//! 3. **No zone and no account is listed completely.** A search starts at the exact name and ends
//!    after it, so that its cost does not depend on the size of a zone or of an account. The only
//!    exception is [`Route53::zones_where`].
//! 4. **A change is done when every name server has it**, which is INSYNC
//!    ([`Route53::wait_in_sync`]).
//!
//! This crate knows nothing of CloudFormation, and not who owns a zone or a record set.

mod change;
mod hosted_zone;
mod protections;
mod record_set;
mod record_sets;
mod zones;

pub use aws_sdk_route53::types::RrType;
pub use change::{Change, ChangeError, ChangeId, ChangeState, PROPAGATION, batches};
pub use dns_check::{DomainName, NameError, NameServers};
pub use hosted_zone::{HostedZone, HostedZoneId, IdError, ListedZone};
pub use protections::Protection;
pub use record_set::RecordSet;
pub use record_sets::ReadError;
pub use zones::{CreateError, CreatedZone, Deleted};

use aws_calls::{AwsError, RateLimit};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::{error::Error, future::IntoFuture};

const SERVICE: &str = "Route 53";

/// Route 53 with the permissions of one principal: the function itself, or a delegation role.
#[derive(Clone, Debug)]
pub struct Route53 {
    client: aws_sdk_route53::Client,
    /// The rate limit that its calls share.
    limit: RateLimit,
}

impl Route53 {
    /// Creates it over a client. The client's credentials decide what it can read and change.
    #[must_use]
    pub fn new(client: aws_sdk_route53::Client) -> Self {
        Self {
            client,
            limit: RateLimit::default(),
        }
    }

    /// Sends one call until Route 53 answers it.
    async fn call<T, E, F>(
        &self,
        operation: &'static str,
        target: &str,
        send: impl Fn() -> F,
    ) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: IntoFuture<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        self.limit.call(SERVICE, operation, target, send).await
    }
}
