//! What went wrong in others' proxies and can be seen in the compiled filter only; `docs/advisories.md` has them all.

use std::time::Duration;

use auth0_sim::Key;
use proxy_wasm_host::{Outcome, Request};

use crate::harness::{TICK, builder, check, config, get, keys, one_call, ready, shown, token};

/// Envoy's `oauth2` took any bearer token for a login.
#[test]
fn cve_2022_29226_a_token_that_is_there_is_no_proof() {
    let proxy = ready(&config(), 1);
    for (credential, expected) in [
        ("x", "401 opaque_token"),
        ("undefined", "401 opaque_token"),
        ("a.b.c", "401 malformed_token"),
        ("", "401 opaque_token"),
    ] {
        check(&proxy, get("/private", credential), expected);
        check(&proxy, get("/optional", credential), expected);
    }
    for cookie in [
        "BearerToken=x; IdToken=x",
        "OauthHMAC=x; OauthExpires=99999999999",
    ] {
        let request = Request::get("/private").header("cookie", cookie);
        check(&proxy, request, "401 missing_token");
    }
}

#[test]
fn cve_2024_45809_keys_that_arrive_after_the_client_left_touch_no_stream() {
    let proxy = builder(&config()).workers(2).start().unwrap();
    let token = token().build();
    let gone = proxy.worker(0).request(get("/private", &token));
    let stays = proxy.worker(1).request(get("/private", &token));
    proxy.advance(TICK);
    assert_eq!(shown(&gone.outcome()), "paused");
    gone.finish();
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(TICK);
    assert_eq!(shown(&stays.outcome()), "200");
    for worker in 0..2 {
        assert_eq!(proxy.worker(worker).failure(), None);
    }
    assert!(proxy.refusals().is_empty(), "{:?}", proxy.refusals());
}

/// Envoy wrote the server name a client asked for into its access log, line breaks and all.
#[test]
fn cve_2024_45808_nothing_a_client_sends_is_in_the_log() {
    let proxy = ready(&config(), 1);
    let before = proxy.logs().len();
    let marked = "MARK\r\n[critical] edge-auth: forged";
    let expired = token()
        .subject("MARK")
        .claim("name", marked)
        .expired_by(9999);
    for request in [
        Request::get(format!("/private/{marked}")),
        Request::get("/private?MARK=1").header("user-agent", marked),
        Request::new("MARK", "/private"),
        get("/private", "MARK"),
        get("/private", &token().header("typ", "MARK").build()),
        get("/private", &token().claim("iss", "https://MARK/").build()),
        get("/private", &token().audience("MARK").build()),
        get("/private", &expired.build()),
        Request::get("/private").authority("MARK.example"),
        Request::get("/private").header("cookie", "token=MARK; MARK=1"),
        Request::get("/private").header("x-forwarded-for", marked),
        Request::get("/private").property(&["connection", "requested_server_name"], marked),
    ] {
        let outcome = proxy.worker(0).decide(request);
        assert!(matches!(outcome.status(), Some(400 | 401)), "{outcome:?}");
        let reply = format!("{outcome:?}");
        assert!(!reply.contains("MARK"), "{reply}");
    }
    proxy.advance(TICK);
    for entry in &proxy.logs()[before..] {
        let line = format!("{entry:?}");
        assert!(!line.contains("MARK") && !line.contains("forged"), "{line}");
    }
}

/// And every other field by which a client, a health check or a framework's own proxy got past a guard.
#[test]
fn cve_2026_34457_no_header_of_a_client_opens_a_route() {
    let proxy = ready(&config(), 1);
    for (name, value) in [
        ("user-agent", "kube-probe/1.30"),
        ("user-agent", "GoogleHC/1.0"),
        ("user-agent", "ELB-HealthChecker/2.0"),
        (
            "x-middleware-subrequest",
            "middleware:middleware:middleware:middleware:middleware",
        ),
        ("x-forwarded-uri", "/healthz"),
        ("x-original-uri", "/healthz"),
        ("x-original-url", "/healthz"),
        ("x-rewrite-url", "/healthz"),
        ("x-envoy-original-path", "/healthz"),
        ("x-envoy-internal", "true"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-http-method-override", "OPTIONS"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("x-forwarded-user", "admin"),
        ("x-forwarded-email", "admin@pymd.io"),
        ("x-auth-request-user", "admin"),
        ("x-user-id", "admin"),
        ("remote-user", "admin"),
        ("x-client-verify", "SUCCESS"),
        ("x-forwarded-client-cert", "Hash=00;Subject=\"CN=admin\""),
        ("upgrade-insecure-requests", "1"),
    ] {
        let request = Request::get("/private").header(name, value);
        check(&proxy, request, "401 missing_token");
    }
}

#[test]
fn cve_2025_54576_a_public_path_in_the_query_opens_nothing() {
    let proxy = ready(&config(), 1);
    for path in [
        "/private?/healthz",
        "/private?x=/healthz",
        "/private?next=/login",
        "/private/?/healthz",
        "/?/healthz",
        "/private??/healthz",
    ] {
        check(&proxy, Request::get(path), "401 missing_token");
    }
    check(
        &proxy,
        Request::get("/private#/healthz"),
        "400 invalid_path",
    );
    check(&proxy, Request::get("/healthz?x=/private"), "200");
}

/// `no-store` on every answer that is ours, and so on every refusal that a cache in front could keep for others.
#[test]
fn cve_2025_48947_no_cache_keeps_an_answer_of_the_filter() {
    let proxy = ready(&config(), 1);
    let mut requests = vec![
        Request::get("/private"),
        Request::get("/private/%2f"),
        get("/private", "x"),
        get("/private", &token().expired_by(600).build()),
        get("/private", &token().build()).header("authorization", "Bearer x"),
    ];
    requests.extend((0..11).map(|_| Request::get("/login")));
    let mut statuses = Vec::new();
    for request in requests {
        let outcome = proxy.worker(0).decide(request);
        let Some(reply) = outcome.local_reply() else {
            continue;
        };
        assert_eq!(
            reply.headers.get("cache-control"),
            Some(&b"no-store"[..]),
            "{reply:?}"
        );
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [401, 400, 401, 401, 400, 429]);
}

/// Requests that share a fetch, or a worker's memory of tokens, share nothing else.
#[test]
fn cve_2025_67490_requests_that_wait_together_keep_their_own_identity() {
    let proxy = builder(&config()).workers(2).start().unwrap();
    let user = |n: usize| format!("auth0|{}", n % 7);
    let tokens: Vec<_> = (0..7).map(|n| token().subject(&user(n)).build()).collect();
    let ask = |n: usize| proxy.worker(n % 2).request(get("/private", &tokens[n % 7]));
    let waiting: Vec<_> = (0..28).map(ask).collect();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(Duration::from_millis(100));
    // And again, when both workers know all tokens.
    let later: Vec<_> = (0..28).map(ask).collect();
    for streams in [waiting, later] {
        for (n, stream) in streams.iter().enumerate() {
            let Outcome::Continued { headers, .. } = stream.outcome() else {
                panic!("{n}: {:?}", stream.outcome());
            };
            let ids: Vec<_> = headers.get_all("x-user-id").collect();
            assert_eq!(ids, [user(n).as_bytes()], "request {n}");
        }
    }
}
