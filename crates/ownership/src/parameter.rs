//! Whose a parameter is, and the tags that a request writes on one.
//!
//! A parameter has nothing of ours that nobody can change, so its tags decide alone. They are written with the parameter, in one call.
//!
//! A Create, or an Update to another prefix, may find parameters that existed before: kept by `DeletionPolicy: Retain`,
//! or of a logical id that was renamed. It transfers them to itself in one call, before it changes their values, and
//! notes in the same call whose they were and what they said. Whoever undoes that request returns them as they were.

use crate::{
    Creation, Requester, TagOwner,
    tags::{self, Tags},
};
use custom_resource::Request;
use std::fmt;

/// What the tags of a parameter say to the resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// Who has it.
    pub owner: TagOwner,
    /// The request by which its owner came to it. None if release 0.2.0 or an earlier one wrote the tags.
    pub since: Option<Creation>,
    /// How its owner came to it.
    pub origin: Origin,
}

/// How its owner came to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Its owner created it.
    Created,
    /// It was someone's before, and can be returned.
    Transferred(Before),
    /// It was transferred, and the stack has moved on since.
    Settled,
}

/// What a parameter was before it was transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// The logical id that had it.
    pub logical_id: String,
    /// The value that it had.
    pub value: String,
}

impl Ownership {
    /// Returns what a parameter with this value and these tags is to the resource of a request.
    #[must_use]
    pub fn of(value: &str, tags: &Tags, request: &Request) -> Self {
        let transfer = tags
            .get(tags::TRANSFER)
            .and_then(|tag| Creation::of_tag(tag));
        let previous_id = tags.get(tags::PREVIOUS_LOGICAL_ID);
        let previous_value = tags.get(tags::PREVIOUS_VALUE);
        let origin = match (previous_id, &transfer) {
            (Some(logical_id), _) => Origin::Transferred(Before {
                logical_id: logical_id.clone(),
                value: previous_value.map_or_else(|| value.to_owned(), |tag| value_of_tag(tag)),
            }),
            (None, Some(_)) => Origin::Settled,
            (None, None) => Origin::Created,
        };
        Self {
            owner: TagOwner::of(tags, &request.owner()),
            since: transfer.or_else(|| Creation::of_tags(tags)),
            origin,
        }
    }

    /// Returns whether the resource of the request has it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.owner.is_this_resource()
    }

    /// Returns whether its owner came to it by this very request, in this or another delivery.
    #[must_use]
    pub fn is_since(&self, request: &Request) -> bool {
        let since = self.since.as_ref();
        since.is_some_and(|since| since.is_by(request))
    }

    /// Returns the logical id that it can be returned to, if that is another one.
    #[must_use]
    pub fn transferred_from(&self) -> Option<&str> {
        match &self.owner {
            TagOwner::ThisResource { transferred_from } => transferred_from.as_deref(),
            _ => None,
        }
    }
}

/// Returns the tags by which a request transfers a parameter with this value and these tags to its resource.
///
/// If a transfer from another logical id was never settled, what that one noted stays: the other one may still be in the
/// stack.
#[must_use]
pub fn transfer_tags(request: &Request, value: &str, present: &Tags) -> Tags {
    let ownership = Ownership::of(value, present, request);
    let mut tags = request.owner().tags();
    tags.insert(tags::TRANSFER.to_owned(), Creation::tag(request));
    let owner = present.get(tags::LOGICAL_ID);
    if let (None, Some(owner)) = (ownership.transferred_from(), owner) {
        tags.insert(tags::PREVIOUS_LOGICAL_ID.to_owned(), owner.clone());
        let value = value_as_tag(value);
        tags.insert(tags::PREVIOUS_VALUE.to_owned(), value);
    }
    tags
}

/// Returns the tags by which a parameter is returned to the logical id that had it.
#[must_use]
pub fn return_tags(request: &Request, logical_id: &str) -> Tags {
    request.owner().sibling(logical_id).tags()
}

/// Returns the keys of what a transfer notes of the time before it.
#[must_use]
pub fn notes() -> Vec<String> {
    [tags::PREVIOUS_LOGICAL_ID, tags::PREVIOUS_VALUE]
        .map(str::to_owned)
        .to_vec()
}

/// Returns the keys of all that a transfer writes beside the owner.
#[must_use]
pub fn notes_and_transfer() -> Vec<String> {
    let mut keys = notes();
    keys.push(tags::TRANSFER.to_owned());
    keys
}

/// A value as a tag can hold it: a tag has no comma, and none of the values has a space
/// (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Tag.html>).
fn value_as_tag(value: &str) -> String {
    value.replace(',', " ")
}

fn value_of_tag(tag: &str) -> String {
    tag.replace(' ', ",")
}

/// Prints the owner, for example `of Zone in stack/dev/1 since request 0123.../1795500060, before of Former with Z0`.
#[derive(Debug)]
pub struct Shown<'a>(pub &'a Tags);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = |key: &str| self.0.get(key).map(String::as_str);
        write!(f, "{}", tags::ShownOwner(self.0))?;
        if let Some(request) = tag(tags::TRANSFER).or_else(|| tag(tags::REQUEST)) {
            write!(f, " since request {request}")?;
        }
        match (tag(tags::PREVIOUS_LOGICAL_ID), tag(tags::PREVIOUS_VALUE)) {
            (Some(before), Some(value)) => {
                write!(f, ", before of {before} with {}", value_of_tag(value))
            }
            _ => Ok(()),
        }
    }
}
