//! Whose a parameter is: every tag that this function writes for itself, and the one place that reads them.
//!
//! A parameter has nothing that cannot be changed, so its tags decide. They are written with the parameter, in one call.
//!
//! A Create, or an Update to another prefix, may find parameters that existed before: kept by `DeletionPolicy: Retain`,
//! or of a logical id that was renamed. It transfers them to itself in one call, before it changes their values, and
//! notes in the same call whose they were and what they said. Whoever undoes that request returns them as they were.

use crate::observed::Parameter;
use custom_resource::{
    Claim, Creation, LOGICAL_ID_TAG, Owner, PREVIOUS_LOGICAL_ID_TAG, REQUEST_TAG, Request,
};
use std::collections::BTreeMap;

/// The value that a parameter had before it was transferred.
pub(crate) const PREVIOUS_VALUE_TAG: &str = "zone-delegation:previous-value";

/// The request that transferred a parameter, in the form of [`REQUEST_TAG`], which names the one that created it.
/// Releases up to 0.2.0 did not write it.
pub(crate) const TRANSFER_TAG: &str = "zone-delegation:transfer";

/// What the tags of a parameter say to the resource of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    pub(crate) claim: Claim,
    /// The request by which its owner came to it. None if release 0.2.0 or an earlier one wrote the tags.
    pub(crate) since: Option<Creation>,
    pub(crate) origin: Origin,
}

/// How its owner came to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Created,
    /// It was someone's before, and can be returned.
    Transferred(Before),
    /// It was transferred, and the stack has moved on since.
    Settled,
}

/// What a parameter was before it was transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) logical_id: String,
    pub(crate) value: String,
}

impl Ownership {
    pub(crate) fn of(parameter: &Parameter, request: &Request) -> Self {
        let tags = &parameter.tags;
        let transfer = tags.get(TRANSFER_TAG).and_then(|tag| Creation::of_tag(tag));
        let previous_id = tags.get(PREVIOUS_LOGICAL_ID_TAG);
        let previous_value = tags.get(PREVIOUS_VALUE_TAG);
        let origin = match (previous_id, &transfer) {
            (Some(logical_id), _) => Origin::Transferred(Before {
                logical_id: logical_id.clone(),
                value: previous_value
                    .map_or_else(|| parameter.value.clone(), |tag| value_of_tag(tag)),
            }),
            (None, Some(_)) => Origin::Settled,
            (None, None) => Origin::Created,
        };
        Self {
            claim: request.owner().claim(tags),
            since: transfer.or_else(|| Creation::of_tags(tags)),
            origin,
        }
    }

    pub(crate) fn is_own(&self) -> bool {
        matches!(self.claim, Claim::Own { .. })
    }

    /// Whether its owner came to it by this very request, in this or another delivery.
    pub(crate) fn is_since(&self, request: &Request) -> bool {
        let since = self.since.as_ref();
        since.is_some_and(|since| since.is_by(request))
    }

    /// The logical id that it can be returned to, if that is another one.
    pub(crate) fn taken_from(&self) -> Option<&str> {
        match &self.claim {
            Claim::Own { taken_from } => taken_from.as_deref(),
            _ => None,
        }
    }
}

/// The tags by which a request transfers a parameter to its resource.
///
/// If a transfer from another logical id was never settled, what that one noted stays: the other one may still be in the
/// stack.
pub(crate) fn transfer_tags(
    request: &Request,
    parameter: &Parameter,
    ownership: &Ownership,
) -> BTreeMap<String, String> {
    let mut tags = request.owner().tag_map();
    let this_request = request.ownership_tags().remove(REQUEST_TAG);
    tags.extend(this_request.map(|tag| (TRANSFER_TAG.to_owned(), tag)));
    let owner = parameter.tags.get(LOGICAL_ID_TAG);
    if let (None, Some(owner)) = (ownership.taken_from(), owner) {
        tags.insert(PREVIOUS_LOGICAL_ID_TAG.to_owned(), owner.clone());
        let value = value_as_tag(&parameter.value);
        tags.insert(PREVIOUS_VALUE_TAG.to_owned(), value);
    }
    tags
}

/// The tags by which a parameter is returned to the logical id that had it.
pub(crate) fn return_tags(request: &Request, logical_id: &str) -> BTreeMap<String, String> {
    let owner = Owner {
        logical_id: logical_id.to_owned(),
        ..request.owner()
    };
    owner.tag_map()
}

/// The keys of what a transfer notes of the time before it.
pub(crate) fn notes() -> Vec<String> {
    [PREVIOUS_LOGICAL_ID_TAG, PREVIOUS_VALUE_TAG]
        .map(str::to_owned)
        .to_vec()
}

/// The keys of all that a transfer writes beside the owner.
pub(crate) fn notes_and_transfer() -> Vec<String> {
    let mut keys = notes();
    keys.push(TRANSFER_TAG.to_owned());
    keys
}

/// A value as a tag can hold it: a tag has no comma, and none of the values has a space
/// (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Tag.html>).
fn value_as_tag(value: &str) -> String {
    value.replace(',', " ")
}

pub(crate) fn value_of_tag(tag: &str) -> String {
    tag.replace(' ', ",")
}
