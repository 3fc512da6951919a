//! Where a request may carry its token, and taking it from there (RFC 6750 §2).
//!
//! A token is taken from the sources a provider names and from nowhere else. Two different tokens in one
//! request are refused rather than chosen from: the upstream might choose otherwise.

mod cookie;
mod query;

use std::borrow::Cow;

use crate::decision::Mutations;
use crate::request::RequestHead;

pub(crate) use cookie::pairs as cookie_pairs;
pub use cookie::without_cookies;
pub use query::without_parameters;

/// A place in a request that may carry a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A header field, after `value_prefix`.
    Header {
        /// Lower-case field name.
        name: Box<str>,
        /// What stands before the token, compared without regard to case (RFC 9110 §11.1).
        value_prefix: Box<str>,
    },
    /// A query parameter (RFC 6750 §2.3).
    Query(Box<str>),
    /// A cookie (RFC 6265 §4.2).
    Cookie(Box<str>),
    /// `Sec-WebSocket-Protocol: bearer, <token>`: a browser can set no other field of a WebSocket handshake.
    WebSocketProtocol,
}

impl TokenSource {
    /// `Authorization: Bearer` (RFC 6750 §2.1).
    pub fn authorization() -> Self {
        Self::Header {
            name: "authorization".into(),
            value_prefix: "Bearer ".into(),
        }
    }
}

/// A credential as the client sent it: nothing about it has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnverifiedCredential<'a> {
    /// The token's bytes.
    pub token: &'a [u8],
    /// Whether only a cookie carries it: a browser sends that along whichever page made the request.
    pub only_by_cookie: bool,
}

/// The request carries several credentials; which one counts must not be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeveralTokens;

impl UnverifiedCredential<'_> {
    /// Whether a proxy in front joined two tokens with a comma. Looks at every byte: to be asked of what was never
    /// verified.
    pub fn is_joined(&self) -> bool {
        self.token.contains(&b',')
    }
}

/// The one token `sources` yield, if any. The same token in two places is one token.
///
/// # Errors
/// [`SeveralTokens`] where sources differ, or a field or parameter that carries a token appears twice.
pub fn take<'a>(
    head: &RequestHead<'a>,
    query: Option<&'a str>,
    sources: &[TokenSource],
) -> Result<Option<UnverifiedCredential<'a>>, SeveralTokens> {
    let mut found: Option<UnverifiedCredential<'a>> = None;
    for source in sources {
        let here = match source {
            TokenSource::Header { name, value_prefix } => from_header(head, name, value_prefix)?,
            TokenSource::Query(name) => query::value(query.unwrap_or(""), name)?.map(str::as_bytes),
            TokenSource::Cookie(name) => cookie::value(head, name)?,
            TokenSource::WebSocketProtocol => from_websocket_protocol(head)?,
        };
        let Some(token) = here else { continue };
        let by_cookie = matches!(source, TokenSource::Cookie(_));
        let only_by_cookie = match found {
            Some(first) if first.token != token => return Err(SeveralTokens),
            Some(first) => first.only_by_cookie && by_cookie,
            None => by_cookie,
        };
        found = Some(UnverifiedCredential {
            token,
            only_by_cookie,
        });
    }
    Ok(found)
}

fn from_header<'a>(
    head: &RequestHead<'a>,
    name: &str,
    prefix: &str,
) -> Result<Option<&'a [u8]>, SeveralTokens> {
    let mut values = head.all(name);
    let Some(first) = values.next() else {
        return Ok(None);
    };
    // Any second field of this name is refused, whatever its scheme: an upstream may read that one.
    if let (Some(token), None) = (strip_prefix(first, prefix), values.next()) {
        return Ok(Some(token.trim_ascii()));
    }
    let carries = |value| strip_prefix(value, prefix).is_some() || hides_token(value, prefix);
    if head.all(name).any(carries) {
        return Err(SeveralTokens);
    }
    Ok(None)
}

/// `value` after `prefix`; a `Bearer` that stands alone is an empty token, not an absent one.
fn strip_prefix<'a>(value: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let value = value.trim_ascii();
    let Some(scheme) = prefix.strip_suffix(' ') else {
        let (start, rest) = value.split_at_checked(prefix.len())?;
        return start
            .eq_ignore_ascii_case(prefix.as_bytes())
            .then_some(rest);
    };
    let (start, rest) = value.split_at_checked(scheme.len())?;
    // A tab separates as a space does: some upstreams split at either, and would find a token here.
    let ends = rest.first().is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    (ends && start.eq_ignore_ascii_case(scheme.as_bytes())).then_some(rest.trim_ascii())
}

/// Whether some upstream would find a token in `value`, which does not begin with one: `Basic …, Bearer …`. That is
/// also how Envoy hands over two fields. To take it for no token would let a bad one pass where none is needed.
fn hides_token(value: &[u8], prefix: &str) -> bool {
    let Some(scheme) = prefix.strip_suffix(' ').filter(|it| !it.is_empty()) else {
        return false;
    };
    value
        .split(|byte| matches!(byte, b' ' | b'\t' | b','))
        .any(|word| word.eq_ignore_ascii_case(scheme.as_bytes()))
}

fn from_websocket_protocol<'a>(head: &RequestHead<'a>) -> Result<Option<&'a [u8]>, SeveralTokens> {
    let Ok(value) = head.only("sec-websocket-protocol") else {
        return Err(SeveralTokens);
    };
    let Some(value) = value else { return Ok(None) };
    let mut parts = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let Some(_) = parts.find(|part| part.eq_ignore_ascii_case(b"bearer")) else {
        return Ok(None);
    };
    let token = parts.next().unwrap_or_default();
    if parts.any(|part| part.eq_ignore_ascii_case(b"bearer")) {
        return Err(SeveralTokens);
    }
    Ok(Some(token))
}

/// Takes the token out of what goes upstream, without touching other cookies, parameters or protocols.
pub fn strip(
    head: &RequestHead<'_>,
    path_and_query: &mut Cow<'_, str>,
    sources: &[&TokenSource],
    mutations: &mut Mutations,
) {
    let parameters: Vec<&str> = sources.iter().filter_map(|source| source.query()).collect();
    if !parameters.is_empty()
        && let Some(rewritten) = without_parameters(path_and_query, &parameters)
    {
        *path_and_query = Cow::Owned(rewritten);
    }
    let cookies: Vec<&str> = sources
        .iter()
        .filter_map(|source| source.cookie())
        .collect();
    if !cookies.is_empty() {
        without_cookies(head, &cookies, mutations);
    }
    for source in sources {
        match source {
            TokenSource::Header { name, value_prefix } => {
                if head
                    .all(name)
                    .any(|value| strip_prefix(value, value_prefix).is_some())
                {
                    mutations.remove.push(name.as_bytes().into());
                }
            }
            TokenSource::WebSocketProtocol => strip_websocket_protocol(head, mutations),
            TokenSource::Query(_) | TokenSource::Cookie(_) => {}
        }
    }
}

fn strip_websocket_protocol(head: &RequestHead<'_>, mutations: &mut Mutations) {
    let Some(value) = head.first("sec-websocket-protocol") else {
        return;
    };
    let mut kept = Vec::new();
    let mut parts = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    while let Some(part) = parts.next() {
        if part.eq_ignore_ascii_case(b"bearer") {
            parts.next();
        } else {
            kept.push(part);
        }
    }
    if kept.is_empty() {
        mutations
            .remove
            .push(b"sec-websocket-protocol".as_slice().into());
    } else {
        mutations
            .set
            .push(("sec-websocket-protocol".into(), kept.join(&b", "[..])));
    }
}

impl TokenSource {
    fn query(&self) -> Option<&str> {
        match self {
            Self::Query(name) => Some(name),
            _ => None,
        }
    }

    fn cookie(&self) -> Option<&str> {
        match self {
            Self::Cookie(name) => Some(name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
