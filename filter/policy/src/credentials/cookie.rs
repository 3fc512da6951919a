//! Cookies, as far as a token in one of them needs (RFC 6265 §4.2).

use memchr::memchr;

use super::SeveralTokens;
use crate::decision::Mutations;
use crate::request::RequestHead;

/// The value of the cookie `name` over all `cookie` fields (HTTP/2 splits them, RFC 9113 §8.2.3).
///
/// # Errors
/// [`SeveralTokens`] where two cookies have this name: a subdomain can plant a second one.
pub(super) fn value<'a>(
    head: &RequestHead<'a>,
    name: &str,
) -> Result<Option<&'a [u8]>, SeveralTokens> {
    let mut values = pairs(head).filter_map(|pair| named(pair, name));
    let first = values.next();
    if values.next().is_some() {
        Err(SeveralTokens)
    } else {
        Ok(first)
    }
}

/// Rewrites the `cookie` fields without the cookies `names`.
pub fn without_cookies(head: &RequestHead<'_>, names: &[&str], mutations: &mut Mutations) {
    let is_taken = |pair: &[u8]| names.iter().any(|name| named(pair, name).is_some());
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut is_any_taken = false;
    for pair in pairs(head) {
        if is_taken(pair) {
            is_any_taken = true;
        } else if !pair.trim_ascii().is_empty() {
            kept.push(pair.trim_ascii());
        }
    }
    if !is_any_taken {
        return;
    }
    mutations.remove.push(b"cookie".as_slice().into());
    if !kept.is_empty() {
        mutations.set.push(("cookie".into(), kept.join(&b"; "[..])));
    }
}

/// The pairs of all `cookie` fields as they were sent, spaces around them included.
///
/// A session is thousands of bytes, each of which `memchr` looks at with several others at once.
pub(crate) fn pairs<'a>(head: &RequestHead<'a>) -> impl Iterator<Item = &'a [u8]> {
    head.all("cookie").flat_map(|field| {
        let mut rest = Some(field);
        std::iter::from_fn(move || {
            let all = rest.take()?;
            let Some((pair, after)) = memchr(b';', all).and_then(|at| all.split_at_checked(at))
            else {
                return Some(all);
            };
            rest = after.get(1..);
            Some(pair)
        })
    })
}

/// The value of `pair` if it is `name=value`; names are case-sensitive, quotes belong to the value's form.
fn named<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    // Some readers take `name =value` for `name=value`.
    let (found, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
    if found.trim_ascii() != name.as_bytes() {
        return None;
    }
    let value = value.get(1..)?.trim_ascii();
    Some(
        value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""))
            .unwrap_or(value),
    )
}
