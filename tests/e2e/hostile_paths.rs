//! Paths that mean one thing to a rule and another to the application: refused, or judged as what they are.
//!
//! `/public/` needs no token, everything else does. No path here comes with a token, so nothing but an honest path
//! below `/public/` may reach the application.

use gateway_tests::{
    client::{Connection, Request},
    gateway::{self, Gateway},
};
use serde_json::json;

/// Refused as unacceptable, whoever asks.
const BAD_REQUEST: u16 = 400;
/// A path like another, and not a public one.
const UNAUTHORIZED: u16 = 401;

const PATHS: &[(&str, &[u8], u16)] = &[
    ("dot_segments", b"/public/../admin", BAD_REQUEST),
    ("a_dot_segment_at_the_end", b"/public/..", BAD_REQUEST),
    ("a_single_dot_segment", b"/public/./../admin", BAD_REQUEST),
    ("escaped_dot_segments", b"/public/%2e%2e/admin", BAD_REQUEST),
    (
        "half_escaped_dot_segments",
        b"/public/.%2E/admin",
        BAD_REQUEST,
    ),
    ("escaped_slash", b"/public/..%2fadmin", BAD_REQUEST),
    (
        "escaped_slash_before_the_rule_ends",
        b"/public%2F..%2fadmin",
        BAD_REQUEST,
    ),
    ("backslash", b"/public/..\\admin", BAD_REQUEST),
    ("escaped_backslash", b"/public/..%5cadmin", BAD_REQUEST),
    (
        "cve_2026_73511_matrix_parameter",
        b"/admin;public/",
        BAD_REQUEST,
    ),
    (
        "matrix_parameter_as_dot_segment",
        b"/public/..;/admin",
        BAD_REQUEST,
    ),
    (
        "matrix_parameter_on_the_public_part",
        b"/public;x=/../admin",
        BAD_REQUEST,
    ),
    ("escaped_semicolon", b"/public/..%3b/admin", BAD_REQUEST),
    ("empty_segment_first", b"//admin", BAD_REQUEST),
    (
        "empty_segment_before_dots",
        b"/public//../admin",
        BAD_REQUEST,
    ),
    ("cve_2021_32779_fragment", b"/admin#/public/", BAD_REQUEST),
    (
        "fragment_on_a_public_path",
        b"/public/#/../../admin",
        BAD_REQUEST,
    ),
    ("fragment_in_the_query", b"/public/?a#b", BAD_REQUEST),
    ("raw_nul", b"/public/\0/../admin", BAD_REQUEST),
    ("escaped_nul", b"/public/%00", BAD_REQUEST),
    (
        "escaped_line_break",
        b"/public/%0d%0aset-cookie:a=b",
        BAD_REQUEST,
    ),
    ("overlong_utf_8", b"/public/%c0%ae%c0%ae/admin", BAD_REQUEST),
    ("no_utf_8", b"/public/%ff", BAD_REQUEST),
    ("raw_bytes_beyond_ascii", b"/public/\xc3\xa9", BAD_REQUEST),
    ("broken_escape", b"/public/%2", BAD_REQUEST),
    ("no_hexadecimal_escape", b"/public/%zz", BAD_REQUEST),
    (
        "percent_u_escape",
        b"/public/%u002e%u002e/admin",
        BAD_REQUEST,
    ),
    (
        "cve_2025_54576_rule_in_the_query",
        b"/admin?/public/",
        UNAUTHORIZED,
    ),
    (
        "rule_as_a_path_in_the_query",
        b"/admin?next=/public/../public/",
        UNAUTHORIZED,
    ),
    (
        "cve_2020_8595_query_after_an_exact_path",
        b"/healthz/?",
        UNAUTHORIZED,
    ),
    ("escaped_question_mark", b"/admin%3f/public/", UNAUTHORIZED),
    ("escaped_hash", b"/admin%23/public/", UNAUTHORIZED),
    ("another_case", b"/PUBLIC/page", UNAUTHORIZED),
    ("the_rule_without_its_slash", b"/public", UNAUTHORIZED),
    ("a_longer_name", b"/publicity/", UNAUTHORIZED),
    ("absolute_form", b"http://api.pymd.io/admin", UNAUTHORIZED),
    (
        "absolute_form_with_dots",
        b"http://api.pymd.io/public/../admin",
        BAD_REQUEST,
    ),
    (
        "escaped_letters_of_a_protected_path",
        b"/%61dmin",
        UNAUTHORIZED,
    ),
];

async fn start() -> Gateway {
    let auth0 = gateway::auth0().await.unwrap();
    let configuration = gateway::configuration(&json!([
        {"match": {"path": "/healthz"}, "requires": "public"},
        {"match": {"prefix": "/public/"}, "requires": "public"},
    ]));
    Gateway::start(&configuration, 1, &[("auth0", auth0.address())])
        .await
        .unwrap()
}

/// Sends each request and names those that get another status than expected, or reach the application.
async fn check(gateway: &Gateway, cases: impl IntoIterator<Item = (&str, Request, u16)>) {
    let mut wrong = Vec::new();
    for (name, request, expected) in cases {
        let before = gateway.forwarded().await.unwrap();
        let answer = gateway.send(&request).await;
        let status = answer
            .map(|answer| answer.status)
            .map_err(|error| error.to_string());
        let forwarded = gateway.forwarded().await.unwrap() - before;
        if status != Ok(expected) || forwarded > 0 {
            wrong.push(format!(
                "{name}: {status:?} instead of {expected}, {forwarded} forwarded"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn hostile_paths_are_refused_or_judged_as_what_they_are() {
    let gateway = start().await;
    for honest in ["/public/page", "/public/caf%C3%A9?q=%2F..", "/healthz"] {
        assert_eq!(
            gateway.send(&Request::get(honest)).await.unwrap().status,
            200,
            "{honest}"
        );
    }
    let cases = PATHS
        .iter()
        .map(|(name, path, status)| (*name, Request::get(path), *status));
    check(&gateway, cases).await;
}

/// CVE-2023-27487, CVE-2026-34457, CVE-2026-40575: what a client says elsewhere does not move the request to a rule.
#[tokio::test]
async fn no_header_stands_in_for_the_path() {
    let gateway = start().await;
    let headers = [
        ("x-envoy-original-path", "/public/page"),
        ("x-original-url", "/public/page"),
        ("x-rewrite-url", "/public/page"),
        ("x-forwarded-uri", "/public/page"),
        ("x-forwarded-prefix", "/public"),
        ("x-http-method-override", "OPTIONS"),
        ("user-agent", "GoogleHC/1.0"),
        ("user-agent", "kube-probe/1.30"),
        ("x-middleware-subrequest", "middleware"),
    ];
    let cases = headers.map(|(name, value)| {
        (
            name,
            Request::get("/admin").header(name, value),
            UNAUTHORIZED,
        )
    });
    check(&gateway, cases).await;
}

/// GHSA-8vc2-jrm4-835w: a CONNECT has no `:path`; OPTIONS may ask about `*`.
#[tokio::test]
async fn targets_that_are_no_path_are_refused_and_the_proxy_lives_on() {
    let gateway = start().await;
    for target in ["api.pymd.io:443", "*", "admin", ""] {
        for method in ["CONNECT", "OPTIONS", "GET"] {
            let answer = gateway.send(&Request::new(method, target)).await;
            let status = answer.map(|answer| answer.status);
            assert!(
                matches!(status, Ok(400..=499) | Err(_)),
                "{method} {target:?}: {status:?}"
            );
        }
    }
    assert_eq!(gateway.forwarded().await.unwrap(), 0);
    assert_eq!(
        gateway
            .send(&Request::get("/healthz"))
            .await
            .unwrap()
            .status,
        200
    );
}

/// Two requests where the edge sees one would let the second through unjudged.
#[tokio::test]
async fn a_smuggled_second_request_is_judged_like_any_other() {
    let gateway = start().await;
    let hidden = "GET /admin HTTP/1.1\r\nhost: api.pymd.io\r\n\r\n";
    let length = hidden.len();
    for head in [
        format!("content-length: 0\r\ncontent-length: {length}\r\n\r\n"),
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n".to_owned(),
        "transfer-encoding:\tchunked\r\n content-length: 3\r\n\r\n0\r\n\r\n".to_owned(),
    ] {
        let mut connection = Connection::open(gateway.address()).await.unwrap();
        let bytes = format!("POST /public/page HTTP/1.1\r\nhost: api.pymd.io\r\n{head}{hidden}");
        let first = connection.send_raw(bytes.as_bytes(), false).await;
        let second = connection.send_raw(b"", false).await;
        assert!(
            second.as_ref().map_or(true, |answer| answer.status != 200),
            "{first:?} {second:?}"
        );
    }
}
