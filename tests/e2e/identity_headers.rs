//! Identity is what the token says: a client's own identity headers never reach the application.

use gateway_tests::{
    client::Request,
    gateway::{self, Gateway},
    upstream::Seen,
};
use serde_json::json;

/// The spellings that an upstream may read as `x-user-id` (CVE-2025-64484: `_` and `-` are one to a CGI-like server).
const SPELLINGS: [&str; 4] = ["x-user-id", "X-User-Id", "x_user_id", "X_USER-ID"];

async fn start() -> (Gateway, auth0_sim::Auth0Sim) {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([
        {"match": {"prefix": "/public/"}, "requires": "public"},
        {"match": {"prefix": "/optional/"}, "requires": {"provider": "auth0", "optional": true}},
    ]));
    configuration["providers"]["auth0"]["claim_to_headers"] = json!([
        {"header_name": "x-user-id", "claim_name": "sub"},
        {"header_name": "x-user-scope", "claim_name": "scope"},
        {"header_name": "x-user-roles", "claim_path": [auth0_sim::ROLES_CLAIM]},
    ]);
    let gateway = Gateway::start(&configuration, 1, &[("auth0", auth0.address())])
        .await
        .unwrap();
    (gateway, auth0)
}

/// What the application sees of any spelling of the header.
fn user_ids(seen: &Seen) -> Vec<&str> {
    let fields = seen
        .headers
        .iter()
        .filter(|(name, _)| name.replace('_', "-") == "x-user-id");
    fields.map(|(_, value)| value.as_str()).collect()
}

/// CVE-2025-64484, CVE-2026-44087.
#[tokio::test]
async fn a_clients_own_identity_is_removed_in_every_spelling_on_every_path() {
    let (gateway, _auth0) = start().await;
    for path in ["/public/page", "/optional/page"] {
        for spelling in SPELLINGS {
            let request = Request::get(path)
                .header(spelling, "admin")
                .header("x-other", "kept");
            let seen: Seen = gateway.send(&request).await.unwrap().json().unwrap();
            assert_eq!(user_ids(&seen), Vec::<&str>::new(), "{spelling} on {path}");
            assert_eq!(seen.header("x-other"), ["kept"]);
        }
    }
}

#[tokio::test]
async fn the_application_sees_the_identity_of_the_token_alone() {
    let (gateway, auth0) = start().await;
    let token = auth0
        .token()
        .subject("auth0|7")
        .scope("read:documents")
        .build();
    for path in ["/api/v1/documents", "/optional/page"] {
        let request = SPELLINGS
            .into_iter()
            .fold(Request::get(path).bearer(&token), |request, spelling| {
                request.header(spelling, "admin")
            });
        let seen: Seen = gateway.send(&request).await.unwrap().json().unwrap();
        assert_eq!(user_ids(&seen), ["auth0|7"], "{path}");
        assert_eq!(seen.header("x-user-scope"), ["read:documents"]);
        assert_eq!(seen.header("x-user-roles"), ["editor"]);
    }
}

/// A stale token must not lock a browser out of the login page, and must not lend it an identity there.
#[tokio::test]
async fn a_public_path_looks_at_no_token_and_forwards_no_identity() {
    let (gateway, auth0) = start().await;
    for token in [auth0.token(), auth0.token().expired_by(3600)] {
        let request = Request::get("/public/page").bearer(&token.build());
        let answer = gateway.send(&request).await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(user_ids(&answer.json().unwrap()), Vec::<&str>::new());
    }
}
