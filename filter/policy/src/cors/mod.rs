//! Cross-origin resource sharing: which pages of other origins may read what.
//!
//! Fetch standard §3.2 ("CORS protocol"). A preflight carries no token by design and is answered here,
//! before any rule; every other reply, a 401 of our own too, gets the headers without which a page sees
//! neither status nor body. The answer to a preflight is the same whatever it asks for: the browser compares.
//!
//! CORS lets pages *read*; it keeps nobody from sending. Requests that carry a session cookie are guarded by
//! [`csrf`]. Private network access is never granted.

pub mod csrf;
#[cfg(test)]
mod csrf_tests;
mod origin;
#[cfg(test)]
mod tests;

pub use origin::{OriginError, OriginPattern};

use std::borrow::Cow;
use std::time::Duration;

use crate::request::RequestHead;
use crate::token::is_token;

/// The response header fields that belong to this module: removed from what the upstream answers before ours
/// are added. `vary` is not among them, since other fields of the answer may vary too.
pub const OWNED_RESPONSE_HEADERS: [&str; 7] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-expose-headers",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-allow-private-network",
    "access-control-max-age",
];

/// Longest time a browser may keep the answer to a preflight; none keeps it longer.
pub const MAX_MAX_AGE: Duration = Duration::from_hours(24);
/// How long it keeps it by default; Chromium's own limit.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_hours(2);

/// What pages of other origins may do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which origins.
    pub allow_origins: Vec<OriginPattern>,
    /// The methods, besides GET, HEAD and POST, which every page may send.
    pub allow_methods: Vec<AllowedMethod>,
    /// The request header fields.
    pub allow_headers: Vec<FieldName>,
    /// The response header fields a page may read.
    pub expose_headers: Vec<FieldName>,
    /// Whether cookies and client certificates may come along.
    pub allow_credentials: bool,
    /// How long a preflight's answer is kept.
    pub max_age: MaxAge,
}

impl Default for Settings {
    /// No origin; the methods and header fields of an API that takes bearer tokens and conditional requests.
    fn default() -> Self {
        let fields = |names: &[&str]| names.iter().map(|name| FieldName((*name).into())).collect();
        Self {
            allow_origins: Vec::new(),
            allow_methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
                .map(|method| AllowedMethod(method.into()))
                .to_vec(),
            allow_headers: fields(&[
                "authorization",
                "content-type",
                "idempotency-key",
                "if-match",
                "if-none-match",
            ]),
            expose_headers: fields(&[
                "etag",
                "location",
                "ratelimit",
                "ratelimit-policy",
                "retry-after",
                "www-authenticate",
                crate::decision_id::HEADER,
            ]),
            allow_credentials: false,
            max_age: MaxAge(DEFAULT_MAX_AGE),
        }
    }
}

/// A method a page may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedMethod(Box<str>);

impl AllowedMethod {
    /// Parses a method; `*` is none, and CONNECT, TRACE and TRACK are forbidden to pages (Fetch §2.2.1).
    ///
    /// # Errors
    /// [`Error::Method`]
    pub fn parse(text: &str) -> Result<Self, Error> {
        let forbidden = ["*", "CONNECT", "TRACE", "TRACK"];
        if !is_token(text) || forbidden.iter().any(|name| name.eq_ignore_ascii_case(text)) {
            let method = text.to_owned();
            return Err(Error::Method { method });
        }
        Ok(Self(text.into()))
    }
}

/// The name of a header field, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName(Box<str>);

impl FieldName {
    /// Parses a field name; `*` is none: it would not stand for `authorization` (Fetch §3.2.3).
    ///
    /// # Errors
    /// [`Error::FieldName`]
    pub fn parse(text: &str) -> Result<Self, Error> {
        if !is_token(text) || text == "*" {
            let name = text.to_owned();
            return Err(Error::FieldName { name });
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

/// How long a browser may keep the answer to a preflight: up to a day, 0 for not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge(Duration);

impl MaxAge {
    /// At most [`MAX_MAX_AGE`]; fractions of a second are dropped.
    ///
    /// # Errors
    /// [`Error::MaxAge`]
    pub fn new(duration: Duration) -> Result<Self, Error> {
        if duration > MAX_MAX_AGE {
            return Err(Error::MaxAge);
        }
        Ok(Self(duration))
    }
}

/// Why a setting is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not an origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// Not a method that pages may send.
    #[error("{method:?} is not a method that a page can send")]
    Method {
        /// The offending method.
        method: String,
    },
    /// Not a field name.
    #[error("{name:?} is not the name of a header field; * is not supported, name each")]
    FieldName {
        /// The offending name.
        name: String,
    },
    /// Above [`MAX_MAX_AGE`].
    #[error("max_age is above 86400s, which no browser honours")]
    MaxAge,
    /// Every origin, with credentials: any page could act and read as the user.
    #[error("allow_credentials needs a list of origins, not \"*\"")]
    WildcardWithCredentials,
}

/// A response header field: lower-case name and value.
pub type ResponseField<'a> = (&'static str, Cow<'a, str>);

/// The answer to a preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight<'a> {
    /// 204 for an allowed origin, else 403.
    pub status: u16,
    /// The header fields, `vary` among them.
    pub headers: Vec<ResponseField<'a>>,
}

/// Compiled settings.
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Vec<OriginPattern>,
    allow_credentials: bool,
    allow_methods: String,
    allow_headers: String,
    expose_headers: String,
    max_age: String,
}

impl Cors {
    /// Compiles `settings`.
    ///
    /// # Errors
    /// [`Error::WildcardWithCredentials`]
    pub fn new(settings: Settings) -> Result<Self, Error> {
        if settings.allow_credentials && settings.allow_origins.contains(&OriginPattern::Any) {
            return Err(Error::WildcardWithCredentials);
        }
        let list = |names: Vec<Box<str>>| names.join(", ");
        let names = |fields: Vec<FieldName>| list(fields.into_iter().map(|name| name.0).collect());
        Ok(Self {
            origins: settings.allow_origins,
            allow_credentials: settings.allow_credentials,
            allow_methods: list(
                settings
                    .allow_methods
                    .into_iter()
                    .map(|method| method.0)
                    .collect(),
            ),
            allow_headers: names(settings.allow_headers),
            expose_headers: names(settings.expose_headers),
            max_age: settings.max_age.0.as_secs().to_string(),
        })
    }

    /// The origins whose pages may read answers, and act with a cookie ([`csrf`]).
    pub fn origins(&self) -> &[OriginPattern] {
        &self.origins
    }

    /// The answer, where the request is a preflight: OPTIONS with `Origin` and
    /// `Access-Control-Request-Method`. Nothing else of it matters, and it is never forwarded.
    pub fn preflight<'a>(&'a self, head: &RequestHead<'a>) -> Option<Preflight<'a>> {
        let is_preflight = head.first(":method") == Some(b"OPTIONS")
            && head.first("origin").is_some()
            && head.first("access-control-request-method").is_some();
        if !is_preflight {
            return None;
        }
        let mut headers = Vec::with_capacity(6);
        let allowed = self.push_origin(head, &mut headers);
        if allowed {
            let fields = [
                ("access-control-allow-methods", &self.allow_methods),
                ("access-control-allow-headers", &self.allow_headers),
                ("access-control-max-age", &self.max_age),
            ];
            push_unless_empty(&mut headers, fields);
        }
        let status = if allowed { 204 } else { 403 };
        Some(Preflight { status, headers })
    }

    /// The header fields to add to every answer that is not to a preflight, made here or by the upstream,
    /// after [`OWNED_RESPONSE_HEADERS`] are removed from it.
    pub fn headers<'a>(&'a self, head: &RequestHead<'a>) -> Vec<ResponseField<'a>> {
        let mut headers = Vec::with_capacity(4);
        if self.push_origin(head, &mut headers) {
            let fields = [("access-control-expose-headers", &self.expose_headers)];
            push_unless_empty(&mut headers, fields);
        }
        headers
    }

    /// Adds what depends on the origin, and `vary`, without which a cache would give one origin's answer to
    /// another, or an answer without headers to a page that needs them.
    fn push_origin<'a>(&'a self, head: &RequestHead<'a>, to: &mut Vec<ResponseField<'a>>) -> bool {
        to.push(("vary", "Origin".into()));
        let Some(allow_origin) = self.allow_origin(head) else {
            return false;
        };
        to.push(("access-control-allow-origin", allow_origin.into()));
        if self.allow_credentials {
            to.push(("access-control-allow-credentials", "true".into()));
        }
        true
    }

    /// The value of `Access-Control-Allow-Origin`. Two `Origin` fields are none, and `null`, which any
    /// sandboxed frame of any site has, is not even one for `*`.
    fn allow_origin<'a>(&'a self, head: &RequestHead<'a>) -> Option<&'a str> {
        let origin = head.only("origin").ok().flatten()?;
        let origin = std::str::from_utf8(origin).ok()?;
        let pattern = self
            .origins
            .iter()
            .find(|pattern| pattern.matches(origin))?;
        Some(match pattern {
            OriginPattern::Any => "*",
            _ => origin,
        })
    }
}

fn push_unless_empty<'a, const N: usize>(
    to: &mut Vec<ResponseField<'a>>,
    fields: [(&'static str, &'a String); N],
) {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
    to.extend(fields.map(|(name, value)| (name, Cow::Borrowed(value.as_str()))));
}
