//! The rate limit service beside a real Envoy: its verdicts, its failures, and clients that leave.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use auth0_sim::Auth0Sim;
use gateway_tests::{
    client::Request,
    envoy::{Bootstrap, Envoy, Listener, WasmFilter},
    gateway::{self, reason},
    module,
    rate_limit_service::{Answer, RateLimitService, Verdict},
    upstream::{Echo, Seen},
    wait,
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

/// Everything below `/api` is counted by the service, by subject.
fn configuration(failure_mode: &str) -> Value {
    let mut configuration = gateway::configuration(&json!([
        {"match": {"prefix": "/api"}, "requires": {"provider": "auth0"}, "rate_limits": ["per_user"]},
    ]));
    configuration["providers"]["auth0"]["claim_to_headers"] =
        json!([{"header_name": "x-user-id", "claim_name": "sub"}]);
    configuration["rate_limit_service"] = json!({
        "cluster": "ratelimit", "domain": "edge", "timeout": "5s", "failure_mode": failure_mode,
        "limits": {"per_user": {"key": [{"claim": "sub"}]}},
    });
    configuration["rate_limit_headers"] = json!("always");
    configuration
}

/// Envoy, the application behind it, the identity provider, and a request with a token. Requests that come before the
/// keys wait for those first.
struct Edge {
    envoy: Envoy,
    upstream: Echo,
    auth0: Auth0Sim,
    request: Request,
}

impl Edge {
    async fn start(configuration: &Value, service: SocketAddr) -> Self {
        let auth0 = gateway::auth0().await.unwrap();
        let upstream = Echo::start().await.unwrap();
        let filter = WasmFilter::new(module::path().unwrap(), configuration);
        let bootstrap = Bootstrap::default()
            .cluster("api_server", upstream.address())
            .cluster("auth0", auth0.address())
            .http2_cluster("ratelimit", service)
            .listener(Listener::forwarding_to("edge", "api_server").wasm(&filter));
        let envoy = Envoy::start(&bootstrap, 2).await.unwrap();
        let request = Request::get("/api")
            .header("x-user-id", "root")
            .bearer(&auth0.token().subject("auth0|a").build());
        Self {
            envoy,
            upstream,
            auth0,
            request,
        }
    }

    fn address(&self) -> SocketAddr {
        self.envoy.address("edge")
    }

    async fn metric(&self, name: &str, at_least: u64) -> u64 {
        let name = format!("wasmcustom.edge_auth.rate_limit_service.{name}");
        wait::until("the metric", Duration::from_secs(30), async || {
            let value = self.envoy.stat(&name).await?;
            Ok((value >= at_least).then_some(value))
        })
        .await
        .unwrap()
    }
}

fn verdict(over_limit: bool, remaining: u32) -> Answer {
    Answer::Verdicts(vec![Verdict {
        over_limit,
        requests: 3,
        remaining,
        reset_seconds: 90,
    }])
}

#[tokio::test]
async fn the_service_decides_and_the_upstream_sees_only_what_it_allowed() {
    let left = AtomicU32::new(3);
    let service = RateLimitService::start(move |domain, descriptors| {
        assert_eq!(domain, "edge");
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected = vec![entry("limit", "per_user"), entry("claim.sub", "auth0|a")];
        assert_eq!(descriptors, [expected]);
        let took = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
        verdict(took.is_err(), left.load(Ordering::Relaxed))
    })
    .await
    .unwrap();
    let edge = Edge::start(&configuration("deny"), service.address()).await;
    for left in [2, 1, 0] {
        let answer = edge.request.send(edge.address()).await.unwrap();
        assert_eq!(answer.status, 200);
        let seen: Seen = answer.json().unwrap();
        assert_eq!(seen.header("x-user-id"), ["auth0|a"]);
        let expected = format!("\"per_user\";r={left};t=90");
        assert_eq!(answer.header("ratelimit"), Some(expected.as_str()));
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"per_user\";q=3;w=3600")
        );
    }
    let answer = edge.request.send(edge.address()).await.unwrap();
    assert_eq!(
        (answer.status, reason(&answer).as_deref()),
        (429, Some("rate_limited"))
    );
    assert_eq!(answer.header("retry-after"), Some("90"));
    assert_eq!(edge.upstream.requests(), 3);
    assert_eq!(service.calls(), 4);
    assert_eq!(edge.metric("asked", 4).await, 4);
    assert_eq!(edge.metric("over_limit", 1).await, 1);
}

#[tokio::test]
async fn a_service_that_says_nothing_denies_or_allows_as_configured() {
    let service = RateLimitService::start(|_, _| Answer::Silence)
        .await
        .unwrap();
    for (mode, status) in [("deny", 503), ("allow", 200)] {
        let mut configuration = configuration(mode);
        configuration["rate_limit_service"]["timeout"] = json!("50ms");
        let edge = Edge::start(&configuration, service.address()).await;
        let answer = edge.request.send(edge.address()).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(edge.metric("failed.no_answer", 1).await, 1);
        assert_eq!(edge.upstream.requests(), u64::from(mode == "allow"));
    }
}

#[tokio::test]
async fn an_error_of_the_service_and_a_service_that_is_not_there_are_told_apart() {
    let service = RateLimitService::start(|_, _| Answer::Status(13))
        .await
        .unwrap();
    let edge = Edge::start(&configuration("deny"), service.address()).await;
    let answer = edge.request.send(edge.address()).await.unwrap();
    assert_eq!(reason(&answer).as_deref(), Some("rate_limit_unavailable"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(edge.metric("failed.grpc_status", 1).await, 1);

    let mut elsewhere = configuration("deny");
    elsewhere["rate_limit_service"]["cluster"] = json!("nowhere");
    let edge = Edge::start(&elsewhere, service.address()).await;
    for _ in 0..3 {
        let answer = edge.request.send(edge.address()).await.unwrap();
        assert_eq!(reason(&answer).as_deref(), Some("rate_limit_unavailable"));
    }
    assert_eq!(edge.metric("failed.not_sent", 3).await, 3);
    assert_eq!(edge.upstream.requests(), 0);
}

/// CVE-2026-48090 is a callback that came after its stream.
#[tokio::test]
async fn clients_that_leave_while_the_service_thinks_harm_nobody() {
    let service = RateLimitService::start(|_, descriptors| {
        let subject = &descriptors[0][1].1;
        if subject == "auth0|slow" {
            Answer::Silence
        } else {
            verdict(false, 1)
        }
    })
    .await
    .unwrap();
    let edge = Edge::start(&configuration("deny"), service.address()).await;
    let token = edge.auth0.token().subject("auth0|slow").build();
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = TcpStream::connect(edge.address()).await.unwrap();
        let head = format!("GET /api HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        clients.push(client);
    }
    wait::until("all questions", Duration::from_secs(30), async || {
        Ok((service.calls() >= 20).then_some(()))
    })
    .await
    .unwrap();
    drop(clients);
    // Their calls have ended, each by its timeout, when Envoy has none under way.
    wait::until("the calls to end", Duration::from_secs(30), async || {
        let active = edge
            .envoy
            .stat("cluster.ratelimit.upstream_rq_active")
            .await?;
        Ok((active == 0).then_some(()))
    })
    .await
    .unwrap();
    let answer = edge.request.send(edge.address()).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(edge.upstream.requests(), 1);
    let panicked = edge
        .envoy
        .log()
        .into_iter()
        .find(|line| line.contains("panic"));
    assert_eq!(panicked, None);
}
