//! Which certificates are this resource's.

use super::{
    Certificates,
    acm::{Acm, Listing},
    arn::CertificateArn,
    described::{Certificate, Listed},
    error::Error,
    properties::Wanted,
    successor::{SETTLED_TAG, tolerate},
};
use aws_calls::at_once;
use custom_resource::{
    Claim, Creation, LOGICAL_ID_TAG, Owner, PREVIOUS_LOGICAL_ID_TAG, Request, sha256_hex,
};
use dns_check::Transport;
use futures::try_join;
use hosted_zones::HostedZoneId;
use std::collections::BTreeMap;

/// A certificate's tags.
pub(super) type Tags = BTreeMap<String, String>;

/// Tag that says in which zones a certificate's names are validated. Two certificates with the same names in other
/// zones are two, and nothing else about them tells them apart.
const ZONES_TAG: &str = "zone-delegation:hosted-zone-ids";
/// Longest value of a tag, in characters.
const LONGEST_VALUE: usize = 256;
/// Tag that tells lists of zones apart which begin alike, where one fills that value. Earlier releases did not write it.
const ZONES_DIGEST_TAG: &str = "zone-delegation:hosted-zone-ids-digest";

/// The tags of a certificate that this request creates: the user's, and the ownership tags.
pub(super) fn tags_of_new(request: &Request, wanted: &Wanted) -> Tags {
    let mut tags = wanted.tags.clone();
    tags.extend(request.ownership_tags());
    tags.extend(zones_tags(wanted));
    tags
}

/// A certificate of this resource.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) certificate: Certificate,
    pub(super) tags: Tags,
}

impl Owned {
    /// The request that created it, or none if a release did that which noted none.
    pub(super) fn creation(&self) -> Option<Creation> {
        Creation::of_tags(&self.tags)
    }

    /// Whether it is deleted if this request fails: this request created it, in this or another delivery, and no delivery
    /// can have been answered SUCCESS.
    pub(super) fn is_undone_with(&self, request: &Request) -> bool {
        let is_by_it = self
            .creation()
            .is_some_and(|creation| creation.is_by(request));
        is_by_it && !self.tags.contains_key(SETTLED_TAG)
    }
}

fn zones_tags(wanted: &Wanted) -> Tags {
    let mut ids: Vec<&str> = wanted.zones.iter().map(|(_, id)| id.as_str()).collect();
    ids.sort_unstable();
    let mut ids = ids.join(" ");
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

impl<T: Transport> Certificates<T> {
    /// The Region in which it is wanted.
    pub(super) fn region_of<'a>(&'a self, wanted: &'a Wanted) -> &'a str {
        let own = self.config.region().map_or("", AsRef::as_ref);
        wanted.region.as_deref().unwrap_or(own)
    }

    /// Whether one certificate does for both.
    pub(super) fn is_same(&self, one: &Wanted, other: &Wanted) -> bool {
        zones_tags(one) == zones_tags(other)
            && one.names == other.names
            && one.key_algorithm == other.key_algorithm
            && one.export == other.export
            && self.region_of(one) == self.region_of(other)
    }

    /// The certificates of a Region that are the owner's and are what is wanted, whatever their status.
    pub(super) async fn owned(
        &self,
        acm: &Acm,
        owner: &Owner,
        wanted: &Wanted,
    ) -> Result<Vec<Owned>, Error> {
        let is_wanted = |listed: &Listed| listed.domain == wanted.names.domain;
        let listed = acm.list(Listing::Requested, is_wanted).await?;
        self.owned_of(acm, owner, wanted, &listed).await
    }

    /// Those of the listed certificates that are the owner's and are what is wanted, whatever their status.
    pub(super) async fn owned_of(
        &self,
        acm: &Acm,
        owner: &Owner,
        wanted: &Wanted,
        listed: &[Listed],
    ) -> Result<Vec<Owned>, Error> {
        let own = listed
            .iter()
            .map(|listed| self.own(acm, owner, wanted, &listed.arn));
        Ok(at_once(own).await?.into_iter().flatten().collect())
    }

    /// A certificate with its tags, if it is the owner's, or of a logical id that the properties name as a former one, and
    /// is what is wanted, whatever its status.
    pub(super) async fn own(
        &self,
        acm: &Acm,
        owner: &Owner,
        wanted: &Wanted,
        arn: &CertificateArn,
    ) -> Result<Option<Owned>, Error> {
        let (tags, certificate) = try_join!(acm.tags(arn), acm.describe(arn))?;
        let (Some(tags), Some(certificate)) = (tags, certificate) else {
            return Ok(None);
        };
        let is_own = match owner.claim(&tags) {
            Claim::Own { .. } => true,
            Claim::Sibling {
                logical_id,
                taken_from_us,
            } => taken_from_us || wanted.former_logical_ids.contains(&logical_id),
            Claim::Nobody | Claim::Foreign(_) => false,
        };
        let is_elsewhere = zones_tags(wanted)
            .iter()
            .any(|(key, value)| tags.get(key).is_some_and(|present| present != value));
        let is_wanted = is_own && !is_elsewhere && certificate.is_for(wanted);
        Ok(is_wanted.then_some(Owned { certificate, tags }))
    }

    /// Takes a certificate over if its tags name a former logical id. In one call, and the last of what can fail.
    pub(super) async fn take_over(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        present: &Tags,
        owner: &Owner,
    ) -> Result<(), Error> {
        if let Claim::Sibling { logical_id, .. } = owner.claim(present) {
            tracing::info!(arn = arn.as_str(), former = logical_id, "taken over");
            acm.add_tags(arn, &owner.tags_taken_from(&logical_id))
                .await?;
        }
        Ok(())
    }

    /// Gives a certificate back to the logical id that it was taken over from: the renaming is rolled back. Cut off in
    /// between, the tags say that it is that logical id's.
    pub(super) async fn give_back(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        former: &str,
    ) -> Result<(), Error> {
        tracing::info!(arn = arn.as_str(), former, "given back");
        let tags = Tags::from([(LOGICAL_ID_TAG.to_owned(), former.to_owned())]);
        acm.add_tags(arn, &tags).await?;
        Ok(acm
            .remove_tags(arn, &[PREVIOUS_LOGICAL_ID_TAG.to_owned()])
            .await?)
    }

    /// Completes the tags of a certificate of an earlier release, where they would do for the zones that are wanted now
    /// as well as for its own. Before anything is requested, so that the rollback can tell the two apart, too.
    pub(super) async fn complete_zones_tags(
        &self,
        current: &CertificateArn,
        old: &Wanted,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        let (own, wanted) = (zones_tags(old), zones_tags(wanted));
        if own == wanted || own[ZONES_TAG] != wanted[ZONES_TAG] {
            return Ok(());
        }
        let acm = self.acm(Some(current.region()));
        let completed = async {
            match acm.tags(current).await? {
                Some(tags) if !tags.contains_key(ZONES_DIGEST_TAG) => {
                    Ok(acm.add_tags(current, &own).await?)
                }
                _ => Ok(()),
            }
        };
        tolerate(completed.await, "the tags could not be completed")
    }

    /// Brings a certificate's tags to what is wanted. Of those that are `present`, only the ones go that the resource's
    /// old properties had: others are someone else's.
    pub(super) async fn update_tags(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        present: &Tags,
        request: &Request,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        // The tag of the request that created it stays as it is.
        let mut tags = wanted.tags.clone();
        tags.extend(request.owner().tag_map());
        tags.extend(zones_tags(wanted));
        let old = Wanted::parse(&request.old_properties)
            .map(|old| old.tags)
            .unwrap_or_default();
        let is_dropped = |key: &&String| present.contains_key(*key) && !tags.contains_key(*key);
        let dropped: Vec<String> = old.keys().filter(is_dropped).cloned().collect();
        tags.retain(|key, value| present.get(key) != Some(value));
        acm.remove_tags(arn, &dropped).await?;
        acm.add_tags(arn, &tags).await?;
        Ok(())
    }
}
