//! Sessions listed and revoked by their user.

use std::time::Duration;

use axum::http::{Method, StatusCode};

use super::{SESSION, Site};

#[tokio::test]
async fn a_user_sees_and_ends_their_own_sessions_only() {
    let site = Site::start().await;
    let mut here = site.log_in("auth0|u").await;
    let there = site.log_in("auth0|u").await;
    let stranger = site.log_in("auth0|stranger").await;
    let reply = here.send(site.server.get("/api/v1/auth/sessions")).await;
    let list = reply.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let current = items.iter().find(|item| item["current"] == true).unwrap();
    assert_eq!(current["id"], &*here.session().session_id);
    assert_eq!(current["userAgent"], "Test/1.0");
    assert_eq!(current["address"], "198.51.100.7");
    let end = |id: &str| site.server.delete(&format!("/api/v1/auth/sessions/{id}"));
    let reply = here.send(end(&stranger.session().session_id)).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    let reply = here.send(end(&there.session().session_id)).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    let session = || site.server.get("/api/v1/auth/session");
    assert_eq!(there.peek(session()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(here.peek(session()).await.status, StatusCode::OK);
    assert_eq!(stranger.peek(session()).await.status, StatusCode::OK);
    assert_eq!(
        site.revoked_sessions().await,
        [there.session().session_id.to_string()]
    );
}

/// `PostgreSQL` takes no U+0000; the database is not to be asked.
#[tokio::test]
async fn an_id_that_can_not_be_one_is_no_session() {
    let site = Site::start().await;
    let browser = site.log_in("auth0|u").await;
    for id in ["%00", "%ff", "x%20y", &"x".repeat(65)] {
        let call = site.server.delete(&format!("/api/v1/auth/sessions/{id}"));
        let reply = browser.peek(call).await;
        assert_eq!(
            reply.status,
            StatusCode::NOT_FOUND,
            "{id}: {}",
            reply.text()
        );
        assert_eq!(reply.json()["error"], "not_found");
    }
}

#[tokio::test]
async fn sign_out_everywhere_ends_all_of_a_users_sessions() {
    let site = Site::start().await;
    let mut here = site.log_in("auth0|u").await;
    let there = site.log_in("auth0|u").await;
    let stranger = site.log_in("auth0|stranger").await;
    let reply = here
        .send(site.server.request(Method::DELETE, "/api/v1/auth/sessions"))
        .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert!(!here.cookies.contains_key(SESSION));
    let session = || site.server.get("/api/v1/auth/session");
    assert_eq!(there.peek(session()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stranger.peek(session()).await.status, StatusCode::OK);
    assert_eq!(site.revoked_sessions().await.len(), 2);
}

/// The cookie says how long a session may rest as it was when it was made; what is set now counts.
#[tokio::test]
async fn a_session_that_rested_too_long_is_over_for_every_route_and_in_every_list() {
    let site = Site::start().await;
    let strict = site.replica_with(&[("API_SESSION_IDLE", "1h")]).await;
    let rested = site.log_in("auth0|u").await;
    let elsewhere = site.log_in("auth0|other").await;
    site.server.advance(Duration::from_mins(60));
    let fresh = site.log_in("auth0|u").await;
    let id = fresh.session().session_id;
    for call in [
        strict.get("/api/v1/auth/session"),
        strict.get("/api/v1/auth/sessions"),
        strict.request(Method::DELETE, "/api/v1/auth/sessions"),
        strict.delete(&format!("/api/v1/auth/sessions/{id}")),
        strict.request(Method::POST, "/api/v1/auth/refresh"),
    ] {
        let reply = rested.peek(call).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{}", reply.text());
        assert_eq!(reply.json()["error"], "invalid_session");
    }
    let reply = fresh.peek(strict.get("/api/v1/auth/sessions")).await;
    let items = reply.json()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["id"], &*id);
    let metrics = strict.internal(Method::GET, "/metrics").send().await.text();
    assert!(metrics.contains("active_sessions 1\n"), "{metrics}");
    // Where a session may rest for longer, it lives.
    let call = site.server.get("/api/v1/auth/session");
    assert_eq!(elsewhere.peek(call).await.status, StatusCode::OK);
}
