//! The three kinds of values both engines store alike: text, 64-bit integers, bytes; each may be null.
//!
//! Booleans are nullable times or counts, times are milliseconds, JSON is text: so one statement serves both engines.

use std::borrow::Cow;

/// A statement's argument. A null keeps its type, because `PostgreSQL` asks for it.
#[derive(Clone)]
pub enum Value<'a> {
    /// `TEXT`.
    Text(Option<Cow<'a, str>>),
    /// `INTEGER` or `BIGINT`.
    Integer(Option<i64>),
    /// `BLOB` or `BYTEA`.
    Bytes(Option<Cow<'a, [u8]>>),
}

/// Shows the kind only: an argument may be a document or a sealed token.
impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Integer(_) => "Integer(..)",
            Self::Bytes(_) => "Bytes(..)",
        })
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(value)))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(Cow::Borrowed(value)))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Some(Cow::Owned(value)))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value.map(Cow::Borrowed))
    }
}

impl From<Option<String>> for Value<'_> {
    fn from(value: Option<String>) -> Self {
        Self::Text(value.map(Cow::Owned))
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(Some(Cow::Borrowed(value)))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(Cow::Owned(value)))
    }
}

/// The arguments of one statement, `$1` first.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        [$($crate::database::Value::from($value)),*].as_slice()
    };
}
