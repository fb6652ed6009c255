//! The properties of a resource, typed.
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
//! The names that exist come from the struct itself (serde's derive tells a deserializer its fields), so that there is
//! no second list to keep. A property whose value is `null` counts as absent.

use crate::shorten::shorten;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt};

/// How much of a wrong value an error shows, in bytes.
const SHOWN: usize = 200;

/// A resource's properties, without CloudFormation's own (`ServiceToken`, `ServiceTimeout`).
///
/// They may be unusable, which [`parse`](Self::parse) says: a Delete must get through with the properties that its
/// Create was refused for. `Debug` shows their names only: a value may be a secret, such as an external id.
#[derive(Clone, Default, PartialEq)]
pub struct Properties {
    values: Map<String, Value>,
    fault: Option<PropertyError>,
}

/// What is wrong with a property, in a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// The property does not exist.
    #[error("Property {property} is unknown: the properties are {}.", .known.join(", "))]
    Unknown {
        /// Its name, as sent.
        property: String,
        /// The ones that exist.
        known: &'static [&'static str],
    },
    /// The property is required and absent.
    #[error("Property {property} is missing.")]
    Missing {
        /// Its name.
        property: String,
    },
    /// The property has a value that it cannot have.
    #[error("Property {property} is {value}: expected {expected}.")]
    Invalid {
        /// Its name.
        property: String,
        /// The value as JSON, cut in its middle beyond 200 bytes.
        value: String,
        /// What it may be, to follow "expected".
        expected: String,
    },
    /// The properties as a whole are no JSON object.
    #[error("The properties are {value}: expected a JSON object.")]
    NoObject {
        /// What was sent as JSON, cut in its middle beyond 200 bytes.
        value: String,
    },
}

impl PropertyError {
    /// A value that the property cannot have; `expected` follows the word "expected".
    pub fn invalid(
        property: impl Into<String>,
        value: &Value,
        expected: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            property: property.into(),
            value: shown(value),
            expected: expected.into(),
        }
    }
}

fn shown(value: &Value) -> String {
    shorten(&value.to_string(), SHOWN)
}

impl Properties {
    /// Properties of which something is known to be wrong: [`parse`](Self::parse) says just that.
    pub(crate) fn with_fault(mut self, fault: PropertyError) -> Self {
        self.fault.get_or_insert(fault);
        self
    }

    /// Takes CloudFormation's own property out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    /// The properties as a type of the resource.
    ///
    /// # Errors
    ///
    /// The first thing wrong: no object, an unknown property, a missing one, a value that one cannot have.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, PropertyError> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => T::deserialize(Source(&self.values)).map_err(Fault::into_error),
        }
    }

    /// One property as it was sent, also where the rest is unusable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// One property where it is a string, also where the rest is unusable.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The names of those that are there.
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
                value: shown(&other),
            }),
        }
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// What serde reports, kept as facts until the property is known.
#[derive(Debug)]
enum Fault {
    Property(PropertyError),
    Text(String),
}

impl Fault {
    fn into_error(self) -> PropertyError {
        match self {
            Self::Property(error) => error,
            // Only a type that is no struct gets here, which is a mistake of this project's own code.
            Self::Text(text) => PropertyError::NoObject { value: text },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(error) => error.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Text(text.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Property(PropertyError::Missing {
            property: field.into(),
        })
    }
}

/// The object as serde reads it.
struct Source<'a>(&'a Map<String, Value>);

impl<'de> Deserializer<'de> for Source<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Entries {
            rest: self.0.iter(),
            value: None,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            Some(unknown) => Err(Fault::Property(PropertyError::Unknown {
                property: shorten(unknown, SHOWN),
                known,
            })),
            None => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Its entries, one after another, so that an error is known to be of one property.
struct Entries<'a> {
    rest: serde_json::map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        match self.rest.find(|(_, value)| !value.is_null()) {
            Some((key, value)) => {
                self.value = Some((key, value));
                seed.deserialize(de::value::StrDeserializer::<Fault>::new(key))
                    .map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some((property, value)) = self.value.take() else {
            return Err(de::Error::custom("a value without a key"));
        };
        seed.deserialize(value.clone()).map_err(|error| {
            Fault::Property(PropertyError::invalid(
                property,
                value,
                expected(&error.to_string()),
            ))
        })
    }
}

/// The part of serde's message after "expected": ``unknown variant `X`, expected `Fail` or `Delete` ``.
fn expected(message: &str) -> &str {
    message
        .split_once("expected ")
        .map_or(message, |(_, expected)| expected)
}

/// `true` or `false`, as CloudFormation sends it (`"true"`) or as JSON has it.
///
/// # Errors
///
/// Anything else.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match &Value::deserialize(deserializer)? {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err(de::Error::custom("expected true or false")),
    }
}

/// A whole number between `LEAST` and `MOST`, both included, as CloudFormation sends it (`"3600"`) or as JSON has it.
///
/// # Errors
///
/// Anything else, and a number that does not fit `T`.
pub fn integer_within<'de, D, T, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = match &Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64(),
        // Digits alone: the standard parser takes a plus sign too.
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (LEAST..=MOST).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| de::Error::custom(format!("expected a whole number from {LEAST} to {MOST}")))
}

/// A list of strings.
///
/// # Errors
///
/// Anything else. A single string is not taken for a list of one: with CloudFormation's intrinsic functions it is as
/// often a list that was joined.
pub fn string_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().map(string).collect(),
        _ => None,
    }
    .ok_or_else(|| de::Error::custom("expected a list of strings"))
}

/// Strings by name, such as tags: a map, or CloudFormation's list of `{ "Key": ..., "Value": ... }`.
///
/// # Errors
///
/// Anything else, and a list that has the same key twice.
pub fn string_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Object(values) => values
            .into_iter()
            .map(|(key, value)| Some((key, string(value)?)))
            .collect(),
        Value::Array(pairs) => {
            let count = pairs.len();
            pairs
                .into_iter()
                .map(pair)
                .collect::<Option<BTreeMap<_, _>>>()
                .filter(|map| map.len() == count)
        }
        _ => None,
    }
    .ok_or_else(|| {
        de::Error::custom(
            "expected a map of strings, or a list of { \"Key\": string, \"Value\": string } with each key once",
        )
    })
}

fn pair(value: Value) -> Option<(String, String)> {
    let Value::Object(mut pair) = value else {
        return None;
    };
    let key = string(pair.remove("Key")?)?;
    let value = string(pair.remove("Value")?)?;
    pair.is_empty().then_some((key, value))
}

/// A scalar as the string that CloudFormation would send for it.
fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
