//! Deserializes values as CloudFormation sends them, for `#[serde(deserialize_with = "...")]`.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use std::collections::BTreeMap;

/// Deserializes `true` or `false`, as a string (CloudFormation) or as a JSON value.
///
/// # Errors
///
/// Any other value.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match &Value::deserialize(deserializer)? {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err(de::Error::custom("expected true or false")),
    }
}

/// Deserializes a whole number between `LEAST` and `MOST`, both included, as a string
/// (CloudFormation) or as a JSON value.
///
/// # Errors
///
/// Any other value, and a number that does not fit `T`.
pub fn integer_within<'de, D, T, const LEAST: u64, const MOST: u64>(
    deserializer: D,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = match &Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64(),
        // Digits only, because the standard parser accepts a plus sign too.
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (LEAST..=MOST).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| de::Error::custom(format!("expected a whole number from {LEAST} to {MOST}")))
}

/// Deserializes a list of strings.
///
/// # Errors
///
/// Any other value. A single string is not accepted as a list of one, because with CloudFormation's
/// intrinsic functions it is just as often a joined list.
pub fn string_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Array(values) => values.into_iter().map(string).collect(),
        _ => None,
    }
    .ok_or_else(|| de::Error::custom("expected a list of strings"))
}

/// Deserializes strings by name, such as tags: a map, or CloudFormation's list of `{ "Key": ...,
/// "Value": ... }`.
///
/// # Errors
///
/// Any other value, and a list with a duplicate key.
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

/// Returns a scalar as the string that CloudFormation would send for it.
fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
