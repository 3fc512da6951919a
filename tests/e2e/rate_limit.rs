//! Counters and key fetches are shared by all workers of one proxy.

use std::time::Duration;

use auth0_sim::JWKS_PATH;
use gateway_tests::{
    client::Request,
    gateway::{self, Gateway, reason},
    load, wait,
};
use serde_json::json;

const WORKERS: u32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_parallel_requests_over_four_workers_exactly_ten_get_through() {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([
        {"match": {"prefix": "/limited"}, "requires": "public", "rate_limits": ["ten_a_minute"]},
    ]));
    configuration["rate_limits"] = json!({
        "ten_a_minute": {"key": ["client_address"], "requests": 10, "per": "60s"},
    });
    let gateway = Gateway::start(&configuration, WORKERS, &[("auth0", auth0.address())])
        .await
        .unwrap();

    let requests = (0..1000).map(|_| Request::get("/limited"));
    let answers = load::send_all(gateway.address(), 100, requests)
        .await
        .unwrap();

    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    let limited = answers.iter().filter(|answer| answer.status == 429);
    for answer in limited.clone() {
        assert_eq!(reason(answer).as_deref(), Some("rate_limited"));
        let retry_after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&retry_after), "{answer:?}");
    }
    assert_eq!((passed, limited.count()), (10, 990));
    assert_eq!(gateway.upstream.requests(), 10);
}

/// A limit by claim counts users apart, and a token is what decides whose count it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_by_claim_counts_each_user_apart_over_all_workers() {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([
        {
            "match": {"prefix": "/api"},
            "requires": {"provider": "auth0"},
            "rate_limits": ["per_user"],
        },
    ]));
    configuration["rate_limits"] = json!({
        "per_user": {"key": [{"claim": "sub"}], "requests": 7, "per": "60s"},
    });
    let gateway = Gateway::start(&configuration, WORKERS, &[("auth0", auth0.address())])
        .await
        .unwrap();

    let tokens: Vec<_> = ["auth0|a", "auth0|b", "auth0|c"]
        .map(|subject| auth0.token().subject(subject).build())
        .into();
    let requests = (0..300).map(move |n| Request::get("/api").bearer(&tokens[n % 3]));
    let answers = load::send_all(gateway.address(), 30, requests)
        .await
        .unwrap();

    let count = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!((count(200), count(429)), (21, 279));
}

#[tokio::test]
async fn four_workers_make_one_key_request_per_refresh_interval() {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([]));
    configuration["providers"]["auth0"]["remote_jwks"]["cache_duration"] = "3s".into();
    let gateway = Gateway::start(&configuration, WORKERS, &[("auth0", auth0.address())])
        .await
        .unwrap();
    let request = Request::get("/api").bearer(&auth0.token().build());

    let times = wait::until("three key requests", Duration::from_secs(30), async || {
        assert_eq!(gateway.send(&request).await?.status, 200);
        let seen = auth0.requests(JWKS_PATH);
        Ok((seen.count >= 3).then_some(seen.at_ms))
    })
    .await
    .unwrap();

    // A refresh comes up to a tenth ahead of its time, so that proxies don't ask in step.
    let gaps: Vec<_> = times
        .iter()
        .zip(times.iter().skip(1))
        .map(|(a, b)| b - a)
        .collect();
    assert!(gaps.iter().all(|gap| *gap >= 2700), "{gaps:?}");
}
