//! Counting over many proxies: Envoy's rate limit service protocol (`envoy/service/ratelimit/v3/rls.proto`).
//!
//! The limit itself is the service's; what is sent are descriptors: the limit's name and the request's values
//! for the limit's key, readable, so that an operator can write rules for them. The service's answer decides;
//! header fields it wants added are ignored, for a limit has no say in what the upstream is told.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use super::{Denial, KeyPart, KeyValue, RateLimitSettings, Verdict};
use crate::protobuf::{Fields, Malformed, Message, Value};
use crate::store::ContentHash;

/// The gRPC service of a `ShouldRateLimit` call.
pub const SERVICE: &str = "envoy.service.ratelimit.v3.RateLimitService";
/// The gRPC method.
pub const METHOD: &str = "ShouldRateLimit";

/// A rate limit service behind an Envoy cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitService {
    /// The cluster it is reached through.
    pub cluster: String,
    /// The `domain` its rules are in.
    pub domain: String,
    /// How long a request may wait for it. 1 ms to 1 s.
    pub timeout: Duration,
    /// What happens to a request it does not answer for.
    pub failure_mode: FailureMode,
}

/// What happens to a request that can't be counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureMode {
    /// It is denied: 503.
    #[default]
    Deny,
    /// It goes on uncounted.
    Allow,
}

/// The service's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// For each limit of the request, in its order.
    pub verdicts: Vec<Verdict>,
    /// Whether the request as a whole is within all limits.
    pub allowed: bool,
}

/// Why the service has no say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The answer is not a `RateLimitResponse`, or has more in it than was asked.
    #[error("the rate limit service's answer can't be read")]
    Malformed,
    /// The answer's `overall_code` is neither `OK` nor `OVER_LIMIT`.
    #[error("the rate limit service answered with an unknown code")]
    UnknownCode,
}

impl From<Malformed> for Error {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// One descriptor: the limit's name, then the request's value for each part of its key.
///
/// Entries: `limit`, then `client_address` (IPv6 as its /64), `claim.<path>`, `header.<name>`, `route`, `host`. An
/// absent value is sent as the empty one, so that such requests share a counter and none is left uncounted.
pub fn descriptor<'v>(
    limit: &RateLimitSettings,
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

/// Reads a `RateLimitResponse` to a request with `descriptors` descriptors.
///
/// A request is allowed only if the service says so for all of it and denies no part of it.
///
/// # Errors
/// See [`Error`]; the failure mode decides then.
pub fn answer(response: &[u8], descriptors: usize) -> Result<Answer, Error> {
    let mut overall = 0;
    let mut verdicts = Vec::new();
    for field in Fields::new(response) {
        match field? {
            (1, Value::Varint(code)) => overall = code,
            (2, Value::Bytes(_)) if verdicts.len() >= descriptors => return Err(Error::Malformed),
            (2, Value::Bytes(status)) => verdicts.push(verdict(status)?),
            (1 | 2, _) => return Err(Error::Malformed),
            _ => {}
        }
    }
    let allowed = match overall {
        OK => verdicts.iter().all(Verdict::is_allowed),
        OVER_LIMIT => false,
        _ => return Err(Error::UnknownCode),
    };
    Ok(Answer { verdicts, allowed })
}

/// A `DescriptorStatus`. One without a matching rule has code `OK` and nothing else.
fn verdict(status: &[u8]) -> Result<Verdict, Error> {
    let mut verdict = Verdict {
        denial: None,
        remaining: 0,
        reset_after: Duration::ZERO,
        evicted: false,
    };
    for field in Fields::new(status) {
        match field? {
            (1, Value::Varint(code)) => {
                verdict.denial = (code == OVER_LIMIT).then_some(Denial::Exhausted);
            }
            (3, Value::Varint(remaining)) => {
                verdict.remaining = u32::try_from(remaining).map_err(|_| Error::Malformed)?;
            }
            (4, Value::Bytes(until_reset)) => verdict.reset_after = duration(until_reset)?,
            (1 | 3 | 4, _) => return Err(Error::Malformed),
            _ => {}
        }
    }
    Ok(verdict)
}

/// A `google.protobuf.Duration`. A negative one is none at all.
fn duration(message: &[u8]) -> Result<Duration, Error> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields::new(message) {
        match field? {
            (1, Value::Varint(value)) => seconds = value.cast_signed(),
            (2, Value::Varint(value)) => nanos = value.cast_signed(),
            (1 | 2, _) => return Err(Error::Malformed),
            _ => {}
        }
    }
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(seconds), u32::try_from(nanos)) else {
        return Ok(Duration::ZERO);
    };
    let nanos = nanos.min(999_999_999);
    Ok(Duration::new(seconds.min(LONGEST_WINDOW_SECS), nanos))
}

fn entry(descriptor: Message, key: &str, value: &str) -> Message {
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

const OK: u64 = 1;
const OVER_LIMIT: u64 = 2;
const MAX_VALUE_BYTES: usize = 256;
/// A year: what a `Retry-After` beyond which would mean is for nobody to wait.
const LONGEST_WINDOW_SECS: u64 = 31_536_000;

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;
    use crate::claims::ClaimPath;
    use crate::rate_limit::Counts;

    fn limit(key: Vec<KeyPart>) -> RateLimitSettings {
        RateLimitSettings {
            name: "refresh".to_owned(),
            key,
            requests: NonZeroU32::MIN,
            per: Duration::from_secs(1),
            counts: Counts::Requests,
            max_keys: 256,
        }
    }

    #[track_caller]
    fn check(part: KeyPart, value: KeyValue<'_>, expected: (&str, &str)) {
        let limit = limit(vec![part]);
        let sent = descriptor(&limit, |_| value);
        let named = entry(Message::default(), "limit", "refresh");
        assert_eq!(sent, entry(named, expected.0, expected.1));
    }

    #[test]
    fn descriptors_say_the_limit_and_its_key() {
        let address = |text: &str| KeyValue::Address(text.parse().unwrap());
        let client = "client_address";
        check(
            KeyPart::ClientAddress,
            address("192.0.2.1"),
            (client, "192.0.2.1"),
        );
        check(
            KeyPart::ClientAddress,
            address("::ffff:192.0.2.1"),
            (client, "192.0.2.1"),
        );
        check(
            KeyPart::ClientAddress,
            address("2001:db8:1:2:3::4"),
            (client, "2001:db8:1:2::/64"),
        );
        check(
            KeyPart::Claim(ClaimPath::new(["org", "id"]).unwrap()),
            KeyValue::Bytes(b"o1"),
            ("claim.org.id", "o1"),
        );
        check(
            KeyPart::Header("x-key".into()),
            KeyValue::Absent,
            ("header.x-key", ""),
        );
        check(KeyPart::Route, KeyValue::Bytes(b"docs"), ("route", "docs"));
    }

    #[test]
    fn values_that_are_long_or_no_text_are_sent_as_their_hash() {
        let hashed = |bytes: &[u8]| format!("sha256:{}", ContentHash::of(bytes));
        for bytes in [&[b'x'; 257][..], b"\xff"] {
            check(
                KeyPart::Host,
                KeyValue::Bytes(bytes),
                ("host", &hashed(bytes)),
            );
        }
    }

    #[test]
    fn a_request_is_encoded_as_the_proto_says() {
        let limit = limit(vec![KeyPart::Host]);
        let descriptor = descriptor(&limit, |_| KeyValue::Bytes(b"h"));
        let encoded = b"\x0a\x04edge\x12\x1d\
            \x0a\x10\x0a\x05limit\x12\x07refresh\
            \x0a\x09\x0a\x04host\x12\x01h\
            \x18\x01";
        assert_eq!(request("edge", &[descriptor]), encoded);
    }

    fn status(code: u64, remaining: u64, seconds: u64) -> Message {
        let until_reset = Message::default().varint(1, seconds).varint(2, 5);
        Message::default()
            .varint(1, code)
            .varint(3, remaining)
            .message(4, &until_reset)
    }

    #[test]
    fn an_answer_decides_for_all_descriptors() {
        let response = Message::default()
            .varint(1, OVER_LIMIT)
            .message(2, &status(OK, 7, 30))
            .message(2, &status(OVER_LIMIT, 0, 60))
            .string(3, "header fields to add: ignored")
            .finish();
        let answer = answer(&response, 2).unwrap();
        assert!(!answer.allowed);
        let [first, second] = answer.verdicts[..] else {
            panic!("{answer:?}");
        };
        assert_eq!((first.is_allowed(), first.remaining), (true, 7));
        assert_eq!(second.denial, Some(Denial::Exhausted));
        assert_eq!(second.reset_after, Duration::new(60, 5));
    }

    #[test]
    fn a_part_that_is_over_its_limit_denies_the_whole() {
        let response = Message::default()
            .varint(1, OK)
            .message(2, &status(OVER_LIMIT, 0, 1));
        assert!(!answer(&response.finish(), 1).unwrap().allowed);
        assert!(
            answer(&Message::default().varint(1, OK).finish(), 1)
                .unwrap()
                .allowed
        );
    }

    #[test]
    fn answers_that_cannot_be_believed_are_errors() {
        let two = Message::default()
            .varint(1, OK)
            .message(2, &status(OK, 1, 1))
            .message(2, &status(OK, 1, 1));
        for (response, error) in [
            (Vec::new(), Error::UnknownCode),
            (Message::default().varint(1, 3).finish(), Error::UnknownCode),
            (two.finish(), Error::Malformed),
            (b"\x0a\x01\x01".to_vec(), Error::Malformed),
            (b"\x08\x01\x12\x02\x08".to_vec(), Error::Malformed),
            (
                Message::default()
                    .varint(1, OK)
                    .message(2, &status(OK, 1 << 32, 1))
                    .finish(),
                Error::Malformed,
            ),
        ] {
            assert_eq!(answer(&response, 1), Err(error), "{response:?}");
        }
    }

    #[test]
    fn a_time_until_reset_is_never_negative_nor_endless() {
        let reset = |seconds| {
            let response = Message::default()
                .varint(1, OK)
                .message(2, &status(OK, 1, seconds))
                .finish();
            answer(&response, 1).unwrap().verdicts[0].reset_after
        };
        assert_eq!(reset((-5_i64).cast_unsigned()), Duration::ZERO);
        assert_eq!(reset(1 << 62).as_secs(), LONGEST_WINDOW_SECS);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_an_error(response in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(answer) = answer(&response, 2) {
                prop_assert!(answer.verdicts.len() <= 2);
            }
        }
    }
}
