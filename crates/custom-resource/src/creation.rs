//! Which request created a thing, and what a Delete may therefore remove.
//!
//! A logical id and its stack say whose a thing is, but not when it was created. Three Deletes need to know that:
//!
//! 1. CloudFormation sends a Delete for each Create that was answered FAILED. That Delete removes what that Create
//!    created, and nothing that existed before, for example because of `DeletionPolicy: Retain`.
//! 2. If a Create was never answered, CloudFormation invents a physical id. That Delete removes what the Create can have
//!    created: whatever is incomplete, and whatever was completed so recently that its answer may have been lost.
//! 3. Lambda may deliver a Delete again after a later Create of the same logical id succeeded. That Delete removes
//!    nothing of the later Create.

use crate::{
    Clock, LONGEST_SERVICE_TIMEOUT, Request,
    addressee::refused_digest,
    owner::{reference_digests, request_digest},
};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Tag that names the request that created a thing: 32 hex digits of the SHA-256 of its `RequestId`, a slash, and when
/// CloudFormation made the request, in seconds since 1970. It is written with the ownership tags and never changed.
pub const REQUEST_TAG: &str = "zone-delegation:request";

/// How long after CloudFormation's own time-out the Delete of a Create that was never answered can arrive: the rollback
/// of a stack first waits for the other resources of the stack.
const ROLLBACK_ARRIVES: Duration = Duration::from_secs(3_600);

/// The request that created a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The digest of its `RequestId`.
    digest: String,
    /// When CloudFormation made it, to the second. None if only a `CallerReference` is known.
    requested_at: Option<SystemTime>,
}

/// Whether the request that created a thing had come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No request that worked on it can have been answered SUCCESS yet.
    Creating,
    /// A request that worked on it can have been answered SUCCESS.
    Created,
}

impl Creation {
    /// Returns what the tags of a thing say, or none for a thing of release 0.2.0 or earlier.
    #[must_use]
    pub fn of_tags(tags: &BTreeMap<String, String>) -> Option<Self> {
        Self::of_tag(tags.get(REQUEST_TAG)?)
    }

    /// Returns what a tag that names a request says.
    #[must_use]
    pub fn of_tag(value: &str) -> Option<Self> {
        let (digest, seconds) = value.split_once('/')?;
        Some(Self {
            digest: digest.to_owned(),
            requested_at: Some(Clock::moment(seconds.parse().ok()?)),
        })
    }

    /// Returns what a zone's `CallerReference` says, or none if it has not the form of this project's.
    #[must_use]
    pub fn of_reference(caller_reference: &str) -> Option<Self> {
        let (_, request) = reference_digests(caller_reference)?;
        Some(Self {
            digest: request.to_owned(),
            requested_at: None,
        })
    }

    /// Returns whether both are of one request.
    #[must_use]
    pub fn is_same_request(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Returns whether `request` is the one that created the thing, in this or another delivery.
    #[must_use]
    pub fn is_by(&self, request: &Request) -> bool {
        self.digest == request_digest(&request.request_id)
    }

    /// Whether the request was made after `moment`. One whose time is not known was not.
    fn is_after(&self, moment: SystemTime) -> bool {
        self.requested_at.is_some_and(|at| at > moment)
    }
}

impl Request {
    /// Returns the ownership tags of a thing that this request creates: its stack, its logical id and this request.
    #[must_use]
    pub fn ownership_tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.owner().tag_map();
        // Rounded down: a Delete that follows within the second is not earlier.
        let since_epoch = self.requested_at.duration_since(UNIX_EPOCH);
        let seconds = since_epoch.unwrap_or_default().as_secs();
        let creation = format!("{}/{seconds}", request_digest(&self.request_id));
        tags.insert(REQUEST_TAG.to_owned(), creation);
        tags
    }

    /// Returns whether this Delete may remove a thing of this resource that its physical id names.
    ///
    /// A thing without a [`Creation`] was created by release 0.2.0 or earlier.
    #[must_use]
    pub fn may_delete_named(&self, creation: Option<&Creation>) -> bool {
        !creation.is_some_and(|creation| creation.is_after(self.requested_at))
    }

    /// Returns whether this Delete may remove a thing of this resource that its physical id does not name: the id is that
    /// of a refused Create, CloudFormation's own, or one that this function never gave.
    ///
    /// A thing without a [`Creation`] was created by release 0.2.0 or earlier, so that no Create of this release left it
    /// behind.
    #[must_use]
    pub fn may_delete_unnamed(&self, creation: Option<&Creation>, stage: Stage) -> bool {
        let Some(creation) = creation else {
            return false;
        };
        if let Some(refused) = refused_digest(self.physical_id()) {
            return creation.digest == refused;
        }
        if creation.is_after(self.requested_at) {
            return false;
        }
        let recent = self.requested_at - LONGEST_SERVICE_TIMEOUT - ROLLBACK_ARRIVES;
        match stage {
            Stage::Creating => true,
            Stage::Created => creation.requested_at.is_some_and(|at| at >= recent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const CREATED: u64 = 1_795_549_687;

    fn request(request_type: &str, id: &str, physical_id: &str, at: u64) -> Request {
        let event: Value = json!({
            "RequestType": request_type,
            "ResponseURL": "https://bucket.s3.amazonaws.com/key",
            "RequestId": id,
            "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev/1",
            "LogicalResourceId": "Zone",
            "ResourceType": "Custom::Zone",
            "PhysicalResourceId": physical_id,
        });
        Request::decode(&event, Clock::moment(at)).unwrap()
    }

    fn create(id: &str) -> Request {
        request("Create", id, "", CREATED)
    }

    /// What the Create `create` creates.
    fn created() -> Option<Creation> {
        Creation::of_tags(&create("create").ownership_tags())
    }

    #[test]
    fn a_creation_survives_its_tag_and_its_caller_reference() {
        let reference = create("create").caller_reference();
        for creation in [created(), Creation::of_reference(&reference)] {
            let creation = creation.unwrap();
            assert!(creation.is_by(&create("create")));
            assert!(!creation.is_by(&create("other")));
        }
        assert_eq!(Creation::of_tags(&create("create").owner().tag_map()), None);
        for unreadable in ["", "0123", "0123/", "0123/x"] {
            let tags = BTreeMap::from([(REQUEST_TAG.to_owned(), unreadable.to_owned())]);
            assert_eq!(Creation::of_tags(&tags), None, "{unreadable}");
            assert_eq!(Creation::of_reference(unreadable), None, "{unreadable}");
        }
    }

    #[test]
    fn a_delete_of_a_refused_create_removes_only_what_that_create_created() {
        let delete = |id| {
            let refused = create(id).refused_id();
            request("Delete", "delete", &refused, CREATED + 5)
        };
        for stage in [Stage::Creating, Stage::Created] {
            assert!(delete("create").may_delete_unnamed(created().as_ref(), stage));
            assert!(!delete("other").may_delete_unnamed(created().as_ref(), stage));
            assert!(!delete("create").may_delete_unnamed(None, stage));
        }
    }

    #[test]
    fn a_delete_of_an_unanswered_create_removes_what_that_create_can_have_created() {
        let may_delete = |at, stage| {
            request("Delete", "delete", "dev-Zone-1A2B3C4D5E6F", at)
                .may_delete_unnamed(created().as_ref(), stage)
        };
        for at in [CREATED, CREATED + 7_200] {
            assert!(may_delete(at, Stage::Creating));
            assert!(may_delete(at, Stage::Created));
        }
        assert!(may_delete(CREATED + 7_201, Stage::Creating));
        assert!(!may_delete(CREATED + 7_201, Stage::Created));
        assert!(!may_delete(CREATED - 1, Stage::Creating));
    }

    #[test]
    fn a_delete_of_an_unanswered_create_removes_nothing_of_an_earlier_release() {
        let delete = request("Delete", "delete", "dev-Zone-1A2B3C4D5E6F", CREATED);
        assert!(!delete.may_delete_unnamed(None, Stage::Creating));
        let reference = Creation::of_reference(&create("create").caller_reference());
        assert!(!delete.may_delete_unnamed(reference.as_ref(), Stage::Created));
        assert!(delete.may_delete_unnamed(reference.as_ref(), Stage::Creating));
    }

    #[test]
    fn a_delete_within_the_second_is_not_earlier() {
        let at = |millis| Clock::moment(CREATED) + Duration::from_millis(millis);
        let mut create = create("create");
        create.requested_at = at(300);
        let creation = Creation::of_tags(&create.ownership_tags());
        let mut delete = request("Delete", "delete", "named", CREATED);
        delete.requested_at = at(600);
        assert!(delete.may_delete_named(creation.as_ref()));
    }

    #[test]
    fn a_delete_that_is_delivered_again_removes_nothing_of_a_later_create() {
        let delete = |at| request("Delete", "delete", "named", at);
        assert!(delete(CREATED).may_delete_named(created().as_ref()));
        assert!(!delete(CREATED - 1).may_delete_named(created().as_ref()));
        assert!(delete(CREATED - 1).may_delete_named(None));
    }
}
