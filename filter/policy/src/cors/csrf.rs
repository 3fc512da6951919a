//! Requests that another site makes with the user's cookie.
//!
//! A browser sends the session cookie along whichever page caused the request. What it also sends, and no page
//! can change, is `Origin` (Fetch §3.2) and `Sec-Fetch-Site` (Fetch Metadata §2.4). A request that may change
//! something must show by one of them that it came from this origin or an allowed one; one that shows neither
//! is refused, since every browser that could carry the cookie sends them. Bearer tokens need none of this:
//! no browser attaches them by itself.

use super::OriginPattern;
use super::origin::serialise;
use crate::authority::Authority;
use crate::client_address::Scheme;
use crate::request::RequestHead;

/// Whether a request that is authenticated by a cookie must be refused.
///
/// `scheme` is how the request came ([`crate::client_address::ClientAddress::scheme`]). Requests that change
/// nothing (GET, HEAD, OPTIONS) pass, except those that open a WebSocket: browsers apply CORS to none of them.
pub fn is_cross_site(head: &RequestHead<'_>, scheme: Scheme, allowed: &[OriginPattern]) -> bool {
    if is_safe(head) {
        return false;
    }
    match head.only("origin") {
        Ok(Some(origin)) => !is_trusted(origin, head, scheme, allowed),
        Ok(None) => !matches!(
            head.only("sec-fetch-site"),
            // `none`: the user's own doing, such as a typed address or a bookmark.
            Ok(Some(b"same-origin" | b"none"))
        ),
        Err(_) => true,
    }
}

/// RFC 9110 §9.2.1, without the handshakes of RFC 6455 §4.1 (GET) and RFC 8441 §4 (CONNECT).
fn is_safe(head: &RequestHead<'_>) -> bool {
    matches!(
        head.only(":method"),
        Ok(Some(b"GET" | b"HEAD" | b"OPTIONS"))
    ) && head.first("upgrade").is_none()
        && head.first(":protocol").is_none()
}

fn is_trusted(
    origin: &[u8],
    head: &RequestHead<'_>,
    scheme: Scheme,
    allowed: &[OriginPattern],
) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else {
        return false;
    };
    is_same_origin(origin, head, scheme) || allowed.iter().any(|pattern| allows(pattern, origin))
}

/// `*` lets pages read what is public; it never lets them act with a cookie.
fn allows(pattern: &OriginPattern, origin: &str) -> bool {
    *pattern != OriginPattern::Any && pattern.matches(origin)
}

/// Whether `origin` is this request's own. A page that came by HTTPS is, whatever the last proxy spoke to us;
/// one that came in the clear is not, where the request came by HTTPS.
fn is_same_origin(origin: &str, head: &RequestHead<'_>, scheme: Scheme) -> bool {
    let Ok(Some(authority)) = Authority::of(head) else {
        return false;
    };
    origin == serialise("https", &authority)
        || (scheme == Scheme::Http && origin == serialise("http", &authority))
}
