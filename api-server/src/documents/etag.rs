//! Entity tags and the preconditions made of them (RFC 9110 §8.8.3, §13.1).

use axum::http::HeaderValue;
use axum::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

use crate::error::ApiError;

/// Names one version of one document; always strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag(i64);

impl ETag {
    /// The tag of version `version`.
    pub const fn of_version(version: i64) -> Self {
        Self(version)
    }

    /// As a header's value: `"7"`.
    pub fn to_header(self) -> HeaderValue {
        HeaderValue::try_from(format!("\"{}\"", self.0))
            .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }
}

/// Which versions a client wants to change, or already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// `*`: whichever there is.
    Any,
    /// One of these.
    OneOf(Vec<Tag>),
}

/// One entry of a precondition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    weak: bool,
    opaque: String,
}

impl Precondition {
    /// Reads `If-Match`.
    ///
    /// # Errors
    /// [`ApiError::PreconditionRequired`] if it is absent, [`ApiError::MalformedPrecondition`].
    pub(super) fn if_match(headers: &HeaderMap) -> Result<Self, ApiError> {
        read(headers, &IF_MATCH)?.ok_or(ApiError::PreconditionRequired)
    }

    /// Reads `If-None-Match`.
    ///
    /// # Errors
    /// [`ApiError::MalformedPrecondition`].
    pub(super) fn if_none_match(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        read(headers, &IF_NONE_MATCH)
    }

    /// Whether a change may go ahead on `current`: strong comparison (RFC 9110 §13.1.1).
    ///
    /// # Errors
    /// [`ApiError::PreconditionFailed`] with the current tag.
    pub(super) fn permit(&self, current: ETag) -> Result<(), ApiError> {
        let matches = match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|tag| !tag.weak && tag.names(current)),
        };
        if matches {
            Ok(())
        } else {
            Err(ApiError::PreconditionFailed { current })
        }
    }

    /// Whether the client already has `current`: weak comparison (RFC 9110 §13.1.2).
    pub(super) fn includes(&self, current: ETag) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|tag| tag.names(current)),
        }
    }
}

impl Tag {
    fn names(&self, current: ETag) -> bool {
        self.opaque == current.0.to_string()
    }
}

fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Precondition>, ApiError> {
    let mut tags = Vec::new();
    let mut any = false;
    for value in headers.get_all(name) {
        let value = value
            .to_str()
            .map_err(|_| ApiError::MalformedPrecondition)?
            .trim();
        if value == "*" {
            any = true;
        } else {
            parse_list(value, &mut tags).ok_or(ApiError::MalformedPrecondition)?;
        }
    }
    match (any, tags.is_empty()) {
        (true, true) => Ok(Some(Precondition::Any)),
        (false, false) => Ok(Some(Precondition::OneOf(tags))),
        (true, false) => Err(ApiError::MalformedPrecondition),
        (false, true) if headers.contains_key(name) => Err(ApiError::MalformedPrecondition),
        (false, true) => Ok(None),
    }
}

/// `entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE`, comma separated; `None` where it is none.
fn parse_list(mut rest: &str, tags: &mut Vec<Tag>) -> Option<()> {
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(());
        }
        let weak = rest.starts_with("W/");
        if weak {
            rest = rest.get(2..)?;
        }
        let (opaque, after) = rest.strip_prefix('"')?.split_once('"')?;
        tags.push(Tag {
            weak,
            opaque: opaque.to_owned(),
        });
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(IF_MATCH, HeaderValue::try_from(value).unwrap())])
    }

    /// Whether `If-Match: value` permits a change of version 7; `None` if it is malformed.
    #[track_caller]
    fn check(value: &str, expected: Option<bool>) {
        let precondition = Precondition::if_match(&headers(value)).ok();
        let permitted = precondition.map(|p| p.permit(ETag::of_version(7)).is_ok());
        assert_eq!(permitted, expected, "{value}");
    }

    #[test]
    fn if_match_compares_strongly() {
        check("\"7\"", Some(true));
        check("\"6\"", Some(false));
        check("\"6\", \"7\"", Some(true));
        check("W/\"7\"", Some(false));
        check("*", Some(true));
        check("\"07\"", Some(false));
    }

    #[test]
    fn what_is_no_entity_tag_is_malformed() {
        for value in ["7", "\"7", "", "\"7\" \"8\"", "w/\"7\"", "*, \"7\""] {
            check(value, None);
        }
    }

    #[test]
    fn if_match_is_required() {
        assert!(matches!(
            Precondition::if_match(&HeaderMap::new()),
            Err(ApiError::PreconditionRequired)
        ));
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static("W/\"7\""))]);
        let precondition = Precondition::if_none_match(&headers).unwrap().unwrap();
        assert!(precondition.includes(ETag::of_version(7)));
        assert!(!precondition.includes(ETag::of_version(8)));
    }
}
