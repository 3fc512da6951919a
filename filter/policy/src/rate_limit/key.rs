//! What requests are counted by: parts of a request, hashed together under the proxy's seed.

use std::net::IpAddr;

use crate::claims::ClaimPath;
use crate::store::KeyedHash;
use crate::store::seed::Seed;

/// One part of the key of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyPart {
    /// The client's address; an IPv6 address by its /64, the smallest network that is given to one client.
    ClientAddress,
    /// A claim of the verified token, by its literal path.
    Claim(ClaimPath),
    /// A request header field, by its name in lower case.
    Header(String),
    /// The rule that matched.
    Route,
    /// The host that was asked for.
    Host,
}

/// What a request has for a [`KeyPart`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyValue<'v> {
    /// Nothing: no such claim, no such header. All such requests share a counter.
    Absent,
    /// An address.
    Address(IpAddr),
    /// Anything else, as bytes.
    Bytes(&'v [u8]),
}

/// The key of one request under one limit: a keyed hash, never the values themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub(super) u128);

impl Key {
    pub(super) fn new(hash: &KeyedHash) -> Self {
        Self(hash.finish())
    }
}

impl KeyValue<'_> {
    pub(crate) fn feed(self, hash: KeyedHash) -> KeyedHash {
        match self {
            Self::Absent => hash.part(b"absent"),
            Self::Bytes(bytes) => hash.part(b"bytes").part(bytes),
            Self::Address(address) => match address.to_canonical() {
                IpAddr::V4(address) => hash.part(b"v4").part(&address.octets()),
                IpAddr::V6(address) => {
                    let network = u128::from(address) >> 64;
                    hash.part(b"v6").part(&network.to_le_bytes())
                }
            },
        }
    }
}

/// What the keys of a limit begin with: a limit whose key means something else never meets old counters.
pub(super) fn hash(seed: &Seed, parts: &[KeyPart]) -> KeyedHash {
    parts
        .iter()
        .fold(seed.hash(b"rate limit"), |hash, part| match part {
            KeyPart::ClientAddress => hash.part(b"client_address"),
            KeyPart::Claim(path) => path
                .names()
                .fold(hash.part(b"claim"), |hash, name| hash.part(name.as_bytes())),
            KeyPart::Header(name) => hash.part(b"header").part(name.as_bytes()),
            KeyPart::Route => hash.part(b"route"),
            KeyPart::Host => hash.part(b"host"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: KeyValue<'_>, b: KeyValue<'_>, same: bool) {
        let key = |value: KeyValue<'_>| Key::new(&value.feed(Seed::new([1; 16]).hash(b"test")));
        assert_eq!(key(a) == key(b), same, "{a:?} {b:?}");
    }

    fn address(text: &str) -> KeyValue<'static> {
        KeyValue::Address(text.parse().unwrap())
    }

    #[test]
    fn ipv6_clients_are_counted_by_their_64() {
        check(address("2001:db8::1"), address("2001:db8::ffff:2"), true);
        check(address("2001:db8::1"), address("2001:db8:0:1::1"), false);
    }

    #[test]
    fn ipv4_clients_are_counted_one_by_one_however_written() {
        check(address("192.0.2.1"), address("192.0.2.2"), false);
        check(address("192.0.2.1"), address("::ffff:192.0.2.1"), true);
    }

    #[test]
    fn nothing_is_not_the_empty_value() {
        check(KeyValue::Absent, KeyValue::Bytes(b""), false);
        check(KeyValue::Bytes(b"absent"), KeyValue::Absent, false);
        check(
            address("192.0.2.1"),
            KeyValue::Bytes(&[192, 0, 2, 1]),
            false,
        );
    }
}
