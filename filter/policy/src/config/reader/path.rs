//! Where in the configuration something stands, written as an operator would write it.

use std::fmt;

/// One mistake in a configuration: where it is, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct ConfigError {
    /// The place, as in `rules[2].requires.scopes.all_of[0]`; `configuration` for the whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ConfigError {
    /// The mistake `error` at `path`.
    pub(crate) fn at(path: &str, error: &impl fmt::Display) -> Self {
        Self {
            path: path.to_owned(),
            message: error.to_string(),
        }
    }
}

/// A place in the configuration, built on the way down without allocating.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The whole configuration.
    pub(crate) const ROOT: Path<'static> = Path {
        parent: None,
        step: Step::Root,
    };

    /// The member `name` of what stands here.
    pub(crate) fn field(&'a self, name: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    /// The element `index` of what stands here.
    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    fn steps(&self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let anything = match self.parent {
            Some(parent) => parent.steps(f)?,
            None => false,
        };
        match self.step {
            Step::Root => return Ok(anything),
            Step::Index(index) => write!(f, "[{index}]")?,
            Step::Field(name) if is_plain(name) => {
                write!(f, "{}{name}", if anything { "." } else { "" })?;
            }
            Step::Field(name) => write!(f, "[{name:?}]")?,
        }
        Ok(true)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.steps(f)? {
            f.write_str("configuration")?;
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
