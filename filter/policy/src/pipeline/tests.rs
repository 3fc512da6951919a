//! The order of decisions, request by request.

mod browser;
mod conditions;
mod fetched;
mod key_documents;
mod limit_service;
mod limits;
mod ramp;
mod remembered;
mod resource_metadata;
mod session;
mod sight;

use std::net::IpAddr;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;

use super::*;
use crate::base64url;
use crate::signature::InModule;
use crate::store::MemoryStore;

const NOW: u64 = 1_800_000_000;

fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn jwks() -> String {
    let point = signing_key().verifying_key().to_sec1_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| base64url::encode(bytes.unwrap());
    json!({"keys": [{
        "kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "alg": "ES256",
        "x": coordinate(point.x()), "y": coordinate(point.y()),
    }]})
    .to_string()
}

fn token(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut claims = json!({
        "iss": "https://tenant.auth0.com/", "aud": "https://api.pymd.io", "sub": "auth0|1",
        "iat": NOW, "exp": NOW + 3600, "scope": "read:documents",
        "https://pymd.io/roles": ["editor", "reader"],
    });
    change(&mut claims);
    let header = base64url::encode(r#"{"alg":"ES256","kid":"k1","typ":"at+jwt"}"#);
    let input = format!("{header}.{}", base64url::encode(claims.to_string()));
    let signature: Signature = signing_key().sign(input.as_bytes());
    format!("{input}.{}", base64url::encode(signature.to_bytes()))
}

fn config() -> serde_json::Value {
    json!({
        "version": 1,
        "providers": {"auth0": {
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://api.pymd.io"],
            "algorithms": ["ES256"],
            "local_jwks": {"inline_string": jwks()},
            "claim_to_headers": [
                {"header_name": "x-user-id", "claim_name": "sub"},
                {"header_name": "x-user-roles", "claim_path": ["https://pymd.io/roles"]},
            ],
        }},
        "rules": [
            {"match": {"path": "/healthz"}, "requires": "public"},
            {"match": {"prefix": "/login"}, "requires": "public", "rate_limits": ["login"]},
            {"match": {"prefix": "/optional"}, "requires": {"provider": "auth0", "optional": true}},
            {"match": {"prefix": "/documents", "methods": ["GET"]},
             "requires": {"provider": "auth0", "scopes": {"all_of": ["read:documents"]}}},
            {"match": {"template": "/documents/{id}", "methods": ["DELETE"]},
             "requires": {"provider": "auth0", "claims": [
                {"path": ["https://pymd.io/roles"], "any_of": ["admin"]}]}},
            {"match": {"prefix": "/shadow"}, "mode": "shadow",
             "requires": {"provider": "auth0", "scopes": {"all_of": ["admin"]}}},
            {"match": {"prefix": "/guarded"}, "requires": {"provider": "auth0"},
             "rate_limits": ["failures"]},
        ],
        "default": {"requires": {"provider": "auth0"}},
        "rate_limits": {
            "login": {"key": ["client_address"], "requests": 2, "per": "60s"},
            "failures": {"key": ["client_address"], "requests": 2, "per": "60s",
                         "block_failed_authentication": "300s"},
        },
        "https_redirect": {"status": 301, "except": ["/healthz"]},
    })
}

/// One worker and what it shares with nobody.
struct Edge {
    gateway: Gateway,
    store: MemoryStore,
    now: UnixTime,
}

impl Edge {
    fn new(config: &serde_json::Value) -> Self {
        let config = Config::from_json(config.to_string().as_bytes()).unwrap();
        let mut store = MemoryStore::default();
        let gateway = Gateway::new(config, [1; 16], &mut store).unwrap();
        Self {
            gateway,
            store,
            now: UnixTime::from_secs(NOW),
        }
    }

    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], tls: bool) -> Judgement {
        self.ask_whole(method, "api.pymd.io", path, headers, tls, None)
    }

    /// A GET over TLS to another host.
    fn ask_host(&mut self, host: &str, path: &str, headers: &[(&str, &str)]) -> Judgement {
        self.ask_whole("GET", host, path, headers, true, None)
    }

    /// The conditions told of a GET over TLS.
    fn explained(&mut self, host: &str, path: &str, headers: &[(&str, &str)]) -> Vec<String> {
        let told = std::cell::RefCell::new(Vec::new());
        let listener = |event: Event<'_>| {
            if let Event::Condition { place, truth } = event {
                told.borrow_mut().push(format!("{place} {truth:?}"));
            }
        };
        self.ask_whole("GET", host, path, headers, true, Some(&listener));
        told.into_inner()
    }

    fn ask_whole(
        &mut self,
        method: &str,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
        tls: bool,
        listener: Option<&dyn Fn(Event<'_>)>,
    ) -> Judgement {
        let mut fields: Vec<(&[u8], &[u8])> = vec![
            (b":method", method.as_bytes()),
            (b":path", path.as_bytes()),
            (b":authority", host.as_bytes()),
        ];
        fields.extend(
            headers
                .iter()
                .map(|(name, value)| (name.as_bytes(), value.as_bytes())),
        );
        let head = RequestHead {
            headers: &fields,
            source_address: Some(IpAddr::from([203, 0, 113, 7])),
            tls,
        };
        let mut host = Host {
            now: self.now,
            store: &mut self.store,
            verifier: &mut InModule,
        };
        let patience = Patience::MayWait;
        match listener {
            Some(listener) => self.gateway.explain(&head, patience, &mut host, listener),
            None => self.gateway.on_request_headers(&head, patience, &mut host),
        }
    }
}

/// `200` and the header fields set, or the status and the reason.
fn shown(judgement: &Judgement) -> String {
    match &judgement.decision {
        Decision::Forward(mutations) => {
            let removed = mutations
                .remove
                .iter()
                .map(|name| format!("-{}", String::from_utf8_lossy(name)));
            let set = mutations
                .fields()
                .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
            let changes: Vec<_> = removed.chain(set).collect();
            format!("200 {}", changes.join(" ")).trim_end().to_owned()
        }
        Decision::Wait(wait) => format!("wait {wait:?}"),
        Decision::Reply(reply) => format!("{} {}", reply.status, reply.reason.code()),
    }
}

#[track_caller]
fn check(method: &str, path: &str, headers: &[(&str, &str)], expected: &str) {
    let judgement = Edge::new(&config()).ask(method, path, headers, true);
    assert_eq!(shown(&judgement), expected);
}

fn bearer(change: impl FnOnce(&mut serde_json::Value)) -> String {
    format!("Bearer {}", token(change))
}

#[test]
fn a_valid_token_goes_on_with_its_identity() {
    let authorization = bearer(|_| {});
    let headers = [("authorization", authorization.as_str())];
    check(
        "GET",
        "/documents?q=1",
        &headers,
        "200 x-user-id=auth0|1 x-user-roles=editor,reader",
    );
}

/// Native `jwt_authn` fails such a request with 503; to forward it without its identity would be laxer.
#[test]
fn an_identity_that_would_be_another_header_is_refused() {
    for subject in ["a\r\nx-user-id: root", "a\0", "a\u{7f}"] {
        let authorization = bearer(|claims| claims["sub"] = json!(subject));
        let headers = [("authorization", authorization.as_str())];
        check("GET", "/documents", &headers, "401 invalid_claims");
        check("GET", "/optional", &headers, "401 invalid_claims");
    }
}

#[test]
fn what_no_rule_matches_needs_a_token() {
    check("GET", "/elsewhere", &[], "401 missing_token");
    check("PUT", "/documents/1", &[], "401 missing_token");
    let authorization = bearer(|_| {});
    check(
        "GET",
        "/elsewhere",
        &[("authorization", &authorization)],
        "200 x-user-id=auth0|1 x-user-roles=editor,reader",
    );
}

#[test]
fn identity_headers_of_a_client_are_removed_on_every_path_in_every_spelling() {
    let forged = [
        ("x-user-id", "root"),
        ("x_user_id", "root"),
        ("X-User_Roles", "admin"),
        ("x-user", "1"),
    ];
    let removed = "200 -x-user-id -x_user_id -X-User_Roles";
    check("GET", "/healthz", &forged, removed);
    check("GET", "/optional", &forged, removed);
    check("GET", "/shadow", &forged, removed);
    let authorization = bearer(|_| {});
    let mut with_token = forged.to_vec();
    with_token.push(("authorization", &authorization));
    check(
        "GET",
        "/documents",
        &with_token,
        &format!("{removed} x-user-id=auth0|1 x-user-roles=editor,reader"),
    );
}

#[test]
fn cve_2021_21378_optional_means_absent_and_never_invalid() {
    check("GET", "/optional", &[], "200");
    let expired = bearer(|claims| claims["exp"] = json!(NOW - 100));
    check(
        "GET",
        "/optional",
        &[("authorization", &expired)],
        "401 expired",
    );
    let other_issuer = bearer(|claims| claims["iss"] = json!("https://evil.example/"));
    check(
        "GET",
        "/optional",
        &[("authorization", &other_issuer)],
        "401 wrong_issuer",
    );
    check(
        "GET",
        "/optional",
        &[("authorization", "Bearer x")],
        "401 opaque_token",
    );
}

#[test]
fn public_looks_at_no_token_and_forwards_no_identity() {
    check(
        "GET",
        "/healthz",
        &[("authorization", "Bearer stale")],
        "200",
    );
    let authorization = bearer(|_| {});
    check(
        "GET",
        "/healthz",
        &[("authorization", &authorization)],
        "200",
    );
}

#[test]
fn scopes_and_claims_decide_after_the_token_held() {
    let no_scope = bearer(|claims| claims["scope"] = json!("write:documents"));
    check(
        "GET",
        "/documents",
        &[("authorization", &no_scope)],
        "403 insufficient_scope",
    );
    let editor = bearer(|_| {});
    check(
        "DELETE",
        "/documents/1",
        &[("authorization", &editor)],
        "403 claim_mismatch",
    );
    let admin = bearer(|claims| claims["https://pymd.io/roles"] = json!(["admin"]));
    check(
        "DELETE",
        "/documents/1",
        &[("authorization", &admin)],
        "200 x-user-id=auth0|1 x-user-roles=admin",
    );
}

#[test]
fn a_shadow_rule_counts_what_it_would_deny_and_forwards_no_identity() {
    let authorization = bearer(|_| {});
    let judgement =
        Edge::new(&config()).ask("GET", "/shadow", &[("authorization", &authorization)], true);
    assert_eq!(shown(&judgement), "200");
    assert_eq!(judgement.would_deny, Some(Reason::InsufficientScope));
    assert_eq!(judgement.rule, Some(5));
}

#[test]
fn a_path_that_cannot_be_judged_is_refused_before_any_rule() {
    for path in [
        "/documents/%2e%2e/healthz",
        "/healthz;x",
        "/a%2fb",
        "/a\\b",
        "",
        "//healthz",
        "/a#b",
    ] {
        check("GET", path, &[], "400 invalid_path");
    }
}

#[test]
fn a_host_that_is_no_host_name_is_refused_before_any_rule() {
    for host in [
        "a b",
        "user@api.pymd.io",
        "api.pymd.io/x",
        "a\\b",
        "api.pymd.io:x",
    ] {
        let mut edge = Edge::new(&config());
        let fields: Vec<(&[u8], &[u8])> = vec![
            (b":method", b"GET"),
            (b":path", b"/healthz"),
            (b":authority", host.as_bytes()),
        ];
        let head = RequestHead {
            headers: &fields,
            source_address: None,
            tls: true,
        };
        let mut verifier = InModule;
        let mut services = Host {
            now: edge.now,
            store: &mut edge.store,
            verifier: &mut verifier,
        };
        let judgement = edge
            .gateway
            .on_request_headers(&head, Patience::MayWait, &mut services);
        assert_eq!(shown(&judgement), "400 invalid_authority", "{host}");
    }
}

#[test]
fn several_tokens_are_refused() {
    let authorization = bearer(|_| {});
    let headers = [
        ("authorization", authorization.as_str()),
        ("authorization", "Bearer x"),
    ];
    check("GET", "/documents", &headers, "400 several_tokens");
    let joined = format!("{authorization}, {authorization}");
    let headers = [("authorization", joined.as_str())];
    check("GET", "/documents", &headers, "400 several_tokens");
}

#[test]
fn plain_http_is_redirected_and_its_exceptions_are_not() {
    let mut edge = Edge::new(&config());
    let judgement = edge.ask("GET", "/documents?q=1", &[], false);
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.status, 301);
    assert_eq!(
        reply.header("location"),
        Some("https://api.pymd.io/documents?q=1")
    );
    assert_eq!(
        shown(&edge.ask("POST", "/documents", &[], false)),
        "308 https_redirect"
    );
    assert_eq!(shown(&edge.ask("GET", "/healthz", &[], false)), "200");
}

#[test]
fn the_upstream_sees_the_path_that_was_judged() {
    check("GET", "/%68ealthz?x=%68", &[], "200 :path=/healthz?x=%68");
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_a_decision(
        method in ".{0,8}", path in ".{0,64}", name in "[a-z:_-]{0,16}",
        value in proptest::collection::vec(proptest::num::u8::ANY, 0..64), tls: bool,
    ) {
        let mut edge = Edge::new(&config());
        let fields: Vec<(&[u8], &[u8])> = vec![
            (b":method", method.as_bytes()), (b":path", path.as_bytes()),
            (b":authority", &value), (name.as_bytes(), &value), (b"authorization", &value),
        ];
        let head = RequestHead { headers: &fields, source_address: None, tls };
        let mut host =
            Host { now: edge.now, store: &mut edge.store, verifier: &mut InModule };
        let judgement = edge.gateway.on_request_headers(&head, Patience::Exhausted, &mut host);
        proptest::prop_assert!(!matches!(judgement.decision, Decision::Wait(_)));
    }
}
