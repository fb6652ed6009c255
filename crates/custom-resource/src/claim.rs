//! Who a thing's tags say it belongs to, as one resource sees it.

use crate::{LOGICAL_ID_TAG, Owner, PREVIOUS_LOGICAL_ID_TAG, STACK_ID_TAG};
use std::collections::BTreeMap;

/// What the tags of a thing say to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody's: it carries no tags of this project.
    Nobody,
    /// The resource's own.
    Own {
        /// The logical id that it was taken over from, and that has not been deleted since. While this stands, a
        /// Delete is a rollback of the renaming: it gives the thing back.
        taken_from: Option<String>,
    },
    /// Another logical id's of the same stack.
    Sibling {
        /// That logical id.
        logical_id: String,
        /// Whether it was taken over from this very resource: its logical id was renamed in the template.
        taken_from_us: bool,
    },
    /// Another stack's.
    Foreign(Owner),
}

impl Owner {
    /// What `tags` say to this owner.
    #[must_use]
    pub fn claim(&self, tags: &BTreeMap<String, String>) -> Claim {
        let (Some(stack_id), Some(logical_id)) = (tags.get(STACK_ID_TAG), tags.get(LOGICAL_ID_TAG))
        else {
            return Claim::Nobody;
        };
        let previous = tags.get(PREVIOUS_LOGICAL_ID_TAG);
        if *stack_id != self.stack_id {
            Claim::Foreign(Owner {
                stack_id: stack_id.clone(),
                logical_id: logical_id.clone(),
            })
        } else if *logical_id == self.logical_id {
            Claim::Own {
                // A note of itself is what a giving back left that was cut off in its middle.
                taken_from: previous.filter(|id| **id != self.logical_id).cloned(),
            }
        } else {
            Claim::Sibling {
                logical_id: logical_id.clone(),
                taken_from_us: previous == Some(&self.logical_id),
            }
        }
    }

    /// The tags by which this owner takes a thing over from `sibling`, noting whose it was.
    #[must_use]
    pub fn tags_taken_from(&self, sibling: &str) -> BTreeMap<String, String> {
        let mut tags = self.tag_map();
        tags.insert(PREVIOUS_LOGICAL_ID_TAG.to_owned(), sibling.to_owned());
        tags
    }

    /// The two tags that say whose a thing is, as a map.
    #[must_use]
    pub fn tag_map(&self) -> BTreeMap<String, String> {
        let tags = self.tags().into_iter();
        tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
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
    fn tags_say_whose_a_thing_is() {
        let ours = owner("stack", "A");
        assert_eq!(ours.claim(&BTreeMap::new()), Claim::Nobody);
        assert_eq!(ours.claim(&ours.tag_map()), Claim::Own { taken_from: None });
        let stranger = owner("other", "A");
        assert_eq!(ours.claim(&stranger.tag_map()), Claim::Foreign(stranger));
    }

    #[test]
    fn a_renamed_logical_id_is_known_from_both_sides() {
        let (old, new) = (owner("stack", "A"), owner("stack", "B"));
        let tags = new.tags_taken_from("A");
        assert_eq!(
            new.claim(&tags),
            Claim::Own {
                taken_from: Some("A".into())
            }
        );
        let sibling = |taken_from_us| Claim::Sibling {
            logical_id: "B".into(),
            taken_from_us,
        };
        assert_eq!(old.claim(&tags), sibling(true));
        assert_eq!(owner("stack", "C").claim(&tags), sibling(false));
    }
}
