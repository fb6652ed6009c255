//! A certificate with its tags.

use super::{
    arn::CertificateArn,
    described::Certificate,
    properties::{Issue, Wanted},
};
use custom_resource::Request;
use ownership::{Owner, Requester, TagOwner, Tags, certificate};

/// A certificate with its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TaggedCertificate {
    pub(super) certificate: Certificate,
    pub(super) tags: Tags,
}

impl TaggedCertificate {
    pub(super) fn arn(&self) -> &CertificateArn {
        &self.certificate.arn
    }

    /// Returns whether its tags name this owner.
    pub(super) fn is_own(&self, owner: &Owner) -> bool {
        TagOwner::of(&self.tags, owner).is_this_resource()
    }

    /// Returns whether it satisfies the request, whatever its status, and `owner` may use it.
    pub(super) fn is_for(&self, owner: &Owner, wanted: &Wanted) -> bool {
        certificate::is_usable(owner, &wanted.former_logical_ids, &self.tags)
            && !certificate::is_elsewhere(&wanted.zone_ids(), &self.tags)
            && self.certificate.is_for(wanted)
    }

    /// Returns the same certificate with more tags.
    pub(super) fn with(mut self, more: Tags) -> Self {
        self.tags.extend(more);
        self
    }
}

/// Returns the tags of a certificate that this request asks ACM for: the user's tags and the ownership tags.
pub(super) fn tags_of_new(request: &Request, wanted: &Wanted) -> Tags {
    let mut tags = wanted.tags.clone();
    tags.extend(request.ownership_tags());
    tags.extend(certificate::zones_tags(&wanted.zone_ids()));
    tags
}

/// Returns the changes with which a certificate gets the wanted tags: the keys to remove, and the tags to
/// set. Only tags of the old properties are removed, because others are someone else's. The tag of the
/// request that created it is kept.
pub(super) fn tag_changes(present: &Tags, task: &Issue, request: &Request) -> (Vec<String>, Tags) {
    let mut tags = task.wanted.tags.clone();
    tags.extend(request.owner().tags());
    tags.extend(certificate::zones_tags(&task.wanted.zone_ids()));
    let old = task.before.iter().flat_map(|before| before.tags.keys());
    let is_dropped = |key: &&String| present.contains_key(*key) && !tags.contains_key(*key);
    let dropped = old.filter(is_dropped).cloned().collect();
    tags.retain(|key, value| present.get(key) != Some(value));
    (dropped, tags)
}

/// Returns the tags that a certificate of release 0.2.0 lacks to be distinguished from the wanted one.
pub(super) fn missing_digest(present: &Tags, task: &Issue) -> Tags {
    let wanted = task.wanted.zone_ids();
    task.before.as_ref().map_or_else(Tags::new, |before| {
        certificate::missing_digest(present, &before.zone_ids(), &wanted)
    })
}
