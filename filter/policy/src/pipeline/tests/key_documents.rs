//! A provider with several documents of keys.

use std::time::Duration;

use super::*;
use crate::store::fetch::Response;

fn jwk(seed: u8, kid: &str) -> serde_json::Value {
    let key = SigningKey::from_slice(&[seed; 32]).unwrap();
    let point = key.verifying_key().to_sec1_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| base64url::encode(bytes.unwrap());
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256",
           "x": coordinate(point.x()), "y": coordinate(point.y())})
}

/// A bearer token signed with the key of `seed`, which it calls `kid`.
fn signed(seed: u8, kid: &str) -> String {
    let header = json!({"alg": "ES256", "kid": kid, "typ": "at+jwt"}).to_string();
    let claims = json!({
        "iss": "https://tenant.auth0.com/", "aud": "https://api.pymd.io", "sub": "auth0|1",
        "iat": NOW, "exp": NOW + 3600,
    });
    let input = format!(
        "{}.{}",
        base64url::encode(header),
        base64url::encode(claims.to_string())
    );
    let key = SigningKey::from_slice(&[seed; 32]).unwrap();
    let signature: Signature = key.sign(input.as_bytes());
    format!("Bearer {input}.{}", base64url::encode(signature.to_bytes()))
}

/// A provider with the remote documents `/a` and `/b`, and a local one where `local` has keys.
fn edge(local: &[serde_json::Value]) -> Edge {
    let remote = |path: &str| {
        json!({"http_uri": {"uri": format!("https://tenant.auth0.com{path}"), "cluster": "auth0"},
               "cache_duration": "300s", "max_stale": "60s"})
    };
    let mut config = config();
    let provider = config["providers"]["auth0"].as_object_mut().unwrap();
    provider.remove("local_jwks");
    provider.insert("remote_jwks".into(), json!([remote("/a"), remote("/b")]));
    if !local.is_empty() {
        let inline = json!({ "keys": local }).to_string();
        provider.insert("local_jwks".into(), json!({ "inline_string": inline }));
    }
    config["token_cache"] = json!({"max_bytes": 0});
    Edge::new(&config)
}

/// Lets the fetches that are due end: a document of these keys for a path, and no answer for any other.
fn fetch(edge: &mut Edge, answers: &[(&str, &[serde_json::Value])]) -> Vec<String> {
    let tick = edge.gateway.on_tick(edge.now, &mut edge.store);
    let mut asked = Vec::new();
    for (handle, fetch) in tick.fetches {
        asked.push(format!("{} {}", edge.gateway.purpose(handle), fetch.path));
        let keys = answers.iter().find(|(path, _)| *path == fetch.path);
        let body = keys.map(|(_, keys)| json!({ "keys": keys }).to_string());
        let response = body.as_ref().map(|body| Response {
            status: 200,
            headers: &[],
            body: body.as_bytes(),
        });
        edge.gateway
            .on_fetch_answer(handle, response.as_ref(), edge.now, &mut edge.store);
    }
    asked
}

#[track_caller]
fn check(edge: &mut Edge, authorization: &str, expected: &str) {
    let shown = shown(&edge.ask("GET", "/x", &[("authorization", authorization)], true));
    assert!(shown.starts_with(expected), "{shown}");
}

#[test]
fn the_keys_of_all_documents_count() {
    let mut edge = edge(&[jwk(3, "local")]);
    // What is part of the configuration is there at once; what may be in a document to come is waited for.
    check(&mut edge, &signed(3, "local"), "200");
    check(&mut edge, &signed(1, "a"), "wait NewKey");
    let asked = fetch(&mut edge, &[("/a", &[jwk(1, "a")]), ("/b", &[jwk(2, "b")])]);
    assert_eq!(
        asked,
        [
            "providers.auth0.remote_jwks[0] /a",
            "providers.auth0.remote_jwks[1] /b"
        ]
    );
    for (seed, kid) in [(1, "a"), (2, "b"), (3, "local")] {
        check(&mut edge, &signed(seed, kid), "200");
        check(&mut edge, &signed(9, kid), "401 bad_signature");
    }
    let (_, status) = edge.gateway.key_status(edge.now).next().unwrap();
    assert_eq!((status.age, status.count), (Some(Duration::ZERO), 3));
}

#[test]
fn one_document_that_is_down_takes_only_its_own_keys_along() {
    let mut edge = edge(&[]);
    check(&mut edge, &signed(1, "a"), "wait FirstKeys");
    fetch(&mut edge, &[("/a", &[jwk(1, "a")])]);
    check(&mut edge, &signed(1, "a"), "200");
    // The key may be in the document that is down: 503, and never 401.
    check(&mut edge, &signed(2, "b"), "wait NewKey");
    edge.now = edge.now.saturating_add(Duration::from_secs(2));
    fetch(&mut edge, &[("/a", &[jwk(1, "a")])]);
    check(&mut edge, &signed(2, "b"), "503 keys_unavailable");
    edge.now = edge.now.saturating_add(Duration::from_secs(10));
    fetch(&mut edge, &[("/b", &[jwk(2, "b")])]);
    check(&mut edge, &signed(2, "b"), "200");
    // Both know all their keys now, and a name that nobody has is an unknown one.
    check(&mut edge, &signed(2, "c"), "401 unknown_key_id");
}

#[test]
fn each_document_is_given_up_after_its_own_max_stale() {
    let mut edge = edge(&[]);
    fetch(&mut edge, &[("/a", &[jwk(1, "a")]), ("/b", &[jwk(2, "b")])]);
    edge.now = edge.now.saturating_add(Duration::from_secs(301));
    fetch(&mut edge, &[("/a", &[jwk(1, "a")])]);
    edge.now = edge.now.saturating_add(Duration::from_secs(50));
    check(&mut edge, &signed(2, "b"), "200");
    edge.now = edge.now.saturating_add(Duration::from_secs(10));
    check(&mut edge, &signed(1, "a"), "200");
    let shown = shown(&edge.ask("GET", "/x", &[("authorization", &signed(2, "b"))], true));
    assert!(
        ["503 keys_unavailable", "wait NewKey"].contains(&&*shown),
        "{shown}"
    );
}

#[test]
fn a_kid_that_two_documents_use_is_tried_with_the_key_of_each() {
    let mut edge = edge(&[jwk(3, "same")]);
    fetch(
        &mut edge,
        &[("/a", &[jwk(1, "same")]), ("/b", &[jwk(2, "same")])],
    );
    for seed in [1, 2, 3] {
        check(&mut edge, &signed(seed, "same"), "200");
    }
    check(&mut edge, &signed(9, "same"), "401 bad_signature");
    // A document that drops its key drops no other's.
    edge.now = edge.now.saturating_add(Duration::from_secs(301));
    fetch(
        &mut edge,
        &[("/a", &[jwk(4, "other")]), ("/b", &[jwk(2, "same")])],
    );
    check(&mut edge, &signed(1, "same"), "401 bad_signature");
    check(&mut edge, &signed(2, "same"), "200");
}

/// A flood of key ids nobody has costs one fetch per document and cooldown.
#[test]
fn unknown_key_ids_are_looked_for_once_per_cooldown_in_each_document() {
    let mut edge = edge(&[]);
    let documents: [(&str, &[serde_json::Value]); 2] =
        [("/a", &[jwk(1, "a")]), ("/b", &[jwk(2, "b")])];
    fetch(&mut edge, &documents);
    edge.now = edge.now.saturating_add(Duration::from_secs(5));
    check(&mut edge, &signed(9, "x"), "wait NewKey");
    assert_eq!(fetch(&mut edge, &documents).len(), 2);
    for n in 0..50 {
        check(
            &mut edge,
            &signed(9, &format!("x{n}")),
            "401 unknown_key_id",
        );
        assert!(fetch(&mut edge, &documents).is_empty());
    }
    edge.now = edge.now.saturating_add(Duration::from_secs(31));
    check(&mut edge, &signed(9, "x"), "wait NewKey");
    assert_eq!(fetch(&mut edge, &documents).len(), 2);
}
