//! The strict reader: `serde_json`'s tokens, our rules.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Number, Object, Value};

/// How much a text may make us build. Its length is bounded by whoever took it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arrays and objects nested inside each other; 1 allows one object of scalars. `serde_json` itself stops at 128.
    pub depth: u8,
    /// Values in all: every scalar, array and object counts.
    pub values: u32,
}

/// Why a text was refused. Never carries any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not one JSON text and nothing else (RFC 8259 §2), not UTF-8 (§8.1), or a number beyond a double.
    #[error("not valid JSON")]
    Syntax,
    /// A member name appears twice in one object (RFC 8259 §4, RFC 7515 §4, RFC 7519 §4).
    #[error("duplicate member name")]
    DuplicateMember,
    /// Nested deeper than the limit (CVE-2026-48042: recursion without bound).
    #[error("nested too deeply")]
    TooDeep,
    /// More values than the limit.
    #[error("too many values")]
    TooManyValues,
}

/// Reads exactly one JSON value from `text`.
///
/// # Errors
/// Any of [`Error`]; a text is refused whole.
pub fn parse(text: &[u8], limits: Limits) -> Result<Value, Error> {
    let reader = Reader {
        values_left: Cell::new(limits.values),
        refusal: Cell::new(None),
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = Node {
        reader: &reader,
        depth_left: limits.depth,
    }
    .deserialize(&mut json)
    .and_then(|value| json.end().map(|()| value));
    value.map_err(|_| reader.refusal.get().unwrap_or(Error::Syntax))
}

/// What one parse shares over all its nodes. serde carries only texts as errors, so ours is put down here.
struct Reader {
    values_left: Cell<u32>,
    refusal: Cell<Option<Error>>,
}

impl Reader {
    fn refuse<E: serde::de::Error>(&self, error: Error) -> E {
        self.refusal.set(Some(error));
        E::custom("refused")
    }
}

/// One value to be read, and how deep it may still go.
#[derive(Clone, Copy)]
struct Node<'r> {
    reader: &'r Reader,
    depth_left: u8,
}

impl Node<'_> {
    fn child<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.reader.refuse(Error::TooDeep)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(left) = self.reader.values_left.get().checked_sub(1) else {
            return Err(self.reader.refuse(Error::TooManyValues));
        };
        self.reader.values_left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(Number::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(match u64::try_from(value) {
            Ok(value) => Number::Unsigned(value),
            Err(_) => Number::Negative(value),
        }))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.is_finite() {
            Ok(Value::Number(Number::Float(value)))
        } else {
            Err(E::custom("not finite"))
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let child = self.child()?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(child)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let child = self.child()?;
        let mut members = Vec::new();
        while let Some(name) = access.next_key::<Box<str>>()? {
            members.push((name, access.next_value_seed(child)?));
        }
        match Object::from_members(members) {
            Some(object) => Ok(Value::Object(object)),
            None => Err(self.reader.refuse(Error::DuplicateMember)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        depth: 3,
        values: 10,
    };

    #[track_caller]
    fn refused(text: &str, expected: Error) {
        assert_eq!(parse(text.as_bytes(), LIMITS), Err(expected), "{text}");
    }

    #[test]
    fn values_are_read_with_their_types() {
        let text = br#"{"s":"a\u0041","n":1,"m":-1,"f":1.5,"t":true,"z":null,"a":[{}]}"#;
        let value = parse(text, LIMITS).unwrap();
        let object = value.as_object().unwrap();
        assert_eq!(object.get("s").unwrap().as_str(), Some("aA"));
        assert!(matches!(
            object.get("n"),
            Some(Value::Number(Number::Unsigned(1)))
        ));
        assert!(matches!(
            object.get("m"),
            Some(Value::Number(Number::Negative(-1)))
        ));
        assert!(matches!(
            object.get("f"),
            Some(Value::Number(Number::Float(_)))
        ));
        assert_eq!(object.get("t").unwrap().as_bool(), Some(true));
        assert_eq!(object.get("z"), Some(&Value::Null));
        assert_eq!(object.get("a").unwrap().as_array().unwrap().len(), 1);
        assert_eq!(object.get("missing"), None);
        assert_eq!(
            serde_json::to_string(&value).unwrap(),
            r#"{"a":[{}],"f":1.5,"m":-1,"n":1,"s":"aA","t":true,"z":null}"#
        );
    }

    #[test]
    fn duplicate_members_are_refused_at_every_level() {
        refused(r#"{"a":1,"a":1}"#, Error::DuplicateMember);
        refused(r#"{"a":1,"b":2,"\u0061":1}"#, Error::DuplicateMember);
        refused(r#"[{"x":{"a":1,"a":2}}]"#, Error::DuplicateMember);
    }

    #[test]
    fn cve_2026_48042_deep_nesting_is_refused_at_the_limit() {
        assert!(parse(b"[[[1]]]", LIMITS).is_ok());
        refused("[[[[1]]]]", Error::TooDeep);
        refused(r#"{"a":{"a":{"a":{}}}}"#, Error::TooDeep);
        let bomb = "[".repeat(1_000_000);
        refused(&bomb, Error::TooDeep);
        let deepest = Limits {
            depth: u8::MAX,
            values: u32::MAX,
        };
        assert_eq!(parse(bomb.as_bytes(), deepest), Err(Error::Syntax));
    }

    #[test]
    fn value_count_is_bounded() {
        assert!(parse(b"[1,2,3,4,5,6,7,8,9]", LIMITS).is_ok());
        refused("[1,2,3,4,5,6,7,8,9,0]", Error::TooManyValues);
    }

    #[test]
    fn anything_but_one_json_text_is_refused() {
        for text in [
            "",
            " ",
            "{}{}",
            "{} x",
            "{}\0",
            "\u{feff}{}",
            "{'a':1}",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "NaN",
            "1e999",
            "-",
            "\"\\ud800\"",
            "\"\u{1}\"",
            "nul",
            "// c\n1",
            "+1",
            ".5",
            "\"a",
        ] {
            refused(text, Error::Syntax);
        }
        assert_eq!(parse(b"\"\xff\"", LIMITS), Err(Error::Syntax));
        assert_eq!(parse(b"{\"\xc0\x80\":1}", LIMITS), Err(Error::Syntax));
    }
}
