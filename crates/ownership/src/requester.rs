//! What a request writes to the things that it creates, and what it may delete.
//!
//! A logical id and its stack name the owner of a thing, but not when it was created. Three Deletes
//! need to know that:
//!
//! 1. CloudFormation sends a Delete for each Create that was answered FAILED. That Delete removes what that Create
//!    created, and nothing that existed before, for example because of `DeletionPolicy: Retain`.
//! 2. If a Create was never answered, CloudFormation invents a physical id. That Delete removes what the Create can have
//!    created: whatever is incomplete, and whatever was completed so recently that its answer may have been lost.
//! 3. Lambda may deliver a Delete again after a later Create of the same logical id succeeded. That Delete removes
//!    nothing of the later Create.

use crate::{
    Creation, Owner, Stage,
    tags::{self, Tags},
};
use custom_resource::{LONGEST_SERVICE_TIMEOUT, Request, sha256_hex};
use std::time::Duration;

/// How long after CloudFormation's own time-out the Delete of a Create that was never answered can arrive: the rollback
/// of a stack first waits for the other resources of the stack.
const ROLLBACK_ARRIVES: Duration = Duration::from_secs(3_600);

/// A request as the owner of things.
pub trait Requester {
    /// Returns the resource of the request.
    fn owner(&self) -> Owner;

    /// Returns the `CallerReference` of a zone that this request creates.
    fn caller_reference(&self) -> String;

    /// Returns the idempotency token of this request's certificate: 32 hex digits, which ACM's
    /// `\w{1,32}` accepts
    /// (<https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>).
    fn token(&self) -> String;

    /// Returns the ownership tags of a thing that this request creates: its stack, its logical id and this request.
    fn ownership_tags(&self) -> Tags;

    /// Returns whether this Delete may remove a thing of this resource that its physical id names.
    ///
    /// A thing without a [`Creation`] was created by release 0.2.0 or earlier.
    fn may_delete_named(&self, creation: Option<&Creation>) -> bool;

    /// Returns whether this Delete may remove a thing of this resource that its physical id does
    /// not name: the id is that of a refused Create, one that CloudFormation assigned, or one that
    /// this function never returned.
    ///
    /// A thing without a [`Creation`] was created by release 0.2.0 or earlier, so that no Create of this release left it
    /// behind.
    fn may_delete_unnamed(&self, creation: Option<&Creation>, stage: Stage) -> bool;
}

impl Requester for Request {
    fn owner(&self) -> Owner {
        Owner {
            stack_id: self.stack_id.clone(),
            logical_id: self.logical_resource_id.clone(),
        }
    }

    fn caller_reference(&self) -> String {
        self.owner().caller_reference(&self.request_id)
    }

    fn token(&self) -> String {
        let Owner {
            stack_id,
            logical_id,
        } = self.owner();
        sha256_hex(&[&stack_id, &logical_id, &self.request_id], 32)
    }

    fn ownership_tags(&self) -> Tags {
        let mut tags = self.owner().tags();
        tags.insert(tags::REQUEST.to_owned(), Creation::tag(self));
        tags
    }

    fn may_delete_named(&self, creation: Option<&Creation>) -> bool {
        !creation.is_some_and(|creation| creation.is_after(self.requested_at))
    }

    fn may_delete_unnamed(&self, creation: Option<&Creation>, stage: Stage) -> bool {
        let Some(creation) = creation else {
            return false;
        };
        if let Some(refused) = self.refused_create() {
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
    use custom_resource::Clock;
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

    /// Returns the creation that the Create `create` writes.
    fn created() -> Option<Creation> {
        Creation::of_tags(&create("create").ownership_tags())
    }

    #[test]
    fn acm_accepts_a_token_and_each_request_has_another() {
        let token = create("request-1").token();
        assert_eq!(token.len(), 32);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(token, create("request-2").token());
    }

    #[test]
    fn a_creation_is_read_from_its_tag_and_from_its_caller_reference() {
        let reference = create("create").caller_reference();
        for creation in [created(), Creation::of_reference(&reference)] {
            let creation = creation.unwrap();
            assert!(creation.is_by(&create("create")));
            assert!(!creation.is_by(&create("other")));
        }
        assert_eq!(Creation::of_tags(&create("create").owner().tags()), None);
        for unreadable in ["", "0123", "0123/", "0123/x", "0123/18446744073709551615"] {
            let tags = Tags::from([(tags::REQUEST.to_owned(), unreadable.to_owned())]);
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
    fn a_delete_in_the_same_second_is_not_earlier() {
        let at = |millis| Clock::moment(CREATED) + Duration::from_millis(millis);
        let mut create = create("create");
        create.requested_at = at(300);
        let creation = Creation::of_tags(&create.ownership_tags());
        let mut delete = request("Delete", "delete", "named", CREATED);
        delete.requested_at = at(600);
        assert!(delete.may_delete_named(creation.as_ref()));
    }

    #[test]
    fn a_redelivered_delete_removes_nothing_of_a_later_create() {
        let delete = |at| request("Delete", "delete", "named", at);
        assert!(delete(CREATED).may_delete_named(created().as_ref()));
        assert!(!delete(CREATED - 1).may_delete_named(created().as_ref()));
        assert!(delete(CREATED - 1).may_delete_named(None));
    }
}
