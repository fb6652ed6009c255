//! The parts of a plan, and how they are combined. Nothing is decided here.

use crate::properties::{Part, Prefix};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

pub(super) type Tags = BTreeMap<String, String>;

/// One change of parameters under a prefix, which are all changed at the same time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Action {
    pub(crate) prefix: Prefix,
    pub(crate) change: Change,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// Creates parameters with these tags.
    Create(Vec<(Part, String)>, Tags),
    Overwrite(Vec<(Part, String)>),
    AddTags(Purpose, Vec<(Part, Tags)>),
    RemoveTags(Purpose, Vec<(Part, Vec<String>)>),
    Delete(Vec<Part>),
}

/// Why tags are changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// The resource of the request becomes the owner, and the notes have the former state.
    TransferTo(String),
    /// The former logical id becomes the owner again.
    ReturnTo(String),
    /// The transfer is final: its notes are deleted.
    Settle,
    /// The property `Tags`.
    Template,
}

impl Action {
    /// Combines changes under a prefix in order. Changes of no parameter are omitted.
    pub(super) fn below(prefix: &Prefix, changes: impl IntoIterator<Item = Change>) -> Vec<Self> {
        let changes = changes
            .into_iter()
            .filter(|change| !change.parts().is_empty());
        let action = |change| Self {
            prefix: prefix.clone(),
            change,
        };
        changes.map(action).collect()
    }
}

impl Change {
    /// Returns the parameters that it changes.
    pub(super) fn parts(&self) -> Vec<Part> {
        match self {
            Self::Create(values, _) | Self::Overwrite(values) => parts_of(values),
            Self::AddTags(_, tags) => parts_of(tags),
            Self::RemoveTags(_, keys) => parts_of(keys),
            Self::Delete(parts) => parts.clone(),
        }
    }
}

fn parts_of<T>(of: &[(Part, T)]) -> Vec<Part> {
    of.iter().map(|(part, _)| *part).collect()
}

/// Writes `below /zone-delegation/dev overwrite name-servers = a,b`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "below {} {}", self.prefix, self.change)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.parts().iter().map(ToString::to_string).collect();
        let parts = parts.join(", ");
        match self {
            Self::Create(new, _) => write!(f, "create {}", pairs(new)),
            Self::Overwrite(other) => write!(f, "overwrite {}", pairs(other)),
            Self::AddTags(Purpose::Template, all) => {
                let tags = all.iter().flat_map(|(_, tags)| tags);
                let tags: BTreeSet<_> = tags
                    .map(|(key, value)| format!("{key} = {value}"))
                    .collect();
                write!(f, "set the tags {}: {parts}", joined(tags))
            }
            Self::RemoveTags(Purpose::Template, all) => {
                let keys: BTreeSet<_> = all.iter().flat_map(|(_, keys)| keys.clone()).collect();
                write!(f, "delete the tags {}: {parts}", joined(keys))
            }
            Self::AddTags(purpose, _) | Self::RemoveTags(purpose, _) => {
                write!(f, "{purpose}: {parts}")
            }
            Self::Delete(_) => write!(f, "delete {parts}"),
        }
    }
}

fn pairs(values: &[(Part, String)]) -> String {
    joined(
        values
            .iter()
            .map(|(part, value)| format!("{part} = {value}")),
    )
}

fn joined(words: impl IntoIterator<Item = String>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TransferTo(id) => write!(f, "transfer to {id}, noting what was before"),
            Self::ReturnTo(id) => write!(f, "return to {id}"),
            Self::Settle => f.write_str("delete the notes of a transfer"),
            Self::Template => f.write_str("set the template's tags"),
        }
    }
}
