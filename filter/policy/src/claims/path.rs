//! Where a claim is: literal member names from the outside in.

use std::fmt;

use crate::json::{Object, Value};

/// The most names a path may have.
pub const MAX_PATH_NAMES: usize = 8;

/// The longest name in a path, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// A path of literal member names; arrays are not entered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimPath(Vec<Box<str>>);

/// A path no claim can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimPathError {
    /// No name at all.
    #[error("a claim path needs at least one name")]
    Empty,
    /// More than [`MAX_PATH_NAMES`].
    #[error("a claim path has at most {MAX_PATH_NAMES} names")]
    TooManyNames,
    /// A name is empty or longer than [`MAX_NAME_BYTES`].
    #[error("a claim name has 1 to {MAX_NAME_BYTES} bytes")]
    NameLength,
}

impl ClaimPath {
    /// The path through `names`, from the outside in.
    pub fn new<N: Into<Box<str>>>(
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, ClaimPathError> {
        let names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
        if names.is_empty() {
            Err(ClaimPathError::Empty)
        } else if names.len() > MAX_PATH_NAMES {
            Err(ClaimPathError::TooManyNames)
        } else if names
            .iter()
            .any(|name| name.is_empty() || name.len() > MAX_NAME_BYTES)
        {
            Err(ClaimPathError::NameLength)
        } else {
            Ok(Self(names))
        }
    }

    /// The names, from the outside in; at least one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }

    /// The value at this path, if every name but the last leads to an object.
    pub fn find<'c>(&self, claims: &'c Object) -> Option<&'c Value> {
        let (last, outer) = self.0.split_last()?;
        outer
            .iter()
            .try_fold(claims, |object, name| object.get(name)?.as_object())?
            .get(last)
    }
}

/// As a JSON array, which no name can make ambiguous.
impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    #[track_caller]
    fn check(path: &[&str], expected: Option<&str>) {
        let claims = br#"{"https://pymd.io/roles":"url","a.b":"dotted","a":{"b":"nested","":"x"},"l":[{"b":1}]}"#;
        let claims = json::parse(
            claims,
            Limits {
                depth: 3,
                values: 20,
            },
        )
        .unwrap();
        let path = ClaimPath::new(path.iter().copied()).unwrap();
        let found = path.find(claims.as_object().unwrap());
        assert_eq!(found.and_then(Value::as_str), expected);
    }

    #[test]
    fn names_are_literal() {
        check(&["https://pymd.io/roles"], Some("url"));
        check(&["a.b"], Some("dotted"));
        check(&["a", "b"], Some("nested"));
        check(&["A"], None);
        check(&["a.b", "c"], None);
        check(&["l", "b"], None);
        check(&["l", "0"], None);
        check(&["a", "b", "c"], None);
    }

    #[test]
    fn paths_are_bounded() {
        let path = |names: &[&str]| ClaimPath::new(names.iter().copied()).unwrap_err();
        assert_eq!(path(&[]), ClaimPathError::Empty);
        assert_eq!(path(&[""]), ClaimPathError::NameLength);
        assert_eq!(path(&["a", &"x".repeat(257)]), ClaimPathError::NameLength);
        assert_eq!(path(&["a"; 9]), ClaimPathError::TooManyNames);
    }
}
