//! Back-channel logout: the logout token, verified whole.

use std::time::Duration;

use api_server::maintenance;
use auth0_sim::Key;
use axum::http::{Method, StatusCode};

use super::Site;
use crate::suite::server::{Call, Reply, START};

async fn send(site: &Site, token: &str) -> Reply {
    call(site, &format!("logout_token={token}")).send().await
}

fn call(site: &Site, body: &str) -> Call {
    site.server
        .request(Method::POST, "/api/v1/auth/backchannel-logout")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

#[tokio::test]
async fn the_provider_ends_the_session_it_names_and_no_other() {
    let site = Site::start().await;
    let named = site.log_in("auth0|u").await;
    let other = site.log_in("auth0|u").await;
    let token = site
        .provider
        .logout_token()
        .claim("sid", "auth0|u#code-1")
        .without("sub")
        .build();
    let reply = send(&site, &token).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let session = || site.server.get("/api/v1/auth/session");
    assert_eq!(named.peek(session()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(other.peek(session()).await.status, StatusCode::OK);
    assert_eq!(site.revoked_sessions().await.len(), 1);
}

#[tokio::test]
async fn a_subject_without_a_session_ends_all_of_the_subject_once() {
    let site = Site::start().await;
    site.log_in("auth0|u").await;
    let token = site.provider.logout_token().subject("auth0|u").build();
    assert_eq!(send(&site, &token).await.status, StatusCode::OK);
    let later = site.log_in("auth0|u").await;
    // The same token again, from whoever caught it: it was good once.
    assert_eq!(send(&site, &token).await.status, StatusCode::OK);
    let session = site.server.get("/api/v1/auth/session");
    assert_eq!(later.peek(session).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_is_no_logout_token_ends_nothing() {
    let site = Site::start().await;
    let browser = site.log_in("auth0|u").await;
    let good = || site.provider.logout_token().subject("auth0|u");
    let events = "http://schemas.openid.net/event/backchannel-logout";
    let cases = [
        (
            "an access token",
            browser.session().access_token.to_string(),
        ),
        ("no events", good().without("events").build()),
        (
            "another event",
            good().claim("events", serde_json::json!({"x": {}})).build(),
        ),
        (
            "an event that is no object",
            good()
                .claim("events", serde_json::json!({events: 1}))
                .build(),
        ),
        ("a nonce", good().claim("nonce", "n").build()),
        ("neither sid nor sub", good().without("sub").build()),
        ("no jti", good().without("jti").build()),
        ("no iat", good().without("iat").build()),
        ("too old", good().claim("iat", START - 361).build()),
        ("expired", good().claim("exp", START - 61).build()),
        (
            "another audience",
            good().audience("https://api.pymd.io").build(),
        ),
        (
            "another issuer",
            good().claim("iss", "https://evil.example/").build(),
        ),
        ("another key", good().signed_with(Key::RsaUnknown).build()),
        ("no signature", good().unsigned("none").build()),
        ("nothing", String::new()),
    ];
    for (name, token) in cases {
        let reply = send(&site, &token).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{name}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let twice = format!("logout_token={0}&logout_token={0}", good().build());
    assert_eq!(
        call(&site, &twice).send().await.status,
        StatusCode::BAD_REQUEST
    );
    let session = || site.server.get("/api/v1/auth/session");
    assert_eq!(browser.peek(session()).await.status, StatusCode::OK);
    site.server.advance(Duration::from_mins(5));
    assert_eq!(send(&site, &good().build()).await.status, StatusCode::OK);
    assert_eq!(
        browser.peek(session()).await.status,
        StatusCode::UNAUTHORIZED
    );
}

/// `exp` is whatever its maker likes; by its age a token is refused soon, and then nobody needs to remember it.
#[tokio::test]
async fn a_logout_token_with_a_distant_exp_is_remembered_no_longer_than_it_is_good() {
    let site = Site::start().await;
    let day = Duration::from_hours(24);
    let token = site
        .provider
        .logout_token()
        .subject("auth0|u")
        .claim("exp", START + 10 * 365 * 86_400)
        .build();
    assert_eq!(send(&site, &token).await.status, StatusCode::OK);
    let remembered = async || {
        maintenance::prune(&site.server.app.database, site.server.app.now())
            .await
            .unwrap();
        let mut connection = site.server.app.database.read().await.unwrap();
        let (rows,): (i64,) = connection
            .fetch_one("SELECT count(*) FROM logout_tokens", &[])
            .await
            .unwrap();
        rows
    };
    assert_eq!(remembered().await, 1);
    site.server.advance(Duration::from_secs(361));
    assert_eq!(send(&site, &token).await.status, StatusCode::BAD_REQUEST);
    site.server.advance(day);
    assert_eq!(remembered().await, 0);
}
