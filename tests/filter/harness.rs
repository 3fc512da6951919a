//! One proxy with the module under test, and tokens for it.

use std::time::Duration;

use auth0_sim::{Key, TokenBuilder};
use proxy_wasm_host::{Builder, HttpCall, Outcome, Proxy, Request, Response};
use serde_json::{Value, json};

/// The issuer of the configuration below.
pub(crate) const ISSUER: &str = "https://tenant.auth0.com/";
/// When every test begins, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;

/// The configuration most tests run: every kind of rule once.
pub(crate) fn config() -> Value {
    json!({
        "version": 1,
        "providers": {"auth0": {
            "issuer": ISSUER,
            "audiences": ["https://api.pymd.io"],
            "algorithms": ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"],
            "remote_jwks": {"http_uri": {
                "uri": "https://tenant.auth0.com/.well-known/jwks.json", "cluster": "auth0",
            }},
            "claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}],
        }},
        "rules": [
            {"match": {"path": "/healthz"}, "requires": "public"},
            {"match": {"prefix": "/login"}, "requires": "public", "rate_limits": ["login"]},
            {"match": {"prefix": "/optional"}, "requires": {"provider": "auth0", "optional": true}},
        ],
        "default": {"requires": {"provider": "auth0"}},
        "rate_limits": {"login": {"key": ["client_address"], "requests": 10, "per": "60s"}},
    })
}

/// A proxy to be started with `config`.
pub(crate) fn builder(config: &Value) -> Builder {
    let module = gateway_tests::module::path().unwrap();
    Proxy::builder(std::fs::read(module).unwrap())
        .module_cache(std::env::temp_dir().join(format!("edge-auth-module-cache-{}", user())))
        .configuration(config.to_string())
        .cluster("auth0")
        .now(Duration::from_secs(NOW))
}

/// The compiled code in the cache runs in this process: nobody else's directory will do.
fn user() -> String {
    std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "0".to_owned())
}

/// A started proxy that has its keys.
pub(crate) fn ready(config: &Value, workers: usize) -> Proxy {
    let proxy = builder(config).workers(workers).start().unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(TICK);
    proxy
}

/// Longer than the module's tick while it idles.
pub(crate) const TICK: Duration = Duration::from_millis(600);

/// The one HTTP call under way.
#[track_caller]
pub(crate) fn one_call(proxy: &Proxy) -> HttpCall {
    let mut calls = proxy.pending_http_calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0)
}

/// Lets time pass until the module asks for its keys again, ten minutes at most.
#[track_caller]
pub(crate) fn next_call(proxy: &Proxy) -> HttpCall {
    for _ in 0..6000 {
        if let Some(call) = proxy.pending_http_calls().pop() {
            return call;
        }
        proxy.advance(Duration::from_millis(100));
    }
    panic!("the module made no call for ten minutes")
}

/// A JWKS response of these keys.
pub(crate) fn keys(keys: &[Key]) -> Response {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    Response::new(200).body(json!({ "keys": keys }).to_string())
}

/// A token valid at the start of the test.
pub(crate) fn token() -> TokenBuilder {
    TokenBuilder::valid(ISSUER, NOW)
}

/// A GET with this bearer token.
pub(crate) fn get(path: &str, token: &str) -> Request {
    Request::get(path).header("authorization", format!("Bearer {token}"))
}

/// The status and the reason of a local reply, `200` for what went on, `paused` for what waits.
pub(crate) fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Continued { .. } => "200".to_owned(),
        Outcome::Paused => "paused".to_owned(),
        Outcome::Reset => "reset".to_owned(),
        Outcome::LocalReply(reply) => {
            format!(
                "{} {}",
                reply.status,
                reply.details.trim_start_matches("edge_auth_")
            )
        }
    }
}

/// Decides one request on worker 0.
#[track_caller]
pub(crate) fn check(proxy: &Proxy, request: Request, expected: &str) {
    assert_eq!(shown(&proxy.worker(0).decide(request)), expected);
}
