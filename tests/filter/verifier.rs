//! Where signatures are checked: with the host's function, without it, and with one that lies.

use auth0_sim::{Algorithm, Key, SigningKey};
use proxy_wasm_host::{Proxy, Status};

use crate::harness::{TICK, builder, check, config, get, keys, one_call, token};

const ALL: [Key; 6] = [
    Key::Rsa1,
    Key::Rsa3072,
    Key::P256,
    Key::P384,
    Key::P521,
    Key::Ed25519,
];

/// A stand-in for the host's `verify_signature`.
type Function = fn(&[u8]) -> Result<Vec<u8>, Status>;

fn with(function: Option<Function>) -> Proxy {
    let mut builder = builder(&config());
    if let Some(function) = function {
        builder = builder.foreign_function("verify_signature", function);
    }
    let proxy = builder.start().unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&ALL));
    proxy
}

fn check_all(proxy: &Proxy) {
    for key in ALL {
        check(
            proxy,
            get("/private", &token().signed_with(key).build()),
            "200",
        );
        let mut forged = token().signed_with(key).build();
        let last = forged.len() - 8;
        let other = if forged.as_bytes()[last] == b'A' {
            "B"
        } else {
            "A"
        };
        forged.replace_range(last..=last, other);
        check(proxy, get("/private", &forged), "401 bad_signature");
    }
}

#[test]
fn every_algorithm_is_verified_in_the_module_alone() {
    let proxy = with(None);
    check_all(&proxy);
    proxy.advance(TICK);
    assert_eq!(proxy.metric("edge_auth.verified_by_module"), 12);
}

#[test]
fn ps256_needs_a_key_that_is_not_bound_to_rs256() {
    let proxy = builder(&config()).start().unwrap();
    proxy.advance(TICK);
    let key = SigningKey::from(Key::Rsa1).with_algorithm(Algorithm::Ps256);
    let set = serde_json::json!({"keys": [key.jwk()]}).to_string();
    one_call(&proxy).respond(proxy_wasm_host::Response::new(200).body(set));
    check(
        &proxy,
        get("/private", &token().signed_with(key).build()),
        "200",
    );
    check(
        &proxy,
        get("/private", &token().build()),
        "401 unknown_key_id",
    );
}

#[test]
fn a_host_that_accepts_everything_is_not_asked() {
    // VerifySignatureResult { result: true }
    let proxy = with(Some(|_| Ok(vec![0x08, 0x01])));
    check_all(&proxy);
}

#[test]
fn a_host_that_refuses_everything_or_talks_nonsense_is_not_asked() {
    check_all(&with(Some(|_| Ok(vec![0x08, 0x00]))));
    check_all(&with(Some(|_| Ok(vec![0xff, 0xff]))));
    check_all(&with(Some(|_| Err(Status::BadArgument))));
}
