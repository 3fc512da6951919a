//! A token that was seen before: verified once, and refused as soon as verification would refuse it.

use std::time::Duration;

use p256::ecdsa::SigningKey;
use serde_json::{Value, json};

use super::super::*;
use super::{NOW, config, shown, signing_key, token};
use crate::base64url;
use crate::jwk::VerifyingKey;
use crate::signature::{Algorithm, InModule, SignatureError};
use crate::store::MemoryStore;
use crate::store::fetch::Response;

/// Counts how often a signature was checked.
#[derive(Default)]
struct Counting(u32);

impl SignatureVerifier for Counting {
    fn verify(
        &mut self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        self.0 += 1;
        InModule.verify(key, algorithm, signing_input, signature)
    }
}

fn jwk(key: &SigningKey, kid: &str) -> Value {
    let point = key.verifying_key().to_sec1_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| base64url::encode(bytes.unwrap());
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256",
           "x": coordinate(point.x()), "y": coordinate(point.y())})
}

fn other_key() -> SigningKey {
    SigningKey::from_slice(&[9; 32]).unwrap()
}

/// A worker whose keys come from a provider, and how often it checked a signature.
struct Edge {
    gateway: Gateway,
    store: MemoryStore,
    now: UnixTime,
    verifier: Counting,
    patience: Patience,
}

impl Edge {
    fn new(change: impl FnOnce(&mut Value)) -> Self {
        let mut config = config();
        let provider = config["providers"]["auth0"].as_object_mut().unwrap();
        provider.remove("local_jwks");
        provider.insert(
            "remote_jwks".into(),
            json!({"http_uri": {"uri": "https://tenant.auth0.com/jwks", "cluster": "auth0"},
                   "max_stale": "600s"}),
        );
        provider.remove("https_redirect");
        change(&mut config);
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let mut store = MemoryStore::default();
        let gateway = Gateway::new(config, [1; 16], &mut store).unwrap();
        let mut edge = Self {
            gateway,
            store,
            now: UnixTime::from_secs(NOW),
            verifier: Counting::default(),
            patience: Patience::MayWait,
        };
        edge.fetch(&[jwk(&signing_key(), "k1")]);
        edge
    }

    /// The provider answers the fetch that is due with `keys`.
    fn fetch(&mut self, keys: &[Value]) {
        let tick = self.gateway.on_tick(self.now, &mut self.store);
        let [(handle, _)] = &tick.fetches[..] else {
            panic!("{tick:?}")
        };
        let body = json!({ "keys": keys }).to_string();
        let response = Response {
            status: 200,
            headers: &[],
            body: body.as_bytes(),
        };
        self.gateway
            .on_fetch_answer(*handle, Some(&response), self.now, &mut self.store);
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(Duration::from_secs(seconds));
    }

    fn ask(&mut self, path: &str, token: &str) -> String {
        let authorization = format!("Bearer {token}");
        let fields: Vec<(&[u8], &[u8])> = vec![
            (b":method", b"GET"),
            (b":path", path.as_bytes()),
            (b":authority", b"api.pymd.io"),
            (b"authorization", authorization.as_bytes()),
        ];
        let head = RequestHead {
            headers: &fields,
            source_address: None,
            tls: true,
        };
        let mut host = Host {
            now: self.now,
            store: &mut self.store,
            verifier: &mut self.verifier,
        };
        let judgement = self
            .gateway
            .on_request_headers(&head, self.patience, &mut host);
        shown(&judgement)
    }

    #[track_caller]
    fn check(&mut self, token: &str, expected: &str, checks: u32) {
        let said = self.ask("/documents", token);
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(self.verifier.0, checks, "signatures checked");
    }
}

#[test]
fn a_token_is_verified_once_and_says_the_same_again() {
    let mut edge = Edge::new(|_| {});
    let token = token(|_| {});
    let first = edge.ask("/documents", &token);
    assert_eq!(first, "200 x-user-id=auth0|1 x-user-roles=editor,reader");
    assert_eq!(edge.ask("/documents", &token), first);
    assert_eq!(edge.verifier.0, 1);
    assert_eq!(edge.gateway.token_cache_fill().tokens, 1);
}

#[test]
fn without_a_cache_every_token_is_verified() {
    let mut edge = Edge::new(|config| config["token_cache"] = json!({"max_bytes": 0}));
    let token = token(|_| {});
    edge.check(&token, "200", 1);
    edge.check(&token, "200", 2);
    assert_eq!(edge.gateway.token_cache_fill(), CacheFill::default());
}

#[test]
fn a_remembered_token_ends_when_it_expires() {
    let mut edge = Edge::new(|_| {});
    let token = token(|claims| claims["exp"] = json!(NOW + 100));
    edge.check(&token, "200", 1);
    edge.later(159);
    edge.check(&token, "200", 1);
    edge.later(1);
    edge.check(&token, "401 expired", 2);
    assert_eq!(edge.gateway.token_cache_fill().tokens, 0);
}

#[test]
fn a_remembered_token_ends_with_its_key() {
    let mut edge = Edge::new(|_| {});
    let token = token(|_| {});
    edge.check(&token, "200", 1);
    edge.later(301);
    edge.fetch(&[jwk(&signing_key(), "k1"), jwk(&other_key(), "k2")]);
    edge.check(&token, "200", 1);
    edge.later(301);
    // Another key under the same name is another key.
    edge.fetch(&[jwk(&other_key(), "k1")]);
    edge.check(&token, "401 bad_signature", 2);
    edge.later(301);
    edge.fetch(&[jwk(&signing_key(), "k3")]);
    edge.check(&token, "wait NewKey", 2);
}

#[test]
fn a_remembered_token_does_not_outlive_keys_that_are_too_old() {
    let mut edge = Edge::new(|_| {});
    let token = token(|_| {});
    edge.check(&token, "200", 1);
    edge.later(901);
    edge.check(&token, "wait FirstKeys", 1);
}

#[test]
fn what_ends_alike_is_another_token() {
    let mut edge = Edge::new(|_| {});
    let good = token(|_| {});
    edge.check(&good, "200", 1);
    let admin = token(|claims| claims["sub"] = json!("auth0|2"));
    let (head, _) = admin.rsplit_once('.').unwrap();
    let (_, signature) = good.rsplit_once('.').unwrap();
    edge.check(&format!("{head}.{signature}"), "401 bad_signature", 2);
}

#[test]
fn rules_are_asked_of_a_remembered_token_too() {
    let mut edge = Edge::new(|config| {
        config["rules"][4]["match"]["methods"] = json!(["GET"]);
        config["rules"][4]["match"]["template"] = json!("/admin/{id}");
        let other = json!({"match": {"path": "/other"}, "requires": {
            "provider": "auth0", "audiences": ["https://other.example"]}});
        config["rules"].as_array_mut().unwrap().push(other);
    });
    let token = token(|_| {});
    edge.check(&token, "200", 1);
    assert_eq!(edge.ask("/admin/1", &token), "403 claim_mismatch");
    assert_eq!(edge.ask("/other", &token), "401 wrong_audience");
    assert_eq!(edge.verifier.0, 1);
}

#[test]
fn a_token_belongs_to_the_provider_that_its_route_names() {
    let mut edge = Edge::new(|config| {
        let mut second = config["providers"]["auth0"].clone();
        second["audiences"] = json!(["https://second.example"]);
        let uri =
            json!({"inline_string": json!({"keys": [jwk(&signing_key(), "k1")]}).to_string()});
        second.as_object_mut().unwrap().remove("remote_jwks");
        second["local_jwks"] = uri;
        config["providers"]["second"] = second;
        let rule = json!({"match": {"path": "/second"}, "requires": {"provider": "second"}});
        config["rules"].as_array_mut().unwrap().push(rule);
    });
    let token = token(|_| {});
    edge.check(&token, "200", 1);
    assert_eq!(edge.ask("/second", &token), "401 wrong_audience");
}

#[test]
fn a_wrong_signature_is_checked_once_while_the_keys_stay() {
    let mut edge = Edge::new(|_| {});
    let token = token(|_| {});
    let (rest, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", base64url::encode([1; 64]));
    edge.check(&forged, "401 bad_signature", 1);
    edge.check(&forged, "401 bad_signature", 1);
    edge.later(301);
    edge.fetch(&[jwk(&other_key(), "k1")]);
    edge.check(&forged, "401 bad_signature", 2);
    edge.check(&token, "401 bad_signature", 3);
    edge.later(301);
    // What one set refused, the next may accept.
    edge.fetch(&[jwk(&signing_key(), "k1")]);
    edge.check(&token, "200", 4);
}

#[test]
fn a_flood_of_new_tokens_takes_no_more_than_allowed_and_leaves_those_in_use() {
    const MAX_BYTES: u64 = 256 * 1024;
    let mut edge = Edge::new(|config| config["token_cache"] = json!({ "max_bytes": MAX_BYTES }));
    let used: Vec<_> = (0..20)
        .map(|n| token(|claims| claims["jti"] = json!(format!("used {n}"))))
        .collect();
    for _ in 0..3 {
        for token in &used {
            edge.ask("/documents", token);
        }
    }
    for n in 0..2_000 {
        let new = token(|claims| claims["jti"] = json!(n.to_string()));
        assert!(edge.ask("/documents", &new).starts_with("200"));
        edge.ask("/documents", &used[n % used.len()]);
        assert!(edge.gateway.token_cache_fill().bytes <= MAX_BYTES);
    }
    let repeated = edge.verifier.0 - 2_000 - 20;
    assert!(repeated <= 2, "{repeated} tokens in use were pushed out");
}

#[test]
fn a_key_that_a_slow_provider_may_have_is_no_reason_for_a_401() {
    let mut edge = Edge::new(|_| {});
    edge.later(301);
    edge.fetch(&[jwk(&signing_key(), "k2")]);
    let token = token(|_| {});
    assert_eq!(edge.ask("/documents", &token), "wait NewKey");
    edge.patience = Patience::Exhausted;
    assert_eq!(edge.ask("/documents", &token), "503 keys_unavailable");
}
