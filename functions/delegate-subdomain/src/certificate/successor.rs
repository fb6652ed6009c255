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
    acm::Listing,
    arn::CertificateArn,
    described::Listed,
    error::Error,
    ownership::{Tags, zones_of},
    plan::Phase,
    properties::{Records, Wanted},
    remove::Removed,
};
use custom_resource::{Claim, Invocation, Outlook, REQUEST_TAG, Request};
use dns_check::Transport;
use hosted_zones::DomainName;

/// On the old certificate: `REGION/NAME/REQUEST` of the one that is to replace it, where `REQUEST` is what its
/// [`REQUEST_TAG`] has. A tag's value holds no `*`, so the name is without it. Release 0.2.0 noted no request: what it
/// noted cannot be told from a certificate that was kept on purpose, and is left alone.
const SUCCESSOR_TAG: &str = "zone-delegation:successor";
/// On a certificate, as the last act before the Create or Update that requested it is answered SUCCESS.
pub(super) const SETTLED_TAG: &str = "zone-delegation:settled";

/// What a [`SUCCESSOR_TAG`] says.
struct Successor<'a> {
    region: &'a str,
    name: DomainName,
    /// The [`REQUEST_TAG`] of the certificate.
    request: &'a str,
}

impl<'a> Successor<'a> {
    fn of(tags: &'a Tags) -> Option<Self> {
        let mut parts = tags.get(SUCCESSOR_TAG)?.splitn(3, '/');
        Some(Self {
            region: parts.next()?,
            name: DomainName::from_service(parts.next()?),
            request: parts.next()?,
        })
    }

    /// Whether a certificate with these tags is the successor, and no Update has finished it.
    fn is_unsettled(&self, tags: &Tags) -> bool {
        tags.get(REQUEST_TAG).map(String::as_str) == Some(self.request)
            && !tags.contains_key(SETTLED_TAG)
    }
}

impl<T: Transport> Certificates<T> {
    /// Notes the successor that is about to be requested. What an earlier note leads to is removed first.
    pub(super) async fn note_successor(
        &self,
        current: &CertificateArn,
        request: &Request,
        wanted: &Wanted,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let name = wanted.names.domain.base.as_str();
        let made_by = &request.ownership_tags()[REQUEST_TAG];
        let note = format!("{}/{name}/{made_by}", self.region_of(wanted));
        let acm = self.acm(Some(current.region()));
        let noted = async {
            let Some(tags) = acm.tags(current).await? else {
                return Ok(());
            };
            if tags.get(SUCCESSOR_TAG) == Some(&note) {
                return Ok(());
            }
            let records = Records::of(&request.old_properties);
            self.remove_unsettled(&tags, records, request, invocation)
                .await?;
            acm.add_tags(current, &Tags::from([(SUCCESSOR_TAG.to_owned(), note)]))
                .await?;
            Ok(())
        };
        // A certificate in a Region that the function may no longer change: an Update must not fail for that.
        tolerate(noted.await, "the successor could not be noted")
    }

    /// Marks the certificate that a Create answers, or an Update if that is another than before.
    pub(super) async fn settle(&self, arn: &CertificateArn) -> Result<(), Error> {
        let mark = Tags::from([(SETTLED_TAG.to_owned(), "true".to_owned())]);
        Ok(self.acm(Some(arn.region())).add_tags(arn, &mark).await?)
    }

    /// Deletes what the note in these tags leads to and no Update has finished. `records` are those of the certificate
    /// that has the tags.
    pub(super) async fn remove_unsettled(
        &self,
        tags: &Tags,
        mut records: Records,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let Some(successor) = Successor::of(tags) else {
            return Ok(());
        };
        let owner = request.owner();
        let removed = async {
            let acm = self.acm(Some(successor.region));
            let is_named = |listed: &Listed| listed.domain.base == successor.name;
            for listed in acm.list(Listing::Requested, is_named).await? {
                if listed.arn.as_str() == request.physical_id() {
                    continue;
                }
                let Some(tags) = acm.tags(&listed.arn).await? else {
                    continue;
                };
                let is_own = matches!(owner.claim(&tags), Claim::Own { .. });
                if !is_own || !successor.is_unsettled(&tags) {
                    continue;
                }
                tracing::info!(
                    arn = listed.arn.as_str(),
                    "removing what an update has begun and not finished"
                );
                records.zones.extend(zones_of(&tags));
                let place = self.place(&records, request, invocation).await?;
                let removed = self.remove(&acm, &listed.arn, Phase::Certificate, &place);
                warn_if_left(&removed.await?);
            }
            Ok(())
        };
        tolerate(
            removed.await,
            "what an update has begun could not be removed",
        )
    }
}

/// Logs that a leftover could not be deleted yet. The request goes on without it.
pub(super) fn warn_if_left(removed: &Removed) {
    if let Removed::NotYet(waiting_for) = removed {
        tracing::warn!(waiting_for, "a leftover of an update could not be deleted");
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
