//! What is asked: a `RateLimitRequest` with a descriptor for each limit, and whom.

use std::borrow::Cow;
use std::net::IpAddr;

use super::ServiceLimit;
use crate::protobuf::Message;
use crate::rate_limit::{KeyPart, KeyValue};
use crate::store::ContentHash;

/// An `envoy.config.core.v3.GrpcService { envoy_grpc { cluster_name } }`: whom Envoy is to call.
///
/// Envoy takes the bare name of a cluster too, unless that happens to be a protobuf message: `hi` is one.
pub fn target(cluster: &str) -> Vec<u8> {
    let envoy_grpc = Message::default().string(1, cluster);
    Message::default().message(1, &envoy_grpc).finish()
}

/// One descriptor: the limit's name, then the request's value for each part of its key.
///
/// Entries: `limit`, then `client_address` (IPv6 as its /64), `claim.<path>`, `header.<name>`, `route`, `host`. An
/// absent value is sent as the empty one, so that such requests share a counter and none is left uncounted.
pub fn descriptor<'v>(
    limit: &ServiceLimit,
    mut value: impl FnMut(&KeyPart) -> KeyValue<'v>,
) -> Message {
    let named = entry(Message::default(), "limit", &limit.name);
    limit.key.iter().fold(named, |descriptor, part| {
        let key: Cow<'static, str> = match part {
            KeyPart::ClientAddress => "client_address".into(),
            KeyPart::Claim(path) => {
                let names: Vec<_> = path.names().collect();
                format!("claim.{}", names.join(".")).into()
            }
            KeyPart::Header(name) => format!("header.{name}").into(),
            KeyPart::Route => "route".into(),
            KeyPart::Host => "host".into(),
        };
        entry(descriptor, &key, &text(value(part)))
    })
}

/// The `RateLimitRequest` for some descriptors. Each counts as one hit.
pub fn request(domain: &str, descriptors: &[Message]) -> Vec<u8> {
    descriptors
        .iter()
        .fold(
            Message::default().string(1, domain),
            |request, descriptor| request.message(2, descriptor),
        )
        .varint(3, 1)
        .finish()
}

pub(super) fn entry(descriptor: Message, key: &str, value: &str) -> Message {
    descriptor.message(1, &Message::default().string(1, key).string(2, value))
}

/// A value as text. What is too long, or no text, is sent as its hash: counted apart, and not shortened into
/// another client's value.
fn text(value: KeyValue<'_>) -> Cow<'_, str> {
    match value {
        KeyValue::Absent => "".into(),
        KeyValue::Address(address) => match address.to_canonical() {
            IpAddr::V4(address) => address.to_string().into(),
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                format!("{}/64", std::net::Ipv6Addr::from(network)).into()
            }
        },
        KeyValue::Bytes(bytes) => match str::from_utf8(bytes) {
            Ok(text) if text.len() <= MAX_VALUE_BYTES => text.into(),
            _ => format!("sha256:{}", ContentHash::of(bytes)).into(),
        },
    }
}

const MAX_VALUE_BYTES: usize = 256;
