//! The simulated tenant over HTTP: what it publishes, how its keys rotate, and that each fault is the fault it says.

use std::time::{Duration, Instant};

use auth0_sim::{
    Auth0Sim, DISCOVERY_PATH, Fault, JWKS_PATH, Key, M2M_CLIENT_ID, M2M_CLIENT_SECRET, Options,
};
use jwt_compact::{AlgorithmExt, UntrustedToken, alg::Rsa, jwk::JsonWebKey};
use reqwest::StatusCode;
use serde_json::{Value, json};

const ISSUER: &str = "https://tenant.auth0.com/";

async fn start() -> Auth0Sim {
    let options = Options {
        issuer: Some(ISSUER.into()),
        ..Options::default()
    };
    Auth0Sim::start(options).await.unwrap()
}

async fn get(sim: &Auth0Sim, path: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(format!("http://{}{path}", sim.address())).await
}

async fn post(sim: &Auth0Sim, path: &str, body: Value) -> reqwest::Response {
    let url = format!("http://{}{path}", sim.address());
    reqwest::Client::new()
        .post(url)
        .json(&body)
        .send()
        .await
        .unwrap()
}

async fn published(sim: &Auth0Sim) -> Vec<Value> {
    let mut set: Value = get(sim, JWKS_PATH).await.unwrap().json().await.unwrap();
    serde_json::from_value(set["keys"].take()).unwrap()
}

async fn published_kids(sim: &Auth0Sim) -> Vec<String> {
    let keys = published(sim).await.into_iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether an RS256 token verifies with the published key that its header names.
fn verifies(token: &str, keys: &[Value]) -> bool {
    let token = UntrustedToken::new(token).unwrap();
    let kid = token.header().key_id.as_deref().unwrap();
    let Some(jwk) = keys.iter().find(|key| key["kid"] == kid) else {
        return false;
    };
    let jwk: JsonWebKey<'_> = serde_json::from_value(jwk.clone()).unwrap();
    let key = rsa::RsaPublicKey::try_from(&jwk).unwrap();
    Rsa::rs256()
        .validator::<Value>(&key)
        .validate(&token)
        .is_ok()
}

#[tokio::test]
async fn discovery_names_the_issuer_with_its_slash_and_the_key_set_under_it() {
    let sim = start().await;
    let document: Value = get(&sim, DISCOVERY_PATH)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(
        document["jwks_uri"],
        "https://tenant.auth0.com/.well-known/jwks.json"
    );
}

#[tokio::test]
async fn the_issuer_is_the_own_address_unless_told_otherwise() {
    let sim = Auth0Sim::start(Options::default()).await.unwrap();
    assert_eq!(sim.issuer(), format!("http://{}/", sim.address()));
}

#[tokio::test]
async fn a_token_verifies_with_the_key_published_at_that_time() {
    let sim = start().await;
    assert!(verifies(&sim.token().build(), &published(&sim).await));
    assert!(!verifies(
        &sim.token().signed_with(Key::RsaUnknown).build(),
        &published(&sim).await
    ));
}

#[tokio::test]
async fn tokens_of_both_keys_verify_between_rotation_and_withdrawal() {
    let sim = start().await;
    let old = sim.token().build();
    sim.rotate();
    let new = sim.token().build();
    let keys = published(&sim).await;
    assert!(verifies(&old, &keys) && verifies(&new, &keys));

    assert!(sim.withdraw(Key::Rsa1.kid()));
    let keys = published(&sim).await;
    assert!(!verifies(&old, &keys) && verifies(&new, &keys));
}

#[tokio::test]
async fn a_new_key_can_be_seen_in_a_token_before_it_is_published() {
    let sim = start().await;
    sim.sign_with(Key::Rsa2);
    let token = sim.token().build();
    assert!(!verifies(&token, &published(&sim).await));
    sim.publish(Key::Rsa2);
    assert!(verifies(&token, &published(&sim).await));
}

#[tokio::test]
async fn the_controls_rotate_publish_and_withdraw_from_outside() {
    let sim = start().await;
    let answer: Value = post(&sim, "/sim/rotate", json!({}))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(answer, json!({"kid": Key::Rsa2.kid()}));
    post(&sim, "/sim/withdraw", json!({"kid": Key::Rsa1.kid()})).await;
    post(&sim, "/sim/publish", json!({"key": "p256"})).await;
    assert_eq!(
        published_kids(&sim).await,
        [Key::P256.kid(), Key::Rsa2.kid()]
    );
}

#[tokio::test]
async fn the_mint_gives_a_valid_token_and_bends_it_as_asked() {
    async fn claims_of(sim: &Auth0Sim, asked: Value) -> Value {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        let answer: Value = post(sim, "/sim/token", asked).await.json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap();
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    let sim = start().await;
    let answer: Value = post(&sim, "/sim/token", json!({}))
        .await
        .json()
        .await
        .unwrap();
    assert!(verifies(
        answer["access_token"].as_str().unwrap(),
        &published(&sim).await
    ));

    let claims = claims_of(
        &sim,
        json!({"subject": "auth0|2", "scope": "none", "claims": {"n": 1}, "without": ["aud"]}),
    )
    .await;
    assert_eq!(claims["sub"], "auth0|2");
    assert_eq!(claims["scope"], "none");
    assert_eq!(claims["n"], 1);
    assert_eq!(claims.get("aud"), None);

    let mismatch = post(
        &sim,
        "/sim/token",
        json!({"key": "p256", "algorithm": "RS256"}),
    )
    .await;
    assert_eq!(mismatch.status(), StatusCode::BAD_REQUEST);
    let misspelt = post(&sim, "/sim/token", json!({"expired": 61})).await;
    assert_eq!(misspelt.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn requests_are_counted_by_path_with_their_times() {
    let sim = start().await;
    for _ in 0..3 {
        get(&sim, JWKS_PATH).await.unwrap();
    }
    get(&sim, "/nowhere").await.unwrap();
    assert_eq!(sim.requests(JWKS_PATH).count, 3);

    let stats: Value = get(&sim, "/sim/stats").await.unwrap().json().await.unwrap();
    assert_eq!(stats[JWKS_PATH]["count"], 3);
    assert_eq!(stats[JWKS_PATH]["at_ms"].as_array().unwrap().len(), 3);
    assert_eq!(stats["other"]["count"], 1);
}

#[tokio::test]
async fn client_credentials_give_a_token_of_the_client_with_the_scopes_asked_for() {
    let sim = start().await;
    let answer = post(
        &sim,
        "/oauth/token",
        json!({
            "grant_type": "client_credentials",
            "client_id": M2M_CLIENT_ID,
            "client_secret": M2M_CLIENT_SECRET,
            "audience": "https://api.pymd.io",
            "scope": "read:documents",
        }),
    )
    .await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["scope"], "read:documents");
    assert!(verifies(
        answer["access_token"].as_str().unwrap(),
        &published(&sim).await
    ));
}

#[tokio::test]
async fn client_credentials_are_refused_as_auth0_refuses_them() {
    #[track_caller]
    fn check(seen: &(StatusCode, String), status: u16, error: &str) {
        assert_eq!((seen.0.as_u16(), seen.1.as_str()), (status, error));
    }
    async fn ask(sim: &Auth0Sim, form: &[(&str, &str)]) -> (StatusCode, String) {
        let url = format!("http://{}/oauth/token", sim.address());
        let body: Vec<_> = form
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = reqwest::Client::new()
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"))
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        (status, answer["error"].as_str().unwrap().to_owned())
    }

    let sim = start().await;
    let client = [
        ("grant_type", "client_credentials"),
        ("client_id", M2M_CLIENT_ID),
        ("client_secret", M2M_CLIENT_SECRET),
    ];
    let wrong = [client[0], client[1], ("client_secret", "guess")];
    check(&ask(&sim, &wrong).await, 401, "access_denied");
    check(&ask(&sim, &client).await, 403, "access_denied");
    check(
        &ask(&sim, &[("grant_type", "password")]).await,
        403,
        "unsupported_grant_type",
    );
    check(&ask(&sim, &[]).await, 403, "invalid_request");
}

#[tokio::test]
async fn a_fault_ends_after_its_times_or_when_it_is_cleared() {
    let sim = start().await;
    let status = async || get(&sim, JWKS_PATH).await.unwrap().status().as_u16();

    sim.fault_times(JWKS_PATH, Fault::Status(500), 2);
    assert_eq!(
        [status().await, status().await, status().await],
        [500, 500, 200]
    );

    sim.fault(JWKS_PATH, Fault::Status(429));
    assert_eq!([status().await, status().await], [429, 429]);
    assert_eq!(get(&sim, DISCOVERY_PATH).await.unwrap().status(), 200);
    sim.clear_faults();
    assert_eq!(status().await, 200);
}

#[tokio::test]
async fn faults_are_armed_and_cleared_from_outside_but_never_on_the_controls() {
    let sim = start().await;
    let armed = post(
        &sim,
        "/sim/fault",
        json!({"fault": {"status": 503}, "times": 1}),
    )
    .await;
    assert_eq!(armed.status(), StatusCode::NO_CONTENT);
    assert_eq!(get(&sim, JWKS_PATH).await.unwrap().status(), 503);

    post(
        &sim,
        "/sim/fault",
        json!({"path": DISCOVERY_PATH, "fault": "html"}),
    )
    .await;
    let page = get(&sim, DISCOVERY_PATH)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"));
    let url = format!("http://{}/sim/fault", sim.address());
    reqwest::Client::new().delete(url).send().await.unwrap();
    assert!(
        get(&sim, DISCOVERY_PATH)
            .await
            .unwrap()
            .json::<Value>()
            .await
            .is_ok()
    );

    let refused = post(
        &sim,
        "/sim/fault",
        json!({"path": "/sim/fault", "fault": "close"}),
    )
    .await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn bodies_that_are_no_key_set() {
    #[track_caller]
    fn check(seen: &[u8], expected: impl Fn(&[u8]) -> bool) {
        assert!(
            expected(seen),
            "{}",
            String::from_utf8_lossy(&seen[..seen.len().min(80)])
        );
    }
    let sim = start().await;
    let body = async |fault: Fault| {
        sim.fault(JWKS_PATH, fault);
        let answer = get(&sim, JWKS_PATH).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap()
    };

    check(&body(Fault::Html).await, |body| {
        body.starts_with(b"<!DOCTYPE")
    });
    check(&body(Fault::Garbage).await, |body| {
        std::str::from_utf8(body).is_err()
    });
    check(&body(Fault::EmptySet).await, |body| {
        body == br#"{"keys":[]}"#
    });
    check(&body(Fault::Body("[]".into())).await, |body| body == b"[]");
    // Were it not for its size, this would be a key set that a resource server takes.
    check(&body(Fault::Huge).await, |body| {
        let set: Value = serde_json::from_slice(body).unwrap();
        body.len() > 10_000_000 && set["keys"][0]["kid"] == Key::Rsa1.kid()
    });
}

#[tokio::test]
async fn a_duplicate_kid_names_two_different_keys() {
    let sim = start().await;
    sim.fault(JWKS_PATH, Fault::DuplicateKid);
    let keys = published(&sim).await;
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0]["kid"], keys[1]["kid"]);
    assert_ne!(keys[0]["n"], keys[1]["n"]);
}

#[tokio::test]
async fn a_wrong_content_type_leaves_the_body_as_it_is() {
    let sim = start().await;
    sim.fault(JWKS_PATH, Fault::ContentType("text/plain".into()));
    let answer = get(&sim, JWKS_PATH).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain");
    let set: Value = answer.json().await.unwrap();
    assert_eq!(set["keys"][0]["kid"], Key::Rsa1.kid());
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_whole() {
    let sim = start().await;
    sim.fault(JWKS_PATH, Fault::DelayMs(100));
    let asked = Instant::now();
    assert_eq!(published_kids(&sim).await, [Key::Rsa1.kid()]);
    assert!(asked.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_closed_connection_gives_no_answer_and_a_truncated_one_half_of_it() {
    let sim = start().await;
    sim.fault(JWKS_PATH, Fault::Close);
    assert!(get(&sim, JWKS_PATH).await.is_err());
    sim.fault(JWKS_PATH, Fault::Truncate);
    assert!(get(&sim, JWKS_PATH).await.unwrap().bytes().await.is_err());
}

#[tokio::test]
async fn a_stopped_tenant_ends_open_connections_and_comes_back_with_its_keys() {
    let sim = start().await;
    let client = reqwest::Client::new();
    let url = format!("http://{}{JWKS_PATH}", sim.address());
    client
        .get(&url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    sim.rotate();

    let stopped = sim.stop().await;
    let refused = client.get(&url).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    let token = stopped.token().build();

    let sim = stopped.start().await.unwrap();
    assert!(verifies(&token, &published(&sim).await));
    assert_eq!(sim.requests(JWKS_PATH).count, 2);
}
