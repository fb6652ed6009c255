//! What an Update has begun and nobody has finished.
//!
//! An Update that replaces a certificate can die, and so can the Update that rolls it back. Then the stack can only be
//! deleted, and the Delete that comes knows the old certificate alone. So the old one carries a note of where its
//! successor is to be found, and a successor whose Update came to its end a mark that says so. A Delete removes what is
//! noted and has no mark; after an Update that went well it finds the mark, and spares what is in force now.
//!
//! One case stays open, on the safe side: an Update that is killed between the mark and its answer, in each of its
//! attempts, and whose rollback is killed in each of its own. The successor then stands, with this stack's tags.

use super::{
    Certificates,
    arn::CertificateArn,
    error::Error,
    ownership::zones_of,
    properties::{CertificateName, Wanted},
    remove::{RecordsPlace, Removed},
};
use custom_resource::{Claim, Outlook, Request};
use dns_zones::{DomainName, dns::Transport};
use std::collections::BTreeMap;

/// On the old certificate: `REGION/NAME` of the one that is to replace it. A tag's value holds no `*`, so the name is
/// without it.
const SUCCESSOR_TAG: &str = "zone-delegation:successor";
/// On the new one, once its Update has come to its end: the Region of the one before, which an Update that rolls back
/// puts in force again.
const SETTLED_TAG: &str = "zone-delegation:settled";

/// The mark where that Region is not known.
const NO_REGION: &str = "true";

/// The Regions in which, by its tags, a certificate has a successor or a predecessor.
pub(super) fn regions_of(tags: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let successor = tags
        .get(SUCCESSOR_TAG)
        .and_then(|note| note.split_once('/'))
        .map(|(region, _)| region);
    let before = tags.get(SETTLED_TAG).map(String::as_str);
    successor
        .into_iter()
        .chain(before.filter(|region| *region != NO_REGION))
}

impl<T: Transport> Certificates<T> {
    /// Notes the successor that is about to be requested. What an earlier note leads to is removed first.
    pub(super) async fn note_successor(
        &self,
        current: &CertificateArn,
        request: &Request,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        let name = wanted.names.domain.base.as_str();
        let note = format!("{}/{name}", self.region_of(wanted));
        let acm = self.acm(Some(current.region()));
        let noted = async {
            let Some(tags) = acm.tags(current).await? else {
                return Ok(());
            };
            if tags.get(SUCCESSOR_TAG) == Some(&note) {
                return Ok(());
            }
            self.remove_unsettled(
                current,
                &tags,
                request,
                Wanted::parse(&request.old_properties).ok().as_ref(),
            )
            .await?;
            acm.add_tags(current, &BTreeMap::from([(SUCCESSOR_TAG.to_owned(), note)]))
                .await?;
            Ok(())
        };
        // A certificate in a Region that the function may no longer change: an Update must not fail for that.
        tolerate(noted.await, "the successor could not be noted")
    }

    /// Marks the certificate that an Update answers, where that is another than before.
    pub(super) async fn settle(
        &self,
        arn: &CertificateArn,
        before: Option<&CertificateArn>,
    ) -> Result<(), Error> {
        let region = before.map_or(NO_REGION, CertificateArn::region);
        let mark = BTreeMap::from([(SETTLED_TAG.to_owned(), region.to_owned())]);
        Ok(self.acm(Some(arn.region())).add_tags(arn, &mark).await?)
    }

    /// Removes what the note in the tags of `current` leads to and no Update has finished. Its CNAMEs are treated as
    /// `properties` say, which are those of `current`.
    pub(super) async fn remove_unsettled(
        &self,
        current: &CertificateArn,
        tags: &BTreeMap<String, String>,
        request: &Request,
        properties: Option<&Wanted>,
    ) -> Result<(), Error> {
        let Some((region, name)) = tags
            .get(SUCCESSOR_TAG)
            .and_then(|note| note.split_once('/'))
        else {
            return Ok(());
        };
        let name = DomainName::from_service(name);
        let is_named = |domain: &CertificateName| domain.base == name;
        let owner = request.owner();
        let removed = async {
            let acm = self.acm(Some(region));
            for listed in acm
                .list(|listed| listed.arn != *current && is_named(&listed.domain))
                .await?
            {
                let Some(tags) = acm.tags(&listed.arn).await? else {
                    continue;
                };
                let is_own = matches!(owner.claim(&tags), Claim::Own { .. });
                if !is_own
                    || tags.contains_key(SETTLED_TAG)
                    || listed.arn.as_str() == request.physical_id()
                {
                    continue;
                }
                let Some(certificate) = acm.describe(&listed.arn).await? else {
                    continue;
                };
                tracing::info!(
                    arn = listed.arn.as_str(),
                    "removing what an update has begun and not finished"
                );
                let place = match properties {
                    Some(properties) => {
                        let mut properties = properties.clone();
                        properties.zones.extend(zones_of(&tags));
                        RecordsPlace::of(&properties, self)
                            .await?
                            .sparing([current.region()])
                    }
                    None => RecordsPlace::unknown(),
                };
                if let Removed::InUse { users } = self.remove(&acm, &certificate, &place).await? {
                    tracing::warn!(
                        arn = listed.arn.as_str(),
                        ?users,
                        "left standing: it is in use"
                    );
                }
            }
            Ok(())
        };
        tolerate(
            removed.await,
            "what an update has begun could not be removed",
        )
    }
}

/// Takes an error that no waiting mends for a warning.
pub(super) fn tolerate(result: Result<(), Error>, warning: &'static str) -> Result<(), Error> {
    match result {
        Err(error) if error.trouble().outlook != Outlook::Passing => {
            tracing::error!(%error, warning);
            Ok(())
        }
        result => result,
    }
}
