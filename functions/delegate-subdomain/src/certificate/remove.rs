//! Taking a certificate away, with its CNAMEs where that is wanted.

use super::{
    Certificates,
    acm::{Acm, Deleted},
    arn::CertificateArn,
    described::{Certificate, ValidationRecord},
    error::Error,
    properties::{RecordsOnDelete, Wanted},
    validation_zones::ValidationZones,
};
use dns_zones::dns::Transport;
use std::collections::BTreeSet;

/// Where the CNAMEs stand that are to go; none where they are to stay.
pub(super) struct RecordsPlace(Option<ValidationZones>);

impl RecordsPlace {
    pub(super) async fn of<T: Transport>(
        wanted: &Wanted,
        certificates: &Certificates<T>,
    ) -> Result<Self, Error> {
        Ok(Self(match wanted.records_on_delete {
            RecordsOnDelete::Keep => None,
            RecordsOnDelete::Delete => Some(certificates.standing_zones(wanted).await?),
        }))
    }

    /// For a certificate whose properties are not known.
    pub(super) fn unknown() -> Self {
        Self(None)
    }
}

/// How far a removal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    Wholly,
    /// It stands, because these use it; ACM does not always know who.
    InUse {
        users: Vec<String>,
    },
}

impl<T: Transport> Certificates<T> {
    /// Deletes a certificate that nothing uses. It is this resource's: the caller has looked.
    ///
    /// The CNAMEs go first, or a process killed in between would leave them and know nothing of them any more.
    pub(super) async fn remove(
        &self,
        acm: &Acm,
        certificate: &Certificate,
        place: &RecordsPlace,
    ) -> Result<Removed, Error> {
        if !certificate.in_use_by.is_empty() {
            return Ok(Removed::InUse {
                users: certificate.in_use_by.clone(),
            });
        }
        let records = certificate.known_records();
        let gone = self
            .remove_records(acm, &certificate.arn, &records, place)
            .await?;
        if acm.delete(&certificate.arn).await? == Deleted::InUse {
            // Someone has begun to use it in between: it has to be renewed, and so needs its CNAMEs.
            if let Some(zones) = &place.0 {
                self.put_records(&gone, zones).await?;
            }
            return Ok(Removed::InUse { users: Vec::new() });
        }
        if gone.len() < records.len() {
            // Of two certificates deleted at once each may have left the CNAMEs to the other. The last one sees it.
            self.remove_records(acm, &certificate.arn, &records, place)
                .await?;
        }
        Ok(Removed::Wholly)
    }

    /// Removes those of a certificate's CNAMEs that are to go and that no other needs, and says which.
    pub(super) async fn remove_records(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        records: &BTreeSet<ValidationRecord>,
        place: &RecordsPlace,
    ) -> Result<BTreeSet<ValidationRecord>, Error> {
        let Some(zones) = place.0.as_ref().filter(|_| !records.is_empty()) else {
            return Ok(BTreeSet::new());
        };
        let free = self.of_no_other(acm, arn, records).await?;
        self.take_out_records(&free, zones).await?;
        Ok(free)
    }
}
