//! Which requests count as cross-site.

use super::csrf;
use super::tests::{patterns, with_head};
use crate::client_address::Scheme;

/// A request to `https://app.pymd.io` with these lines besides.
#[track_caller]
fn check_csrf(scheme: Scheme, lines: &[&str], refused: bool) {
    let lines = [&[":authority: app.pymd.io"], lines].concat();
    let allowed = patterns(&["https://admin.pymd.io", "*"]);
    with_head(&lines, |head| {
        assert_eq!(
            csrf::is_cross_site(head, scheme, &allowed),
            refused,
            "{lines:?}"
        );
    });
}

#[test]
fn a_change_from_this_or_an_allowed_origin_passes() {
    for method in [":method: POST", ":method: DELETE", ":method: PURGE"] {
        check_csrf(
            Scheme::Https,
            &[method, "origin: https://app.pymd.io"],
            false,
        );
        check_csrf(
            Scheme::Https,
            &[method, "origin: https://admin.pymd.io"],
            false,
        );
        check_csrf(
            Scheme::Https,
            &[method, "sec-fetch-site: same-origin"],
            false,
        );
        check_csrf(Scheme::Https, &[method, "sec-fetch-site: none"], false);
    }
}

#[test]
fn a_change_from_another_site_is_refused() {
    for origin in [
        "https://evil.example",
        "https://app.pymd.io.evil.example",
        "https://other.pymd.io",
        "null",
        "",
        "https://app.pymd.io:8443",
        "http://app.pymd.io",
        "https://app.pymd.io/",
        "https://APP.pymd.io",
    ] {
        let origin = format!("origin: {origin}");
        check_csrf(Scheme::Https, &[":method: POST", &origin], true);
        check_csrf(
            Scheme::Https,
            &[":method: POST", &origin, "sec-fetch-site: same-origin"],
            true,
        );
    }
    for site in [
        "cross-site",
        "same-site",
        "",
        "Same-Origin",
        "same-origin, none",
    ] {
        check_csrf(
            Scheme::Https,
            &[":method: POST", &format!("sec-fetch-site: {site}")],
            true,
        );
    }
}

#[test]
fn a_change_that_shows_no_origin_is_refused() {
    check_csrf(Scheme::Https, &[":method: POST"], true);
    check_csrf(
        Scheme::Https,
        &[":method: POST", "referer: https://app.pymd.io/"],
        true,
    );
    check_csrf(Scheme::Https, &[], true);
}

#[test]
fn what_is_sent_twice_shows_nothing() {
    let origin = "origin: https://app.pymd.io";
    check_csrf(Scheme::Https, &[":method: POST", origin, origin], true);
    let site = "sec-fetch-site: same-origin";
    check_csrf(Scheme::Https, &[":method: POST", site, site], true);
    check_csrf(Scheme::Https, &[":method: GET", ":method: POST"], true);
}

#[test]
fn reading_needs_no_origin_but_opening_a_websocket_does() {
    for method in [":method: GET", ":method: HEAD", ":method: OPTIONS"] {
        check_csrf(Scheme::Https, &[method], false);
        check_csrf(
            Scheme::Https,
            &[method, "origin: https://evil.example"],
            false,
        );
    }
    let evil = "origin: https://evil.example";
    check_csrf(
        Scheme::Https,
        &[":method: GET", "upgrade: websocket", evil],
        true,
    );
    check_csrf(Scheme::Https, &[":method: GET", "upgrade: websocket"], true);
    check_csrf(
        Scheme::Https,
        &[":method: CONNECT", ":protocol: websocket", evil],
        true,
    );
    check_csrf(
        Scheme::Https,
        &[":method: GET", ":protocol: websocket", evil],
        true,
    );
    check_csrf(
        Scheme::Https,
        &[
            ":method: GET",
            "upgrade: websocket",
            "origin: https://app.pymd.io",
        ],
        false,
    );
}

#[test]
fn a_page_in_the_clear_is_of_the_same_origin_only_in_the_clear() {
    check_csrf(
        Scheme::Http,
        &[":method: POST", "origin: http://app.pymd.io"],
        false,
    );
    check_csrf(
        Scheme::Http,
        &[":method: POST", "origin: https://app.pymd.io"],
        false,
    );
    check_csrf(
        Scheme::Https,
        &[":method: POST", "origin: http://app.pymd.io"],
        true,
    );
}

#[test]
fn the_own_origin_is_that_of_a_valid_authority() {
    let same = |authority: &str, origin: &str| {
        let lines = [
            format!(":authority: {authority}"),
            format!("origin: {origin}"),
            ":method: POST".to_owned(),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        !with_head(&lines, |head| csrf::is_cross_site(head, Scheme::Https, &[]))
    };
    assert!(same("a.example:8443", "https://a.example:8443"));
    assert!(same("A.example:443", "https://a.example"));
    assert!(same("[2001:DB8::1]", "https://[2001:db8::1]"));
    assert!(!same(
        "a.example@evil.example",
        "https://a.example@evil.example"
    ));
    assert!(!same("", "https://"));
}
