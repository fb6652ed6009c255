//! The request that created a thing, and whether it was complete.

use crate::{
    owner::reference_digests,
    tags::{self, Tags},
};
use custom_resource::{Request, request_digest};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The request that created a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The digest of its `RequestId`.
    pub(crate) digest: String,
    /// When CloudFormation made it, to the second. None if only a `CallerReference` is known.
    pub(crate) requested_at: Option<SystemTime>,
}

/// Whether the request that created a thing was complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No request for the thing can have been answered SUCCESS yet.
    Creating,
    /// A request for the thing can have been answered SUCCESS.
    Created,
}

impl Creation {
    /// Reads the creation from a thing's tags, or none for a thing of release 0.2.0 or earlier.
    #[must_use]
    pub fn of_tags(tags: &Tags) -> Option<Self> {
        Self::named_by(tags, tags::REQUEST)
    }

    /// Returns the value of a tag that names `request`: 32 hex digits of the SHA-256 of its `RequestId`, a slash, and when
    /// CloudFormation made it, in seconds since 1970.
    #[must_use]
    pub fn tag(request: &Request) -> String {
        // Rounded down: a Delete that follows within the second is not earlier.
        let since_epoch = request.requested_at.duration_since(UNIX_EPOCH);
        let seconds = since_epoch.unwrap_or_default().as_secs();
        format!("{}/{seconds}", request_digest(&request.request_id))
    }

    /// Returns the request that the tag with this key names, or none if there is no such tag or it has another form.
    #[must_use]
    pub fn named_by(tags: &Tags, key: &str) -> Option<Self> {
        let (digest, seconds) = tags.get(key)?.split_once('/')?;
        let since_epoch = Duration::from_secs(seconds.parse().ok()?);
        Some(Self {
            digest: digest.to_owned(),
            requested_at: Some(UNIX_EPOCH.checked_add(since_epoch)?),
        })
    }

    /// Parses a zone's `CallerReference`, or returns none if it does not have this project's form.
    #[must_use]
    pub fn of_reference(caller_reference: &str) -> Option<Self> {
        let (_, request) = reference_digests(caller_reference)?;
        Some(Self {
            digest: request.to_owned(),
            requested_at: None,
        })
    }

    /// Returns whether both are the same request.
    #[must_use]
    pub fn is_same_request(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Returns whether `request` is the one that created the thing, in this or another delivery.
    #[must_use]
    pub fn is_by(&self, request: &Request) -> bool {
        self.digest == request_digest(&request.request_id)
    }

    /// Returns whether the request was made after `moment`. False if its time is not known.
    pub(crate) fn is_after(&self, moment: SystemTime) -> bool {
        self.requested_at.is_some_and(|at| at > moment)
    }
}
