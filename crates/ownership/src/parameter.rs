//! Decides who owns a parameter, and which tags a request writes to it.
//!
//! Everything that this project writes to a parameter can be changed later, so its tags alone
//! decide. They are written together with the parameter, in one call.
//!
//! A Create, or an Update to another prefix, may find existing parameters: kept by `DeletionPolicy:
//! Retain`, or of a logical id that was renamed. It transfers them to itself in one call, before it
//! changes their values, and notes in the same call their owner and values. The rollback of that
//! request restores both.

use crate::{
    Creation, Requester, TagOwner,
    tags::{self, Tags},
};
use custom_resource::Request;
use std::fmt;

/// A parameter's tags, for the resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// Who has it.
    pub owner: TagOwner,
    /// The request with which its owner got it. None if release 0.2.0 or an earlier one wrote the
    /// tags.
    pub since: Option<Creation>,
    /// How its owner got it.
    pub origin: Origin,
}

/// How its owner got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Its owner created it.
    Created,
    /// It had another owner before, and can be returned.
    Transferred(Before),
    /// It was transferred, and the transfer is final.
    Settled,
}

/// The state of a parameter before it was transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// The logical id that had it.
    pub logical_id: String,
    /// Its value.
    pub value: String,
}

impl Ownership {
    /// Reads the ownership of a parameter with this value and these tags, for the resource of a
    /// request.
    #[must_use]
    pub fn of(value: &str, tags: &Tags, request: &Request) -> Self {
        let transfer = Creation::named_by(tags, tags::TRANSFER);
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

    /// Returns whether its owner got it with this request, in this or another delivery.
    #[must_use]
    pub fn is_since(&self, request: &Request) -> bool {
        let since = self.since.as_ref();
        since.is_some_and(|since| since.is_by(request))
    }

    /// Returns the logical id to which it can be returned, if that is another one.
    #[must_use]
    pub fn transferred_from(&self) -> Option<&str> {
        match &self.owner {
            TagOwner::ThisResource { transferred_from } => transferred_from.as_deref(),
            _ => None,
        }
    }
}

/// Returns the tags with which a request transfers a parameter with this value and these tags to
/// its resource.
///
/// If an earlier transfer from another logical id is not final, its note stays, because that
/// logical id may still be in the stack.
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

/// Returns the tags with which a parameter is returned to its former logical id.
#[must_use]
pub fn return_tags(request: &Request, logical_id: &str) -> Tags {
    request.owner().sibling(logical_id).tags()
}

/// Returns the keys of the tags that note the former state.
#[must_use]
pub fn notes() -> Vec<String> {
    [tags::PREVIOUS_LOGICAL_ID, tags::PREVIOUS_VALUE]
        .map(str::to_owned)
        .to_vec()
}

/// Returns the keys of all tags that a transfer writes in addition to the owner.
#[must_use]
pub fn notes_and_transfer() -> Vec<String> {
    let mut keys = notes();
    keys.push(tags::TRANSFER.to_owned());
    keys
}

/// Returns a value in a form that a tag accepts: a tag has no commas, and none of the values has a
/// space (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Tag.html>).
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
