//! Whose a certificate is, and what a request may do with it: decided by its tags alone. No call, no clock.
//!
//! A certificate has the ownership tags from `RequestCertificate` on. Two more tags say how far the Create or Update that
//! requested it came:
//!
//! 1. An Update that replaces a certificate notes on the old one where the new one is to be found ([`Successor`]). If that
//!    Update dies, and its rollback too, the stack can only be deleted, and the Delete knows the old certificate alone. It
//!    deletes what the note names.
//! 2. [`SETTLED_TAG`] is written on a certificate as the last act before SUCCESS. A certificate that has it is neither
//!    undone nor deleted as what a note names.
//!
//! One case stays open, on the safe side: an Update is killed between that last act and its answer, in each of its
//! attempts, and its rollback is killed in each of its own. The new certificate then stays, with this stack's tags.

use super::{
    arn::CertificateArn,
    described::Certificate,
    properties::{Issue, Wanted},
};
use custom_resource::{
    Claim, Creation, LOGICAL_ID_TAG, Owner, PREVIOUS_LOGICAL_ID_TAG, REQUEST_TAG, Request,
    STACK_ID_TAG, Stage, sha256_hex,
};
use hosted_zones::{DomainName, HostedZoneId};
use std::{collections::BTreeMap, fmt};

/// A certificate's tags.
pub(super) type Tags = BTreeMap<String, String>;

/// Tag that says in which zones a certificate's names are validated. Two certificates with the same names in other
/// zones are two, and nothing else about them tells them apart.
const ZONES_TAG: &str = "zone-delegation:hosted-zone-ids";
/// Longest value of a tag, in characters.
const LONGEST_VALUE: usize = 256;
/// Tag that tells lists of zones apart which begin alike, if one fills that value. Release 0.2.0 did not write it.
const ZONES_DIGEST_TAG: &str = "zone-delegation:hosted-zone-ids-digest";
/// On the old certificate: `REGION/NAME/REQUEST` of the one that is to replace it, where `REQUEST` is what its
/// [`REQUEST_TAG`] has. A tag's value has no `*`, so the name is without it. Release 0.2.0 noted no request: what it
/// noted cannot be told from a certificate that was kept on purpose, and is left alone.
const SUCCESSOR_TAG: &str = "zone-delegation:successor";
/// On a certificate whose Create or Update came to its end.
pub(super) const SETTLED_TAG: &str = "zone-delegation:settled";

/// A certificate with its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) certificate: Certificate,
    pub(super) tags: Tags,
}

impl Held {
    pub(super) fn arn(&self) -> &CertificateArn {
        &self.certificate.arn
    }

    /// Whether it is deleted if this request fails: this request requested it, in this or another delivery, and no
    /// delivery can have been answered SUCCESS.
    pub(super) fn is_undone_with(&self, request: &Request) -> bool {
        let is_by_it = Creation::of_tags(&self.tags).is_some_and(|by| by.is_by(request));
        is_by_it && self.is_own(&request.owner()) && !is_settled(&self.tags)
    }

    /// Whether its tags name this owner.
    pub(super) fn is_own(&self, owner: &Owner) -> bool {
        matches!(owner.claim(&self.tags), Claim::Own { .. })
    }

    /// Whether it is the owner's, or of a logical id that the properties name as a former one, and is what is wanted,
    /// whatever its status.
    pub(super) fn is_for(&self, owner: &Owner, wanted: &Wanted) -> bool {
        let is_usable = match owner.claim(&self.tags) {
            Claim::Own { .. } => true,
            Claim::Sibling {
                logical_id,
                taken_from_us,
            } => taken_from_us || wanted.former_logical_ids.contains(&logical_id),
            Claim::Nobody | Claim::Foreign(_) => false,
        };
        let is_elsewhere = zones_tags(wanted)
            .iter()
            .any(|(key, value)| self.tags.get(key).is_some_and(|present| present != value));
        is_usable && !is_elsewhere && self.certificate.is_for(wanted)
    }

    /// The same certificate, with the tags that [`missing_digest`] returns.
    pub(super) fn with(mut self, more: Tags) -> Self {
        self.tags.extend(more);
        self
    }
}

/// What a request does with a certificate that it does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delete,
    /// The logical id was renamed, and that is rolled back: the certificate is the former logical id's again.
    GiveBack {
        to: String,
    },
    /// The logical id was renamed, and that is over: from now on a Delete of the new logical id deletes the certificate.
    EndRenaming,
    /// Nothing, for this reason.
    Leave(&'static str),
}

/// Returns what a request may do with a certificate that has these tags. An Update may delete what a failed Update left,
/// and nothing else.
pub(super) fn fate(request: &Request, arn: &CertificateArn, tags: &Tags) -> Fate {
    let creation = Creation::of_tags(tags);
    let stage = if is_settled(tags) {
        Stage::Created
    } else {
        Stage::Creating
    };
    let is_named = request.physical_id() == arn.as_str();
    match request.owner().claim(tags) {
        Claim::Own {
            taken_from: Some(to),
        } => Fate::GiveBack { to },
        Claim::Own { taken_from: None } if is_named => {
            if request.may_delete_named(creation.as_ref()) {
                Fate::Delete
            } else {
                Fate::Leave("a later request created it")
            }
        }
        Claim::Own { taken_from: None } => {
            if request.may_delete_unnamed(creation.as_ref(), stage) {
                Fate::Delete
            } else {
                Fate::Leave("another request created it")
            }
        }
        Claim::Sibling {
            taken_from_us: true,
            ..
        } if is_named => Fate::EndRenaming,
        _ => Fate::Leave("its tags do not say that it is this resource's"),
    }
}

/// The tags of a certificate that this request creates: the user's, and the ownership tags.
pub(super) fn tags_of_new(request: &Request, wanted: &Wanted) -> Tags {
    let mut tags = wanted.tags.clone();
    tags.extend(request.ownership_tags());
    tags.extend(zones_tags(wanted));
    tags
}

/// Returns what brings the tags of a certificate to what is wanted: the keys to remove, and the tags to set. Only the tags
/// that the old properties had are removed; others are someone else's. The tag of the request that created it stays.
pub(super) fn tag_changes(present: &Tags, task: &Issue, request: &Request) -> (Vec<String>, Tags) {
    let mut tags = task.wanted.tags.clone();
    tags.extend(request.owner().tag_map());
    tags.extend(zones_tags(&task.wanted));
    let old = task.before.iter().flat_map(|before| before.tags.keys());
    let is_dropped = |key: &&String| present.contains_key(*key) && !tags.contains_key(*key);
    let dropped = old.filter(is_dropped).cloned().collect();
    tags.retain(|key, value| present.get(key) != Some(value));
    (dropped, tags)
}

/// The tags that transfer a certificate to this owner, if they name a former logical id now.
pub(super) fn transfer_tags(owner: &Owner, present: &Tags) -> Tags {
    match owner.claim(present) {
        Claim::Sibling { logical_id, .. } => owner.tags_taken_from(&logical_id),
        _ => Tags::new(),
    }
}

/// The tags that return a certificate to the logical id that it was transferred from, before the note of that is removed.
/// Cut off in between, the tags say that it is that logical id's.
pub(super) fn return_tags(former: &str) -> Tags {
    Tags::from([(LOGICAL_ID_TAG.to_owned(), former.to_owned())])
}

/// The key of the note that a transfer writes.
pub(super) fn transfer_note() -> Vec<String> {
    vec![PREVIOUS_LOGICAL_ID_TAG.to_owned()]
}

/// The tag that says that the Create or Update came to its end, if it is missing.
pub(super) fn settled_tag(present: &Tags) -> Tags {
    if is_settled(present) {
        return Tags::new();
    }
    Tags::from([(SETTLED_TAG.to_owned(), "true".to_owned())])
}

pub(super) fn is_settled(tags: &Tags) -> bool {
    tags.contains_key(SETTLED_TAG)
}

/// Returns what the tags of a certificate of release 0.2.0 lack, if they would do for the zones that are wanted now as well
/// as for its own. Written before anything is requested, so that the rollback can tell the two apart, too.
pub(super) fn missing_digest(present: &Tags, task: &Issue) -> Tags {
    let Some(before) = &task.before else {
        return Tags::new();
    };
    let (own, wanted) = (zones_tags(before), zones_tags(&task.wanted));
    let looks_alike = own != wanted && own[ZONES_TAG] == wanted[ZONES_TAG];
    if looks_alike && !present.contains_key(ZONES_DIGEST_TAG) {
        own
    } else {
        Tags::new()
    }
}

fn zones_tags(wanted: &Wanted) -> Tags {
    let mut ids = wanted.zone_ids().join(" ");
    let mut tags = Tags::new();
    if ids.len() >= LONGEST_VALUE {
        tags.insert(ZONES_DIGEST_TAG.to_owned(), sha256_hex(&[&ids], 32));
        ids.truncate(LONGEST_VALUE);
    }
    tags.insert(ZONES_TAG.to_owned(), ids);
    tags
}

/// The zones that a certificate's tags name.
pub(super) fn zones_of(tags: &Tags) -> impl Iterator<Item = HostedZoneId> {
    let ids = tags.get(ZONES_TAG).map(String::as_str).unwrap_or_default();
    ids.split(' ').filter_map(|id| HostedZoneId::parse(id).ok())
}

/// What the note on a certificate says of the one that is to replace it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Successor {
    pub(super) region: String,
    pub(super) name: DomainName,
    /// The [`REQUEST_TAG`] of the certificate.
    request: String,
}

impl Successor {
    /// Returns what the tags of a certificate note.
    pub(super) fn of(tags: &Tags) -> Option<Self> {
        let mut parts = tags.get(SUCCESSOR_TAG)?.splitn(3, '/');
        Some(Self {
            region: parts.next()?.to_owned(),
            name: DomainName::from_service(parts.next()?),
            request: parts.next()?.to_owned(),
        })
    }

    /// Returns what this request notes before it requests a certificate.
    pub(super) fn of_request(request: &Request, wanted: &Wanted) -> Self {
        Self {
            region: wanted.region.clone(),
            name: wanted.names.domain.base.clone(),
            request: request.ownership_tags()[REQUEST_TAG].clone(),
        }
    }

    /// The tag that notes it.
    pub(super) fn tag(&self) -> Tags {
        let note = format!("{}/{}/{}", self.region, self.name.as_str(), self.request);
        Tags::from([(SUCCESSOR_TAG.to_owned(), note)])
    }

    /// Whether a certificate is the one that is noted, and no Update has finished it.
    pub(super) fn is_left(&self, held: &Held, owner: &Owner) -> bool {
        held.is_own(owner)
            && held.certificate.is_named(&self.name)
            && held.tags.get(REQUEST_TAG) == Some(&self.request)
            && !is_settled(&held.tags)
    }
}

/// `of Zone in stack/dev/1 since request 0123.../1795500060, settled`.
pub(super) struct Shown<'a>(pub(super) &'a Tags);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = |key: &str| self.0.get(key).map(String::as_str);
        match (tag(LOGICAL_ID_TAG), tag(STACK_ID_TAG)) {
            (Some(logical_id), Some(stack_id)) => {
                let stack = stack_id.rsplit(':').next().unwrap_or_default();
                write!(f, "of {logical_id} in {stack}")?;
            }
            _ => f.write_str("without an owner")?,
        }
        if let Some(request) = tag(REQUEST_TAG) {
            write!(f, ", created by request {request}")?;
        }
        if let Some(former) = tag(PREVIOUS_LOGICAL_ID_TAG) {
            write!(f, ", transferred from {former}")?;
        }
        if let Some(successor) = tag(SUCCESSOR_TAG) {
            write!(f, ", to be replaced by {successor}")?;
        }
        if is_settled(self.0) {
            f.write_str(", settled")?;
        }
        Ok(())
    }
}
