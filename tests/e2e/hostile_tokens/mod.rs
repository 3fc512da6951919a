//! Forged, bent and misused tokens: each refused for its own reason, and the proxy lives on.
//!
//! The provider takes RS256 and ES256, so that confusing the two is possible at all.

mod claims;
mod forged;
mod malformed;
mod misplaced;

use std::collections::BTreeSet;

use auth0_sim::{Auth0Sim, Key, TokenBuilder};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use gateway_tests::{
    client::Request,
    gateway::{self, Gateway, reason},
};
use serde_json::{Value, json};

async fn start() -> (Gateway, Auth0Sim) {
    let auth0 = gateway::auth0().await.unwrap();
    auth0.publish(Key::P256);
    let mut configuration = gateway::configuration(&json!([]));
    configuration["providers"]["auth0"]["algorithms"] = json!(["RS256", "ES256"]);
    let gateway = Gateway::start(&configuration, 1, &[("auth0", auth0.address())])
        .await
        .unwrap();
    (gateway, auth0)
}

/// Sends each request, and names those that are not refused as expected.
async fn check(gateway: &Gateway, cases: Vec<(&str, Request, u16, &str)>) {
    let mut wrong = Vec::new();
    for (name, request, status, expected) in cases {
        let answer = match gateway.send(&request).await {
            Ok(answer) => answer,
            Err(error) => {
                wrong.push(format!("{name}: {error:#}"));
                continue;
            }
        };
        if (answer.status, reason(&answer).as_deref()) != (status, Some(expected)) {
            let seen = (answer.status, reason(&answer));
            wrong.push(format!("{name}: {seen:?} instead of {status} {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        gateway.forwarded().await.unwrap(),
        0,
        "requests reached the application"
    );
}

/// The proxy still serves honest requests, and no worker had to be restarted.
async fn lives_on(gateway: &Gateway, auth0: &Auth0Sim) {
    for key in [Key::Rsa1, Key::P256] {
        let request = Request::get("/").bearer(&auth0.token().signed_with(key).build());
        assert_eq!(gateway.send(&request).await.unwrap().status, 200);
    }
    let log = gateway.envoy.log();
    assert!(
        !log.iter().any(|line| line.contains("panicked")),
        "{log:#?}"
    );
}

async fn check_tokens(
    gateway: &Gateway,
    auth0: &Auth0Sim,
    tokens: Vec<(&'static str, String, &'static str)>,
) {
    let names: BTreeSet<_> = tokens.iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), tokens.len(), "each case has a name of its own");
    let cases = tokens
        .iter()
        .map(|(name, token, reason)| (*name, Request::get("/").bearer(token), 401, *reason));
    check(gateway, cases.collect()).await;
    lives_on(gateway, auth0).await;
}

/// `token` with one part taken from another.
fn with_part(token: &str, index: usize, other: &str) -> String {
    let mut parts: Vec<_> = token.split('.').collect();
    parts[index] = other.split('.').nth(index).unwrap();
    parts.join(".")
}

/// `token` with its signature changed.
fn with_signature(token: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let (signing_input, signature) = token.rsplit_once('.').unwrap();
    let signature = change(BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap());
    format!(
        "{signing_input}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(signature)
    )
}

/// `token` spelled otherwise: the unused bits of its last letter are set. A lax decoder sees the same bytes, and a
/// list of revoked spellings would not (OWASP cheat sheet, pull request 2242).
fn with_trailing_bits(token: &str) -> String {
    let (rest, last) = token.split_at(token.len() - 1);
    let other = match last {
        "A" => 'B',
        "Q" => 'R',
        "g" => 'h',
        "w" => 'x',
        _ => panic!("256 bytes leave four bits unused: {last}"),
    };
    format!("{rest}{other}")
}

fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn every_bent_token_differs_from_the_valid_one_in_what_it_says_it_bends() {
    let token = TokenBuilder::valid(gateway::ISSUER, 1_800_000_000).build();
    assert_eq!(with_signature(&token, |raw| raw), token);
    assert_eq!(with_part(&token, 1, &token), token);
    assert_ne!(with_trailing_bits(&token), token);
}
