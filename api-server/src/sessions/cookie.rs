//! Cookies: read from a request, set and cleared with the same attributes (CVE-2025-55162).
//!
//! `__Host-` binds a cookie to the very host that set it, over TLS, for every path; `HttpOnly` keeps it from scripts,
//! `SameSite=Lax` from other sites' requests.

use axum::http::HeaderValue;
use axum::http::header::{COOKIE, HeaderMap, SET_COOKIE};
use edge_auth_policy::session::{self, Purpose, Session, SessionKeys};
use edge_auth_policy::time::UnixTime;

use crate::error::ApiError;

/// The session's cookie; the edge's configuration names it too.
pub const SESSION: &str = "__Host-edge-session";
/// The cookie of a login under way.
pub const LOGIN: &str = "__Host-edge-login";

/// The session a request's cookie names, if there is one that opens.
pub fn session(headers: &HeaderMap, keys: &SessionKeys, now: UnixTime) -> Option<Session> {
    let sealed = read(headers, SESSION)?;
    let (payload, _) = keys.open(Purpose::Session, b"", &sealed, now).ok()?;
    Session::from_bytes(&payload)
}

/// The value of a cookie, put together from its chunks.
pub fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    session::join(name, pairs(headers))
}

/// Sets `name` to a sealed value; chunks of an earlier, longer one are cleared.
///
/// # Errors
/// The value is too long for cookies, or no header value.
pub fn set(
    reply: &mut HeaderMap,
    request: &HeaderMap,
    name: &str,
    sealed: &str,
    max_age_seconds: u64,
) -> Result<(), ApiError> {
    let chunks = session::chunks(name, sealed).ok_or(ApiError::Internal("a cookie too long"))?;
    for (old, _) in pairs(request).filter(|(old, _)| is_part(old, name)) {
        if !chunks.iter().any(|(new, _)| new == old) {
            append(reply, old, "", 0)?;
        }
    }
    for (name, value) in &chunks {
        append(reply, name, value, max_age_seconds)?;
    }
    Ok(())
}

/// Clears `name` and all its chunks.
///
/// # Errors
/// None that a request could cause.
pub fn clear(reply: &mut HeaderMap, request: &HeaderMap, name: &str) -> Result<(), ApiError> {
    append(reply, name, "", 0)?;
    for (old, _) in pairs(request) {
        if old != name && is_part(old, name) {
            append(reply, old, "", 0)?;
        }
    }
    Ok(())
}

fn append(reply: &mut HeaderMap, name: &str, value: &str, max_age: u64) -> Result<(), ApiError> {
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite=Lax");
    let value = HeaderValue::try_from(cookie)
        .map_err(|_| ApiError::Internal("a cookie that is no header value"))?;
    reply.append(SET_COOKIE, value);
    Ok(())
}

/// `name` itself, or `name.0` to `name.9`: nothing else of what a client sends is repeated in a header.
fn is_part(cookie: &str, name: &str) -> bool {
    cookie.strip_prefix(name).is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('.')
                .is_some_and(|index| index.len() == 1 && index.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}
