//! The request as the policy sees it: the head, as bytes, nothing decoded and nothing trusted.

use std::net::IpAddr;

/// One header field: lower-case name and raw value, as Envoy hands them over.
///
/// Names are lower-cased by Envoy; values may be any bytes, UTF-8 or not.
pub type HeaderField<'a> = (&'a [u8], &'a [u8]);

/// A request head and the two facts about its connection that decisions need.
///
/// Pseudo headers may be missing (a CONNECT has no `:path`) and every field is hostile.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// All header fields in order, pseudo headers (`:method`, `:path`, …) among them.
    pub headers: &'a [HeaderField<'a>],
    /// The peer of the TCP connection, where the host knows it.
    pub source_address: Option<IpAddr>,
    /// Whether the downstream connection itself is TLS.
    pub tls: bool,
}

impl<'a> RequestHead<'a> {
    /// The first value of `name`, which is written in lower case.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// All values of `name`, which is written in lower case, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|&(_, value)| value)
    }

    /// The only value of `name`; `Err` where it appears more than once (CVE-2026-26308: never join, never pick).
    pub fn only(&self, name: &str) -> Result<Option<&'a [u8]>, Duplicate> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            Err(Duplicate)
        } else {
            Ok(first)
        }
    }
}

/// A header that may appear once appeared more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duplicate;
