//! The keys of all ownership tags.
//!
//! A key must always be read, because things of every release still have it. One module of this
//! crate writes each, and no user's tag can have one
//! ([`custom_resource::properties::RESERVED_TAGS`]).

use std::{collections::BTreeMap, fmt};

/// The tags of a thing.
pub type Tags = BTreeMap<String, String>;

/// On everything: the ARN of the stack that has it.
pub const STACK_ID: &str = "zone-delegation:stack-id";
/// On everything: the logical id, within that stack, that has it.
pub const LOGICAL_ID: &str = "zone-delegation:logical-id";
/// On everything: the request that created it, as [`Creation::tag`](crate::Creation::tag). Never changed. Releases up to
/// 0.2.0 did not write it.
pub const REQUEST: &str = "zone-delegation:request";
/// On a transferred thing: the logical id that had it before. The Delete of that logical id, or an
/// Update in place of the new one, removes the tag: the rename has succeeded. Until then, a Delete
/// of the new logical id is the rollback of the rename, and returns the thing.
pub const PREVIOUS_LOGICAL_ID: &str = "zone-delegation:previous-logical-id";
/// On a transferred zone or parameter: the request that transferred it, in the form of [`REQUEST`]. Releases up to 0.2.0
/// did not write it.
pub const TRANSFER: &str = "zone-delegation:transfer";

/// On a transferred parameter: the value that it had before, with spaces in place of commas, which no tag can have.
pub const PREVIOUS_VALUE: &str = "zone-delegation:previous-value";

/// On a zone: no request for it can have been answered SUCCESS yet. Written with the first
/// ownership tags, and deleted when everything else is done.
pub const INCOMPLETE: &str = "zone-delegation:incomplete";
/// On a transferred zone: the logical id that its `CallerReference` names.
pub const CREATED_AS: &str = "zone-delegation:created-as";
/// On a zone that existed before the request which delegated it: that request, in the form of [`REQUEST`].
pub const DELEGATION_REQUEST: &str = "zone-delegation:delegation-request";
/// On an external zone: the id of the parent zone from which its owner delegates it. When the parent changes, the Delete
/// of the old delegation reads from this tag that the zone is still delegated.
pub const PARENT_ID: &str = "zone-delegation:parent-id";
/// On an external zone whose delegation existed before: a request that fails leaves that delegation as it is.
pub const ADOPTED: &str = "zone-delegation:adopted";
/// The same as [`ADOPTED`], as release 0.2.0 wrote it. Only read.
pub const PREVIOUS_TTL: &str = "zone-delegation:previous-ttl";

/// On a certificate: the ids of the zones in which its names are validated, up to 256 characters.
/// It is the only difference between two certificates with the same names in different zones.
pub const ZONES: &str = "zone-delegation:hosted-zone-ids";
/// On a certificate whose [`ZONES`] fills a tag's value: the digest of all of them. Release 0.2.0 did not write it.
pub const ZONES_DIGEST: &str = "zone-delegation:hosted-zone-ids-digest";
/// On a certificate that an Update begins to replace: `REGION/NAME/REQUEST` of the new one, where
/// `REQUEST` is the value of its [`REQUEST`]. A tag's value has no `*`, so a wildcard is noted
/// without it. Release 0.2.0 noted no request: its notes cannot be distinguished from a certificate
/// that was kept on purpose, and are ignored.
pub const SUCCESSOR: &str = "zone-delegation:successor";
/// On a certificate: its Create or Update is complete.
pub const SETTLED: &str = "zone-delegation:settled";

/// Prints the owner that tags name, for example `of Zone in stack/dev/1`, or `without an owner`.
pub(crate) struct ShownOwner<'a>(pub(crate) &'a Tags);

impl fmt::Display for ShownOwner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.get(LOGICAL_ID), self.0.get(STACK_ID)) {
            (Some(logical_id), Some(stack_id)) => {
                let stack = stack_id.rsplit(':').next().unwrap_or_default();
                write!(f, "of {logical_id} in {stack}")
            }
            _ => f.write_str("without an owner"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use custom_resource::properties::RESERVED_TAGS;

    #[test]
    fn no_users_tag_can_have_a_key_of_an_ownership_tag() {
        let keys = [
            STACK_ID,
            LOGICAL_ID,
            REQUEST,
            PREVIOUS_LOGICAL_ID,
            TRANSFER,
            PREVIOUS_VALUE,
            INCOMPLETE,
            CREATED_AS,
            DELEGATION_REQUEST,
            PARENT_ID,
            ADOPTED,
            PREVIOUS_TTL,
            ZONES,
            ZONES_DIGEST,
            SUCCESSOR,
            SETTLED,
        ];
        for key in keys {
            assert!(key.starts_with(RESERVED_TAGS), "{key}");
            assert_eq!(
                keys.iter().filter(|other| **other == key).count(),
                1,
                "{key}"
            );
        }
    }
}
