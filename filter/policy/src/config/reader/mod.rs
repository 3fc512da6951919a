//! Reads a configuration and collects every mistake with its path, instead of stopping at the first.
//!
//! A section is one function that asks an [`Object`] for its fields, each with its kind, its default and its
//! description. Run over a value, the function parses; run over nothing, it describes: the JSON Schema and
//! the reference are what the same functions say of themselves, so they cannot drift from the parser.

mod kind;
mod path;
mod scalar;

pub(crate) use kind::{Kind, List, Map, OneOrMore, Parsed, Section, found};
pub use path::ConfigError;
pub(crate) use path::Path;
pub(crate) use scalar::{Boolean, Choice, Integer, Lines, Seconds, Text};

use crate::json;
use crate::json::Value;

/// What a reader found wrong so far. Bounded: after [`MAX_ERRORS`] the rest would not be read anyway.
#[derive(Debug, Default)]
pub(crate) struct Report {
    errors: Vec<ConfigError>,
}

impl Report {
    /// Notes that what stands at `at` is wrong.
    pub(crate) fn fail(&mut self, at: &Path<'_>, message: impl Into<String>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(ConfigError {
                path: at.to_string(),
                message: message.into(),
            });
        }
    }

    /// All mistakes in the order of the configuration's sections.
    pub(crate) fn into_errors(self) -> Vec<ConfigError> {
        self.errors
    }
}

/// What a section says of one of its fields.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDescription {
    /// The field's name, in `snake_case`.
    pub name: &'static str,
    /// Whether a configuration without it is refused.
    pub required: bool,
    /// What holds where the field is left out, as one would write it.
    pub default: Option<&'static str>,
    /// What the field means, with units and ranges.
    pub description: &'static str,
    /// The JSON Schema of its value.
    pub schema: serde_json::Value,
}

/// One object of the configuration while a section function reads it, or describes itself.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    source: Source<'a>,
    at: &'a Path<'a>,
    report: &'a mut Report,
    known: Vec<&'static str>,
}

#[derive(Debug)]
enum Source<'a> {
    Members(&'a json::Object),
    Describe(&'a mut Vec<FieldDescription>),
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a kind is written where it is used, and reads better without an ampersand"
)]
impl<'a> Object<'a> {
    /// An object to be read from `members`.
    pub(crate) fn read(
        members: &'a json::Object,
        at: &'a Path<'a>,
        report: &'a mut Report,
    ) -> Self {
        Self {
            source: Source::Members(members),
            at,
            report,
            known: Vec::new(),
        }
    }

    /// An object that has no members and notes what it is asked for.
    pub(crate) fn describe(
        fields: &'a mut Vec<FieldDescription>,
        at: &'a Path<'a>,
        report: &'a mut Report,
    ) -> Self {
        Self {
            source: Source::Describe(fields),
            at,
            report,
            known: Vec::new(),
        }
    }

    /// A field that must be there.
    pub(crate) fn required<K: Kind>(
        &mut self,
        name: &'static str,
        kind: K,
        description: &'static str,
    ) -> Option<K::Output> {
        match self.member(name, &kind, true, None, description) {
            Some(value) => kind.read(value, &self.at.field(name), self.report),
            None if matches!(self.source, Source::Describe(_)) => None,
            None => {
                self.report.fail(&self.at.field(name), "is required");
                None
            }
        }
    }

    /// A field that may be left out; `None` also where it is wrong, which the report then says.
    pub(crate) fn optional<K: Kind>(
        &mut self,
        name: &'static str,
        kind: K,
        description: &'static str,
    ) -> Option<K::Output> {
        let value = self.member(name, &kind, false, None, description)?;
        kind.read(value, &self.at.field(name), self.report)
    }

    /// A field with a default. `shown` is the default as one would write it.
    pub(crate) fn default<K: Kind>(
        &mut self,
        name: &'static str,
        kind: K,
        (shown, default): (&'static str, K::Output),
        description: &'static str,
    ) -> K::Output {
        match self.member(name, &kind, false, Some(shown), description) {
            Some(value) => kind
                .read(value, &self.at.field(name), self.report)
                .unwrap_or(default),
            None => default,
        }
    }

    /// Notes that the field `name` is wrong for a reason its kind alone can't know.
    pub(crate) fn fail(&mut self, name: &'static str, message: impl Into<String>) {
        self.report.fail(&self.at.field(name), message);
    }

    /// Notes that this object as a whole is wrong.
    pub(crate) fn fail_here(&mut self, message: impl Into<String>) {
        self.report.fail(self.at, message);
    }

    /// Whether the object has a field `name`, in either spelling.
    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.source {
            Source::Members(members) => members.iter().any(|(member, _)| names(member, name)),
            Source::Describe(_) => false,
        }
    }

    /// Refuses whatever the section did not ask for.
    pub(crate) fn finish(self) {
        let Source::Members(members) = self.source else {
            return;
        };
        for (member, _) in members.iter() {
            if self.known.iter().any(|name| names(member, name)) {
                continue;
            }
            let shown: String = member
                .chars()
                .take(64)
                .filter(|c| !c.is_control())
                .collect();
            let hint = self
                .known
                .iter()
                .find(|name| close(member, name))
                .map_or_else(
                    || format!("known fields are {}", self.known.join(", ")),
                    |name| format!("did you mean `{name}`?"),
                );
            self.report
                .fail(&self.at.field(&shown), format!("is not known; {hint}"));
        }
    }

    fn member<K: Kind>(
        &mut self,
        name: &'static str,
        kind: &K,
        required: bool,
        default: Option<&'static str>,
        description: &'static str,
    ) -> Option<&'a Value> {
        self.known.push(name);
        match &mut self.source {
            Source::Describe(fields) => {
                if cfg!(feature = "schema") {
                    fields.push(FieldDescription {
                        name,
                        required,
                        default,
                        description,
                        schema: kind.schema(),
                    });
                }
                None
            }
            Source::Members(members) => {
                let mut found = members.iter().filter(|(member, _)| names(member, name));
                let first = found.next();
                if found.next().is_some() {
                    self.report.fail(
                        &self.at.field(name),
                        "is there twice, in snake_case and in camelCase; keep one",
                    );
                }
                // A null is how a template leaves a field out.
                first
                    .map(|(_, value)| value)
                    .filter(|value| !matches!(value, Value::Null))
            }
        }
    }
}

/// Whether `member` is `name` (`snake_case`) in either of the spellings a proto field has.
fn names(member: &str, name: &str) -> bool {
    if member == name {
        return true;
    }
    let mut rest = member.chars();
    let mut upper = false;
    for expected in name.chars() {
        if expected == '_' {
            upper = true;
            continue;
        }
        let expected = if upper {
            expected.to_ascii_uppercase()
        } else {
            expected
        };
        upper = false;
        if rest.next() != Some(expected) {
            return false;
        }
    }
    rest.next().is_none()
}

/// Whether `member` looks like a slip of the pen for `name`: singular for plural, one or two letters off.
fn close(member: &str, name: &str) -> bool {
    if member.len() > 64 {
        return false;
    }
    let member: Vec<char> = member
        .to_ascii_lowercase()
        .chars()
        .filter(|c| *c != '_')
        .collect();
    let name: Vec<char> = name.chars().filter(|c| *c != '_').collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, a) in member.iter().enumerate() {
        let mut next = vec![i + 1];
        let mut diagonal_and_above = row.iter().zip(row.iter().skip(1));
        for b in &name {
            let (Some((diagonal, above)), Some(left)) = (diagonal_and_above.next(), next.last())
            else {
                break;
            };
            next.push(
                (diagonal + usize::from(a != b))
                    .min(above + 1)
                    .min(left + 1),
            );
        }
        row = next;
    }
    row.last()
        .is_some_and(|distance| *distance <= 2 && *distance < name.len())
}

/// More than this many mistakes are not listed: by then the file is of another kind altogether.
const MAX_ERRORS: usize = 100;

#[cfg(test)]
mod tests;
