//! Refresh tokens: rotation, single flight, reuse.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{SESSION, Site};
use crate::suite::provider::Misbehaviour;
use crate::suite::server::{Call, Server};

pub(super) fn refresh(server: &Server) -> Call {
    server.request(Method::POST, "/api/v1/auth/refresh")
}

#[tokio::test]
async fn a_refresh_gives_a_new_access_token_and_keeps_the_session() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    let before = browser.session();
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let after = browser.session();
    assert_eq!(after.session_id, before.session_id);
    assert_eq!(after.generation, before.generation + 1);
    assert_ne!(after.access_token, before.access_token);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_refreshes_at_once_are_one_for_the_provider_and_all_get_the_new_session() {
    let site = Site::start().await;
    let replica = site.replica().await;
    let browser = site.log_in("auth0|u").await;
    let calls = (0..100).map(|number| {
        let server = if number % 2 == 0 {
            &site.server
        } else {
            &replica
        };
        let mut tab = browser.clone();
        async move {
            let reply = tab.send(refresh(server)).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            tab.session()
        }
    });
    let sessions = futures::future::join_all(calls).await;
    assert_eq!(site.provider.refreshes.load(Ordering::SeqCst), 1);
    assert!(sessions.iter().all(|session| *session == sessions[0]));
    assert_ne!(sessions[0].access_token, browser.session().access_token);
}

#[tokio::test]
async fn an_old_cookie_that_comes_back_ends_the_session_everywhere() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    let mut thief = browser.clone();
    browser.send(refresh(&site.server)).await;
    // At once it may be another tab; the tokens are the same, the provider isn't asked.
    let reply = thief.clone().send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(site.provider.refreshes.load(Ordering::SeqCst), 1);
    assert!(site.revoked_sessions().await.is_empty());
    site.server.advance(Duration::from_secs(61));
    let reply = thief.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.json()["error"], "invalid_session");
    assert!(!thief.cookies.contains_key(SESSION));
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.json()["error"], "invalid_session");
    assert_eq!(site.revoked_sessions().await.len(), 1);
}

#[tokio::test]
async fn a_refresh_token_the_provider_refuses_ends_the_session() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    // The provider's own detection: somebody used the family's token elsewhere.
    site.provider.forget_refresh_tokens();
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.json()["error"], "invalid_session");
    assert_eq!(site.revoked_sessions().await.len(), 1);
}

#[tokio::test]
async fn an_outage_of_the_provider_ends_nothing() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    site.provider.misbehave(Misbehaviour::Down);
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_ne!(reply.header("retry-after"), "");
    site.provider.misbehave(Misbehaviour::None);
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::OK);
}

/// CVE-2025-67490: tokens of another user are never handed out, whatever the provider answers.
#[tokio::test]
async fn cve_2025_67490_another_users_tokens_end_the_session() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    site.provider.misbehave(Misbehaviour::OtherSubject);
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.json()["error"], "invalid_session");
}

#[tokio::test]
async fn a_user_refreshes_thirty_times_an_hour_at_most() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    for number in 0..30 {
        let reply = browser.send(refresh(&site.server)).await;
        assert_eq!(reply.status, StatusCode::OK, "{number}");
    }
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(reply.header("retry-after"), "3600");
    site.server.advance(Duration::from_hours(1));
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_ends_when_it_rests_too_long_and_at_its_absolute_end() {
    let site = Site::start().await;
    let day = Duration::from_hours(24);
    let mut browser = site.log_in("auth0|idle").await;
    site.server.advance(day * 30);
    site.server.until_ready().await;
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    let mut browser = site.log_in("auth0|busy").await;
    for days in [29, 29, 29] {
        site.server.advance(day * days);
        site.server.until_ready().await;
        let reply = browser.send(refresh(&site.server)).await;
        assert_eq!(reply.status, StatusCode::OK);
    }
    site.server.advance(day * 3);
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_when_its_access_token_can_not_be_judged() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    site.provider.misbehave(Misbehaviour::UnpublishedKey);
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    site.provider.misbehave(Misbehaviour::None);
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert!(site.revoked_sessions().await.is_empty());
}

#[tokio::test]
async fn a_cookie_that_was_replaced_reads_and_ends_nothing() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    let thief = browser.clone();
    browser.send(refresh(&site.server)).await;
    site.server.advance(Duration::from_secs(61));
    let id = browser.session().session_id;
    for call in [
        site.server.get("/api/v1/auth/session"),
        site.server.get("/api/v1/auth/sessions"),
        site.server.delete("/api/v1/auth/sessions"),
        site.server.delete(&format!("/api/v1/auth/sessions/{id}")),
    ] {
        let reply = thief.peek(call).await;
        assert_eq!(reply.json()["error"], "invalid_session");
    }
    let reply = browser.peek(site.server.get("/api/v1/auth/session")).await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn other_sites_can_refresh_and_end_nothing() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    for (name, value) in [
        ("sec-fetch-site", b"cross-site".as_slice()),
        ("sec-fetch-site", b"same-site"),
        ("sec-fetch-site", b"same-origin\xff"),
        ("origin", b"https://evil.example"),
        ("origin", b"null"),
        ("origin", b""),
        // No text, and no way past the comparison.
        ("origin", b"https://app.pymd.io\xff"),
        ("origin", b"\xff"),
    ] {
        for call in [
            refresh(&site.server),
            site.server.request(Method::POST, "/api/v1/auth/logout"),
            site.server.delete("/api/v1/auth/sessions"),
            site.server.post("/api/v1/auth/callback", &json!({})),
        ] {
            let reply = browser.send(call.header(name, value)).await;
            let value = value.escape_ascii();
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{name}: {value}");
        }
    }
    let call = refresh(&site.server)
        .header("origin", "https://app.pymd.io")
        .header("sec-fetch-site", "same-origin");
    assert_eq!(browser.send(call).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cookie_nobody_sealed_is_no_session() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    let cookie = browser.cookies.get_mut(SESSION).unwrap();
    cookie.pop();
    let reply = browser.send(refresh(&site.server)).await;
    assert_eq!(reply.json()["error"], "no_session");
}

#[tokio::test]
async fn metrics_count_logins_refreshes_sessions_and_requests_and_name_nobody() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|u").await;
    let mut thief = browser.clone();
    browser.send(refresh(&site.server)).await;
    let mut other = site.log_in("auth0|other").await;
    other
        .send(site.server.request(Method::POST, "/api/v1/auth/logout"))
        .await;
    site.server.advance(Duration::from_secs(61));
    thief.send(refresh(&site.server)).await;
    let logout = site.provider.logout_token().subject("auth0|u").build();
    let backchannel = |token: &str| {
        site.server
            .request(Method::POST, "/api/v1/auth/backchannel-logout")
            .body(format!("logout_token={token}"))
            .send()
    };
    backchannel(&logout).await;
    backchannel("x").await;
    let mut browser = site.log_in("auth0|u").await;
    let there = site.log_in("auth0|u").await.session().session_id;
    let end = site
        .server
        .delete(&format!("/api/v1/auth/sessions/{there}"));
    browser.send(end).await;
    let reply = site.server.internal(Method::GET, "/metrics").send().await;
    assert_eq!(reply.status, StatusCode::OK);
    let text = reply.text();
    for line in [
        "edge_auth_api_auth_events_total{event=\"login\",outcome=\"success\"} 4",
        "edge_auth_api_auth_events_total{event=\"refresh\",outcome=\"success\"} 1",
        "edge_auth_api_auth_events_total{event=\"logout\",outcome=\"success\"} 1",
        "edge_auth_api_auth_events_total{event=\"reuse_detected\",outcome=\"revoked\"} 1",
        "edge_auth_api_auth_events_total{event=\"backchannel_logout\",outcome=\"success\"} 1",
        "edge_auth_api_auth_events_total{event=\"backchannel_logout\",outcome=\"invalid_request\"} 1",
        "edge_auth_api_auth_events_total{event=\"session_revoked\",outcome=\"success\"} 1",
        "edge_auth_api_login_duration_seconds_count 4",
        "edge_auth_api_active_sessions 1",
        "edge_auth_api_http_request_duration_seconds_count{method=\"POST\",route=\"/api/v1/auth/refresh\",status=\"200\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("auth0|u"));
}
