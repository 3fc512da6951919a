//! The walks of ARCHITECTURE.md: what a client sees, from its first request to a denial it can act on.

use auth0_sim::JWKS_PATH;
use gateway_tests::{
    client::{Request, Response},
    gateway::{self, Gateway},
    upstream::Seen,
};
use serde_json::{Value, json};

async fn start() -> (Gateway, auth0_sim::Auth0Sim) {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([
        {"match": {"path": "/healthz"}, "requires": "public"},
        {
            "match": {"prefix": "/api/v1/documents", "methods": ["GET", "HEAD"]},
            "requires": {"provider": "auth0", "scopes": {"all_of": ["read:documents"]}},
        },
        {
            "match": {"template": "/api/v1/documents/{id}", "methods": ["DELETE"]},
            "requires": {"provider": "auth0", "scopes": {"all_of": ["delete:documents"]}},
        },
    ]));
    configuration["errors"]["realm"] = "pymd".into();
    let gateway = Gateway::start(&configuration, 2, &[("auth0", auth0.address())])
        .await
        .unwrap();
    (gateway, auth0)
}

/// A denial in the form of RFC 6750 §3 that a browser can read: status, challenge and JSON body say the same.
#[track_caller]
fn check(answer: &Response, status: u16, challenge: &str, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
    let body: Value = answer.json().unwrap();
    assert_eq!(body["error"], error);
    assert!(body["error_description"].is_string(), "{body}");
}

#[tokio::test]
async fn a_first_request_after_boot_waits_for_the_keys_and_gets_its_documents() {
    let (gateway, auth0) = start().await;
    let request = Request::get("/api/v1/documents?limit=1").bearer(&auth0.token().build());
    let answer = gateway.send(&request).await.unwrap();
    assert_eq!(answer.status, 200);
    let seen: Seen = answer.json().unwrap();
    assert_eq!(seen.path, "/api/v1/documents?limit=1");
    assert_eq!(auth0.requests(JWKS_PATH).count, 1);
}

#[tokio::test]
async fn a_request_without_a_token_is_told_what_to_bring_and_no_error_code() {
    let (gateway, _auth0) = start().await;
    let answer = gateway.send(&Request::get("/elsewhere")).await.unwrap();
    check(&answer, 401, r#"Bearer realm="pymd""#, "unauthorized");
}

#[tokio::test]
async fn an_expired_token_is_told_apart_from_a_missing_scope() {
    let (gateway, auth0) = start().await;
    let expired = auth0.token().expired_by(120).build();
    let answer = gateway
        .send(&Request::get("/api/v1/documents").bearer(&expired))
        .await
        .unwrap();
    check(
        &answer,
        401,
        "Bearer realm=\"pymd\", error=\"invalid_token\", error_description=\"The access token expired\", \
         error_uri=\"https://docs.pymd.io/errors#expired\"",
        "invalid_token",
    );

    let reader = auth0.token().scope("read:documents").build();
    let delete = Request::new("DELETE", "/api/v1/documents/1").bearer(&reader);
    let answer = gateway.send(&delete).await.unwrap();
    check(
        &answer,
        403,
        "Bearer realm=\"pymd\", error=\"insufficient_scope\", \
         error_description=\"The access token lacks a scope this request needs\", \
         error_uri=\"https://docs.pymd.io/errors#insufficient_scope\", scope=\"delete:documents\"",
        "insufficient_scope",
    );
    assert_eq!(gateway.forwarded().await.unwrap(), 0);
}

/// What no rule matches needs a token: there is no path that forwards by default.
#[tokio::test]
async fn a_path_no_rule_matches_needs_a_token() {
    let (gateway, auth0) = start().await;
    assert_eq!(
        gateway
            .send(&Request::get("/healthz"))
            .await
            .unwrap()
            .status,
        200
    );
    assert_eq!(gateway.send(&Request::get("/")).await.unwrap().status, 401);
    let request = Request::new("POST", "/").bearer(&auth0.token().build());
    assert_eq!(gateway.send(&request).await.unwrap().status, 200);
}
