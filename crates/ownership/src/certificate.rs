//! Decides who owns a certificate, and what a request may do with it. Everything that this project
//! writes to a certificate can be changed later, so its tags alone decide.
//!
//! A certificate has the ownership tags from `RequestCertificate` on. Two more tags say how far the Create or Update that
//! requested it came:
//!
//! 1. An Update that replaces a certificate notes on the old one how to find the new one
//!    ([`Successor`]). If that Update dies, and its rollback too, the stack can only be deleted,
//!    and the Delete knows only the old certificate. It deletes what the note names.
//! 2. [`tags::SETTLED`] is written to a certificate as the last act before SUCCESS. A certificate
//!    with this tag is neither undone nor deleted as the successor in a note.
//!
//! One case remains, on the safe side: an Update is killed between that last act and its answer, in
//! each of its attempts, and its rollback is killed in each of its own. The new certificate then
//! remains, with this stack's tags.

use crate::{
    Creation, Owner, Requester, Stage, TagOwner,
    tags::{self, Tags},
};
use custom_resource::{Request, sha256_hex};
use hosted_zones::{DomainName, HostedZoneId};
use std::fmt;

/// Longest value of a tag, in characters (<https://docs.aws.amazon.com/acm/latest/APIReference/API_Tag.html>).
const LONGEST_VALUE: usize = 256;

/// What a request does with a certificate that is not its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Deletes it.
    Delete,
    /// Returns it: the rename of the logical id is rolled back.
    Return {
        /// The logical id that had it before.
        to: String,
    },
    /// Ends the rename of the logical id: from now on a Delete of the new one deletes the
    /// certificate.
    EndRenaming,
    /// Does not change it.
    Leave,
}

/// Returns what a request may do with a certificate that has these tags. An Update may delete what a failed Update left,
/// and nothing else.
#[must_use]
pub fn fate(request: &Request, arn: &str, tags: &Tags) -> Fate {
    let creation = Creation::of_tags(tags);
    let stage = if is_settled(tags) {
        Stage::Created
    } else {
        Stage::Creating
    };
    let is_named = request.physical_id() == arn;
    match TagOwner::of(tags, &request.owner()) {
        TagOwner::ThisResource {
            transferred_from: Some(to),
        } => Fate::Return { to },
        TagOwner::ThisResource {
            transferred_from: None,
        } => {
            let may_delete = if is_named {
                request.may_delete_named(creation.as_ref())
            } else {
                request.may_delete_unnamed(creation.as_ref(), stage)
            };
            if may_delete {
                Fate::Delete
            } else {
                Fate::Leave
            }
        }
        TagOwner::OtherLogicalId {
            transferred_from_here: true,
            ..
        } if is_named => Fate::EndRenaming,
        _ => Fate::Leave,
    }
}

/// Returns whether a certificate is deleted if `request` fails: this request asked ACM for it, in
/// this or another delivery, and no delivery can have been answered SUCCESS.
#[must_use]
pub fn is_undone_with(request: &Request, tags: &Tags) -> bool {
    let is_by_it = Creation::of_tags(tags).is_some_and(|by| by.is_by(request));
    let is_own = TagOwner::of(tags, &request.owner()).is_this_resource();
    is_by_it && is_own && !is_settled(tags)
}

/// Returns whether `owner` may use a certificate that exists: it has it, or one of its `former` logical ids does.
#[must_use]
pub fn is_usable(owner: &Owner, former: &[String], tags: &Tags) -> bool {
    match TagOwner::of(tags, owner) {
        TagOwner::ThisResource { .. } => true,
        TagOwner::OtherLogicalId {
            logical_id,
            transferred_from_here,
        } => transferred_from_here || former.contains(&logical_id),
        TagOwner::Nobody | TagOwner::OtherStack(_) => false,
    }
}

/// Returns the tags that transfer a certificate to this owner, if they name another logical id now.
#[must_use]
pub fn transfer_tags(owner: &Owner, present: &Tags) -> Tags {
    match TagOwner::of(present, owner) {
        TagOwner::OtherLogicalId { logical_id, .. } => owner.tags_of_transfer(&logical_id),
        _ => Tags::new(),
    }
}

/// Returns the tags that return a certificate to the logical id from which it was transferred. They are written before
/// [`transfer_keys`] are deleted: if the second call is never made, the certificate is that logical id's already.
#[must_use]
pub fn return_tags(former: &str) -> Tags {
    Tags::from([(tags::LOGICAL_ID.to_owned(), former.to_owned())])
}

/// Returns the keys of the tags that a transfer writes in addition to the owner.
#[must_use]
pub fn transfer_keys() -> Vec<String> {
    vec![tags::PREVIOUS_LOGICAL_ID.to_owned()]
}

/// Returns the tag of a completed Create or Update, if it is missing.
#[must_use]
pub fn settled_tag(present: &Tags) -> Tags {
    if is_settled(present) {
        return Tags::new();
    }
    Tags::from([(tags::SETTLED.to_owned(), "true".to_owned())])
}

/// Returns whether the Create or Update that requested a certificate is complete.
#[must_use]
pub fn is_settled(tags: &Tags) -> bool {
    tags.contains_key(tags::SETTLED)
}

/// Returns the tags that name the zones in which a certificate's names are validated.
#[must_use]
pub fn zones_tags(zone_ids: &[&str]) -> Tags {
    let mut ids = zone_ids.join(" ");
    let mut tags = Tags::new();
    if ids.len() >= LONGEST_VALUE {
        tags.insert(tags::ZONES_DIGEST.to_owned(), sha256_hex(&[&ids], 32));
        ids.truncate(LONGEST_VALUE);
    }
    tags.insert(tags::ZONES.to_owned(), ids);
    tags
}

/// Returns whether a certificate's tags name other zones than these. Tags without zones name none.
#[must_use]
pub fn is_elsewhere(zone_ids: &[&str], tags: &Tags) -> bool {
    let wanted = zones_tags(zone_ids);
    let mut wanted = wanted.iter();
    wanted.any(|(key, value)| tags.get(key).is_some_and(|present| present != value))
}

/// Returns the tags that a certificate of release 0.2.0 lacks, if its tags cannot be distinguished
/// from those of a certificate in the `wanted` zones although its zones are others. Written before
/// anything is requested, so that a rollback can distinguish the two, too.
#[must_use]
pub fn missing_digest(present: &Tags, own: &[&str], wanted: &[&str]) -> Tags {
    let (own, wanted) = (zones_tags(own), zones_tags(wanted));
    let looks_alike = own != wanted && own[tags::ZONES] == wanted[tags::ZONES];
    if looks_alike && !present.contains_key(tags::ZONES_DIGEST) {
        own
    } else {
        Tags::new()
    }
}

/// Returns the zones that a certificate's tags name.
pub fn zones_of(tags: &Tags) -> impl Iterator<Item = HostedZoneId> {
    let ids = tags.get(tags::ZONES);
    let ids = ids.map(String::as_str).unwrap_or_default();
    ids.split(' ').filter_map(|id| HostedZoneId::parse(id).ok())
}

/// The note on a certificate about the one that will replace it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The Region of the new certificate.
    pub region: String,
    /// Its name, without `*.` if it is a wildcard.
    pub name: DomainName,
    /// The [`REQUEST`](tags::REQUEST) of the certificate.
    request: String,
}

impl Successor {
    /// Returns the note in a certificate's tags.
    #[must_use]
    pub fn of(tags: &Tags) -> Option<Self> {
        let mut parts = tags.get(tags::SUCCESSOR)?.splitn(3, '/');
        Some(Self {
            region: parts.next()?.to_owned(),
            name: DomainName::from_service(parts.next()?),
            request: parts.next()?.to_owned(),
        })
    }

    /// Returns the note of this request, which it writes before it requests a certificate.
    #[must_use]
    pub fn of_request(request: &Request, region: &str, name: &DomainName) -> Self {
        Self {
            region: region.to_owned(),
            name: name.clone(),
            request: Creation::tag(request),
        }
    }

    /// Returns the tag of the note.
    #[must_use]
    pub fn tag(&self) -> Tags {
        let note = format!("{}/{}/{}", self.region, self.name.as_str(), self.request);
        Tags::from([(tags::SUCCESSOR.to_owned(), note)])
    }

    /// Returns whether a certificate with these tags is the noted one, provided that it has the
    /// name, and no Update has completed it.
    #[must_use]
    pub fn is_left(&self, tags: &Tags, owner: &Owner) -> bool {
        TagOwner::of(tags, owner).is_this_resource()
            && tags.get(tags::REQUEST) == Some(&self.request)
            && !is_settled(tags)
    }
}

/// Prints the owner, for example `of Zone in stack/dev/1 since request 0123.../1795500060, settled`.
#[derive(Debug)]
pub struct Shown<'a>(pub &'a Tags);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = |key: &str| self.0.get(key).map(String::as_str);
        write!(f, "{}", tags::ShownOwner(self.0))?;
        if let Some(request) = tag(tags::REQUEST) {
            write!(f, ", created by request {request}")?;
        }
        if let Some(former) = tag(tags::PREVIOUS_LOGICAL_ID) {
            write!(f, ", transferred from {former}")?;
        }
        if let Some(successor) = tag(tags::SUCCESSOR) {
            write!(f, ", to be replaced by {successor}")?;
        }
        if is_settled(self.0) {
            f.write_str(", settled")?;
        }
        Ok(())
    }
}
