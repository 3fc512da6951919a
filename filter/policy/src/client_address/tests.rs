//! Addresses and schemes behind proxies.

use proptest::prelude::*;

use super::*;
use crate::request::HeaderField;

const PEER: &str = "198.51.100.9";

/// Resolves with the last header being `x-forwarded-for` as a filter sees it.
#[track_caller]
fn check(trusted_hops: u64, forwarded_for: &[&str], expected: Option<&str>) {
    let headers: Vec<HeaderField<'_>> = forwarded_for
        .iter()
        .map(|value| (b"x-forwarded-for".as_slice(), value.as_bytes()))
        .collect();
    let head = RequestHead {
        headers: &headers,
        source_address: Some(PEER.parse().unwrap()),
        tls: false,
    };
    let resolved = ClientAddress::new(trusted_hops).unwrap().resolve(&head);
    assert_eq!(
        resolved,
        expected.map(|address| address.parse().unwrap()),
        "{forwarded_for:?}"
    );
}

#[test]
fn cve_2026_40575_without_trusted_proxies_no_header_is_believed() {
    check(0, &[], Some(PEER));
    check(0, &["203.0.113.7"], Some(PEER));
    check(0, &["garbage"], Some(PEER));
    assert_eq!(ClientAddress::default().trusted_hops(), 0);
}

#[test]
fn each_trusted_proxy_is_one_entry_from_the_right() {
    // The last entry is the TCP peer, which Envoy appended: the nearest proxy.
    check(1, &["203.0.113.7, 198.51.100.9"], Some("203.0.113.7"));
    check(
        1,
        &["10.0.0.1, 203.0.113.7, 198.51.100.9"],
        Some("203.0.113.7"),
    );
    check(
        2,
        &["203.0.113.7, 192.0.2.1, 198.51.100.9"],
        Some("203.0.113.7"),
    );
    check(
        16,
        &[
            "203.0.113.7,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
        ],
        Some("203.0.113.7"),
    );
}

/// Example 3 and 4 of Envoy's documentation of x-forwarded-for: 192.0.2.5 is what Envoy appended.
#[test]
fn the_entry_is_the_one_envoy_takes_for_the_same_number_of_hops() {
    let appended = "203.0.113.128, 203.0.113.10, 203.0.113.1, 192.0.2.5";
    check(2, &[appended], Some("203.0.113.10"));
}

#[test]
fn cve_2026_76835_entries_a_client_puts_in_front_change_nothing() {
    for forged in [
        "127.0.0.1",
        "127.0.0.1, 10.0.0.1",
        "garbage",
        "",
        ",,,",
        "203.0.113.7, 198.51.100.9",
    ] {
        check(
            1,
            &[&format!("{forged}, 203.0.113.7, 198.51.100.9")],
            Some("203.0.113.7"),
        );
        check(
            1,
            &[forged, "203.0.113.7, 198.51.100.9"],
            Some("203.0.113.7"),
        );
    }
}

#[test]
fn several_fields_are_one_list() {
    check(1, &["203.0.113.7", "198.51.100.9"], Some("203.0.113.7"));
    check(
        2,
        &["203.0.113.7, 192.0.2.1", "198.51.100.9"],
        Some("203.0.113.7"),
    );
}

#[test]
fn too_few_entries_or_garbage_is_no_address_and_never_another_entry() {
    for value in [
        "203.0.113.7",
        "",
        ", 198.51.100.9",
        "unknown, 198.51.100.9",
        "203.0.113.7 x, 198.51.100.9",
        "203.0.113, 198.51.100.9",
        "0313.0.113.7, 198.51.100.9",
        "_hidden, 198.51.100.9",
        "1.2.3.4:99999, 198.51.100.9",
        "\"[2001:db8::1]\", 198.51.100.9",
    ] {
        check(1, &[value], None);
    }
    check(1, &[], None);
    check(
        1,
        &[&format!("{}1.2.3.4, 198.51.100.9", "0".repeat(80))],
        None,
    );
}

#[track_caller]
fn check_address(text: &str, expected: Option<&str>) {
    assert_eq!(
        parse_address(text),
        expected.map(|address| address.parse().unwrap()),
        "{text}"
    );
}

#[test]
fn addresses_are_read_in_every_form_a_proxy_writes() {
    for (text, expected) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:443", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%eth0]:80", "fe80::1"),
        ("[fe80::1%25]", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
    ] {
        check_address(text, Some(expected));
    }
    for text in [
        "",
        "a",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.4:",
        "1.2.3.4:x",
        "1.2.3.4%eth0",
        "[1.2.3.4]",
        "[::1",
        "::1]",
        "[::1]x",
        "[::1]:",
        "[::1]:70000",
        "fe80::1%",
        "fe80::1%e th",
        "::1%%",
        "1.2.3.4 ",
        "256.1.1.1",
        "01.2.3.4",
    ] {
        check_address(text, None);
    }
}

#[test]
fn a_peer_mapped_into_ipv6_is_its_ipv4_address() {
    let head = RequestHead {
        headers: &[],
        source_address: Some("::ffff:203.0.113.7".parse().unwrap()),
        tls: false,
    };
    assert_eq!(
        ClientAddress::default().resolve(&head),
        Some("203.0.113.7".parse().unwrap())
    );
}

#[test]
fn an_unknown_peer_is_no_address() {
    let head = RequestHead {
        headers: &[],
        source_address: None,
        tls: false,
    };
    assert_eq!(ClientAddress::default().resolve(&head), None);
}

#[test]
fn ipv6_clients_are_counted_by_64_bits() {
    let key = |text: &str| RateLimitKey::from(text.parse::<IpAddr>().unwrap()).to_string();
    assert_eq!(key("203.0.113.7"), "203.0.113.7");
    assert_eq!(key("::ffff:203.0.113.7"), "203.0.113.7");
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    assert_eq!(key("2001:db8:1:2:ffff::"), key("2001:db8:1:2::1"));
    assert_ne!(key("2001:db8:1:3::1"), key("2001:db8:1:2::1"));
}

#[track_caller]
fn check_scheme(trusted_hops: u64, tls: bool, protos: &[&str], expected: Scheme) {
    let headers: Vec<HeaderField<'_>> = protos
        .iter()
        .map(|value| (b"x-forwarded-proto".as_slice(), value.as_bytes()))
        .chain([(b":scheme".as_slice(), b"https".as_slice())])
        .collect();
    let head = RequestHead {
        headers: &headers,
        source_address: None,
        tls,
    };
    let scheme = ClientAddress::new(trusted_hops).unwrap().scheme(&head);
    assert_eq!(scheme, expected, "{trusted_hops} {tls} {protos:?}");
}

#[test]
fn a_client_cannot_claim_https_by_a_header() {
    for protos in [&["https"][..], &["http"], &["https", "https"], &[]] {
        check_scheme(0, false, protos, Scheme::Http);
        check_scheme(0, true, protos, Scheme::Https);
    }
}

#[test]
fn the_nearest_trusted_proxy_says_how_the_client_came() {
    check_scheme(1, false, &["https"], Scheme::Https);
    check_scheme(1, false, &["HTTPS"], Scheme::Https);
    check_scheme(1, false, &["http"], Scheme::Http);
    check_scheme(1, false, &[], Scheme::Http);
    // A balancer that speaks TLS to us may have taken the request in the clear.
    check_scheme(1, true, &["http"], Scheme::Http);
    check_scheme(1, true, &[], Scheme::Https);
}

#[test]
fn a_forwarded_scheme_that_is_not_one_of_two_is_not_believed() {
    for protos in [
        &["https,http"][..],
        &["https", "http"],
        &[" https"],
        &["wss"],
        &[""],
    ] {
        check_scheme(1, false, protos, Scheme::Http);
    }
}

#[test]
fn hops_are_limited() {
    assert!(ClientAddress::new(16).is_ok());
    assert_eq!(ClientAddress::new(17), Err(TooManyHops(17)));
    assert_eq!(ClientAddress::new(256), Err(TooManyHops(256)));
}

proptest! {
    #[test]
    fn no_client_can_move_the_trusted_entry(forged in prop::collection::vec("[ -~]{0,24}", 0..4), hops in 1..4_u64) {
        let trusted: Vec<_> = (1..=hops).map(|hop| format!("192.0.2.{hop}")).collect();
        let mut fields = forged;
        fields.push(format!("203.0.113.7, {}", trusted.join(", ")));
        let headers: Vec<HeaderField<'_>> = fields
            .iter()
            .map(|value| (b"x-forwarded-for".as_slice(), value.as_bytes()))
            .collect();
        let head = RequestHead { headers: &headers, source_address: None, tls: false };
        let resolved = ClientAddress::new(hops).unwrap().resolve(&head);
        prop_assert_eq!(resolved, Some("203.0.113.7".parse().unwrap()));
    }

    #[test]
    fn any_text_is_an_address_or_not_without_a_panic(text in "[0-9a-f:.%\\[\\]]{0,48}|.{0,24}") {
        let _ = parse_address(&text);
    }
}
