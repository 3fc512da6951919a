//! Origins as browsers serialise them, and patterns for them.
//!
//! RFC 6454 §6.2: `scheme "://" host [ ":" port ]`, in lower case, without the scheme's default port. A
//! browser sends nothing else, so a request's origin is compared as it is and never repaired.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::authority::Authority;

/// Origins that are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginPattern {
    /// Every origin but `null`.
    Any,
    /// This origin.
    Exact(ExactOrigin),
    /// Every origin whose host is below this one.
    Below(OriginsBelow),
}

/// One origin, serialised as a browser does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactOrigin(Box<str>);

/// `https://*.suffix`, perhaps with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginsBelow {
    /// `.suffix`, with `:port` where it is not 443.
    suffix: Box<str>,
}

/// Why an origin is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Not `scheme://host` with an optional port.
    #[error("{origin:?} is not scheme://host[:port]")]
    Syntax {
        /// The offending text.
        origin: String,
    },
    /// `null`, which any sandboxed frame of any site has.
    #[error("\"null\" is the origin of every sandboxed page and cannot be allowed")]
    Null,
    /// Plain HTTP beyond this machine: whoever is on the network path speaks as such an origin.
    #[error("{origin:?} is not https; plain http is allowed for localhost only")]
    PlainHttp {
        /// The offending text.
        origin: String,
    },
    /// A wildcard anywhere but as the whole first part of an https host with at least two labels behind it.
    #[error("{origin:?}: a wildcard must be https://*. and a host of at least two labels")]
    Wildcard {
        /// The offending text.
        origin: String,
    },
}

impl OriginPattern {
    /// Parses `*`, an origin, or `https://*.host[:port]` for every origin whose host is below `host`.
    ///
    /// # Errors
    /// [`OriginError`]
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let origin = || text.to_owned();
        match text {
            "*" => return Ok(Self::Any),
            "null" => return Err(OriginError::Null),
            _ => {}
        }
        let syntax = || OriginError::Syntax { origin: origin() };
        let (scheme, rest) = text.split_once("://").ok_or_else(syntax)?;
        let scheme = scheme.to_ascii_lowercase();
        if !is_scheme(&scheme) {
            return Err(syntax());
        }
        if rest.contains('*') {
            return OriginsBelow::parse(&scheme, rest)
                .map(Self::Below)
                .ok_or_else(|| OriginError::Wildcard { origin: origin() });
        }
        let authority = Authority::parse(rest.as_bytes()).map_err(|_| syntax())?;
        if scheme == "http" && !is_loopback(&authority) {
            return Err(OriginError::PlainHttp { origin: origin() });
        }
        Ok(Self::Exact(ExactOrigin(
            serialise(&scheme, &authority).into(),
        )))
    }

    /// Whether `origin`, the value of a request's `Origin`, is allowed.
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Any => is_serialised(origin),
            Self::Exact(exact) => *exact.0 == *origin,
            Self::Below(below) => below.matches(origin),
        }
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(exact) => f.write_str(&exact.0),
            Self::Below(below) => write!(f, "https://*{}", below.suffix),
        }
    }
}

impl OriginsBelow {
    fn parse(scheme: &str, rest: &str) -> Option<Self> {
        let host = rest.strip_prefix("*.").filter(|_| scheme == "https")?;
        let authority = Authority::parse(host.as_bytes()).ok()?;
        // One label is a top-level domain: everybody's. Two may be one as well, but that takes a list.
        let name = authority.normal_host();
        if !name.contains('.') || name.parse::<Ipv4Addr>().is_ok() || name.starts_with('[') {
            return None;
        }
        let suffix = match port_unless_default(scheme, &authority) {
            Some(port) => format!(".{name}:{port}"),
            None => format!(".{name}"),
        };
        Some(Self {
            suffix: suffix.into(),
        })
    }

    fn matches(&self, origin: &str) -> bool {
        // As the whole is an origin, what is left of the suffix is labels, at least one.
        origin.starts_with("https://") && origin.ends_with(&*self.suffix) && is_serialised(origin)
    }
}

/// Whether `origin` is `scheme://host[:port]` in the only spelling a browser gives it.
fn is_serialised(origin: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else {
        return false;
    };
    is_scheme(scheme)
        && Authority::parse(rest.as_bytes())
            .is_ok_and(|authority| serialise(scheme, &authority) == origin)
}

/// `scheme` of RFC 3986 §3.1, in lower case. `file` is none here: such pages have the origin `null`.
fn is_scheme(text: &str) -> bool {
    text != "file"
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        })
}

pub(super) fn serialise(scheme: &str, authority: &Authority<'_>) -> String {
    let host = authority.normal_host();
    match port_unless_default(scheme, authority) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

fn port_unless_default(scheme: &str, authority: &Authority<'_>) -> Option<u16> {
    authority
        .port()
        .filter(|port| !matches!((scheme, port), ("https", 443) | ("http", 80)))
}

fn is_loopback(authority: &Authority<'_>) -> bool {
    let host = authority.normal_host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_address = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback(),
        Ok(IpAddr::V6(address)) => address == Ipv6Addr::LOCALHOST,
        Err(_) => false,
    };
    is_address || host == "localhost" || host.ends_with(".localhost")
}
