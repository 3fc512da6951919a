//! Hostile input that only a host can deliver: bytes that are no text, missing pseudo headers, floods.

use proxy_wasm_host::Request;

use crate::harness::{check, config, get, ready, token};

#[test]
fn header_values_that_are_no_text_do_not_end_the_vm() {
    let proxy = ready(&config(), 1);
    let bytes: &[u8] = b"\xff\xfe\x80";
    let request = Request::get("/private")
        .header("authorization", bytes)
        .header("x-any", bytes);
    check(&proxy, request, "401 missing_token");
    let mut bearer = b"Bearer ".to_vec();
    bearer.extend_from_slice(bytes);
    check(
        &proxy,
        Request::get("/private").header("authorization", &bearer),
        "401 opaque_token",
    );
    check(
        &proxy,
        Request::get("/private").header("cookie", bytes),
        "401 missing_token",
    );
    check(
        &proxy,
        get("/private", &token().build()).header("x-any", bytes),
        "200",
    );
    assert_eq!(proxy.worker(0).failure(), None);
}

#[test]
fn ghsa_8vc2_a_request_without_a_path_is_refused() {
    let proxy = ready(&config(), 1);
    check(
        &proxy,
        Request::new("CONNECT", "/").pseudo(":path", None),
        "400 invalid_path",
    );
    check(
        &proxy,
        Request::get("").pseudo(":method", None),
        "400 invalid_path",
    );
    assert_eq!(proxy.worker(0).failure(), None);
}

#[test]
fn cve_2025_64527_two_authorization_headers_while_keys_cannot_be_fetched() {
    let proxy = crate::harness::builder(&config()).start().unwrap();
    let token = token().build();
    let twice = || get("/private", &token).header("authorization", format!("Bearer {token}"));
    let outcome = proxy.worker(0).decide(twice());
    assert_ne!(outcome.status(), None);
    proxy.advance(crate::harness::TICK);
    crate::harness::one_call(&proxy).refuse_connection();
    let outcome = proxy.worker(0).decide(twice());
    assert!(matches!(outcome.status(), Some(400 | 401)), "{outcome:?}");
    assert_eq!(proxy.worker(0).failure(), None);
}

#[test]
fn long_tokens_and_many_headers_are_refused_or_ignored_and_nothing_grows() {
    let proxy = ready(&config(), 1);
    check(
        &proxy,
        get("/private", &"a.".repeat(50_000)),
        "401 malformed_token",
    );
    let mut request = Request::get("/private");
    for n in 0..2000 {
        request = request.header(format!("x-{n}"), "1");
    }
    check(&proxy, request, "401 missing_token");
    let before = proxy.worker(0).memory_bytes();
    for n in 0..500 {
        let path = format!("/private?{n}");
        check(
            &proxy,
            get(&path, &format!("a.{n}.c")),
            "401 malformed_token",
        );
    }
    assert_eq!(proxy.worker(0).memory_bytes(), before);
}
