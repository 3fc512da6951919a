//! The request target, judged once: one spelling of the path that rules match *and* the upstream receives.
//!
//! RFC 9112 §3.2.1 (origin-form), RFC 3986 §3.3, §6.2.2. A path has many spellings, and a rule is bypassed
//! where the edge reads one and the upstream another (CVE-2021-32779, CVE-2020-8595, CVE-2026-73511, …). So
//! every accepted target has exactly one normal form, [`RequestTarget::path`], and whoever forwards the
//! request sends [`RequestTarget::rewritten`] where the client spelled it differently.
//!
//! | in the path | what happens | because an upstream may … |
//! |---|---|---|
//! | `%41`, `%7e`, `%40`, `%2b`: an escape of a character that may stand in a path as it is | decoded | decode it, so `/%61dmin` is `/admin` |
//! | `%c3%a9`, `%2a` in lower case | upper-cased | compare escapes as text |
//! | `"` `<` `>` `[` `]` `^` `` ` `` `{` `\|` `}` raw, as some browsers send them | escaped | decode `%7C` to the same |
//! | `%25`, `%20`, `%23`, `%3F` | kept | – ; a second decoding is the upstream's own fault, see below |
//! | `.` and `..` segments, raw or escaped | refused | resolve them |
//! | empty segments (`//`) | refused | merge them, or read `//host` as an authority |
//! | `%2f`, `%5c`, `\` | refused | take them for `/` |
//! | `;`, `%3b` | refused | cut `;…` off as path parameters |
//! | raw `#` (in the query too) | refused | cut it off as a fragment |
//! | NUL and control characters, raw or escaped | refused | end the string there, or split a header or a log line |
//! | a raw space, raw bytes ≥ 0x80 | refused | split the request line, or guess an encoding |
//! | escapes that are not UTF-8 (`%c0%af` is an overlong `/`) | refused | decode them leniently |
//! | escapes that are not `%` and two hexadecimal digits | refused | skip, keep or half-decode them |
//!
//! Envoy's own `normalize_path`, `merge_slashes` and `path_with_escaped_slashes_action` run before any
//! filter: an operator who wants `//` merged or `..` resolved switches them on, and this module then sees
//! the result.
//!
//! Deliberately not done: `%252e` (an escaped percent sign, then `2e`) is a legal name that means the four
//! characters `%2e`, and stays; an upstream that decodes twice is broken with or without a gateway. Case,
//! trailing slashes and Unicode normalisation forms are significant, as they are in RFC 3986. The query is
//! never matched and never changed; only bytes that no URI may contain are refused in it.

mod normal;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::request::RequestHead;

/// Longest accepted `:path`, query included, in bytes, as sent and in normal form. RFC 9110 §4.1 asks for at least
/// 8,000.
pub const MAX_TARGET_BYTES: usize = 16 * 1024;

/// A request target whose path is in normal form.
///
/// Parsing allocates only where the client's spelling differs from the normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTarget<'a> {
    path: Cow<'a, str>,
    query: Option<&'a str>,
}

impl<'a> RequestTarget<'a> {
    /// The target of a request: its only `:path`, or `*` where the method is OPTIONS (RFC 9112 §3.2.4).
    ///
    /// # Errors
    /// Every [`Error`]; [`Error::Missing`] for a CONNECT, which has no `:path` (GHSA-8vc2-jrm4-835w).
    pub fn of(head: &RequestHead<'a>) -> Result<Self, Error> {
        let raw = head.only(":path").map_err(|_| Error::Duplicate)?;
        let raw = raw.ok_or(Error::Missing)?;
        if raw == b"*" && head.only(":method") == Ok(Some(b"OPTIONS".as_slice())) {
            return Ok(Self {
                path: Cow::Borrowed("*"),
                query: None,
            });
        }
        Self::parse(raw)
    }

    /// Parses and normalises a target in origin-form: `absolute-path [ "?" query ]`.
    ///
    /// # Errors
    /// Every [`Error`] but [`Error::Missing`] and [`Error::Duplicate`]. The answer to each is 400.
    pub fn parse(raw: &'a [u8]) -> Result<Self, Error> {
        if raw.len() > MAX_TARGET_BYTES {
            return Err(Error::TooLong);
        }
        if !raw.is_ascii() {
            return Err(Error::NonAscii);
        }
        let text = std::str::from_utf8(raw).map_err(|_| Error::NonAscii)?;
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        let path = normal::path(path)?;
        query.map_or(Ok(()), normal::check_query)?;
        // Escaping makes three bytes of one: what a second proxy would refuse does not go on from here.
        if path.len() + query.map_or(0, |query| 1 + query.len()) > MAX_TARGET_BYTES {
            return Err(Error::TooLong);
        }
        Ok(Self { path, query })
    }

    /// The path in normal form, without the query: what rules match and what the upstream must see.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What follows the first `?`, as sent.
    pub fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// Whether the client spelled the path in another way than [`Self::path`] does.
    pub fn changed(&self) -> bool {
        matches!(self.path, Cow::Owned(_))
    }

    /// The `:path` to send instead of the client's, query included, where the two differ.
    pub fn rewritten(&self) -> Option<String> {
        self.changed().then(|| match self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone().into_owned(),
        })
    }
}

/// Checks that `path` is written in normal form and has no query, so that a request can equal it at all.
///
/// # Errors
/// [`LiteralError`], with the spelling to use where there is one.
pub fn check_literal(path: &str) -> Result<(), LiteralError> {
    let target = RequestTarget::parse(path.as_bytes()).map_err(LiteralError::Refused)?;
    if target.query().is_some() {
        return Err(LiteralError::Query);
    }
    match target.rewritten() {
        Some(normal) => Err(LiteralError::NotNormal { normal }),
        None => Ok(()),
    }
}

/// Why a path in the configuration can match no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// A request for this path is answered with 400 before any rule is looked at.
    #[error("no request can have this path: {0}")]
    Refused(#[source] Error),
    /// Rules see paths in normal form, and this is not one.
    #[error("rules see the normal form of a path: write {normal:?}")]
    NotNormal {
        /// The spelling that matches.
        normal: String,
    },
    /// Rules match the path only (CVE-2025-54576, CVE-2020-8595).
    #[error("rules match the path only, never the query")]
    Query,
}

/// Why a request target is refused. The client is told 400 `invalid_request`, and never what it sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no `:path`, as in a CONNECT.
    #[error("the request has no path")]
    Missing,
    /// There is more than one `:path`.
    #[error("the request has more than one path")]
    Duplicate,
    /// The target, or its normal form, is longer than [`MAX_TARGET_BYTES`].
    #[error("the request target is too long")]
    TooLong,
    /// Absolute-form, authority-form, `*` without OPTIONS, the empty string: anything without a leading `/`.
    #[error("the request target does not start with a slash")]
    NotOriginForm,
    /// A raw byte above 0x7F, which RFC 3986 allows nowhere.
    #[error("the request target contains a byte that is not ASCII")]
    NonAscii,
    /// A NUL, raw, or escaped in the path.
    #[error("the request target contains a NUL")]
    Nul,
    /// A control character, raw, or escaped in the path.
    #[error("the request target contains a control character")]
    Control,
    /// A raw space.
    #[error("the request target contains a space")]
    Space,
    /// A raw `#` (CVE-2021-32779, GHSA-pxq7-h93f-9jrg).
    #[error("the request target contains a fragment")]
    Fragment,
    /// A `\`, raw or escaped.
    #[error("the path contains a backslash")]
    Backslash,
    /// An escaped `/`.
    #[error("the path contains an escaped slash")]
    EncodedSlash,
    /// A `;`, raw or escaped (CVE-2026-73511).
    #[error("the path contains a semicolon")]
    Semicolon,
    /// `//`.
    #[error("the path contains an empty segment")]
    EmptySegment,
    /// A `.` or `..` segment, raw or escaped.
    #[error("the path contains a dot segment")]
    DotSegment,
    /// A `%` without two hexadecimal digits behind it.
    #[error("the path contains an invalid percent escape")]
    InvalidEscape,
    /// Escapes whose bytes are not UTF-8 (RFC 3629 §3: overlong forms, surrogates, stray bytes).
    #[error("the path contains percent escapes that are not UTF-8")]
    NotUtf8,
}

impl Error {
    /// A bounded label for metrics and audit lines.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "path_missing",
            Self::Duplicate => "path_duplicate",
            Self::TooLong => "path_too_long",
            Self::NotOriginForm => "path_not_origin_form",
            Self::NonAscii => "path_non_ascii",
            Self::Nul => "path_nul",
            Self::Control => "path_control",
            Self::Space => "path_space",
            Self::Fragment => "path_fragment",
            Self::Backslash => "path_backslash",
            Self::EncodedSlash => "path_encoded_slash",
            Self::Semicolon => "path_semicolon",
            Self::EmptySegment => "path_empty_segment",
            Self::DotSegment => "path_dot_segment",
            Self::InvalidEscape => "path_invalid_escape",
            Self::NotUtf8 => "path_not_utf8",
        }
    }
}
