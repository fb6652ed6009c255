//! The owner of a thing according to its tags, for one resource.

use crate::{
    Owner,
    tags::{LOGICAL_ID, PREVIOUS_LOGICAL_ID, STACK_ID, Tags},
};

/// The owner of a thing, for one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagOwner {
    /// Nobody: the thing has no ownership tags.
    Nobody,
    /// The resource itself.
    ThisResource {
        /// The logical id from which the thing was transferred, until the transfer is final. Until
        /// then, a Delete of the resource is the rollback of a renamed logical id, and returns the
        /// thing.
        transferred_from: Option<String>,
    },
    /// Another logical id of the same stack.
    OtherLogicalId {
        /// That logical id.
        logical_id: String,
        /// Whether the thing was transferred from this resource: its logical id was renamed in the template.
        transferred_from_here: bool,
    },
    /// Another stack.
    OtherStack(Owner),
}

impl TagOwner {
    /// Reads the owner from `tags`, for the resource `reader`.
    #[must_use]
    pub fn of(tags: &Tags, reader: &Owner) -> Self {
        let (Some(stack_id), Some(logical_id)) = (tags.get(STACK_ID), tags.get(LOGICAL_ID)) else {
            return Self::Nobody;
        };
        let previous = tags.get(PREVIOUS_LOGICAL_ID);
        if *stack_id != reader.stack_id {
            Self::OtherStack(Owner {
                stack_id: stack_id.clone(),
                logical_id: logical_id.clone(),
            })
        } else if *logical_id == reader.logical_id {
            Self::ThisResource {
                // A return that was interrupted between its calls leaves the tag with the resource's own logical id.
                transferred_from: previous.filter(|id| **id != reader.logical_id).cloned(),
            }
        } else {
            Self::OtherLogicalId {
                logical_id: logical_id.clone(),
                transferred_from_here: previous == Some(&reader.logical_id),
            }
        }
    }

    /// Returns whether the resource itself has the thing.
    #[must_use]
    pub fn is_this_resource(&self) -> bool {
        matches!(self, Self::ThisResource { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(stack_id: &str, logical_id: &str) -> Owner {
        Owner {
            stack_id: stack_id.into(),
            logical_id: logical_id.into(),
        }
    }

    #[test]
    fn the_tags_name_the_owner() {
        let reader = owner("stack", "A");
        assert_eq!(TagOwner::of(&Tags::new(), &reader), TagOwner::Nobody);
        let this = TagOwner::ThisResource {
            transferred_from: None,
        };
        assert_eq!(TagOwner::of(&reader.tags(), &reader), this);
        let other = owner("other", "A");
        let tags = other.tags();
        assert_eq!(TagOwner::of(&tags, &reader), TagOwner::OtherStack(other));
    }

    #[test]
    fn a_renamed_logical_id_is_recognized_from_both_sides() {
        let (old, new) = (owner("stack", "A"), owner("stack", "B"));
        let tags = new.tags_of_transfer("A");
        let this = TagOwner::ThisResource {
            transferred_from: Some("A".into()),
        };
        assert_eq!(TagOwner::of(&tags, &new), this);
        let other = |transferred_from_here| TagOwner::OtherLogicalId {
            logical_id: "B".into(),
            transferred_from_here,
        };
        assert_eq!(TagOwner::of(&tags, &old), other(true));
        assert_eq!(TagOwner::of(&tags, &owner("stack", "C")), other(false));
    }
}
