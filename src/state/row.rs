//! Values of `domain` as columns, and back.

use std::str::FromStr;

use jiff::Timestamp;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::StateError;

/// A value as JSON text.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StateError> {
    Ok(serde_json::to_string(value)?)
}

/// A value from its JSON text.
pub(super) fn from_json<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, StateError> {
    Ok(serde_json::from_str(text)?)
}

/// The serialised word of an enum without fields.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, StateError> {
    let value = serde_json::to_value(value)?;
    let word = value.as_str().map(str::to_owned);
    word.ok_or_else(|| StateError::Corrupt(format!("{value} is not a word")))
}

/// The variant of an enum without fields that is serialised as this word.
pub(super) fn from_word<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, StateError> {
    let words: StrDeserializer<'t, WordError> = text.into_deserializer();
    T::deserialize(words).map_err(|error| StateError::Corrupt(error.to_string()))
}

/// A time from its text.
pub(super) fn time(text: &str) -> Result<Timestamp, StateError> {
    Timestamp::from_str(text).map_err(|error| StateError::Corrupt(error.to_string()))
}

/// A number that cannot be negative.
pub(super) fn count(number: i64) -> Result<usize, StateError> {
    usize::try_from(number).map_err(|_| StateError::Corrupt(format!("{number} is not a count")))
}

/// A count as a column takes it.
pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
