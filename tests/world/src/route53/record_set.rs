//! Resource record sets, in requests and in zones.

use std::fmt;

use super::name::Name;
use crate::iam::principal::Hand;
use crate::wire::answer::ServiceError;
use crate::wire::xml::Element;

/// The key of a record set in a zone. The order is that of `ListResourceRecordSets`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordKey {
    /// Its name.
    pub name: Name,
    /// Its type, such as `NS`.
    pub kind: String,
    /// Distinguishes record sets with a routing policy.
    pub set_identifier: String,
}

impl RecordKey {
    /// Returns the key of a simple record set.
    pub fn new(name: &Name, kind: &str) -> Self {
        Self {
            name: name.clone(),
            kind: kind.to_owned(),
            set_identifier: String::new(),
        }
    }
}

/// A record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// The TTL in seconds, or none for an alias.
    pub ttl: Option<u32>,
    /// The values as they were sent.
    pub values: Vec<String>,
    /// The target of an alias: its zone and its name.
    pub alias: Option<(String, String)>,
    /// Who wrote it.
    pub written_by: Hand,
}

impl RecordSet {
    /// Creates a simple record set.
    pub fn new(ttl: u32, values: &[&str], written_by: Hand) -> Self {
        Self {
            ttl: Some(ttl),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            alias: None,
            written_by,
        }
    }

    /// Returns whether a DELETE of `other` matches: the same TTL, and the same values in any order.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let sorted = |values: &[String]| {
            let mut values = values.to_vec();
            values.sort();
            values
        };
        self.ttl == other.ttl
            && self.alias == other.alias
            && sorted(&self.values) == sorted(&other.values)
    }
}

impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}",
            self.ttl.unwrap_or_default(),
            self.values.join(",")
        )
    }
}

/// `CREATE`, `DELETE` or `UPSERT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Delete,
    Upsert,
}

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
            Self::Upsert => "UPSERT",
        }
    }
}

/// One change of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) action: Action,
    pub(crate) key: RecordKey,
    pub(crate) set: RecordSet,
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::bad("InvalidInput", message)
}

impl Change {
    /// Parses a `Change` element.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub(crate) fn read(element: &Element, hand: &Hand) -> Result<Self, ServiceError> {
        let action = match element.get("Action") {
            Some("CREATE") => Action::Create,
            Some("DELETE") => Action::Delete,
            Some("UPSERT") => Action::Upsert,
            other => return Err(invalid(format!("Action {other:?}"))),
        };
        let set = element
            .child("ResourceRecordSet")
            .ok_or_else(|| invalid("no ResourceRecordSet"))?;
        let name = set.get("Name").ok_or_else(|| invalid("no Name"))?;
        let name = Name::parse(name).map_err(invalid)?;
        let kind = set
            .get("Type")
            .ok_or_else(|| invalid("no Type"))?
            .to_owned();
        let values: Vec<String> = set
            .child("ResourceRecords")
            .into_iter()
            .flat_map(|records| records.children_named("ResourceRecord"))
            .filter_map(|record| record.get("Value"))
            .map(ToOwned::to_owned)
            .collect();
        let ttl = match set.get("TTL").map(str::parse::<u32>) {
            Some(Ok(ttl)) if ttl <= 2_147_483_647 => Some(ttl),
            None => None,
            _ => return Err(invalid("Invalid TTL")),
        };
        let alias = set.child("AliasTarget").map(|alias| {
            let get = |name| alias.get(name).unwrap_or_default().to_owned();
            (get("HostedZoneId"), get("DNSName"))
        });
        if alias.is_none() && (ttl.is_none() || values.is_empty()) {
            return Err(invalid(format!(
                "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action={}, Name={name}, Type={kind}]",
                action.name()
            )));
        }
        Ok(Self {
            action,
            key: RecordKey {
                name,
                kind,
                set_identifier: set.get("SetIdentifier").unwrap_or_default().to_owned(),
            },
            set: RecordSet {
                ttl,
                values,
                alias,
                written_by: hand.clone(),
            },
        })
    }
}

/// Returns the XML element of a record set.
pub(crate) fn element(key: &RecordKey, set: &RecordSet) -> Element {
    let mut element = Element::new("ResourceRecordSet")
        .text("Name", key.name.to_string())
        .text("Type", &key.kind)
        .maybe(
            "SetIdentifier",
            Some(&key.set_identifier).filter(|identifier| !identifier.is_empty()),
        )
        .maybe("TTL", set.ttl.map(|ttl| ttl.to_string()));
    if let Some((zone, name)) = &set.alias {
        element = element.with(
            Element::new("AliasTarget")
                .text("HostedZoneId", zone)
                .text("DNSName", name)
                .text("EvaluateTargetHealth", "false"),
        );
    }
    if !set.values.is_empty() {
        element = element.with(
            Element::new("ResourceRecords").with_all(
                set.values
                    .iter()
                    .map(|value| Element::new("ResourceRecord").text("Value", value)),
            ),
        );
    }
    element
}
