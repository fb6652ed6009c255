//! The resource to which a thing belongs, and its digests where nobody can change them.

use crate::tags;
use custom_resource::{request_digest, sha256_hex};
use std::fmt;

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The stack's ARN.
    pub stack_id: String,
    /// The resource's logical id in its template.
    pub logical_id: String,
}

impl Owner {
    /// Returns another logical id of the same stack.
    #[must_use]
    pub fn sibling(&self, logical_id: &str) -> Self {
        Self {
            stack_id: self.stack_id.clone(),
            logical_id: logical_id.to_owned(),
        }
    }

    /// Returns the first half of a zone's `CallerReference`: 32 hex digits.
    #[must_use]
    pub fn digest(&self) -> String {
        sha256_hex(&[&self.stack_id, &self.logical_id], 32)
    }

    /// Returns the `CallerReference` of a zone for the request `request_id`: the owner's digest, a
    /// dash, the request's digest and `-2`, which are 67 of the 128 characters that Route 53
    /// accepts. Up to release 0.2.0 it had no `-2`.
    #[must_use]
    pub fn caller_reference(&self, request_id: &str) -> String {
        let request = request_digest(request_id);
        format!("{}-{request}{SECOND_FORM}", self.digest())
    }

    /// Returns whether this owner created the zone with this `CallerReference`, in any request.
    #[must_use]
    pub fn created(&self, caller_reference: &str) -> bool {
        reference_digests(caller_reference).is_some_and(|(owner, _)| owner == self.digest())
    }

    /// Returns the two tags that name the owner of a thing.
    #[must_use]
    pub fn tags(&self) -> tags::Tags {
        let tags = [
            (tags::STACK_ID, &self.stack_id),
            (tags::LOGICAL_ID, &self.logical_id),
        ];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.clone()));
        tags.into()
    }

    /// Returns the tags with which this owner transfers a thing to itself from another logical id
    /// of its stack.
    #[must_use]
    pub fn tags_of_transfer(&self, from: &str) -> tags::Tags {
        let mut tags = self.tags();
        tags.insert(tags::PREVIOUS_LOGICAL_ID.to_owned(), from.to_owned());
        tags
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of stack {}", self.logical_id, self.stack_id)
    }
}

/// The end of each `CallerReference` since release 0.3.0.
const SECOND_FORM: &str = "-2";

/// Returns the digests of the owner and of the request in a `CallerReference`, or none if it does
/// not have this project's form.
pub(crate) fn reference_digests(caller_reference: &str) -> Option<(&str, &str)> {
    let is_digest =
        |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digests = caller_reference
        .strip_suffix(SECOND_FORM)
        .unwrap_or(caller_reference);
    let (owner, request) = digests.split_once('-')?;
    (is_digest(owner) && is_digest(request)).then_some((owner, request))
}

/// Returns whether a zone with this `CallerReference` was created by release 0.3.0 or later, whose physical ids name
/// their owner. The form of an id must not change while its zone exists, or CloudFormation would replace the resource;
/// so it depends on what cannot be changed.
#[must_use]
pub fn is_second_form(caller_reference: &str) -> bool {
    caller_reference.ends_with(SECOND_FORM) && reference_digests(caller_reference).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            stack_id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev/1".into(),
            logical_id: "Zone".into(),
        }
    }

    #[test]
    fn the_digest_covers_the_stack_and_the_logical_id() {
        // printf 'arn:...:stack/dev/1\nZone' | sha256sum
        assert_eq!(owner().digest(), "fa9fe4722e67d8420c1a4ed91ad435cb");
        assert_ne!(owner().digest(), owner().sibling("Other").digest());
    }

    #[test]
    fn a_caller_reference_names_the_owner_whatever_the_request() {
        let reference = owner().caller_reference("request-1");
        assert_eq!(reference.len(), 67);
        assert!(owner().created(&reference));
        assert!(owner().created(&owner().caller_reference("request-2")));
        assert!(!owner().sibling("Other").created(&reference));
        assert!(!owner().created(&owner().digest()));
        assert!(!owner().created(&format!("{}-by-hand", owner().digest())));
    }
}
