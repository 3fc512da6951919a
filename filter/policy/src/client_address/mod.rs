//! Whose request it is, as far as addresses tell, and whether it reached the first proxy by TLS.
//!
//! Envoy has already looked at `x-forwarded-for` when a filter sees the request. With its
//! `use_remote_address: true`, which an edge listener needs, it has appended the TCP peer's address to
//! `x-forwarded-for`, and overwritten `x-forwarded-proto` unless its `xff_num_trusted_hops` is at least 1.
//! So with n proxies in front, each of which appends its peer, the field ends with
//!
//! ```text
//! (what the client sent), client, proxy 1, …, proxy n
//!                         ^ the (n+1)th from the right
//! ```
//!
//! and that is what `trusted_hops: n` takes, the same entry that Envoy's `xff_num_trusted_hops: n` takes
//! (Envoy counts before it appends). It is also the entry Envoy takes in a sidecar behind such an edge, where
//! `use_remote_address` is false. With `trusted_hops: 0`, the default, no header is read: the address is what
//! the host gives for the connection.
//!
//! What this cannot see is a listener at the edge with `use_remote_address: false`, Envoy's default: there
//! Envoy itself believes a header that any client can send, and the address of the connection is forged
//! before a filter runs. `trusted_hops` must equal Envoy's `xff_num_trusted_hops`; both are checked where the
//! bootstrap is at hand, by `edge-auth check`.
//!
//! Too few entries, or one that is no address, is `None`, never another entry: a caller then shares one bucket
//! with everybody else in that state (CVE-2026-40575, CVE-2026-76835: trust nothing by default).

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::request::RequestHead;

/// Most proxies in front.
pub const MAX_TRUSTED_HOPS: u8 = 16;
/// Longest entry that can be an address: brackets, 45 characters, a zone and a port.
const MAX_ENTRY_BYTES: usize = 80;

/// How many proxies in front are trusted to append to `x-forwarded-for` and to set `x-forwarded-proto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientAddress {
    trusted_hops: u8,
}

/// More than [`MAX_TRUSTED_HOPS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is above {MAX_TRUSTED_HOPS}")]
pub struct TooManyHops(pub u64);

impl ClientAddress {
    /// Trusts `trusted_hops` proxies, 0 to 16.
    ///
    /// # Errors
    /// [`TooManyHops`]
    pub fn new(trusted_hops: u64) -> Result<Self, TooManyHops> {
        u8::try_from(trusted_hops)
            .ok()
            .filter(|hops| *hops <= MAX_TRUSTED_HOPS)
            .map(|trusted_hops| Self { trusted_hops })
            .ok_or(TooManyHops(trusted_hops))
    }

    /// The number of trusted proxies.
    pub const fn trusted_hops(self) -> u8 {
        self.trusted_hops
    }

    /// The client's address, with IPv4 addresses as such even where they came mapped into IPv6.
    pub fn resolve(self, head: &RequestHead<'_>) -> Option<IpAddr> {
        if self.trusted_hops == 0 {
            return head.source_address.map(|address| address.to_canonical());
        }
        // Entries count over all fields of the name, last field last (RFC 9110 §5.3).
        let mut skip = usize::from(self.trusted_hops);
        let fields = head.headers.iter().rev();
        for (_, value) in fields.filter(|(name, _)| name.eq_ignore_ascii_case(b"x-forwarded-for")) {
            for entry in value.rsplit(|&byte| byte == b',') {
                if skip == 0 {
                    return parse_entry(entry);
                }
                skip -= 1;
            }
        }
        None
    }

    /// How the request reached the first trusted proxy.
    ///
    /// Without trusted proxies the connection decides, and no header (a client can send any). With them the
    /// last one speaks to us over whatever it likes, so its `x-forwarded-proto` decides, where it is one value
    /// and one of the two; else the connection does.
    pub fn scheme(self, head: &RequestHead<'_>) -> Scheme {
        if self.trusted_hops > 0 {
            match head.only("x-forwarded-proto") {
                Ok(Some(proto)) if proto.eq_ignore_ascii_case(b"https") => return Scheme::Https,
                Ok(Some(proto)) if proto.eq_ignore_ascii_case(b"http") => return Scheme::Http,
                _ => {}
            }
        }
        if head.tls {
            Scheme::Https
        } else {
            Scheme::Http
        }
    }
}

/// The two schemes of RFC 9110 §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Over TLS.
    Https,
    /// In the clear.
    Http,
}

impl Scheme {
    /// The scheme's name, as in `:scheme`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

/// What a rate limit by address counts: an IPv4 address, or an IPv6 network of 64 bits.
///
/// A household or a rented machine has a whole /64 (RFC 4291 §2.5.4); by address, it would have 2^64 buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RateLimitKey {
    /// One address.
    V4(Ipv4Addr),
    /// The upper half of an address; the lower half is zero.
    V6Network(Ipv6Addr),
}

impl From<IpAddr> for RateLimitKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let network = address.to_bits() & (u128::MAX << 64);
                Self::V6Network(Ipv6Addr::from_bits(network))
            }
        }
    }
}

impl fmt::Display for RateLimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6Network(network) => write!(f, "{network}/64"),
        }
    }
}

/// One entry of `x-forwarded-for`, or Envoy's `source.address`: an address, perhaps with a port, perhaps with
/// a zone identifier, which is dropped (RFC 4007 §11: it means something on one machine only).
pub fn parse_address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip().to_canonical());
    }
    let (address, zone) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (inner, port) = bracketed.split_once(']')?;
            if !is_port_or_nothing(port) {
                return None;
            }
            inner.split_once('%').unwrap_or((inner, "0"))
        }
        None => text.split_once('%')?,
    };
    let zone_is_plain = !zone.is_empty()
        && zone
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let address: Ipv6Addr = address.parse().ok().filter(|_| zone_is_plain)?;
    Some(IpAddr::V6(address).to_canonical())
}

fn is_port_or_nothing(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
        })
}

fn parse_entry(entry: &[u8]) -> Option<IpAddr> {
    let entry = entry.trim_ascii();
    if entry.len() > MAX_ENTRY_BYTES {
        return None;
    }
    parse_address(std::str::from_utf8(entry).ok()?)
}
