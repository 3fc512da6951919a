//! `google.protobuf.Struct` (struct.proto) as the same values: what Envoy hands a module whose configuration is
//! written as a `Struct`, which YAML in a bootstrap is.
//!
//! Numbers are doubles there; those without a fraction read as the integers they are. What JSON refuses is refused
//! here too: duplicate names, nesting and counts beyond the limits.

use super::{Error, Limits, Number, Object, Value};
use crate::protobuf::{Fields, Value as Wire};

/// Reads an encoded `Struct`.
///
/// # Errors
/// Any of [`Error`]; [`Error::Syntax`] where the bytes are no `Struct`.
pub fn parse_struct(message: &[u8], limits: Limits) -> Result<Value, Error> {
    let mut reader = Reader {
        values_left: limits.values,
    };
    reader.object(message, limits.depth)
}

struct Reader {
    values_left: u32,
}

impl Reader {
    /// `Struct { map<string, Value> fields = 1; }`; an entry of a map is a message of key and value.
    fn object(&mut self, message: &[u8], depth_left: u8) -> Result<Value, Error> {
        let depth_left = depth_left.checked_sub(1).ok_or(Error::TooDeep)?;
        self.count()?;
        let mut members = Vec::new();
        for field in Fields::new(message) {
            let Ok((1, Wire::Bytes(entry))) = field else {
                return Err(Error::Syntax);
            };
            let mut name = "";
            let mut value = None;
            for field in Fields::new(entry) {
                match field.map_err(|_| Error::Syntax)? {
                    (1, Wire::Bytes(text)) => {
                        name = std::str::from_utf8(text).map_err(|_| Error::Syntax)?;
                    }
                    (2, Wire::Bytes(message)) => value = Some(self.value(message, depth_left)?),
                    _ => return Err(Error::Syntax),
                }
            }
            members.push((name.into(), value.ok_or(Error::Syntax)?));
        }
        Object::from_members(members)
            .map(Value::Object)
            .ok_or(Error::DuplicateMember)
    }

    /// `ListValue { repeated Value values = 1; }`
    fn array(&mut self, message: &[u8], depth_left: u8) -> Result<Value, Error> {
        let depth_left = depth_left.checked_sub(1).ok_or(Error::TooDeep)?;
        self.count()?;
        let elements = Fields::new(message).map(|field| match field {
            Ok((1, Wire::Bytes(element))) => self.value(element, depth_left),
            _ => Err(Error::Syntax),
        });
        elements.collect::<Result<_, _>>().map(Value::Array)
    }

    /// `Value`, a choice of null 1, number 2, string 3, bool 4, `Struct` 5 and `ListValue` 6; exactly one.
    fn value(&mut self, message: &[u8], depth_left: u8) -> Result<Value, Error> {
        let mut fields = Fields::new(message);
        let (Some(Ok(field)), None) = (fields.next(), fields.next()) else {
            return Err(Error::Syntax);
        };
        match field {
            (5, Wire::Bytes(message)) => return self.object(message, depth_left),
            (6, Wire::Bytes(message)) => return self.array(message, depth_left),
            _ => self.count()?,
        }
        match field {
            (1, Wire::Varint(0)) => Ok(Value::Null),
            (2, Wire::Fixed64(bytes)) => number(f64::from_le_bytes(bytes)).ok_or(Error::Syntax),
            (3, Wire::Bytes(text)) => std::str::from_utf8(text)
                .map(|text| Value::String(text.into()))
                .map_err(|_| Error::Syntax),
            (4, Wire::Varint(value @ (0 | 1))) => Ok(Value::Bool(value == 1)),
            _ => Err(Error::Syntax),
        }
    }

    fn count(&mut self) -> Result<(), Error> {
        self.values_left = self
            .values_left
            .checked_sub(1)
            .ok_or(Error::TooManyValues)?;
        Ok(())
    }
}

/// JSON has no infinity.
fn number(value: f64) -> Option<Value> {
    let float = Number::Float(value);
    let number = float.as_u64().map_or(float, Number::Unsigned);
    value.is_finite().then_some(Value::Number(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use crate::protobuf::Message;

    const LIMITS: Limits = Limits {
        depth: 8,
        values: 100,
    };

    /// A `Value` of what `json` says, encoded as protobuf's own libraries do.
    fn value(json: &serde_json::Value) -> Vec<u8> {
        let mut bytes = match json {
            serde_json::Value::Null => vec![0x08, 0],
            serde_json::Value::Bool(value) => vec![0x20, u8::from(*value)],
            serde_json::Value::Number(_) => vec![0x11],
            serde_json::Value::String(text) if text.is_empty() => vec![0x1a, 0],
            serde_json::Value::String(text) => Message::default().string(3, text).finish(),
            serde_json::Value::Array(elements) => {
                let list = elements.iter().fold(Vec::new(), |mut list, element| {
                    list.extend(nested(1, &value(element)));
                    list
                });
                nested(6, &list)
            }
            serde_json::Value::Object(_) => nested(5, &structure(json)),
        };
        if let Some(number) = json.as_f64() {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }

    fn nested(field: u32, message: &[u8]) -> Vec<u8> {
        // `bytes` leaves an empty one out; its presence means something here.
        if message.is_empty() {
            return Message::default()
                .message(field, &Message::default())
                .finish();
        }
        Message::default().bytes(field, message).finish()
    }

    fn structure(json: &serde_json::Value) -> Vec<u8> {
        let members = json.as_object().unwrap().iter();
        members.fold(Vec::new(), |mut message, (name, member)| {
            let mut entry = Message::default().string(1, name).finish();
            entry.extend(nested(2, &value(member)));
            message.extend(nested(1, &entry));
            message
        })
    }

    #[test]
    fn a_struct_reads_as_the_json_it_was_written_as() {
        let written = serde_json::json!({
            "version": 1, "text": "é", "empty": "", "none": null, "yes": true, "no": false,
            "list": [1, "a", [], {}], "deep": {"a": {"b": [0.5, -3]}}, "large": 16_777_216,
        });
        let expected = json::parse(written.to_string().as_bytes(), LIMITS).unwrap();
        assert_eq!(parse_struct(&structure(&written), LIMITS), Ok(expected));
        assert_eq!(parse_struct(b"", LIMITS), json::parse(b"{}", LIMITS));
    }

    #[test]
    fn what_json_refuses_is_refused() {
        let one = structure(&serde_json::json!({"a": 1}));
        let twice = [one.clone(), one.clone()].concat();
        assert_eq!(parse_struct(&twice, LIMITS), Err(Error::DuplicateMember));
        let deep = structure(&serde_json::json!({"a": {"b": {"c": 1}}}));
        let shallow = |depth| parse_struct(&deep, Limits { depth, ..LIMITS });
        assert_eq!(shallow(2), Err(Error::TooDeep));
        assert!(shallow(3).is_ok());
        let many = structure(&serde_json::json!({"a": [1, 2, 3]}));
        let few = |values| parse_struct(&many, Limits { values, ..LIMITS });
        assert_eq!(few(4), Err(Error::TooManyValues));
        assert!(few(5).is_ok());
        for infinite in [f64::INFINITY, f64::NAN] {
            let mut member = vec![0x11];
            member.extend(infinite.to_le_bytes());
            let entry = [
                Message::default().string(1, "a").finish(),
                nested(2, &member),
            ]
            .concat();
            assert_eq!(parse_struct(&nested(1, &entry), LIMITS), Err(Error::Syntax));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = parse_struct(&bytes, LIMITS);
        }

        #[test]
        fn a_struct_cut_short_is_no_other_struct(cut in 1_usize..60) {
            let whole = structure(&serde_json::json!({"a": {"b": "some text that is long"}, "c": [1, 2]}));
            let cut = whole.len() - cut.min(whole.len() - 1);
            proptest::prop_assert_ne!(parse_struct(&whole[..cut], LIMITS), parse_struct(&whole, LIMITS));
        }
    }
}
