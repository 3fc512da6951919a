//! Logout, here and at the provider.

use axum::http::{Method, StatusCode};

use super::{Browser, SESSION, Site};

#[tokio::test]
async fn a_logout_ends_the_session_here_and_names_the_place_to_end_it_there() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    let before = browser.clone();
    let reply = browser
        .send(site.server.request(Method::POST, "/api/v1/auth/logout"))
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(!browser.cookies.contains_key(SESSION));
    let answer = reply.json();
    let url = answer["logoutUrl"].as_str().unwrap();
    assert!(url.contains("/oidc/logout?client_id="), "{url}");
    assert!(url.contains("post_logout_redirect_uri=https%3A%2F%2Fapp.pymd.io%2F"));
    assert!(url.contains("id_token_hint=eyJ"));
    let reply = before.peek(site.server.get("/api/v1/auth/session")).await;
    assert_eq!(reply.json()["error"], "invalid_session");
    assert_eq!(
        site.revoked_sessions().await,
        [before.session().session_id.to_string()]
    );
}

#[tokio::test]
async fn a_logout_without_a_session_is_fine() {
    let site = Site::start().await;
    let reply = Browser::default()
        .send(site.server.request(Method::POST, "/api/v1/auth/logout"))
        .await;
    assert_eq!(reply.status, StatusCode::OK);
}
