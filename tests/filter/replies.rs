//! Local replies as a client sees them.

use proxy_wasm_host::{Request, Response};
use serde_json::json;

use crate::harness::{check, config, get, ready, token};

#[test]
fn a_reply_has_its_challenge_its_body_and_its_reason() {
    let proxy = ready(&config(), 1);
    let outcome = proxy
        .worker(0)
        .decide(get("/private", &token().expired_by(600).build()));
    let reply = outcome.local_reply().unwrap();
    assert_eq!(reply.status, 401);
    assert_eq!(reply.details, "edge_auth_expired");
    let challenge = reply.headers.get("www-authenticate").unwrap();
    assert_eq!(
        String::from_utf8_lossy(challenge),
        "Bearer realm=\"edge-auth\", error=\"invalid_token\", \
         error_description=\"The access token expired\""
    );
    assert_eq!(reply.headers.get("cache-control"), Some(&b"no-store"[..]));
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["error"], "invalid_token");
}

#[test]
fn plain_http_is_redirected_to_the_host_that_was_asked() {
    let mut config = config();
    config["https_redirect"] = json!({"except": ["/healthz"]});
    let proxy = ready(&config, 1);
    let outcome = proxy.worker(0).decide(
        Request::get("/a?b=c")
            .authority("api.pymd.io:8080")
            .plaintext()
            .header("x-forwarded-host", "evil.example"),
    );
    let reply = outcome.local_reply().unwrap();
    assert_eq!(reply.status, 301);
    assert_eq!(
        reply.headers.get("location"),
        Some(&b"https://api.pymd.io/a?b=c"[..])
    );
    check(
        &proxy,
        Request::post("/a").plaintext(),
        "308 https_redirect",
    );
    check(&proxy, Request::get("/healthz").plaintext(), "200");
}

#[test]
fn browser_headers_are_on_the_upstream_s_answers_and_on_ours() {
    let mut config = config();
    config["cors"] = json!({"allow_origins": ["https://app.pymd.io"]});
    config["security_headers"] = json!({});
    let proxy = ready(&config, 1);
    let origin = |request: Request| request.header("origin", "https://app.pymd.io");

    let stream = proxy.worker(0).request(origin(Request::get("/healthz")));
    assert!(stream.respond(Response::new(200).header("access-control-allow-origin", "*")));
    let answer = stream.client_response().unwrap();
    assert_eq!(
        answer.headers.get("access-control-allow-origin"),
        Some(&b"https://app.pymd.io"[..])
    );
    assert_eq!(
        answer.headers.get("x-content-type-options"),
        Some(&b"nosniff"[..])
    );

    let stream = proxy.worker(0).request(origin(Request::get("/private")));
    let answer = stream.client_response().unwrap();
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.headers.get("access-control-allow-origin"),
        Some(&b"https://app.pymd.io"[..])
    );
    assert_eq!(proxy.refusals(), []);
}

/// RFC 9728: the module's own answer passes the response path too, where `cors` would take its header away.
#[test]
fn resource_metadata_reaches_every_origin_through_the_response_path() {
    let mut config = config();
    config["cors"] = json!({"allow_origins": ["https://app.pymd.io"]});
    config["protected_resources"] = json!([{"resource": "https://api.pymd.io/mcp"}]);
    let proxy = ready(&config, 1);
    let metadata = "/.well-known/oauth-protected-resource/mcp";
    for origin in ["https://app.pymd.io", "https://inspector.example"] {
        let request = Request::get(metadata).authority("api.pymd.io");
        let stream = proxy.worker(0).request(request.header("origin", origin));
        let answer = stream.client_response().unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.headers.get("access-control-allow-origin"),
            Some(&b"*"[..])
        );
        let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(document["resource"], "https://api.pymd.io/mcp");
        assert_eq!(
            document["authorization_servers"],
            json!([crate::harness::ISSUER])
        );
    }
    let request = Request::get("/mcp").authority("api.pymd.io");
    let outcome = proxy.worker(0).decide(request);
    let challenge = outcome
        .local_reply()
        .unwrap()
        .headers
        .get("www-authenticate");
    assert_eq!(
        String::from_utf8_lossy(challenge.unwrap()),
        format!("Bearer realm=\"edge-auth\", resource_metadata=\"https://api.pymd.io{metadata}\"")
    );
    assert_eq!(proxy.refusals(), []);
}

#[test]
fn what_is_counted_can_be_read() {
    let proxy = ready(&config(), 1);
    check(&proxy, get("/private", &token().build()), "200");
    check(&proxy, Request::get("/private"), "401 missing_token");
    proxy.advance(crate::harness::TICK);
    assert_eq!(proxy.metric("edge_auth.allowed"), 1);
    assert_eq!(proxy.metric("edge_auth.reply.missing_token"), 1);
    assert_eq!(proxy.metric("edge_auth.keys.auth0.count"), 1);
    assert_eq!(proxy.metric("edge_auth.fetch_ok"), 1);
}

#[test]
fn cve_2022_29228_what_was_answered_stays_answered_when_its_body_arrives() {
    let proxy = ready(&config(), 1);
    let request = Request::post("/private")
        .body("one")
        .body("two")
        .trailer("x-sum", "1");
    check(&proxy, request, "401 missing_token");
    assert_eq!(proxy.refusals(), []);
}
