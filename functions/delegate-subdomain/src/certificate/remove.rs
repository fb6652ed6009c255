//! Deletes a certificate, with its CNAMEs if that is wanted.

use super::{
    Certificates,
    acm::{Acm, Deleted},
    arn::CertificateArn,
    described::{Certificate, ValidationRecord},
    error::Error,
    properties::{Records, RecordsOnDelete},
    validation_zones::ValidationZones,
};
use custom_resource::{Invocation, Request};
use dns_zones::dns::Transport;
use std::{collections::BTreeSet, time::Duration};

/// How long after a request a Region is asked again that does not answer. A function whose network leads to its own
/// Region alone must not fail a Delete for that.
const REGIONS_ANSWER: Duration = Duration::from_secs(300);

/// Where the CNAMEs are that are to be deleted.
pub(super) struct RecordsPlace {
    /// None if they are to stay.
    pub(super) zones: Option<ValidationZones>,
    /// Whether a Region that does not answer is asked again.
    pub(super) waits_for_regions: bool,
}

/// How far a removal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    Wholly,
    /// It exists still. What has to happen first, to follow "waiting for".
    NotYet(String),
}

impl<T: Transport> Certificates<T> {
    /// Reads the zones from which CNAMEs are to be deleted, if any.
    pub(super) async fn place(
        &self,
        records: &Records,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<RecordsPlace, Error> {
        let zones = match records.on_delete {
            RecordsOnDelete::Keep => None,
            RecordsOnDelete::Delete => Some(self.existing_zones(&records.zones).await?),
        };
        let age = invocation.clock.since(request.requested_at);
        Ok(RecordsPlace {
            zones,
            waits_for_regions: age < REGIONS_ANSWER,
        })
    }

    /// Deletes a certificate that nothing uses. It is this resource's: the caller has checked that.
    ///
    /// The CNAMEs are deleted first: a process killed in between would otherwise leave them, and nothing would name them
    /// any more.
    pub(super) async fn remove(
        &self,
        acm: &Acm,
        certificate: &Certificate,
        place: &RecordsPlace,
    ) -> Result<Removed, Error> {
        let arn = &certificate.arn;
        if !certificate.in_use_by.is_empty() {
            let users = &certificate.in_use_by;
            tracing::info!(arn = arn.as_str(), ?users, "the certificate is in use");
            let users = users.join(", ");
            return Ok(Removed::NotYet(format!(
                "certificate {arn} to be let go by {users}"
            )));
        }
        let records = certificate.known_records();
        let deleted = self.remove_records(acm, arn, &records, place).await?;
        if let Deleted::NotYet(error) = acm.delete(arn).await? {
            // The certificate may stay, and its renewal needs its CNAMEs.
            if let Some(zones) = &place.zones {
                self.put_records(&deleted, zones).await?;
            }
            tracing::info!(%error, "the certificate cannot be deleted yet");
            return Ok(Removed::NotYet(format!(
                "ACM to delete certificate {arn}, which it refused: {error}"
            )));
        }
        if deleted.len() < records.len() {
            // Of two certificates deleted at once each may have left the CNAMEs to the other. The last one sees it.
            self.remove_records(acm, arn, &records, place).await?;
        }
        Ok(Removed::Wholly)
    }

    /// Deletes those of a certificate's CNAMEs that no other certificate needs, if that is wanted, and returns them.
    pub(super) async fn remove_records(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        records: &BTreeSet<ValidationRecord>,
        place: &RecordsPlace,
    ) -> Result<BTreeSet<ValidationRecord>, Error> {
        let Some(zones) = place.zones.as_ref().filter(|_| !records.is_empty()) else {
            return Ok(BTreeSet::new());
        };
        let free = self.of_no_other(acm, arn, records, place).await?;
        self.delete_records(&free, zones).await?;
        Ok(free)
    }
}
