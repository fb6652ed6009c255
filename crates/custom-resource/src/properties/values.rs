//! Values as CloudFormation sends them, for `#[serde(deserialize_with = "...")]`.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use std::collections::BTreeMap;

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
