//! Whose a thing is: the marks that are written with it.

use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};

/// What the key of every mark starts with, whichever crate writes it.
const MARK: &str = "zone-delegation:";
/// Tag that names the stack a thing belongs to.
pub const STACK_ID_TAG: &str = "zone-delegation:stack-id";
/// Tag that names the logical id, within its stack, that a thing belongs to.
pub const LOGICAL_ID_TAG: &str = "zone-delegation:logical-id";
/// Tag that notes whose a thing was before a logical id renamed in the template took it over.
pub const PREVIOUS_LOGICAL_ID_TAG: &str = "zone-delegation:previous-logical-id";

/// Whether a tag of this key could be taken for a mark. IAM's conditions on tags take no notice of the case of a key.
pub(crate) fn is_mark(key: &str) -> bool {
    key.get(..MARK.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(MARK))
}

/// The resource of a stack that a thing belongs to, whatever request made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The stack's ARN.
    pub stack_id: String,
    /// The resource's logical id in its template.
    pub logical_id: String,
}

impl Owner {
    /// 32 hex digits that say whose a thing is: the first half of a zone's `CallerReference`.
    #[must_use]
    pub fn digest(&self) -> String {
        sha256_hex(&[&self.stack_id, &self.logical_id], 32)
    }

    /// Returns the `CallerReference` of a zone created for `request_id`: the owner's digest, a dash, the request's digest
    /// and `-2`, 67 characters of the 128 that Route 53 takes. Up to release 0.2.0 it had no `-2`.
    #[must_use]
    pub fn caller_reference(&self, request_id: &str) -> String {
        format!(
            "{}-{}{SECOND_FORM}",
            self.digest(),
            request_digest(request_id)
        )
    }

    /// Whether a zone with this `CallerReference` is this owner's, whatever request made it.
    #[must_use]
    pub fn made(&self, caller_reference: &str) -> bool {
        reference_digests(caller_reference).is_some_and(|(owner, _)| owner == self.digest())
    }

    /// An idempotency token for `request_id`: 32 hex digits, which fit ACM's `\w{1,32}`.
    #[must_use]
    pub fn token(&self, request_id: &str) -> String {
        sha256_hex(&[&self.stack_id, &self.logical_id, request_id], 32)
    }

    /// The two tags that say whose a thing is.
    #[must_use]
    pub fn tags(&self) -> [(&'static str, &str); 2] {
        [
            (STACK_ID_TAG, &self.stack_id),
            (LOGICAL_ID_TAG, &self.logical_id),
        ]
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of stack {}", self.logical_id, self.stack_id)
    }
}

/// The end of each `CallerReference` since release 0.3.0.
const SECOND_FORM: &str = "-2";

/// Returns the digests of the owner and of the request in a `CallerReference`, or none if it has not the form of this
/// project's.
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

/// 32 hex digits that say which request it was.
pub(crate) fn request_digest(request_id: &str) -> String {
    sha256_hex(&[request_id], 32)
}

/// The first `digits` hex digits of the SHA-256 of the parts, joined by line feeds (none of them holds one).
#[must_use]
pub fn sha256_hex(parts: &[&str], digits: usize) -> String {
    let hash = Sha256::digest(parts.join("\n"));
    let mut text = hash
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
    text.truncate(digits);
    text
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
    fn the_digest_is_of_the_stack_and_the_logical_id() {
        // printf 'arn:...:stack/dev/1\nZone' | sha256sum
        assert_eq!(owner().digest(), "fa9fe4722e67d8420c1a4ed91ad435cb");
        assert_ne!(
            owner().digest(),
            Owner {
                logical_id: "Other".into(),
                ..owner()
            }
            .digest()
        );
    }

    #[test]
    fn a_caller_reference_names_the_owner_whatever_the_request() {
        let reference = owner().caller_reference("request-1");
        assert_eq!(reference.len(), 67);
        assert!(owner().made(&reference));
        assert!(owner().made(&owner().caller_reference("request-2")));
        let other = Owner {
            logical_id: "Other".into(),
            ..owner()
        };
        assert!(!other.made(&reference));
        assert!(!owner().made(&owner().digest()));
        assert!(!owner().made(&format!("{}-by-hand", owner().digest())));
    }

    #[test]
    fn a_token_fits_acm() {
        let token = owner().token("request-1");
        assert_eq!(token.len(), 32);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(token, owner().token("request-2"));
    }
}
