//! What pages of other origins may read.

use proptest::prelude::*;

use super::*;
use crate::request::HeaderField;

pub(super) fn patterns(origins: &[&str]) -> Vec<OriginPattern> {
    origins
        .iter()
        .map(|origin| OriginPattern::parse(origin).unwrap())
        .collect()
}

fn settings(origins: &[&str]) -> Settings {
    Settings {
        allow_origins: patterns(origins),
        ..Settings::default()
    }
}

fn cors(origins: &[&str]) -> Cors {
    Cors::new(settings(origins)).unwrap()
}

/// Parses `name: value` lines into a head and hands it to `with`.
pub(super) fn with_head<T>(lines: &[&str], with: impl FnOnce(&RequestHead<'_>) -> T) -> T {
    let headers: Vec<HeaderField<'_>> = lines
        .iter()
        .map(|line| {
            let at = line[1..].find(':').unwrap() + 1;
            (
                &line.as_bytes()[..at],
                line[at + 1..].trim_start().as_bytes(),
            )
        })
        .collect();
    with(&RequestHead {
        headers: &headers,
        source_address: None,
        tls: true,
    })
}

fn print(headers: &[ResponseField<'_>]) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect::<Vec<_>>()
        .concat()
}

#[track_caller]
fn check_headers(cors: &Cors, lines: &[&str], expected: &str) {
    with_head(lines, |head| {
        assert_eq!(print(&cors.headers(head)), expected);
    });
}

const VARY: &str = "vary: Origin\n";
const EXPOSE: &str = "access-control-expose-headers: etag, location, ratelimit, ratelimit-policy, retry-after, www-authenticate, x-decision-id\n";

#[test]
fn an_allowed_origin_can_read_the_answer() {
    check_headers(
        &cors(&["https://app.pymd.io"]),
        &["origin: https://app.pymd.io"],
        &format!("{VARY}access-control-allow-origin: https://app.pymd.io\n{EXPOSE}"),
    );
}

#[test]
fn answers_vary_by_origin_even_where_there_is_none() {
    check_headers(&cors(&["https://app.pymd.io"]), &[], VARY);
    check_headers(&cors(&["*"]), &[], VARY);
}

#[test]
fn credentials_are_named_only_for_allowed_origins() {
    let settings = Settings {
        allow_credentials: true,
        ..settings(&["https://app.pymd.io"])
    };
    let cors = Cors::new(settings).unwrap();
    check_headers(
        &cors,
        &["origin: https://app.pymd.io"],
        &format!(
            "{VARY}access-control-allow-origin: https://app.pymd.io\naccess-control-allow-credentials: true\n{EXPOSE}"
        ),
    );
    check_headers(&cors, &["origin: https://evil.example"], VARY);
}

#[test]
fn every_origin_with_credentials_is_refused_when_configured() {
    let settings = Settings {
        allow_credentials: true,
        ..settings(&["https://a.example", "*"])
    };
    assert_eq!(
        Cors::new(settings).unwrap_err(),
        Error::WildcardWithCredentials
    );
}

#[test]
fn the_null_origin_is_never_allowed() {
    let cors = cors(&["*"]);
    check_headers(&cors, &["origin: null"], VARY);
    check_headers(
        &cors,
        &["origin: https://any.example"],
        &format!("{VARY}access-control-allow-origin: *\n{EXPOSE}"),
    );
    assert_eq!(OriginPattern::parse("null"), Err(OriginError::Null));
}

#[test]
fn cve_2026_26308_two_origins_are_none() {
    let lines = ["origin: https://app.pymd.io", "origin: https://app.pymd.io"];
    check_headers(&cors(&["https://app.pymd.io", "*"]), &lines, VARY);
    check_headers(
        &cors(&["*"]),
        &["origin: https://a.example, https://b.example"],
        VARY,
    );
}

/// A preflight for DELETE from `origin`.
#[track_caller]
fn check_preflight(cors: &Cors, origin: &str, expected: &str) {
    let origin = format!("origin: {origin}");
    let lines = [
        ":method: OPTIONS",
        &origin,
        "access-control-request-method: DELETE",
    ];
    with_head(&lines, |head| {
        let preflight = cors.preflight(head).unwrap();
        assert_eq!(
            format!("{}\n{}", preflight.status, print(&preflight.headers)),
            expected
        );
    });
}

#[test]
fn a_preflight_is_answered_with_what_pages_may_do() {
    check_preflight(
        &cors(&["https://app.pymd.io"]),
        "https://app.pymd.io",
        "204\n\
         vary: Origin\n\
         access-control-allow-origin: https://app.pymd.io\n\
         access-control-allow-methods: GET, HEAD, POST, PUT, PATCH, DELETE\n\
         access-control-allow-headers: authorization, content-type, idempotency-key, if-match, if-none-match\n\
         access-control-max-age: 7200\n",
    );
}

#[test]
fn a_preflight_of_another_origin_is_refused_and_not_forwarded() {
    check_preflight(
        &cors(&["https://app.pymd.io"]),
        "https://evil.example",
        "403\nvary: Origin\n",
    );
    check_preflight(&cors(&["*"]), "null", "403\nvary: Origin\n");
    check_preflight(&cors(&[]), "https://app.pymd.io", "403\nvary: Origin\n");
}

#[test]
fn only_options_with_both_headers_is_a_preflight() {
    let cors = cors(&["*"]);
    for lines in [
        &[
            ":method: GET",
            "origin: https://a.example",
            "access-control-request-method: GET",
        ][..],
        &[":method: OPTIONS", "origin: https://a.example"],
        &[":method: OPTIONS", "access-control-request-method: GET"],
        &[
            ":method: options",
            "origin: https://a.example",
            "access-control-request-method: GET",
        ],
        &[
            "origin: https://a.example",
            "access-control-request-method: GET",
        ],
    ] {
        with_head(lines, |head| {
            assert_eq!(cors.preflight(head), None, "{lines:?}");
        });
    }
}

#[track_caller]
fn check_origin(pattern: &str, matching: &[&str], others: &[&str]) {
    let pattern = OriginPattern::parse(pattern).unwrap();
    for origin in matching {
        assert!(pattern.matches(origin), "{pattern} {origin}");
    }
    for origin in others {
        assert!(!pattern.matches(origin), "{pattern} {origin}");
    }
}

#[test]
fn an_origin_is_compared_whole() {
    check_origin(
        "https://App.pymd.io:443",
        &["https://app.pymd.io"],
        &[
            "http://app.pymd.io",
            "https://app.pymd.io:444",
            "https://app.pymd.io:443",
            "https://app.pymd.io/",
            "https://app.pymd.io.evil.example",
            "https://xapp.pymd.io",
            "https://app-pymd.io",
            "app.pymd.io",
            "",
            "https://APP.pymd.io",
            "https://app.pymd.io@evil.example",
            "null",
        ],
    );
    check_origin(
        "https://a.example:8443",
        &["https://a.example:8443"],
        &["https://a.example"],
    );
    check_origin(
        "http://localhost:3000",
        &["http://localhost:3000"],
        &["http://localhost"],
    );
    check_origin(
        "capacitor://localhost",
        &["capacitor://localhost"],
        &["https://localhost"],
    );
}

#[test]
fn a_wildcard_is_what_lies_below_a_host_by_https() {
    check_origin(
        "https://*.pymd.io",
        &["https://a.pymd.io", "https://a.b.pymd.io"],
        &[
            "https://pymd.io",
            "https://.pymd.io",
            "http://a.pymd.io",
            "https://evilpymd.io",
            "https://a.pymd.io:8443",
            "https://a.pymd.io.evil.example",
            "https://evil.example/.pymd.io",
            "https://evil.example?.pymd.io",
            "https://evil.example#.pymd.io",
            "https://evil.example\\.pymd.io",
            "https://x@a.pymd.io",
            "https://A.pymd.io",
            "https://a..pymd.io",
            "https://a.pymd.io.",
            "https://evil.example:443.pymd.io",
            "null",
        ],
    );
    check_origin(
        "https://*.pymd.io:8443",
        &["https://a.pymd.io:8443"],
        &["https://a.pymd.io"],
    );
}

#[test]
fn origins_that_cannot_be_safe_are_refused() {
    let refused = |text: &str| OriginPattern::parse(text).unwrap_err();
    for text in [
        "",
        "app.pymd.io",
        "https://",
        "https://a/",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "//a",
        "https:a",
        "https://a b",
        "https://a:0",
        "file://a",
        "1x://a",
        "https://é.example",
    ] {
        assert!(
            matches!(refused(text), OriginError::Syntax { .. }),
            "{text}"
        );
    }
    for text in [
        "http://app.pymd.io",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://[2001:db8::1]",
    ] {
        assert!(
            matches!(refused(text), OriginError::PlainHttp { .. }),
            "{text}"
        );
    }
    for text in [
        "https://*",
        "https://*.io",
        "https://a.*.io",
        "http://*.pymd.io",
        "https://*pymd.io",
        "https://*.*.io",
        "https://*.1.2.3.4",
        "https://*.[::1]",
    ] {
        assert!(
            matches!(refused(text), OriginError::Wildcard { .. }),
            "{text}"
        );
    }
    for text in [
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost",
        "http://app.localhost:3000",
    ] {
        assert!(OriginPattern::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn settings_that_pages_cannot_use_are_refused() {
    for method in ["*", "TRACE", "connect", "Track", "A B", ""] {
        assert!(
            matches!(AllowedMethod::parse(method), Err(Error::Method { .. })),
            "{method}"
        );
    }
    for name in ["*", "x y", "", "x:"] {
        assert!(
            matches!(FieldName::parse(name), Err(Error::FieldName { .. })),
            "{name}"
        );
    }
    assert_eq!(FieldName::parse("X-Trace"), Ok(FieldName("x-trace".into())));
    assert_eq!(
        MaxAge::new(MAX_MAX_AGE + Duration::from_secs(1)),
        Err(Error::MaxAge)
    );
    assert!(MaxAge::new(MAX_MAX_AGE).is_ok());
}

#[test]
fn an_empty_list_is_not_sent() {
    let empty = Settings {
        expose_headers: Vec::new(),
        ..settings(&["*"])
    };
    check_headers(
        &Cors::new(empty).unwrap(),
        &["origin: https://a.example"],
        &format!("{VARY}access-control-allow-origin: *\n"),
    );
}

proptest! {
    #[test]
    fn any_origin_is_decided_without_a_panic_and_echoed_only_in_its_one_spelling(
        origin in "(https?|null|x)://[a-zA-Z0-9.:@/*\\[\\]-]{0,24}|.{0,16}",
    ) {
        let line = format!("origin: {origin}");
        with_head(&[&line], |head| {
            let cors = cors(&["https://*.pymd.io", "http://localhost:3000"]);
            let headers = cors.headers(head);
            if let Some((_, value)) = headers.iter().find(|(name, _)| name.ends_with("allow-origin")) {
                assert!(value == "http://localhost:3000" || value.ends_with(".pymd.io"));
            }
            csrf::is_cross_site(head, crate::client_address::Scheme::Https, &[]);
        });
    }
}
