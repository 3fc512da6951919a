//! The callback of the authorization code flow: state, nonce, PKCE.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use edge_auth_policy::base64url;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Browser, SESSION, Site};
use crate::suite::provider::Misbehaviour;

#[tokio::test]
async fn a_login_ends_where_it_began_with_a_session_the_edge_can_open() {
    let site = Site::start().await;
    let mut browser = Browser::default();
    let reply = browser.log_in(&site, "auth0|u").await;
    assert_eq!(reply.header("location"), "/documents");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), [SESSION]);
    let session = browser.session();
    // The bearer the edge takes from the cookie is good for the API.
    let reply = site
        .server
        .get("/api/v1/documents")
        .bearer(&session.access_token)
        .send()
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    let reply = browser.send(site.server.get("/api/v1/auth/session")).await;
    let info = reply.json();
    assert_eq!(info["subject"], "auth0|u");
    assert_eq!(info["id"], &*session.session_id);
    assert!(!reply.text().contains(&*session.access_token));
}

#[tokio::test]
async fn a_page_can_log_in_with_a_verifier_of_its_own() {
    let site = Site::start().await;
    let mut browser = Browser::default();
    let verifier = "a-verifier-that-only-the-page-knows-0123456789";
    let challenge = base64url::encode(Sha256::digest(verifier));
    let path = format!("/api/v1/auth/login?code_challenge={challenge}");
    let begun = browser.send(site.server.get(&path)).await.json();
    let url = begun["authorizationUrl"].as_str().unwrap();
    let (code, state) = site.provider.log_in(url, "auth0|u");
    let body = json!({"code": code, "state": state, "codeVerifier": verifier});
    let reply = browser
        .send(site.server.post("/api/v1/auth/callback", &body))
        .await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(reply.json()["subject"], "auth0|u");
    assert!(!reply.text().contains(&*browser.session().access_token));
}

/// So that it can read an error of the beginning; the rest is a full-page login.
#[tokio::test]
async fn a_page_that_accepts_json_is_told_where_to_go() {
    let site = Site::start().await;
    let mut browser = Browser::default();
    let begin = site.server.get("/api/v1/auth/login?return_to=/app/profile");
    let begun = browser.send(begin.header("accept", "application/json"));
    let begun = begun.await.json();
    let url = begun["authorizationUrl"].as_str().unwrap();
    let (code, state) = site.provider.log_in(url, "auth0|u");
    let path = format!("/api/v1/auth/callback?code={code}&state={state}");
    let reply = browser.send(site.server.get(&path)).await;
    assert_eq!(reply.header("location"), "/app/profile");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), [SESSION]);
}

/// Begins a login, bends what comes back, and gives the error the page is told.
async fn failure(site: &Site, bend: impl FnOnce(&mut Browser, &mut String, &mut String)) -> String {
    let mut browser = Browser::default();
    let (mut code, mut state) = browser.begin(site, "auth0|u").await;
    bend(&mut browser, &mut code, &mut state);
    let path = format!("/api/v1/auth/callback?code={code}&state={state}");
    let reply = browser.send(site.server.get(&path)).await;
    assert_eq!(reply.status, StatusCode::FOUND);
    assert!(!browser.cookies.contains_key(SESSION));
    let location = reply.header("location");
    let (_, error) = location
        .split_once("auth_error=")
        .unwrap_or_else(|| panic!("no error in {location}"));
    error.to_owned()
}

#[tokio::test]
async fn what_was_not_begun_in_this_browser_is_refused() {
    let site = Site::start().await;
    let error = failure(&site, |_, _, state| state.push('x')).await;
    assert_eq!(error, "invalid_state");
    let error = failure(&site, |_, _, state| state.clear()).await;
    assert_eq!(error, "invalid_state");
    let error = failure(&site, |browser, _, _| browser.cookies.clear()).await;
    assert_eq!(error, "invalid_state");
    let error = failure(&site, |_, code, _| code.push('x')).await;
    assert_eq!(error, "invalid_grant");
    // Another browser's attempt: its cookie does not fit the state.
    let mut other = Browser::default();
    other.begin(&site, "auth0|mallory").await;
    let error = failure(&site, |browser, _, _| browser.cookies = other.cookies).await;
    assert_eq!(error, "invalid_state");
}

#[tokio::test]
async fn a_code_is_good_once() {
    let site = Site::start().await;
    let mut browser = Browser::default();
    let (code, state) = browser.begin(&site, "auth0|u").await;
    let path = format!("/api/v1/auth/callback?code={code}&state={state}");
    let mut thief = browser.clone();
    browser.send(site.server.get(&path)).await;
    assert!(browser.cookies.contains_key(SESSION));
    let reply = thief.send(site.server.get(&path)).await;
    assert!(
        reply
            .header("location")
            .ends_with("auth_error=invalid_grant")
    );
}

#[tokio::test]
async fn an_id_token_that_is_not_ours_logs_nobody_in() {
    let site = Site::start().await;
    for (misbehaviour, expected) in [
        (Misbehaviour::OtherNonce, "invalid_id_token"),
        (Misbehaviour::OtherAudience, "invalid_id_token"),
        (Misbehaviour::OtherSubject, "invalid_id_token"),
        (Misbehaviour::Unsigned, "invalid_id_token"),
        (Misbehaviour::NoIdToken, "invalid_id_token"),
        (Misbehaviour::Down, "temporarily_unavailable"),
    ] {
        let error = failure(&site, |_, _, _| site.provider.misbehave(misbehaviour)).await;
        assert_eq!(error, expected, "{misbehaviour:?}");
        site.provider.misbehave(Misbehaviour::None);
    }
}

#[tokio::test]
async fn cve_2023_27496_a_callback_without_its_parameters_is_an_error_and_no_crash() {
    let site = Site::start().await;
    for query in [
        "",
        "?",
        "?code=x",
        "?state=x",
        "?error=access_denied",
        "?code=a&code=b",
    ] {
        let path = format!("/api/v1/auth/callback{query}");
        let mut browser = Browser::default();
        let reply = browser.send(site.server.get(&path)).await;
        assert!(
            reply.header("location").starts_with("/?auth_error="),
            "{query}"
        );
        browser.begin(&site, "auth0|u").await;
        let reply = browser.send(site.server.get(&path)).await;
        assert!(reply.header("location").contains("auth_error="), "{query}");
    }
}

#[tokio::test]
async fn what_the_provider_says_went_wrong_is_passed_on_if_it_is_a_known_code() {
    let site = Site::start().await;
    for (error, expected) in [
        ("access_denied", "access_denied"),
        ("%3Cscript%3E", "provider_error"),
    ] {
        let mut browser = Browser::default();
        let (_, state) = browser.begin(&site, "auth0|u").await;
        let path = format!("/api/v1/auth/callback?error={error}&state={state}");
        let reply = browser.send(site.server.get(&path)).await;
        assert_eq!(
            reply.header("location"),
            format!("/documents?auth_error={expected}")
        );
    }
}

/// GHSA-f24x-5g9q-753f: the session of whoever sat here before does not survive a login.
#[tokio::test]
async fn ghsa_f24x_5g9q_753f_a_login_ends_the_session_before_it() {
    let site = Site::start().await;
    let mut browser = site.log_in("auth0|alice").await;
    let before = browser.clone();
    browser.log_in(&site, "auth0|bob").await;
    let reply = before.peek(site.server.get("/api/v1/auth/session")).await;
    assert_eq!(reply.json()["error"], "invalid_session");
    assert_eq!(
        site.revoked_sessions().await,
        [before.session().session_id.to_string()]
    );
}

#[tokio::test]
async fn no_token_rests_readable_in_the_database() {
    let site = Site::start().await;
    let browser = site.log_in("auth0|u").await;
    let mut connection = site.server.app.database.read().await.unwrap();
    let rows: Vec<(String, String, String)> = connection
        .fetch_all(
            "SELECT access_token, refresh_token, id_token FROM sessions",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    let (access, refresh, id) = &rows[0];
    for stored in [access, refresh, id] {
        // A JWT has dots, the provider's refresh token a slash: base64url has neither. A shorter text, the `eyJ` of
        // a JWT say, may turn up in a ciphertext by chance.
        assert!(stored.starts_with('A') && !stored.contains(['.', '/', '|']));
    }
    assert_ne!(**access, *browser.session().access_token);
}

#[tokio::test]
async fn logins_are_audited_with_address_and_outcome_and_without_tokens() {
    let site = Site::start().await;
    site.log_in("auth0|u").await;
    failure(&site, |_, code, _| code.push('x')).await;
    let mut connection = site.server.app.database.read().await.unwrap();
    let rows: Vec<(String, String, Option<String>, String, String)> = connection
        .fetch_all(
            "SELECT event, outcome, subject, address, user_agent FROM audit_events ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    let row = |outcome: &str, subject: Option<&str>| {
        (
            "login".to_owned(),
            outcome.to_owned(),
            subject.map(str::to_owned),
            "198.51.100.7".to_owned(),
            "Test/1.0".to_owned(),
        )
    };
    assert_eq!(
        rows,
        [row("success", Some("auth0|u")), row("invalid_grant", None)]
    );
}

/// Anybody can send callbacks without end; only those of a login begun here are written down.
#[tokio::test]
async fn a_callback_of_no_login_leaves_no_row_and_is_counted() {
    let site = Site::start().await;
    for _ in 0..3 {
        Browser::default()
            .send(site.server.get("/api/v1/auth/callback?code=x&state=y"))
            .await;
    }
    let mut connection = site.server.app.database.read().await.unwrap();
    let (rows,): (i64,) = connection
        .fetch_one("SELECT count(*) FROM audit_events", &[])
        .await
        .unwrap();
    assert_eq!(rows, 0);
    let metrics = site.server.internal(Method::GET, "/metrics").send().await;
    let line = "auth_events_total{event=\"login\",outcome=\"invalid_state\"} 3";
    assert!(metrics.text().contains(line), "{}", metrics.text());
}

#[tokio::test]
async fn an_attempt_is_good_for_one_callback_of_a_page_too() {
    let site = Site::start().await;
    let mut browser = Browser::default();
    browser.begin(&site, "auth0|u").await;
    let body = json!({"code": "x", "state": "y", "codeVerifier": "z"});
    let reply = browser
        .send(site.server.post("/api/v1/auth/callback", &body))
        .await;
    assert_eq!(reply.json()["error"], "invalid_state");
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
}

/// Each would wait for the provider's silence, one after the other, and hold up logouts behind them.
#[tokio::test]
async fn during_an_outage_logins_do_not_wait_in_a_line_for_the_provider() {
    let site = Site::start().await;
    site.provider.misbehave(Misbehaviour::NoMetadata);
    let login = || site.server.get("/api/v1/auth/login");
    for _ in 0..5 {
        let reply = login().send().await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_ne!(reply.header("retry-after"), "");
    }
    assert_eq!(site.provider.discoveries.load(Ordering::SeqCst), 1);
    site.provider.misbehave(Misbehaviour::None);
    site.server.advance(Duration::from_secs(6));
    assert_eq!(login().send().await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn without_login_settings_there_is_no_login() {
    let server = crate::suite::server::Server::start().await;
    for path in ["login", "callback", "session", "sessions"] {
        let reply = server.get(&format!("/api/v1/auth/{path}")).send().await;
        assert_eq!(reply.json()["error"], "not_configured", "{path}");
    }
}
