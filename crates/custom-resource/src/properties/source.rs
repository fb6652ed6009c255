//! Lets serde deserialize properties so that each error names its property.

use super::{PropertyError, SHOWN, is_given};
use crate::shorten;
use serde::{
    Deserializer,
    de::{self, DeserializeOwned, DeserializeSeed, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use std::fmt;

/// Parses the properties into a type of the resource.
pub(super) fn deserialize<T: DeserializeOwned>(
    values: &Map<String, Value>,
) -> Result<T, PropertyError> {
    T::deserialize(Source(values)).map_err(Fault::into_error)
}

/// An error of serde, as facts until the property is known.
#[derive(Debug)]
enum Fault {
    Property(PropertyError),
    Text(String),
}

impl Fault {
    fn into_error(self) -> PropertyError {
        match self {
            Self::Property(error) => error,
            // Only a type that is not a struct gets here, which is a bug of this project.
            Self::Text(text) => PropertyError::NoObject { what: text },
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

/// The object that serde deserializes.
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

/// The entries one after another, so that the property of an error is known.
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
        match self.rest.find(|(_, value)| is_given(value)) {
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

/// Returns the part after "expected" of serde's message ``unknown variant `X`, expected `Fail` or
/// `Delete` ``.
fn expected(message: &str) -> &str {
    message
        .split_once("expected ")
        .map_or(message, |(_, expected)| expected)
}
