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

    /// The `CallerReference` of a zone made for `request_id`: the owner's digest, a dash and the request's digest, 65
    /// characters of the 128 that Route 53 takes.
    #[must_use]
    pub fn caller_reference(&self, request_id: &str) -> String {
        self.caller_reference_of(&request_digest(request_id))
    }

    /// The `CallerReference` of a zone made for the request of this digest.
    pub(crate) fn caller_reference_of(&self, request_digest: &str) -> String {
        format!("{}-{request_digest}", self.digest())
    }

    /// Whether a zone with this `CallerReference` is this owner's, whatever request made it.
    #[must_use]
    pub fn made(&self, caller_reference: &str) -> bool {
        caller_reference
            .strip_prefix(self.digest().as_str())
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|request| {
                request.len() == 32 && request.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
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
        assert_eq!(reference.len(), 65);
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
