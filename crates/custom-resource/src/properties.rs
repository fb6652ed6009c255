//! The properties of a resource as a typed value.
//!
//! A resource type derives `Deserialize` for a plain struct (`rename_all = "PascalCase"`) and calls
//! [`Properties::parse`]. The functions here are for `#[serde(deserialize_with = "...")]`, because CloudFormation
//! sends every scalar as a string:
//!
//! ```
//! use custom_resource::{Properties, properties};
//! use std::collections::BTreeMap;
//!
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "PascalCase")]
//! struct Zone {
//!     subdomain: String,
//!     #[serde(default = "quarter_of_an_hour", deserialize_with = "properties::integer_within::<_, _, 1, 86_400>")]
//!     ttl: u32,
//!     #[serde(default, deserialize_with = "properties::boolean")]
//!     verify: bool,
//!     #[serde(default)]
//!     records_on_delete: OnDelete,
//!     external_id: Option<String>,
//!     #[serde(default, deserialize_with = "properties::string_list")]
//!     names: Vec<String>,
//!     #[serde(default, deserialize_with = "properties::string_map")]
//!     tags: BTreeMap<String, String>,
//! }
//!
//! #[derive(serde::Deserialize, Default)]
//! enum OnDelete {
//!     #[default]
//!     Fail,
//!     Delete,
//! }
//!
//! fn quarter_of_an_hour() -> u32 {
//!     900
//! }
//!
//! let properties = Properties::from(serde_json::json!({
//!     "Subdomain": "dev", "Ttl": "60", "Verify": "true", "Tags": [{ "Key": "team", "Value": "build" }],
//! }));
//! let zone: Zone = properties.parse()?;
//! assert_eq!((zone.ttl, zone.verify, zone.tags["team"].as_str()), (60, true, "build"));
//!
//! let misspelt = Properties::from(serde_json::json!({ "Subdomain": "dev", "TTL": "60" }));
//! assert_eq!(
//!     misspelt.parse::<Zone>().err().unwrap().to_string(),
//!     "Property TTL is unknown: the properties are Subdomain, Ttl, Verify, RecordsOnDelete, ExternalId, Names, Tags.",
//! );
//! # Ok::<(), custom_resource::PropertyError>(())
//! ```
//!
//! The known names are those of the struct itself (serde's derive tells a deserializer its fields),
//! so there is no second list. A property counts as absent if its value is `null`, `""`, `[]` or
//! `[""]`, because a template passes these for a parameter that was left empty.

mod source;
mod values;

pub use values::{boolean, integer_within, string_list, string_map};

use crate::{event::UNREAD, redact::keep_secret, shorten};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::fmt;

/// How much of an invalid value an error shows, in bytes.
const SHOWN: usize = 200;
/// What the keys of ownership tags start with, whichever crate writes them. A user's tag must not.
pub const RESERVED_TAGS: &str = "zone-delegation:";

/// The properties whose values are always secret, whichever resource type has them and whatever
/// their JSON type.
const SECRET: [&str; 1] = ["ExternalId"];

/// A resource's properties, without CloudFormation's own (`ServiceToken`, `ServiceTimeout`).
///
/// They may be unusable, in which case [`parse`](Self::parse) fails: the Delete of a refused Create
/// has the same properties and must succeed. `Debug` shows names only, because a value may be a
/// secret such as an external id.
#[derive(Clone, Default, PartialEq)]
pub struct Properties {
    values: Map<String, Value>,
    fault: Option<PropertyError>,
}

/// What is wrong with a property, as a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// The property does not exist.
    #[error("Property {property} is unknown: the properties are {}.", .known.join(", "))]
    Unknown {
        /// Its name, as sent.
        property: String,
        /// The known properties.
        known: &'static [&'static str],
    },
    /// The property is required and absent.
    #[error("Property {property} is missing.")]
    Missing {
        /// Its name.
        property: String,
    },
    /// The value of the property is invalid.
    #[error("Property {property} is {value}: expected {expected}.")]
    Invalid {
        /// Its name.
        property: String,
        /// The value as JSON, shortened in its middle to 200 bytes.
        value: String,
        /// The valid values, to follow "expected".
        expected: String,
    },
    /// The properties are not a JSON object. The sentence does not show them, because they may
    /// contain a secret.
    #[error("The properties are {what}: expected a JSON object.")]
    NoObject {
        /// The kind of JSON value that was sent, or why it was not parsed.
        what: String,
    },
}

impl PropertyError {
    /// Creates the error for an invalid value. `expected` follows the word "expected".
    pub fn invalid(
        property: impl Into<String>,
        value: &Value,
        expected: impl Into<String>,
    ) -> Self {
        let property = property.into();
        let value = if SECRET.contains(&property.as_str()) {
            "a value that is not shown".to_owned()
        } else {
            shorten(&value.to_string(), SHOWN)
        };
        Self::Invalid {
            property,
            value,
            expected: expected.into(),
        }
    }
}

/// Returns whether a tag of this key could be taken for an ownership tag. IAM's conditions on tags ignore the case of a key.
fn is_reserved(key: &str) -> bool {
    key.get(..RESERVED_TAGS.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_TAGS))
}

/// Returns whether a property with this value is given.
fn is_given(value: &Value) -> bool {
    let is_empty = |value: &Value| value.is_null() || value == "";
    match value {
        Value::Array(values) => {
            !matches!(&values[..], [] | [Value::String(_)] if values.iter().all(is_empty))
        }
        scalar => !is_empty(scalar),
    }
}

/// Keeps all text in a secret value out of answers and log lines.
fn keep_secrets_of(value: &Value) {
    match value {
        Value::String(text) => keep_secret(text),
        Value::Number(number) => keep_secret(&number.to_string()),
        Value::Array(values) => values.iter().for_each(keep_secrets_of),
        Value::Object(members) => members.values().for_each(keep_secrets_of),
        Value::Null | Value::Bool(_) => {}
    }
}

impl Properties {
    /// Adds a known fault, with which [`parse`](Self::parse) then fails.
    pub(crate) fn with_fault(mut self, fault: PropertyError) -> Self {
        self.fault.get_or_insert(fault);
        self
    }

    /// Returns the properties without those `Tags` that have the key of an ownership tag.
    pub(crate) fn without_reserved_tags(mut self) -> Self {
        let Some(mut tags) = self.get("Tags").and_then(|tags| string_map(tags).ok()) else {
            return self;
        };
        let all = tags.len();
        tags.retain(|key, _| !is_reserved(key));
        if tags.len() < all {
            tracing::warn!(
                "Tags whose keys start with zone-delegation: are left out: they are reserved for ownership tags"
            );
            self.values.insert("Tags".to_owned(), json!(tags));
        }
        self
    }

    /// Returns the properties, with a fault if one of the `Tags` has the key of an ownership tag.
    pub(crate) fn refusing_reserved_tags(self) -> Self {
        let Some(tags) = self.get("Tags") else {
            return self;
        };
        let mut keys = string_map(tags).unwrap_or_default().into_keys();
        let Some(key) = keys.find(|key| is_reserved(key)) else {
            return self;
        };
        let expected = format!(
            "no key {}, because keys that start with zone-delegation: are reserved for ownership tags",
            shorten(&key, SHOWN)
        );
        let fault = PropertyError::invalid("Tags", tags, expected);
        self.with_fault(fault)
    }

    /// Removes and returns one of CloudFormation's own properties.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name).filter(is_given)
    }

    /// Parses the properties into a type of the resource.
    ///
    /// # Errors
    ///
    /// The first fault: no object, an unknown property, a missing property, an invalid value.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, PropertyError> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => source::deserialize(&self.values),
        }
    }

    /// Keeps the values of secret properties out of all answers and log lines.
    pub(crate) fn keep_secrets(&self) {
        for value in SECRET.iter().filter_map(|name| self.values.get(*name)) {
            keep_secrets_of(value);
        }
    }

    /// Returns one property that is present, as it was sent, even if the others are unusable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| is_given(value))
    }

    /// Returns one property if it is a string, even if the others are unusable.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Returns whether there are no properties.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the names of the properties.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    pub(crate) fn to_map(&self) -> Map<String, Value> {
        self.values.clone()
    }
}

impl From<Value> for Properties {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(values) => Self {
                values,
                fault: None,
            },
            Value::Null => Self::default(),
            other => Self::default().with_fault(PropertyError::NoObject {
                what: match &other {
                    Value::String(text) if UNREAD.contains(&text.as_str()) => text,
                    Value::String(_) => "a string",
                    Value::Array(_) => "an array",
                    _ => "a scalar",
                }
                .to_owned(),
            }),
        }
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Typed {
        name: String,
        #[serde(default, deserialize_with = "boolean")]
        verify: bool,
        #[serde(default, deserialize_with = "integer_within::<_, _, 1, 300>")]
        ttl: u16,
        #[serde(default)]
        on_delete: OnDelete,
        comment: Option<String>,
        #[serde(default, deserialize_with = "string_list")]
        names: Vec<String>,
        #[serde(default, deserialize_with = "string_map")]
        tags: BTreeMap<String, String>,
    }

    #[derive(Deserialize, Debug, Default, PartialEq)]
    enum OnDelete {
        #[default]
        Fail,
        Delete,
    }

    /// Parses `Name` and one more property.
    fn parse(name: &str, value: Value) -> Result<Typed, String> {
        let mut properties = json!({ "Name": "dev" });
        properties[name] = value;
        Properties::from(properties)
            .parse()
            .map_err(|error| error.to_string())
    }

    fn refused(name: &str, value: Value) -> String {
        parse(name, value).unwrap_err()
    }

    #[test]
    fn scalars_are_parsed_from_strings_and_from_json() {
        for (value, expected) in [
            (json!("true"), true),
            (json!(true), true),
            (json!("false"), false),
            (json!(false), false),
        ] {
            assert_eq!(parse("Verify", value).unwrap().verify, expected);
        }
        for (value, expected) in [(json!("300"), 300), (json!(1), 1), (json!("007"), 7)] {
            assert_eq!(parse("Ttl", value).unwrap().ttl, expected);
        }
        assert_eq!(
            parse("OnDelete", json!("Delete")).unwrap().on_delete,
            OnDelete::Delete
        );
    }

    #[test]
    fn an_invalid_value_is_reported_with_the_valid_ones() {
        for value in [
            json!("True"),
            json!("yes"),
            json!(" "),
            json!(1),
            json!([true]),
        ] {
            assert_eq!(
                refused("Verify", value.clone()),
                format!("Property Verify is {value}: expected true or false.")
            );
        }
        for value in [
            json!("0"),
            json!("301"),
            json!(301),
            json!("-1"),
            json!(-1),
            json!("+1"),
            json!("1.0"),
            json!(1.5),
            json!(" 1"),
            json!("99999999999999999999"),
            json!("٣"),
            json!(true),
            json!({}),
        ] {
            assert_eq!(
                refused("Ttl", value.clone()),
                format!("Property Ttl is {value}: expected a whole number from 1 to 300.")
            );
        }
        assert_eq!(
            refused("OnDelete", json!("delete")),
            r#"Property OnDelete is "delete": expected `Fail` or `Delete`."#
        );
        assert_eq!(
            refused("Name", json!(["dev"])),
            r#"Property Name is ["dev"]: expected a string."#
        );
    }

    #[test]
    fn only_a_list_of_strings_is_parsed_as_a_list() {
        assert_eq!(parse("Names", json!(["a", "b"])).unwrap().names, ["a", "b"]);
        assert_eq!(parse("Names", json!([])).unwrap().names, [""; 0]);
        for value in [
            json!("a"),
            json!("a,b"),
            json!(["a", ["b"]]),
            json!([null]),
            json!({}),
        ] {
            assert_eq!(
                refused("Names", value.clone()),
                format!("Property Names is {value}: expected a list of strings.")
            );
        }
    }

    #[test]
    fn tags_are_parsed_from_a_map_and_from_cloudformations_list() {
        let expected = BTreeMap::from([
            ("a".to_owned(), "1".to_owned()),
            ("b".into(), String::new()),
        ]);
        let list = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "" }]);
        assert_eq!(parse("Tags", list).unwrap().tags, expected);
        assert_eq!(
            parse("Tags", json!({ "a": 1, "b": "" })).unwrap().tags,
            expected
        );
        assert_eq!(parse("Tags", json!([])).unwrap().tags, BTreeMap::new());
        for value in [
            json!("a=1"),
            json!({ "a": [] }),
            json!([{ "Key": "a" }]),
            json!([{ "Key": "a", "Value": "1", "More": "" }]),
            json!([{ "Key": "a", "Value": "1" }, { "Key": "a", "Value": "2" }]),
            json!(["a"]),
        ] {
            let text = refused("Tags", value.clone());
            assert!(text.starts_with("Property Tags is "), "{text}");
            assert!(
                text.contains("expected a map of strings, or a list of"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unknown_property_is_reported_with_the_known_ones() {
        let known = "the properties are Name, Verify, Ttl, OnDelete, Comment, Names, Tags.";
        assert_eq!(
            refused("ttl", json!("1")),
            format!("Property ttl is unknown: {known}")
        );
        assert_eq!(
            refused("Nmae", json!(null)),
            format!("Property Nmae is unknown: {known}")
        );
        let long = refused(&"x".repeat(100_000), json!(1));
        assert!(long.len() < 400, "{}", long.len());
    }

    #[test]
    fn a_missing_property_is_reported() {
        let parse = |value| {
            Properties::from(value)
                .parse::<Typed>()
                .unwrap_err()
                .to_string()
        };
        assert_eq!(parse(json!({})), "Property Name is missing.");
        assert_eq!(parse(json!({ "Name": null })), "Property Name is missing.");
        assert_eq!(parse(json!(null)), "Property Name is missing.");
        assert_eq!(
            parse(json!("x")),
            "The properties are a string: expected a JSON object."
        );
        assert_eq!(
            parse(json!([{ "ExternalId": "secret" }])),
            "The properties are an array: expected a JSON object."
        );
    }

    #[test]
    fn an_empty_value_of_any_property_counts_as_absent() {
        for empty in [json!(null), json!(""), json!([]), json!([""])] {
            let absent = parse("Comment", json!(null));
            for property in ["Verify", "Ttl", "OnDelete", "Comment", "Names", "Tags"] {
                assert_eq!(parse(property, empty.clone()), absent, "{property} {empty}");
            }
            assert_eq!(refused("Name", empty.clone()), "Property Name is missing.");
            assert!(refused("Nmae", empty.clone()).starts_with("Property Nmae is unknown"));
            let properties = Properties::from(json!({ "Name": empty }));
            assert_eq!(properties.get("Name"), None);
        }
        for given in [
            json!(["", ""]),
            json!([null]),
            json!({}),
            json!(0),
            json!(false),
        ] {
            let properties = Properties::from(json!({ "Name": given }));
            assert_eq!(properties.get("Name"), Some(&given));
        }
    }

    #[test]
    fn a_secret_of_an_invalid_type_is_not_shown() {
        #[derive(Deserialize, Debug)]
        #[serde(rename_all = "PascalCase")]
        struct Secret {
            #[serde(rename = "ExternalId")]
            _external_id: Option<String>,
        }
        for value in [
            json!({ "Value": "hunter2-abc" }),
            json!(["hunter2-abc", "hunter2-abc"]),
            json!(7_270_951),
            json!(true),
        ] {
            let properties = Properties::from(json!({ "ExternalId": value }));
            assert_eq!(
                properties.parse::<Secret>().unwrap_err().to_string(),
                "Property ExternalId is a value that is not shown: expected a string."
            );
        }
    }

    #[test]
    fn a_long_value_is_shortened() {
        let text = refused("Ttl", json!("9".repeat(60_000)));
        assert!(text.len() < 400, "{}", text.len());
        assert!(
            text.ends_with("expected a whole number from 1 to 300."),
            "{text}"
        );
    }

    #[test]
    fn debug_shows_no_values() {
        let properties = Properties::from(json!({ "ExternalId": "secret", "Name": "dev" }));
        assert_eq!(format!("{properties:?}"), r#"{"ExternalId", "Name"}"#);
    }
}
