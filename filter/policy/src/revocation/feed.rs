//! The feed's format: what api-server sends and this module reads, strictly.
//!
//! `GET /internal/edge/feed` answers with a page of revocations and a cursor; `GET /internal/edge/feed?cursor=C` with
//! what came after the page that named `C`:
//!
//! ```json
//! {
//!   "version": 1,
//!   "snapshot": true,
//!   "cursor": "184",
//!   "more": false,
//!   "entries": [
//!     {"kind": "jti", "value": "Kx3…", "expires_at": 1795000000},
//!     {"kind": "sid", "value": "f81d…", "issuer": "https://tenant.auth0.com/", "expires_at": 1795000000},
//!     {"kind": "sub", "value": "auth0|42", "issued_before": 1794900000, "expires_at": 1795000000},
//!     {"kind": "client", "value": "app-1", "expires_at": 1795000000},
//!     {"kind": "address", "value": "203.0.113.7", "expires_at": 1794903600}
//!   ]
//! }
//! ```
//!
//! - `version`: 1. A member or kind that is not described here makes the page unreadable: better no news, and
//!   visibly so, than a revocation that is not understood.
//! - `snapshot`: the entries, and those of the pages that follow by `more`, are all there are; what was known
//!   before is void. The answer to a request without a cursor, or with one the server does not know, is a
//!   snapshot. So is the answer to every cursor from before a revocation was lifted: that is how it is lifted.
//! - `cursor`: 1 to 128 unreserved characters (RFC 3986 §2.3). Stays the same while nothing is new.
//! - `more`: the page was full; ask again at once with its cursor. At most 10,000 entries and 1 MiB a page.
//! - `kind` and `value`: `jti`, `sid` and `sub` as in the token; `client` its `client_id` or `azp`; `address` an IP
//!   address, an IPv6 address standing for its /64.
//! - `issuer`: the revocation is only about tokens of this issuer. Not with `address`. Where it is missing, it is
//!   about every issuer's.
//! - `issued_before`: only tokens issued before this time; a token that does not say when is among them. Without
//!   it, all. Required with `sub`, so that the next login is good; allowed with `client`.
//! - `expires_at`: when the revocation may be forgotten: not before the last token it is about has expired.
//!
//! Times are whole seconds since the epoch. Entries may come more than once and in any order: the later
//! `issued_before` and `expires_at` hold.

use std::net::IpAddr;

use crate::json::{self, Limits, Number, Object, Value};
use crate::time::UnixTime;

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What was known before is void.
    pub snapshot: bool,
    /// Names the state this page leads to.
    pub cursor: Box<str>,
    /// Another page follows at once.
    pub more: bool,
    /// The revocations.
    pub entries: Vec<Entry>,
}

/// One revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is revoked.
    pub subject: Revoked,
    /// Of which issuer's tokens; `None`: of all.
    pub issuer: Option<Box<str>>,
    /// Only tokens issued before this time; `None`: all.
    pub issued_before: Option<UnixTime>,
    /// When the revocation may be forgotten.
    pub expires_at: UnixTime,
}

/// What a revocation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// One token, by its `jti`.
    TokenId(Box<str>),
    /// One session, by its `sid`.
    Session(Box<str>),
    /// All sessions of a subject.
    Subject(Box<str>),
    /// All tokens of a client.
    Client(Box<str>),
    /// An address.
    Address(IpAddr),
}

/// The body is not a page as described here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the revocation feed's answer can't be read")]
pub struct Unreadable;

/// Reads a page.
pub fn parse(body: &[u8]) -> Result<Page, Unreadable> {
    let document = json::parse(body, LIMITS).map_err(|_| Unreadable)?;
    page(&document).ok_or(Unreadable)
}

fn page(document: &Value) -> Option<Page> {
    let page = members(
        document,
        &["version", "snapshot", "cursor", "more", "entries"],
    )?;
    if page.get("version")?.as_number()?.as_u64()? != VERSION {
        return None;
    }
    let cursor = page.get("cursor")?.as_str()?;
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(1..=MAX_CURSOR_BYTES).contains(&cursor.len()) || !cursor.bytes().all(is_unreserved) {
        return None;
    }
    let entries = page.get("entries")?.as_array()?;
    if entries.len() > MAX_PAGE_ENTRIES {
        return None;
    }
    Some(Page {
        snapshot: page.get("snapshot")?.as_bool()?,
        cursor: cursor.into(),
        more: page.get("more")?.as_bool()?,
        entries: entries.iter().map(entry).collect::<Option<_>>()?,
    })
}

fn entry(value: &Value) -> Option<Entry> {
    let entry = members(
        value,
        &["kind", "value", "issuer", "issued_before", "expires_at"],
    )?;
    let time = |name| match entry.get(name) {
        None => Some(None),
        Some(time) => time
            .as_number()
            .and_then(Number::as_u64)
            .map(|secs| Some(UnixTime::from_secs(secs))),
    };
    let text = |name| match entry.get(name) {
        None => Some(None),
        Some(text) => text
            .as_str()
            .filter(|text| (1..=MAX_VALUE_BYTES).contains(&text.len()))
            .map(Some),
    };
    let (issuer, issued_before) = (text("issuer")?, time("issued_before")?);
    let value = text("value")??;
    let subject = match (entry.get("kind")?.as_str()?, issued_before) {
        ("jti", None) => Revoked::TokenId(value.into()),
        ("sid", None) => Revoked::Session(value.into()),
        ("sub", Some(_)) => Revoked::Subject(value.into()),
        ("client", _) => Revoked::Client(value.into()),
        ("address", None) if issuer.is_none() => Revoked::Address(value.parse().ok()?),
        _ => return None,
    };
    Some(Entry {
        subject,
        issuer: issuer.map(Into::into),
        issued_before,
        expires_at: time("expires_at")??,
    })
}

/// The object `value` is, if it has no other members than these.
fn members<'v>(value: &'v Value, names: &[&str]) -> Option<&'v Object> {
    let object = value.as_object()?;
    object
        .iter()
        .all(|(name, _)| names.contains(&name))
        .then_some(object)
}

/// The longest page, in bytes.
pub const MAX_PAGE_BYTES: usize = 1024 * 1024;
/// The most entries of a page.
pub const MAX_PAGE_ENTRIES: usize = 10_000;
pub(super) const MAX_CURSOR_BYTES: usize = 128;
const VERSION: u64 = 1;
/// As long as the longest claim that is looked up.
const MAX_VALUE_BYTES: usize = 1024;
const LIMITS: Limits = Limits {
    depth: 3,
    values: 60_100,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The page of the module's doc, with something put in place of something.
    fn page_with(from: &str, to: &str) -> Result<Page, Unreadable> {
        let page = r#"{"version":1,"snapshot":true,"cursor":"184","more":false,"entries":[
            {"kind":"jti","value":"Kx3","expires_at":1795000000},
            {"kind":"sid","value":"f81d","issuer":"https://tenant.auth0.com/","expires_at":1795000000},
            {"kind":"sub","value":"auth0|42","issued_before":1794900000,"expires_at":1795000000},
            {"kind":"client","value":"app-1","expires_at":1795000000},
            {"kind":"address","value":"203.0.113.7","expires_at":1794903600}]}"#;
        assert!(page.contains(from), "{from}");
        parse(page.replace(from, to).as_bytes())
    }

    #[test]
    fn a_page_is_read() {
        let page = page_with("1", "1").unwrap();
        assert_eq!(
            (page.snapshot, &*page.cursor, page.more),
            (true, "184", false)
        );
        let expires_at = UnixTime::from_secs(1_795_000_000);
        let subject = Entry {
            subject: Revoked::Subject("auth0|42".into()),
            issuer: None,
            issued_before: Some(UnixTime::from_secs(1_794_900_000)),
            expires_at,
        };
        let session = Entry {
            subject: Revoked::Session("f81d".into()),
            issuer: Some("https://tenant.auth0.com/".into()),
            issued_before: None,
            expires_at,
        };
        assert_eq!(page.entries.len(), 5);
        assert!(page.entries.contains(&subject) && page.entries.contains(&session));
    }

    #[test]
    fn what_is_not_understood_makes_a_page_unreadable() {
        for (from, to, why) in [
            (r#""version":1"#, r#""version":2"#, "another version"),
            (r#""version":1,"#, "", "no version"),
            (r#""snapshot":true"#, r#""snapshot":1"#, "no boolean"),
            (
                r#""snapshot":true"#,
                r#""snapshot":true,"ttl":1"#,
                "an unknown member",
            ),
            (
                r#""more":false"#,
                r#""more":false,"more":true"#,
                "a member twice",
            ),
            (r#""cursor":"184""#, r#""cursor":"""#, "an empty cursor"),
            (
                r#""cursor":"184""#,
                r#""cursor":"1&x=2""#,
                "a cursor that is more than a value",
            ),
            (r#""kind":"jti""#, r#""kind":"device""#, "an unknown kind"),
            (r#""value":"Kx3""#, r#""value":"""#, "an empty value"),
            (r#""value":"Kx3","#, "", "no value"),
            (
                r#""value":"Kx3""#,
                r#""value":3"#,
                "a value that is no text",
            ),
            (
                r#""value":"Kx3""#,
                r#""value":"Kx3","if":"x""#,
                "a condition nobody knows",
            ),
            (
                r#""value":"Kx3""#,
                r#""value":"Kx3","issued_before":5"#,
                "a time where it means nothing",
            ),
            (r#""issued_before":1794900000,"#, "", "a subject for ever"),
            (
                r#""issued_before":1794900000"#,
                r#""issued_before":"now""#,
                "a time as text",
            ),
            (
                r#""expires_at":1794903600"#,
                r#""expires_at":-1"#,
                "a time before the epoch",
            ),
            (r#","expires_at":1794903600"#, "", "no end"),
            ("203.0.113.7", "203.0.113.0/24", "a network"),
            ("203.0.113.7", "evil.example", "a name"),
            (
                r#""203.0.113.7""#,
                r#""203.0.113.7","issuer":"x""#,
                "an address of an issuer",
            ),
        ] {
            assert_eq!(page_with(from, to), Err(Unreadable), "{why}");
        }
        for body in [&b""[..], b"<html>", b"[]", b"null", &[b'['; 10_000]] {
            assert_eq!(parse(body), Err(Unreadable));
        }
    }

    #[test]
    fn a_page_has_at_most_ten_thousand_entries() {
        let page = |entries: usize| {
            let entry = r#"{"kind":"jti","value":"x","issuer":"i","expires_at":1}"#;
            let entries = vec![entry; entries].join(",");
            parse(format!(r#"{{"version":1,"snapshot":true,"cursor":"c","more":false,"entries":[{entries}]}}"#).as_bytes())
        };
        assert_eq!(
            page(MAX_PAGE_ENTRIES).unwrap().entries.len(),
            MAX_PAGE_ENTRIES
        );
        assert_eq!(page(MAX_PAGE_ENTRIES + 1), Err(Unreadable));
    }
}
