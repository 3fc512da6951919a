//! The bearer token is judged here once more, whatever the edge let through.

use std::time::Duration;

use auth0_sim::{Auth0Sim, Fault, JWKS_PATH, Key, Options};
use axum::http::StatusCode;
use serde_json::json;

use super::documents::PATH;
use super::server::{START, Server};

#[tokio::test]
async fn without_a_token_there_is_a_challenge_without_an_error_code() {
    let server = Server::start().await;
    for call in [
        server.get(PATH),
        server.get(PATH).header("authorization", "Basic dTpw"),
        server.get(PATH).header("x-user-id", "auth0|user-1"),
        server.post(PATH, &json!({})),
    ] {
        let reply = call.send().await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        let challenge = reply.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm="), "{challenge}");
        assert!(!challenge.contains("error"), "{challenge}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_is_invalid() {
    let server = Server::start().await;
    let good = server.user("u");
    let mut tampered = good.clone();
    tampered.pop();
    let cases = [
        ("expired", server.token().expired_by(61).build()),
        (
            "not yet valid",
            server.token().claim("nbf", START + 61).build(),
        ),
        (
            "issuer",
            server.token().claim("iss", "https://evil.example/").build(),
        ),
        (
            "issuer without its slash",
            server
                .token()
                .claim("iss", server.tenant.issuer().trim_end_matches('/'))
                .build(),
        ),
        (
            "audience",
            server.token().audience("https://other.example").build(),
        ),
        ("no audience", server.token().without("aud").build()),
        ("no subject", server.token().without("sub").build()),
        ("no expiry", server.token().without("exp").build()),
        (
            "a life of more than a day",
            server.token().claim("exp", START + 86_401).build(),
        ),
        (
            "a key of ours under no kid we have",
            server.token().signed_with(Key::RsaUnknown).build(),
        ),
        ("unsigned", server.token().unsigned("none").build()),
        (
            "confusion",
            server
                .token()
                .hs256(Key::Rsa1, Key::Rsa1.public_key_pem().unwrap())
                .build(),
        ),
        ("a signature cut short", tampered),
        ("no token", "x".to_owned()),
        ("nothing", String::new()),
    ];
    for (name, token) in cases {
        let reply = server.get(PATH).bearer(&token).send().await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{name}");
        let challenge = reply.header("www-authenticate");
        assert!(
            challenge.contains("error=\"invalid_token\""),
            "{name}: {challenge}"
        );
        assert_eq!(reply.json()["error"], "invalid_token", "{name}");
    }
    assert_eq!(
        server.get(PATH).bearer(&good).send().await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn each_route_asks_for_its_scope() {
    let server = Server::start().await;
    let id = server.create(&server.user("u"), &json!({})).await;
    let path = format!("{PATH}/{id}");
    let others = |scope: &str| {
        let others: Vec<_> = super::server::ALL_SCOPES
            .split(' ')
            .filter(|other| *other != scope)
            .collect();
        server.token().subject("u").scope(&others.join(" ")).build()
    };
    for (call, scope) in [
        (server.get(PATH), "read:documents"),
        (server.get(&path), "read:documents"),
        (server.post(PATH, &json!({})), "write:documents"),
        (
            server.put(&path, &json!({})).if_match("*"),
            "write:documents",
        ),
        (
            server.patch(&path, &json!({})).if_match("*"),
            "write:documents",
        ),
        (server.delete(&path).if_match("*"), "delete:documents"),
    ] {
        let reply = call.bearer(&others(scope)).send().await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{scope}");
        let challenge = reply.header("www-authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""));
        assert!(challenge.contains(&format!("scope=\"{scope}\"")));
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let server = Server::start().await;
    let token = server.user("u");
    let reply = server.get(PATH).bearer(&token).bearer(&token).send().await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.json()["error"], "invalid_request");
}

#[tokio::test]
async fn without_keys_the_answer_is_503_and_they_are_asked_for_again() {
    let tenant = Auth0Sim::start(Options::default()).await.unwrap();
    tenant.fault(JWKS_PATH, Fault::Status(500));
    let server = Server::start_with(tenant, &[]).await;
    let reply = server.get(PATH).bearer(&server.user("u")).send().await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_ne!(reply.header("retry-after"), "");
    assert_eq!(
        server.get("/readyz").send().await.json()["keys"],
        json!(false)
    );
    server.tenant.clear_faults();
    server.until_recovered().await;
    let reply = server.get(PATH).bearer(&server.user("u")).send().await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_first_seen_in_a_token_is_fetched_once_and_waited_for() {
    let server = Server::start().await;
    let new_key = server.tenant.rotate();
    let token = || {
        server
            .token()
            .subject("u")
            .signed_with(new_key.clone())
            .build()
    };
    server.advance(Duration::from_secs(31));
    let reply = server.get(PATH).bearer(&token()).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    for _ in 0..20 {
        let unknown = server.token().header("kid", "nobody's").build();
        let reply = server.get(PATH).bearer(&unknown).send().await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(server.tenant.requests(JWKS_PATH).count, 2);
}

/// A token is verified once, and its times and its key count each time it comes.
#[tokio::test]
async fn a_token_seen_before_is_refused_when_it_expires_and_when_its_key_is_withdrawn() {
    let server = Server::start().await;
    let ask = async |token: &str| server.get(PATH).bearer(token).send().await.status;
    let short = server.token().subject("u").claim("exp", START + 60).build();
    let long = server.user("u");
    for token in [&short, &long] {
        assert_eq!(ask(token).await, StatusCode::OK);
        assert_eq!(ask(token).await, StatusCode::OK);
    }
    server.advance(Duration::from_secs(119));
    assert_eq!(ask(&short).await, StatusCode::OK, "within the clock skew");
    server.advance(Duration::from_secs(1));
    assert_eq!(ask(&short).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&long).await, StatusCode::OK);

    server.tenant.rotate();
    assert!(server.tenant.withdraw(Key::Rsa1.kid()));
    // The keys are fetched when they have been kept long enough; until then the old ones count.
    server.advance(Duration::from_mins(6));
    for _ in 0..1_000 {
        if ask(&long).await == StatusCode::UNAUTHORIZED {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a token outlives its key");
}

/// Keys outlive an outage of the issuer for as long as the settings say: then a token counts no more, seen or not.
#[tokio::test]
async fn a_token_seen_before_is_not_believed_without_keys() {
    let tenant = Auth0Sim::start(Options::default()).await.unwrap();
    let settings = [("API_JWKS_MAX_STALE", "60s")];
    let server = Server::start_with(tenant, &settings).await;
    server.until_ready().await;
    let token = server.user("u");
    let ask = async || server.get(PATH).bearer(&token).send().await.status;
    assert_eq!(ask().await, StatusCode::OK);
    server.tenant.fault(JWKS_PATH, Fault::Status(500));
    // What they were fetched for, and as long as they outlive that.
    server.advance(Duration::from_secs(300 + 60));
    assert_eq!(ask().await, StatusCode::OK);
    server.advance(Duration::from_secs(1));
    assert_eq!(ask().await, StatusCode::SERVICE_UNAVAILABLE);
}
