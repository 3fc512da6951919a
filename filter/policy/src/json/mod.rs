//! Strict JSON (RFC 8259) for input nobody vouches for yet: JOSE headers, claims, key sets, feeds.
//!
//! `serde_json` reads the text; this module refuses what a second reader could read differently or what costs
//! without bound: duplicate member names at any level (RFC 8725 §2.4 warns of parsers that pick one), nesting
//! and value counts beyond [`Limits`], and anything after the value. It does not map JSON to types: what a
//! member must be is said where it is used.

mod number;
mod object;
mod parse;
mod structure;

pub use number::Number;
pub use object::Object;
pub use parse::{Error, Limits, parse};
pub use structure::parse_struct;

use serde::{Serialize, Serializer};

use crate::token_cache::block;

/// One JSON value, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number; whether it was written as an integer is kept.
    Number(Number),
    /// A string, its escapes resolved.
    String(Box<str>),
    /// An array.
    Array(Vec<Value>),
    /// An object whose member names are distinct.
    Object(Object),
}

impl Value {
    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// What it takes in memory beyond itself, in bytes.
    pub(crate) fn heap_bytes(&self) -> u64 {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::String(text) => block(text.len()),
            Self::Array(elements) => {
                let inner: u64 = elements.iter().map(Self::heap_bytes).sum();
                block(elements.capacity() * size_of::<Self>()) + inner
            }
            Self::Object(object) => object.heap_bytes(),
        }
    }

    /// The object itself, if this is one.
    pub fn into_object(self) -> Option<Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

/// Recursion is bounded: a parsed value is never nested deeper than the [`Limits`] it was parsed with.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(object) => serializer.collect_map(object.iter()),
        }
    }
}
