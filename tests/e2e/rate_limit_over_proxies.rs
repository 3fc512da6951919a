//! One limit over two proxies: two Envoys with two workers each, a rate limit service beside each of them that
//! limitador decides for, and the counters of both in one Redis.

use gateway_tests::{
    client::Request,
    envoy::{Bootstrap, Envoy, Listener, WasmFilter},
    gateway::{self, reason},
    load, module,
    rate_limit_service::RateLimitService,
    redis::Redis,
    redis_counters,
    upstream::Echo,
};
use limitador::limit::Limit;
use serde_json::json;

/// A service that allows each subject so many requests an hour.
async fn counting_in(redis: &Redis, requests: u32) -> RateLimitService {
    let conditions = ["limit == 'per_user'"];
    let per_user = Limit::new("edge", requests.into(), 3600, conditions, ["claim.sub"]);
    let answers = redis_counters::answers(redis, [per_user]).unwrap();
    RateLimitService::start(answers).await.unwrap()
}

/// The bound is the service's own: each request is counted before it goes on, so not one too many gets through,
/// whichever proxy it came to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_six_hundred_requests_over_two_envoys_exactly_twenty_of_each_user_get_through() {
    const ALLOWED: u32 = 20;
    let redis = Redis::start().await.unwrap();
    let auth0 = gateway::auth0().await.unwrap();
    let upstream = Echo::start().await.unwrap();
    let mut configuration = gateway::configuration(&json!([
        {"match": {"prefix": "/api"}, "requires": {"provider": "auth0"}, "rate_limits": ["per_user"]},
    ]));
    configuration["rate_limit_service"] = json!({
        "cluster": "ratelimit", "domain": "edge", "timeout": "5s",
        "limits": {"per_user": {"key": [{"claim": "sub"}]}},
    });
    let filter = WasmFilter::new(module::path().unwrap(), &configuration);
    let mut proxies = Vec::new();
    for _ in 0..2 {
        let service = counting_in(&redis, ALLOWED).await;
        let bootstrap = Bootstrap::default()
            .cluster("api_server", upstream.address())
            .cluster("auth0", auth0.address())
            .http2_cluster("ratelimit", service.address())
            .listener(Listener::forwarding_to("edge", "api_server").wasm(&filter));
        proxies.push((Envoy::start(&bootstrap, 2).await.unwrap(), service));
    }
    let [(first, _), (second, _)] = &proxies[..] else {
        panic!("two were started");
    };

    let tokens =
        ["auth0|a", "auth0|b", "auth0|c"].map(|subject| auth0.token().subject(subject).build());
    let half = || {
        let tokens = tokens.clone();
        (0..300).map(move |n| Request::get("/api").bearer(&tokens[n % 3]))
    };
    let (left, right) = tokio::join!(
        load::send_all(first.address("edge"), 20, half()),
        load::send_all(second.address("edge"), 20, half()),
    );
    let answers = [left.unwrap(), right.unwrap()].concat();

    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    let limited = answers.iter().filter(|answer| answer.status == 429);
    for answer in limited.clone() {
        assert_eq!(reason(answer).as_deref(), Some("rate_limited"));
        let told = answer.header("ratelimit").unwrap_or_default();
        let seconds = told.strip_prefix("\"per_user\";r=0;t=").unwrap_or(told);
        assert!(matches!(seconds.parse(), Ok(1..=3600)), "{told}");
    }
    assert_eq!((passed, limited.count()), (60, 540));
    assert_eq!(upstream.requests(), 60);
    // Both proxies asked about every one of theirs.
    for (_, service) in &proxies {
        assert_eq!(service.calls(), 300);
    }
}
