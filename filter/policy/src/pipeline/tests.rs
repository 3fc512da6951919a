//! The order of decisions, request by request.

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

mod conditions;
mod key_documents;
mod ramp;
mod resource_metadata;

pub(super) const NOW: u64 = 1_800_000_000;

pub(super) fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn jwks() -> String {
    let point = signing_key().verifying_key().to_encoded_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| base64url::encode(bytes.unwrap());
    json!({"keys": [{
        "kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "alg": "ES256",
        "x": coordinate(point.x()), "y": coordinate(point.y()),
    }]})
    .to_string()
}

pub(super) fn token(change: impl FnOnce(&mut serde_json::Value)) -> String {
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

pub(super) fn config() -> serde_json::Value {
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
pub(super) fn shown(judgement: &Judgement) -> String {
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

#[test]
fn a_rate_limit_lets_through_exactly_its_number_and_then_says_when() {
    let mut edge = Edge::new(&config());
    assert_eq!(shown(&edge.ask("POST", "/login", &[], true)), "200");
    assert_eq!(shown(&edge.ask("POST", "/login", &[], true)), "200");
    let judgement = edge.ask("POST", "/login", &[], true);
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("retry-after"), Some("60"));
    assert_eq!(reply.header("ratelimit"), Some("\"login\";r=0;t=60"));
    assert_eq!(reply.header("ratelimit-policy"), Some("\"login\";q=2;w=60"));
    edge.now = UnixTime::from_secs(NOW + 61);
    assert_eq!(shown(&edge.ask("POST", "/login", &[], true)), "200");
}

#[test]
fn failed_authentications_block_a_client_even_with_a_valid_token() {
    let mut edge = Edge::new(&config());
    let bad = [("authorization", "Bearer a.b.c")];
    let good = bearer(|_| {});
    let good = [("authorization", good.as_str())];
    assert_eq!(
        shown(&edge.ask("GET", "/guarded", &bad, true)),
        "401 malformed_token"
    );
    assert!(shown(&edge.ask("GET", "/guarded", &good, true)).starts_with("200"));
    assert_eq!(
        shown(&edge.ask("GET", "/guarded", &bad, true)),
        "401 malformed_token"
    );
    assert_eq!(
        shown(&edge.ask("GET", "/guarded", &good, true)),
        "429 authentication_blocked"
    );
    edge.now = UnixTime::from_secs(NOW + 301);
    assert!(shown(&edge.ask("GET", "/guarded", &good, true)).starts_with("200"));
}

#[test]
fn without_keys_requests_wait_and_are_then_told_to_come_back() {
    let mut config = config();
    let provider = config
        .pointer_mut("/providers/auth0")
        .unwrap()
        .as_object_mut()
        .unwrap();
    provider.remove("local_jwks");
    provider.insert(
        "remote_jwks".into(),
        json!({"http_uri": {"uri": "https://tenant.auth0.com/jwks", "cluster": "auth0"}}),
    );
    let mut edge = Edge::new(&config);
    let authorization = bearer(|_| {});
    let headers = [("authorization", authorization.as_str())];
    assert_eq!(
        shown(&edge.ask("GET", "/documents", &headers, true)),
        "wait FirstKeys"
    );

    let tick = edge.gateway.on_tick(edge.now, &mut edge.store);
    let [(handle, _)] = &tick.fetches[..] else {
        panic!("{tick:?}")
    };
    edge.gateway
        .on_fetch_answer(*handle, None, edge.now, &mut edge.store);
    // Nobody waits for a provider that is known to be down.
    let judgement = edge.ask("GET", "/documents", &headers, true);
    assert_eq!(shown(&judgement), "503 keys_unavailable");
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert!(reply.header("retry-after").is_some());

    edge.now = edge.now.saturating_add(std::time::Duration::from_secs(10));
    let tick = edge.gateway.on_tick(edge.now, &mut edge.store);
    let [(handle, fetch)] = &tick.fetches[..] else {
        panic!("{tick:?}")
    };
    assert_eq!(
        (fetch.cluster.as_str(), fetch.path.as_str()),
        ("auth0", "/jwks")
    );
    let jwks = jwks();
    let response = crate::store::fetch::Response {
        status: 200,
        headers: &[],
        body: jwks.as_bytes(),
    };
    let answer = edge
        .gateway
        .on_fetch_answer(*handle, Some(&response), edge.now, &mut edge.store);
    assert!(answer.decide_waiting);
    assert_eq!(answer.event, FetchEvent::Changed);
    assert!(shown(&edge.ask("GET", "/documents", &headers, true)).starts_with("200"));
}

/// Two providers of one issuer each, with sources of their own.
fn two_sources() -> serde_json::Value {
    let mut config = config();
    let mut second = config["providers"]["auth0"].clone();
    second["issuer"] = json!("https://second.example/");
    second["from_cookies"] = json!(["session"]);
    config["providers"]["second"] = second;
    config["default"]["requires"] = json!({"providers": ["auth0", "second"]});
    config
}

#[test]
fn a_token_counts_only_where_its_own_provider_s_tokens_stand() {
    let mut edge = Edge::new(&two_sources());
    let cookie = format!("session={}", token(|_| {}));
    let judgement = edge.ask("GET", "/x", &[("cookie", &cookie)], true);
    assert_eq!(shown(&judgement), "401 wrong_issuer");
    let cookie = format!(
        "session={}",
        token(|claims| claims["iss"] = json!("https://second.example/"))
    );
    assert!(shown(&edge.ask("GET", "/x", &[("cookie", &cookie)], true)).starts_with("200"));
}

#[test]
fn an_unsafe_request_by_cookie_must_come_from_this_site() {
    let mut edge = Edge::new(&two_sources());
    let cookie = format!(
        "session={}",
        token(|claims| claims["iss"] = json!("https://second.example/"))
    );
    let mut ask = |method: &str, extra: &[(&str, &str)]| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend_from_slice(extra);
        shown(&edge.ask(method, "/x", &headers, true))
    };
    assert_eq!(
        ask("POST", &[("origin", "https://evil.example")]),
        "403 cross_site"
    );
    assert_eq!(ask("POST", &[]), "403 cross_site");
    assert!(ask("POST", &[("origin", "https://api.pymd.io")]).starts_with("200"));
    assert!(ask("POST", &[("sec-fetch-site", "same-origin")]).starts_with("200"));
    assert!(ask("GET", &[("origin", "https://evil.example")]).starts_with("200"));
    assert_eq!(
        ask(
            "GET",
            &[("origin", "https://evil.example"), ("upgrade", "websocket")]
        ),
        "403 cross_site"
    );
}

#[test]
fn what_is_only_watched_is_never_held() {
    let mut config = config();
    let provider = config
        .pointer_mut("/providers/auth0")
        .and_then(serde_json::Value::as_object_mut)
        .unwrap();
    provider.remove("local_jwks");
    let uri = json!({"uri": "https://tenant.auth0.com/jwks", "cluster": "auth0"});
    provider.insert("remote_jwks".into(), json!({ "http_uri": uri }));
    let authorization = bearer(|_| {});
    let judgement =
        Edge::new(&config).ask("GET", "/shadow", &[("authorization", &authorization)], true);
    assert_eq!(shown(&judgement), "200");
    assert_eq!(judgement.would_deny, Some(Reason::KeysUnavailable));
}

fn browser_config() -> serde_json::Value {
    let mut config = config();
    config["cors"] = json!({"allow_origins": ["https://app.pymd.io"]});
    config["security_headers"] = json!({"x_frame_options": "SAMEORIGIN", "referrer_policy": "off"});
    config
}

#[test]
fn a_page_of_an_allowed_origin_can_read_a_401() {
    let mut edge = Edge::new(&browser_config());
    let judgement = edge.ask(
        "GET",
        "/documents",
        &[("origin", "https://app.pymd.io")],
        true,
    );
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("https://app.pymd.io")
    );
    assert!(
        reply
            .header("access-control-expose-headers")
            .unwrap()
            .contains("www-authenticate")
    );
    assert_eq!(reply.header("vary"), Some("Origin"));
    assert_eq!(
        reply.header("strict-transport-security"),
        Some("max-age=31536000")
    );
    assert_eq!(reply.header("x-frame-options"), Some("SAMEORIGIN"));
    assert_eq!(reply.header("referrer-policy"), None);
    let judgement = edge.ask(
        "GET",
        "/documents",
        &[("origin", "https://evil.example")],
        true,
    );
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[test]
fn a_preflight_is_answered_without_a_token_and_never_forwarded() {
    let mut edge = Edge::new(&browser_config());
    let asks = |origin| [("origin", origin), ("access-control-request-method", "PUT")];
    let judgement = edge.ask(
        "OPTIONS",
        "/documents/1",
        &asks("https://app.pymd.io"),
        true,
    );
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.status, 204);
    assert!(
        reply
            .header("access-control-allow-methods")
            .unwrap()
            .contains("PUT")
    );
    assert_eq!(
        shown(&edge.ask(
            "OPTIONS",
            "/documents/1",
            &asks("https://evil.example"),
            true
        )),
        "403 preflight"
    );
    // Without the header that makes it a preflight it is a request like any other.
    let plain = [("origin", "https://app.pymd.io")];
    assert_eq!(
        shown(&edge.ask("OPTIONS", "/documents/1", &plain, true)),
        "401 missing_token"
    );
}

#[test]
fn answers_of_the_upstream_get_the_same_headers_once() {
    let edge = Edge::new(&browser_config());
    let fields: Vec<(&[u8], &[u8])> = vec![(b"origin", b"https://app.pymd.io")];
    let head = RequestHead {
        headers: &fields,
        source_address: None,
        tls: true,
    };
    let plan = edge.gateway.plan_response(&head);
    let theirs: Vec<(&[u8], &[u8])> = vec![
        (b"access-control-allow-origin", b"*"),
        (b"x-frame-options", b"DENY"),
        (b"vary", b"accept, origin"),
    ];
    let mutations: Vec<_> = plan.mutations(&theirs).collect();
    assert_eq!(
        mutations[0],
        ResponseMutation::Remove("access-control-allow-origin")
    );
    assert!(mutations.contains(&ResponseMutation::Set(
        "access-control-allow-origin",
        "https://app.pymd.io"
    )));
    let names: Vec<_> = mutations
        .iter()
        .map(|mutation| match mutation {
            ResponseMutation::Remove(name)
            | ResponseMutation::Set(name, _)
            | ResponseMutation::Add(name, _) => *name,
        })
        .collect();
    assert!(
        !names.contains(&"vary") && !names.contains(&"x-frame-options"),
        "{names:?}"
    );
    assert!(names.contains(&"x-content-type-options"));
    assert!(Edge::new(&config()).gateway.plan_response(&head).is_empty());
}

#[test]
fn what_the_feed_revokes_is_refused_and_a_feed_that_is_down_denies() {
    let mut config = config();
    config["revocations"] = json!({
        "max_stale": "300s",
        "http_uri": {"uri": "https://api.internal/internal/edge/feed", "cluster": "api"},
    });
    let mut edge = Edge::new(&config);
    let authorization = bearer(|_| {});
    let headers = [("authorization", authorization.as_str())];
    assert_eq!(
        shown(&edge.ask("GET", "/documents", &headers, true)),
        "wait FirstRevocations"
    );
    assert_eq!(shown(&edge.ask("GET", "/healthz", &headers, true)), "200");

    let answer = |edge: &mut Edge, body: Option<serde_json::Value>| {
        let tick = edge.gateway.on_tick(edge.now, &mut edge.store);
        let [(handle, _)] = &tick.fetches[..] else {
            panic!("{tick:?}")
        };
        let body = body.map(|body| body.to_string());
        let response = body.as_ref().map(|body| crate::store::fetch::Response {
            status: 200,
            headers: &[],
            body: body.as_bytes(),
        });
        edge.gateway
            .on_fetch_answer(*handle, response.as_ref(), edge.now, &mut edge.store)
            .event
    };
    let page = |entries: serde_json::Value| json!({"version": 1, "snapshot": true, "cursor": "1", "more": false, "entries": entries});
    assert_eq!(
        answer(&mut edge, Some(page(json!([])))),
        FetchEvent::Changed
    );
    assert!(shown(&edge.ask("GET", "/documents", &headers, true)).starts_with("200"));

    edge.now = edge.now.saturating_add(std::time::Duration::from_secs(3));
    let expires_at = NOW + 3600;
    let entries = json!([
        {"kind": "sub", "value": "auth0|1", "issued_before": NOW + 1, "expires_at": expires_at},
        {"kind": "address", "value": "203.0.113.7", "expires_at": NOW + 10},
    ]);
    assert_eq!(answer(&mut edge, Some(page(entries))), FetchEvent::Changed);
    assert_eq!(
        shown(&edge.ask("GET", "/healthz", &[], true)),
        "403 address_blocked"
    );
    edge.now = UnixTime::from_secs(NOW + 11);
    assert_eq!(
        shown(&edge.ask("GET", "/documents", &headers, true)),
        "401 revoked"
    );
    let other = bearer(|claims| claims["sub"] = json!("auth0|2"));
    let other = [("authorization", other.as_str())];
    assert!(shown(&edge.ask("GET", "/documents", &other, true)).starts_with("200"));

    edge.now = UnixTime::from_secs(NOW + 400);
    assert_eq!(
        shown(&edge.ask("GET", "/documents", &other, true)),
        "503 revocations_unavailable"
    );
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
