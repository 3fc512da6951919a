//! What a route reads at most, and that it says so.

use axum::http::{Method, StatusCode};

use super::server::{Call, Server};

const INTERNAL_TOKEN: &str = "0123456789-0123456789-0123456789";

#[tokio::test]
async fn every_route_with_a_body_refuses_a_larger_one_with_its_own_limit() {
    let tenant = auth0_sim::Auth0Sim::start(auth0_sim::Options::default())
        .await
        .unwrap();
    let settings = [
        ("API_INTERNAL_TOKEN", INTERNAL_TOKEN),
        ("API_CLIENT_ID", "browser-app"),
        ("API_PUBLIC_URL", "https://app.pymd.io"),
        (
            "API_SESSION_KEYS",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        ),
    ];
    let server = Server::start_with(tenant, &settings).await;
    server.until_ready().await;
    let user = server.user("u");
    let id = server.create(&user, &serde_json::json!({})).await;
    let document = format!("/api/v1/documents/{id}");
    let public = |method, path: &str| server.request(method, path).bearer(&user);
    let internal = |path| server.internal(Method::POST, path).bearer(INTERNAL_TOKEN);
    let cases: [(Call, usize); 9] = [
        (public(Method::POST, "/api/v1/documents"), 2 << 20),
        (public(Method::PUT, &document).if_match("*"), 2 << 20),
        (public(Method::PATCH, &document).if_match("*"), 2 << 20),
        (public(Method::POST, "/api/v1/sync/push"), 8 << 20),
        (public(Method::PATCH, "/api/v1/profile"), 64 << 10),
        (public(Method::POST, "/api/v1/auth/callback"), 64 << 10),
        (
            public(Method::POST, "/api/v1/auth/backchannel-logout"),
            64 << 10,
        ),
        (internal("/internal/auth/sync-user"), 64 << 10),
        (internal("/internal/auth0/logs"), 4 << 20),
    ];
    for (call, limit) in cases {
        let path = call.path.clone();
        let json = |length| {
            let call = call.clone();
            call.header("content-type", "application/json")
                .body(vec![b' '; length])
        };
        let problem = json(limit + 1)
            .send()
            .await
            .assert_problem(413, "too_large");
        assert_eq!(
            problem["detail"],
            format!("at most {limit} bytes"),
            "{path}"
        );
        // One byte less is read to its end; that it is no JSON, or no token, is another matter.
        let reply = json(limit).send().await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}");
    }
}
