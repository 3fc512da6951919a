//! What is fetched is taken from the host up to its limit and one byte more, however much the other side sends.

use proxy_wasm_host::Response;
use serde_json::{Value, json};

use crate::harness::{TICK, builder, config, one_call};

/// Far more than any limit, and more than a module's memory begins with.
const FLOOD_BYTES: usize = 64 * 1024 * 1024;

/// Answers the first fetch of this configuration with a flood, and holds what was taken of it against `limit`.
#[track_caller]
fn check(config: &Value, path: &str, limit: usize) {
    let proxy = builder(config).cluster("feed").start().unwrap();
    proxy.advance(TICK);
    let mut calls = proxy.pending_http_calls();
    calls.retain(|call| call.request().path() == path);
    let [call] = &calls[..] else {
        panic!("{calls:?}");
    };
    let before = proxy.worker(0).memory_bytes();
    assert!(call.respond(Response::new(200).body("x".repeat(FLOOD_BYTES))));
    assert_eq!(proxy.worker(0).largest_body_read(), limit + 1);
    let grown = proxy.worker(0).memory_bytes() - before;
    assert!(grown <= 4 * limit + 64 * 1024, "{grown} bytes more");
    assert_eq!(proxy.worker(0).failure(), None);
}

#[test]
fn of_a_key_set_no_more_is_taken_than_configured() {
    check(&config(), "/.well-known/jwks.json", 256 * 1024);
    let mut small = config();
    small["providers"]["auth0"]["remote_jwks"]["max_bytes"] = json!(2048);
    check(&small, "/.well-known/jwks.json", 2048);
}

#[test]
fn of_provider_metadata_no_more_is_taken_than_configured() {
    let mut config = config();
    let path = "/.well-known/openid-configuration";
    config["providers"]["auth0"]["remote_jwks"] = json!({
        "discovery": true, "max_bytes": 4096,
        "http_uri": {"uri": format!("https://tenant.auth0.com{path}"), "cluster": "auth0"},
    });
    check(&config, path, 4096);
}

#[test]
fn of_the_revocation_feed_no_more_is_taken_than_a_page() {
    let mut config = config();
    config["revocations"] =
        json!({"http_uri": {"uri": "http://127.0.0.1:9000/feed", "cluster": "feed"}});
    check(&config, "/feed", 1024 * 1024);
}

#[test]
fn a_body_at_its_limit_is_taken_whole() {
    let mut config = config();
    config["providers"]["auth0"]["remote_jwks"]["max_bytes"] = json!(2048);
    let proxy = builder(&config).start().unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(Response::new(200).body("x".repeat(2048)));
    assert_eq!(proxy.worker(0).largest_body_read(), 2048);
}
