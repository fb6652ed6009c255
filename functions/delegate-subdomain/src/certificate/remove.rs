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

/// Where the CNAMEs stand that are to go.
pub(super) struct RecordsPlace {
    /// None where they are to stay.
    zones: Option<ValidationZones>,
    /// Regions where this resource may have another certificate, of before or after an Update. ACM gives an account the
    /// same CNAME in every Region, so that one needs it as well.
    regions: BTreeSet<String>,
}

impl RecordsPlace {
    pub(super) async fn of<T: Transport>(
        wanted: &Wanted,
        certificates: &Certificates<T>,
    ) -> Result<Self, Error> {
        let zones = match wanted.records_on_delete {
            RecordsOnDelete::Keep => None,
            RecordsOnDelete::Delete => Some(certificates.standing_zones(wanted).await?),
        };
        Ok(Self {
            zones,
            regions: BTreeSet::new(),
        })
    }

    /// For a certificate whose properties are not known.
    pub(super) fn unknown() -> Self {
        Self {
            zones: None,
            regions: BTreeSet::new(),
        }
    }

    /// Spares what this resource's certificates in these Regions need.
    pub(super) fn sparing<'a>(mut self, regions: impl IntoIterator<Item = &'a str>) -> Self {
        self.regions.extend(regions.into_iter().map(str::to_owned));
        self
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
            if let Some(zones) = &place.zones {
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
        let Some(zones) = place.zones.as_ref().filter(|_| !records.is_empty()) else {
            return Ok(BTreeSet::new());
        };
        let free = self.of_no_other(acm, arn, records, &place.regions).await?;
        self.take_out_records(&free, zones).await?;
        Ok(free)
    }
}
