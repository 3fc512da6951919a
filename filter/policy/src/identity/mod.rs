//! The header fields that say who the caller is: removed from every request, then set from verified claims.
//!
//! RFC 9110 §5.1. An upstream behind CGI, WSGI, Rack or PHP sees `X-User-Id`, `x_user_id` and, on some
//! servers, `x.user.id` as one variable, so a client that spells a name in another way would speak as
//! somebody else (CVE-2025-64484, CVE-2026-44087). Here a name is the same as another if they differ only in
//! case and in what stands between letters and digits.
//!
//! With them go the fields by which some frameworks let a client replace the path or the method that was
//! judged ([`OVERRIDES`]); no configuration brings those back.

#[cfg(test)]
mod tests;

use crate::sort::sort_by;
use crate::token::is_token;

/// Fields that make some upstream read another path or method than the one that was judged: IIS, Symfony and
/// Zend (CVE-2018-14773), Envoy's own (CVE-2023-27487), Rails, Express and Spring method overrides.
pub const OVERRIDES: [&str; 6] = [
    "x-envoy-original-path",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Longest name, in bytes. Lengths are bits of a `u64`.
pub const MAX_NAME_BYTES: usize = 63;
/// Most names. Each costs a few bytes of every request that carries a name of the same length.
pub const MAX_NAMES: usize = 128;

/// Names an identity header cannot have: framing and routing (RFC 9112 §6, RFC 9110 §7.6.1), credentials, what
/// clients negotiate with, and what proxies decide with. Prefixes end with `-`.
const RESERVED: [&str; 33] = [
    "accept",
    "accept-encoding",
    "access-control-",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "dpop",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "proxy-",
    "range",
    "sec-",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-envoy-",
    "x-forwarded-",
    "x-http-method",
    "x-real-ip",
    "x-request-id",
    "www-authenticate",
];

/// The names of all identity headers, ready to be compared with every header of every request.
#[derive(Clone, Debug, Default)]
pub struct IdentityHeaders {
    /// Folded names, shortest first.
    names: Vec<Box<[u8]>>,
    /// Bit n is set where a name has n bytes: dismisses most headers with one test.
    lengths: u64,
}

impl IdentityHeaders {
    /// The headers of these names, and [`OVERRIDES`].
    ///
    /// # Errors
    /// Every [`Error`]; all of the list's, in its order.
    pub fn compile<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<Error>> {
        let mut errors = Vec::new();
        let mut headers = Self::default();
        for name in names {
            match check_name(name) {
                Ok(()) => headers.insert(name),
                Err(error) => errors.push(error),
            }
        }
        if headers.names.len() > MAX_NAMES {
            errors.push(Error::TooMany);
        }
        for name in OVERRIDES {
            headers.insert(name);
        }
        sort_by(&mut headers.names, |a, b| a.len().cmp(&b.len()));
        if errors.is_empty() {
            Ok(headers)
        } else {
            Err(errors)
        }
    }

    fn insert(&mut self, name: &str) {
        let folded: Box<[u8]> = name.bytes().map(fold).collect();
        if !self.names.contains(&folded) {
            self.lengths |= 1 << folded.len();
            self.names.push(folded);
        }
    }

    /// Whether a header of this name, however it is spelled, must not come from a client.
    pub fn is_identity(&self, name: &[u8]) -> bool {
        let candidate = u32::try_from(name.len())
            .ok()
            .and_then(|length| self.lengths.checked_shr(length))
            .is_some_and(|bits| bits & 1 == 1);
        candidate && self.contains(name)
    }

    fn contains(&self, name: &[u8]) -> bool {
        let same = |own: &[u8]| own.iter().zip(name).all(|(own, &byte)| *own == fold(byte));
        let length = name.len();
        let start = self.names.partition_point(|own| own.len() < length);
        let mut candidates = self.names.iter().skip(start);
        candidates
            .by_ref()
            .take_while(|own| own.len() == length)
            .any(|own| same(own))
    }
}

/// Lower case; whatever is neither letter nor digit becomes `-`.
const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() {
        byte.to_ascii_lowercase()
    } else {
        b'-'
    }
}

/// Checks that `name` can be the name of an identity header: lower case, letters, digits and `-`.
///
/// # Errors
/// [`Error::NotAName`], [`Error::TooLong`], [`Error::Reserved`]
pub fn check_name(name: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !is_token(name) || !name.bytes().all(plain) || name.starts_with('-') || name.ends_with('-') {
        return Err(Error::NotAName {
            name: name.to_owned(),
        });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(Error::TooLong {
            name: name.to_owned(),
        });
    }
    let reserved = RESERVED.iter().any(|reserved| {
        name == *reserved || (reserved.ends_with('-') && name.starts_with(reserved))
    });
    if reserved || OVERRIDES.contains(&name) {
        return Err(Error::Reserved {
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// Why a name cannot be an identity header's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a field name as HTTP/2 wants it (RFC 9113 §8.2.1), or one with `_` or `.`, which upstreams fold.
    #[error("{name:?} must be lower-case letters, digits and dashes")]
    NotAName {
        /// The offending name.
        name: String,
    },
    /// Longer than [`MAX_NAME_BYTES`].
    #[error("{name:?} is longer than {MAX_NAME_BYTES} bytes")]
    TooLong {
        /// The offending name.
        name: String,
    },
    /// A field that means something else to HTTP, to browsers or to proxies.
    #[error("{name:?} has another meaning; choose a name of your own, such as x-user-id")]
    Reserved {
        /// The offending name.
        name: String,
    },
    /// More than [`MAX_NAMES`] names.
    #[error("more than {MAX_NAMES} identity headers")]
    TooMany,
}
