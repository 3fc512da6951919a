//! What a field may hold: the combinators that sections are written in.

use serde_json::json;

use super::{FieldDescription, Object, Path, Report};
use crate::json::Value;

/// A kind of value: how it is read and how it is described.
pub(crate) trait Kind {
    /// What a right value becomes.
    type Output;

    /// Reads `value`, or says in `report` what is wrong with it.
    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Self::Output>;

    /// The JSON Schema of right values.
    fn schema(&self) -> serde_json::Value;
}

/// An object, read by a section function.
pub(crate) struct Section<F>(pub(crate) F);

impl<T, F: Fn(&mut Object<'_>) -> Option<T>> Kind for Section<F> {
    type Output = T;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<T> {
        let Value::Object(members) = value else {
            report.fail(at, format!("is {}; an object is expected", found(value)));
            return None;
        };
        let mut object = Object::read(members, at, report);
        let read = (self.0)(&mut object);
        object.finish();
        read
    }

    fn schema(&self) -> serde_json::Value {
        let mut fields = Vec::new();
        let mut report = Report::default();
        let mut object = Object::describe(&mut fields, &Path::ROOT, &mut report);
        let _ = (self.0)(&mut object);
        object_schema(&fields)
    }
}

/// The schema of an object with these fields, each in both spellings that the reader accepts.
fn object_schema(fields: &[FieldDescription]) -> serde_json::Value {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = field.schema.clone();
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".to_owned(), json!(field.description));
            if let Some(default) = field.default {
                let default = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
                object.insert("default".to_owned(), default);
            }
        }
        properties.insert(field.name.to_owned(), schema);
        if field.required {
            required.push(json!(field.name));
        }
    }
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let (false, Some(object)) = (required.is_empty(), schema.as_object_mut()) {
        object.insert("required".to_owned(), json!(required));
    }
    schema
}

/// A list of at least `min` and at most `max` elements.
pub(crate) struct List<K> {
    pub(crate) of: K,
    pub(crate) min: usize,
    pub(crate) max: usize,
}

impl<K: Kind> Kind for List<K> {
    type Output = Vec<K::Output>;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Self::Output> {
        let Value::Array(elements) = value else {
            report.fail(at, format!("is {}; a list is expected", found(value)));
            return None;
        };
        if !(self.min..=self.max).contains(&elements.len()) {
            let (count, min, max) = (elements.len(), self.min, self.max);
            report.fail(
                at,
                format!("has {count} elements; {min} to {max} are allowed"),
            );
            return None;
        }
        let read: Vec<_> = elements
            .iter()
            .enumerate()
            .filter_map(|(index, element)| self.of.read(element, &at.index(index), report))
            .collect();
        (read.len() == elements.len()).then_some(read)
    }

    fn schema(&self) -> serde_json::Value {
        json!({
            "type": "array",
            "items": self.of.schema(),
            "minItems": self.min,
            "maxItems": self.max,
        })
    }
}

/// One value, or a list of 1 to `max`.
pub(crate) struct OneOrMore<K> {
    pub(crate) of: K,
    pub(crate) max: usize,
}

impl<K> OneOrMore<K> {
    const fn list(&self) -> List<Borrowed<'_, K>> {
        List {
            of: Borrowed(&self.of),
            min: 1,
            max: self.max,
        }
    }
}

impl<K: Kind> Kind for OneOrMore<K> {
    type Output = Vec<K::Output>;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Self::Output> {
        match value {
            Value::Array(_) => self.list().read(value, at, report),
            one => self.of.read(one, at, report).map(|one| vec![one]),
        }
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "oneOf": [self.of.schema(), self.list().schema()] })
    }
}

/// A kind that somebody else has.
struct Borrowed<'k, K>(&'k K);

impl<K: Kind> Kind for Borrowed<'_, K> {
    type Output = K::Output;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Self::Output> {
        self.0.read(value, at, report)
    }

    fn schema(&self) -> serde_json::Value {
        self.0.schema()
    }
}

/// An object whose member names are the operator's own, in the order written.
pub(crate) struct Map<K> {
    pub(crate) of: K,
    pub(crate) min: usize,
    pub(crate) max: usize,
}

impl<K: Kind> Kind for Map<K> {
    type Output = Vec<(Box<str>, K::Output)>;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<Self::Output> {
        let Value::Object(members) = value else {
            report.fail(at, format!("is {}; an object is expected", found(value)));
            return None;
        };
        let count = members.iter().count();
        if !(self.min..=self.max).contains(&count) {
            let (min, max) = (self.min, self.max);
            report.fail(
                at,
                format!("has {count} members; {min} to {max} are allowed"),
            );
            return None;
        }
        let mut read = Vec::with_capacity(count);
        for (name, member) in members.iter() {
            let plain = !name.is_empty()
                && name.len() <= 64
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
            if !plain {
                report.fail(
                    at,
                    "has a name that is not 1 to 64 letters, digits, `_`, `-` or `.`",
                );
                continue;
            }
            if let Some(member) = self.of.read(member, &at.field(name), report) {
                read.push((name.into(), member));
            }
        }
        (read.len() == count).then_some(read)
    }

    fn schema(&self) -> serde_json::Value {
        json!({
            "type": "object",
            "additionalProperties": self.of.schema(),
            "minProperties": self.min,
            "maxProperties": self.max,
        })
    }
}

/// A value of the kind `of`, turned into a type that cannot be wrong, or an error text.
pub(crate) struct Parsed<K, F> {
    pub(crate) of: K,
    pub(crate) with: F,
}

impl<K: Kind, T, F: Fn(K::Output) -> Result<T, String>> Kind for Parsed<K, F> {
    type Output = T;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<T> {
        let read = self.of.read(value, at, report)?;
        (self.with)(read)
            .map_err(|message| report.fail(at, message))
            .ok()
    }

    fn schema(&self) -> serde_json::Value {
        self.of.schema()
    }
}

/// What `value` is, for "is …; a list is expected".
pub(crate) fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
