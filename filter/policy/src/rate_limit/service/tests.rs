//! Questions and answers on the wire.

use proptest::prelude::*;

use super::answer::LONGEST_WINDOW_SECS;
use super::question::entry;
use super::*;
use crate::claims::ClaimPath;
use crate::protobuf::Message;
use crate::rate_limit::KeyValue;
use crate::store::ContentHash;

const OK: u64 = 1;
const OVER_LIMIT: u64 = 2;

fn limit(key: Vec<KeyPart>) -> ServiceLimit {
    ServiceLimit {
        name: "refresh".into(),
        key,
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
    let [first, second] = answer.statuses[..] else {
        panic!("{answer:?}");
    };
    assert_eq!((first.over_limit, first.remaining), (false, 7));
    assert!(second.over_limit);
    assert_eq!(second.reset_after, Duration::new(60, 5));
}

#[test]
fn a_status_says_how_many_its_rule_allows_in_how_long() {
    let quota = |unit| {
        let current = Message::default().varint(1, 30).varint(2, unit);
        let status = Message::default().varint(1, OK).message(2, &current);
        let response = Message::default().varint(1, OK).message(2, &status);
        answer(&response.finish(), 1).unwrap().statuses[0].quota
    };
    for (unit, seconds) in [
        (1, 1),
        (2, 60),
        (3, 3_600),
        (4, 86_400),
        (5, 2_592_000),
        (6, 31_536_000),
        (7, 604_800),
    ] {
        let per = Duration::from_secs(seconds);
        assert_eq!(quota(unit), Some(Quota { requests: 30, per }), "{unit}");
    }
    assert_eq!((quota(0), quota(8)), (None, None));
}

#[test]
fn the_target_is_a_grpc_service_and_plain_utf_8() {
    assert_eq!(target("hi"), b"\x0a\x04\x0a\x02hi");
    // The longest that the configuration accepts: a host's wrapper may take it as text.
    assert!(String::from_utf8(target(&"c".repeat(120))).is_ok());
}

#[test]
fn every_failure_has_a_code_of_its_own() {
    let codes = Failure::ALL.map(Failure::code);
    let different: std::collections::BTreeSet<_> = codes.into_iter().collect();
    assert_eq!(different.len(), codes.len());
    for (status, failure) in [
        (4, "no_answer"),
        (14, "no_answer"),
        (2, "grpc_status"),
        (12, "grpc_status"),
    ] {
        assert_eq!(Failure::of_grpc_status(status).code(), failure);
    }
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
        (Vec::new(), Failure::UnknownCode),
        (
            Message::default().varint(1, 3).finish(),
            Failure::UnknownCode,
        ),
        (two.finish(), Failure::Malformed),
        (b"\x0a\x01\x01".to_vec(), Failure::Malformed),
        (b"\x08\x01\x12\x02\x08".to_vec(), Failure::Malformed),
        (
            Message::default()
                .varint(1, OK)
                .message(2, &status(OK, 1 << 32, 1))
                .finish(),
            Failure::Malformed,
        ),
    ] {
        assert_eq!(answer(&response, 1), Err(error), "{response:?}");
    }
    let long = Message::default()
        .varint(1, OK)
        .bytes(3, &vec![0; MAX_ANSWER_BYTES]);
    assert_eq!(answer(&long.finish(), 1), Err(Failure::TooLong));
}

#[test]
fn a_time_until_reset_is_never_negative_nor_endless() {
    let reset = |seconds| {
        let response = Message::default()
            .varint(1, OK)
            .message(2, &status(OK, 1, seconds))
            .finish();
        answer(&response, 1).unwrap().statuses[0].reset_after
    };
    assert_eq!(reset((-5_i64).cast_unsigned()), Duration::ZERO);
    assert_eq!(reset(1 << 62).as_secs(), LONGEST_WINDOW_SECS);
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer_or_an_error(response in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(answer) = answer(&response, 2) {
            prop_assert!(answer.statuses.len() <= 2);
        }
    }
}
