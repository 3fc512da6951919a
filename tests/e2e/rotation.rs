//! The identity provider's keys change, or seem to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use auth0_sim::{JWKS_PATH, Key, TokenBuilder};
use gateway_tests::{
    client::{Connection, Request, Response},
    gateway::{self, Gateway, reason},
    load, wait,
};
use serde_json::json;
use tokio::{sync::RwLock, task::JoinSet};

const WORKERS: u32 = 4;
const COOLDOWN_SECONDS: u64 = 30;

/// Sixteen clients ask all the time. In between, the old key is withdrawn and the new one is first seen in a token:
/// no cached key set has it, and no request that is valid at its time may notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_first_seen_in_a_token_denies_no_valid_request() {
    let auth0 = gateway::auth0().await.unwrap();
    let gateway = Gateway::start(
        &gateway::configuration(&json!([])),
        WORKERS,
        &[("auth0", auth0.address())],
    )
    .await
    .unwrap();
    let tokens = |key| -> Vec<String> {
        let tokens = (0..20).map(|n| {
            auth0
                .token()
                .subject(&format!("auth0|{n}"))
                .signed_with(key)
        });
        tokens.map(TokenBuilder::build).collect()
    };
    let (old, new) = (tokens(Key::Rsa1), tokens(Key::Rsa2));

    // A request holds the lock from the choice of its token to its answer: the tenant rotates between requests.
    let valid = Arc::new(RwLock::new(old));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for client in 0..16 {
        let (valid, answered, address) =
            (Arc::clone(&valid), Arc::clone(&answered), gateway.address());
        clients.spawn(async move {
            let mut connection = Connection::open(address).await.unwrap();
            let mut denied: Vec<Response> = Vec::new();
            while answered.load(Ordering::Relaxed) < 4000 {
                let tokens = valid.read().await;
                let request = Request::get("/api/v1/documents").bearer(&tokens[client]);
                let answer = connection.send(&request).await.unwrap();
                drop(tokens);
                answered.fetch_add(1, Ordering::Relaxed);
                denied.extend((answer.status != 200).then_some(answer));
            }
            denied
        });
    }
    let seen = async |count| {
        wait::until("answers", Duration::from_secs(60), async || {
            Ok((answered.load(Ordering::Relaxed) >= count).then_some(()))
        })
        .await
        .unwrap();
    };
    seen(1000).await;
    {
        let mut valid = valid.write().await;
        assert_eq!(auth0.rotate().key, Key::Rsa2);
        assert!(auth0.withdraw(Key::Rsa1.kid()));
        *valid = new;
    }
    let denied = clients.join_all().await.concat();

    assert_eq!(
        denied,
        [],
        "of {} requests",
        answered.load(Ordering::Relaxed)
    );
    assert_eq!(
        auth0.requests(JWKS_PATH).count,
        2,
        "the first fetch, and one for the new key"
    );

    let withdrawn =
        Request::get("/api/v1/documents").bearer(&auth0.token().signed_with(Key::Rsa1).build());
    let answer = gateway.send(&withdrawn).await.unwrap();
    assert_eq!(
        (answer.status, reason(&answer).as_deref()),
        (401, Some("unknown_key_id"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_key_ids_cost_one_fetch_per_cooldown() {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([]));
    configuration["providers"]["auth0"]["remote_jwks"]["unknown_kid_cooldown"] =
        format!("{COOLDOWN_SECONDS}s").into();
    let gateway = Gateway::start(&configuration, WORKERS, &[("auth0", auth0.address())])
        .await
        .unwrap();

    // Every hundredth is valid: a flood must not take honest requests down with it.
    let (valid, forged) = (auth0.token(), auth0.token().signature([0x5a; 256]));
    let valid = valid.build();
    let requests = (0..10_000).map(move |n| {
        let token = match n % 100 {
            0 => valid.clone(),
            _ => forged.clone().header("kid", format!("random-{n}")).build(),
        };
        Request::get("/api/v1/documents").bearer(&token)
    });
    let started = Instant::now();
    let answers = load::send_all(gateway.address(), 64, requests)
        .await
        .unwrap();

    let unknown = answers.iter().filter(|answer| {
        answer.status == 401 && reason(answer).as_deref() == Some("unknown_key_id")
    });
    let passed = answers.iter().filter(|answer| answer.status == 200);
    assert_eq!((unknown.count(), passed.count()), (9_900, 100));
    let cooldowns = started.elapsed().as_secs() / COOLDOWN_SECONDS + 1;
    let fetches = auth0.requests(JWKS_PATH).count;
    assert!(
        (2..=1 + cooldowns).contains(&fetches),
        "{fetches} in {cooldowns} cooldowns"
    );
}
