//! `:authority` in the strict form that may be compared, or repeated to a browser.
//!
//! RFC 3986 §3.2, RFC 9110 §7.2, narrowed: no userinfo, no percent escapes, no sub-delims, no zone
//! identifiers, host names as DNS has them. Whatever is accepted here can stand in a `Location` without
//! leading anywhere but to the host it names. `x-forwarded-host` is never read: a client can send it.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::request::RequestHead;

/// Longest host name, without the trailing dot (RFC 1035 §2.3.4).
const MAX_HOST_BYTES: usize = 253;
/// Longest label of a host name (RFC 1035 §2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// A syntactically valid host with an optional port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// The request's only `:authority`; `None` where it has none.
    ///
    /// # Errors
    /// [`Invalid`] where there are several, or the one is not in the accepted form.
    pub fn of(head: &RequestHead<'a>) -> Result<Option<Self>, Invalid> {
        let raw = head.only(":authority").map_err(|_| Invalid)?;
        raw.map(Self::parse).transpose()
    }

    /// Parses `host [ ":" port ]`, where host is a DNS name, an IPv4 address or `[` an IPv6 address `]`.
    ///
    /// # Errors
    /// [`Invalid`] for everything else.
    pub fn parse(raw: &'a [u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(raw).map_err(|_| Invalid)?;
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(port)?)),
            _ => (text, None),
        };
        if is_ip_literal(host) || is_host_name(host) {
            Ok(Self { host, port })
        } else {
            Err(Invalid)
        }
    }

    /// The host as sent, IPv6 addresses in brackets.
    pub fn host(&self) -> &'a str {
        self.host
    }

    /// The port, where one was sent. Never 0.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The host in the one spelling that is compared: see [`normal_host`].
    pub fn normal_host(&self) -> Cow<'a, str> {
        normal_host(self.host)
    }
}

/// A host without the differences that mean nothing: lower case, no trailing dot, IPv6 as RFC 5952 writes it.
///
/// Borrows where nothing is to be changed, which is the common case.
pub fn normal_host(host: &str) -> Cow<'_, str> {
    if let Some(address) = ip_literal(host) {
        return Cow::Owned(format!("[{address}]"));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// Not an authority that may be compared or repeated. Carries nothing: the text is the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid host with an optional port")]
pub struct Invalid;

fn parse_port(text: &str) -> Result<u16, Invalid> {
    // `u16::from_str` also takes a sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Invalid);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(Invalid),
        Ok(port) => Ok(port),
    }
}

fn is_ip_literal(host: &str) -> bool {
    ip_literal(host).is_some()
}

fn ip_literal(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// A DNS name, with `_` as service names have it; IPv4 addresses are spelled like one.
fn is_host_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    // How long the label is that a byte stands in.
    let mut label = 0;
    host.len() <= MAX_HOST_BYTES
        && host.bytes().all(|byte| {
            if byte == b'.' {
                return std::mem::take(&mut label) > 0;
            }
            label += 1;
            label <= MAX_LABEL_BYTES
                && (byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
        && label > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: Result<(&str, Option<u16>), Invalid>) {
        let parsed = Authority::parse(raw.as_bytes());
        let parsed = parsed.map(|authority| (authority.host(), authority.port()));
        assert_eq!(parsed, expected, "{raw}");
    }

    #[test]
    fn hosts_and_ports_are_told_apart() {
        check("app.pymd.io", Ok(("app.pymd.io", None)));
        check("app.pymd.io:8443", Ok(("app.pymd.io", Some(8443))));
        check("App.PyMD.io.", Ok(("App.PyMD.io.", None)));
        check("localhost", Ok(("localhost", None)));
        check("xn--bcher-kva.example", Ok(("xn--bcher-kva.example", None)));
        check("192.0.2.1:80", Ok(("192.0.2.1", Some(80))));
        check("[2001:db8::1]", Ok(("[2001:db8::1]", None)));
        check("[2001:db8::1]:443", Ok(("[2001:db8::1]", Some(443))));
    }

    #[test]
    fn what_could_lead_a_browser_elsewhere_is_refused() {
        let long_label = "a".repeat(64);
        let long_name = format!("{}a", "a.".repeat(127));
        for raw in [
            "",
            ".",
            "a..b",
            ".a",
            ":80",
            "a:",
            "a:0",
            "a:65536",
            "a:+80",
            "a:8 0",
            "a b",
            "a\tb",
            "user@evil.example",
            "app.pymd.io:80@evil.example",
            "evil.example/",
            "evil.example\\",
            "evil.example?",
            "evil.example#",
            "a,b",
            "a;b",
            "a%2eb",
            "a%00b",
            "a\0b",
            "a\r\nb",
            "bücher.example",
            "2001:db8::1",
            "[2001:db8::1",
            "2001:db8::1]",
            "[fe80::1%25eth0]",
            "[v1.a]",
            "[::1]a",
            "[[::1]]",
            "[::1]:",
            "*",
            "*.a",
            "http://a",
            "//a",
            &long_label,
            &long_name,
        ] {
            check(raw, Err(Invalid));
        }
        assert_eq!(Authority::parse(b"a\xFF"), Err(Invalid));
    }

    #[test]
    fn a_host_has_one_spelling_when_compared() {
        assert_eq!(normal_host("App.PyMD.io."), "app.pymd.io");
        assert_eq!(normal_host("[2001:DB8:0:0::1]"), "[2001:db8::1]");
        assert!(matches!(normal_host("app.pymd.io"), Cow::Borrowed(_)));
    }

    #[test]
    fn two_authorities_are_none() {
        let headers: &[crate::request::HeaderField<'_>] =
            &[(b":authority", b"a"), (b":authority", b"b")];
        let mut head = RequestHead {
            headers,
            source_address: None,
            tls: false,
        };
        assert_eq!(Authority::of(&head), Err(Invalid));
        head.headers = &[];
        assert_eq!(Authority::of(&head), Ok(None));
    }
}
