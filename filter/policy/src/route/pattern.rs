//! Path patterns: valid by construction, split into segments once.

use std::fmt;

use super::Error;
use crate::path::check_literal;

/// Most segments of a pattern. It bounds how deep a lookup can descend, whatever the request looks like.
pub(super) const MAX_SEGMENTS: usize = 64;

/// The paths a rule is for; see [`crate::route`] for what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// Every path, and `*` (RFC 9112 §3.2.4), which is none.
    Any,
    /// This path.
    Exact(Literal),
    /// This path and those below it, in whole segments; below it only where it ends with `/`.
    Prefix(Literal),
    /// The paths made of these segments.
    Template(Template),
}

impl PathMatch {
    /// The path `text`.
    ///
    /// # Errors
    /// [`Error::Path`], [`Error::TooManySegments`]
    pub fn exact(text: &str) -> Result<Self, Error> {
        Literal::parse(text).map(Self::Exact)
    }

    /// The path `text` and what lies below it, or below it only where it ends with `/`.
    ///
    /// # Errors
    /// [`Error::Path`], [`Error::TooManySegments`]
    pub fn prefix(text: &str) -> Result<Self, Error> {
        Literal::parse(text).map(Self::Prefix)
    }

    /// Paths of the form `text`, where `{name}` stands for one non-empty segment.
    ///
    /// # Errors
    /// Every [`Error`] about paths, segments and parameters.
    pub fn template(text: &str) -> Result<Self, Error> {
        Template::parse(text).map(Self::Template)
    }
}

impl fmt::Display for PathMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Exact(literal) => write!(f, "path {}", literal.as_str()),
            Self::Prefix(literal) => write!(f, "prefix {}", literal.as_str()),
            Self::Template(template) => write!(f, "template {}", template.as_str()),
        }
    }
}

/// A path in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal(Box<str>);

impl Literal {
    fn parse(text: &str) -> Result<Self, Error> {
        check_literal(text)?;
        check_segments(text)?;
        Ok(Self(text.into()))
    }

    /// The path, with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A path in normal form, some of whose segments are parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: Box<str>,
    segments: Vec<Segment>,
}

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(Box<str>),
    Parameter(Box<str>),
}

impl Template {
    fn parse(text: &str) -> Result<Self, Error> {
        check_segments(text)?;
        // A parameter stands for some text; with one in its place the whole must be a path in normal form.
        let mut example = String::with_capacity(text.len());
        let mut segments: Vec<Segment> = Vec::new();
        for (index, part) in text.split('/').enumerate() {
            let segment = Segment::parse(part)?;
            if index > 0 {
                example.push('/');
                if matches!(segment, Segment::Parameter(_)) && segments.contains(&segment) {
                    let name = part.to_owned();
                    return Err(Error::DuplicateParameter { name });
                }
                segments.push(segment.clone());
            }
            example.push_str(match &segment {
                Segment::Literal(literal) => literal,
                Segment::Parameter(_) if index > 0 => "x",
                Segment::Parameter(name) => name,
            });
        }
        check_literal(&example)?;
        Ok(Self {
            text: text.into(),
            segments,
        })
    }

    /// The template as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl Segment {
    fn parse(part: &str) -> Result<Self, Error> {
        let Some(name) = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        else {
            if part.contains(['{', '}']) {
                let segment = part.to_owned();
                return Err(Error::Segment { segment });
            }
            return Ok(Self::Literal(part.into()));
        };
        let identifier = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.starts_with(|first: char| !first.is_ascii_digit());
        if !identifier {
            let name = name.to_owned();
            return Err(Error::ParameterName { name });
        }
        Ok(Self::Parameter(name.into()))
    }
}

fn check_segments(text: &str) -> Result<(), Error> {
    if text.bytes().filter(|&byte| byte == b'/').count() > MAX_SEGMENTS {
        Err(Error::TooManySegments)
    } else {
        Ok(())
    }
}
