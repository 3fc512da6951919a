//! The identity provider is down, or answers nonsense.

use std::time::{Duration, Instant};

use auth0_sim::{Auth0Sim, Fault, JWKS_PATH};
use gateway_tests::{
    client::Request,
    gateway::{self, Gateway, reason},
    wait,
};
use serde_json::{Map, json};
use tokio::task::JoinSet;

const WORKERS: u32 = 2;
/// Within this after its return the provider is noticed: four seconds between two attempts at most, and the answer.
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::test]
async fn down_from_the_start_is_503_until_it_comes_up() {
    let down = gateway::auth0().await.unwrap().stop().await;
    let gateway = Gateway::start(
        &gateway::configuration(&json!([{"match": {"path": "/healthz"}, "requires": "public"}])),
        WORKERS,
        &[("auth0", down.address())],
    )
    .await
    .unwrap();
    let request = Request::get("/api/v1/documents").bearer(&down.token().build());

    let asked = Instant::now();
    let answer = gateway.send(&request).await.unwrap();
    assert_eq!(
        (answer.status, reason(&answer).as_deref()),
        (503, Some("keys_unavailable"))
    );
    let retry_after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&retry_after), "{answer:?}");
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "waited {:?}",
        asked.elapsed()
    );
    assert_eq!(gateway.upstream.requests(), 0);
    assert_eq!(
        gateway
            .send(&Request::get("/healthz"))
            .await
            .unwrap()
            .status,
        200
    );

    let _up = down.start().await.unwrap();
    wait::until("the keys to be fetched", RECOVERY, async || {
        let answer = gateway.send(&request).await?;
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
        Ok((answer.status == 200).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn down_after_the_start_changes_nothing_until_max_stale() {
    let auth0 = gateway::auth0().await.unwrap();
    let mut configuration = gateway::configuration(&json!([]));
    let keys = &mut configuration["providers"]["auth0"]["remote_jwks"];
    keys["cache_duration"] = "1s".into();
    keys["max_stale"] = "4s".into();
    let longest_use = Duration::from_secs(5);
    let gateway = Gateway::start(&configuration, WORKERS, &[("auth0", auth0.address())])
        .await
        .unwrap();
    let request = Request::get("/api/v1/documents").bearer(&auth0.token().build());
    assert_eq!(gateway.send(&request).await.unwrap().status, 200);

    let fetches = auth0.requests(JWKS_PATH).count;
    let fetched = wait::until("a refresh", Duration::from_secs(5), async || {
        let count = auth0.requests(JWKS_PATH).count;
        Ok((count > fetches).then(Instant::now))
    })
    .await
    .unwrap();
    let down = auth0.stop().await;

    let denied = wait::until("the keys to be too old", longest_use * 3, async || {
        let answer = gateway.send(&request).await?;
        Ok((answer.status != 200).then_some((answer, Instant::now())))
    })
    .await
    .unwrap();
    let (answer, at) = denied;
    assert_eq!(
        (answer.status, reason(&answer).as_deref()),
        (503, Some("keys_unavailable"))
    );
    assert!(answer.header("retry-after").is_some());
    // The refresh was seen a moment after it was made.
    let used = at.duration_since(fetched) + Duration::from_millis(200);
    assert!(used >= longest_use, "denied {used:?} after the last fetch");

    let _up = down.start().await.unwrap();
    wait::until("the keys to be fetched again", RECOVERY, async || {
        Ok((gateway.send(&request).await?.status == 200).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn keys_once_fetched_outlive_every_kind_of_failure() {
    let tenants = Tenants::start(Broken::Later).await;
    tenants.all_answer(200).await;

    let before = tenants.fetches();
    tenants.all.iter().for_each(Tenant::break_down);
    // The second failing request of a tenant says that the answer to its first has been judged.
    wait::until(
        "two failing key requests of each",
        Duration::from_secs(20),
        async || {
            let now = tenants.fetches();
            let all = before
                .iter()
                .zip(&now)
                .all(|(before, now)| *now >= before + 2);
            Ok(all.then_some(()))
        },
    )
    .await
    .unwrap();
    tenants.all_answer(200).await;
}

#[tokio::test]
async fn every_kind_of_failure_from_the_start_is_503_until_it_ends() {
    let tenants = Tenants::start(Broken::FromTheStart).await;
    tenants.all_answer(503).await;
    assert_eq!(tenants.gateway.upstream.requests(), 0);

    for tenant in &tenants.all {
        tenant.auth0.clear_faults();
    }
    wait::until(
        "all keys to be fetched",
        Duration::from_secs(60),
        async || {
            let statuses = tenants.statuses().await?;
            assert!(
                statuses
                    .iter()
                    .all(|(_, status)| matches!(status, 200 | 503)),
                "{statuses:?}"
            );
            Ok(statuses
                .iter()
                .all(|(_, status)| *status == 200)
                .then_some(()))
        },
    )
    .await
    .unwrap();
}

/// Everything an endpoint can answer that is no key set.
fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("status_500", Fault::Status(500)),
        ("status_404", Fault::Status(404)),
        ("html_page", Fault::Html),
        ("ten_megabytes", Fault::Huge),
        ("no_json", Fault::Garbage),
        ("no_keys", Fault::EmptySet),
        ("no_object", Fault::Body("[]".into())),
        ("nested_json", Fault::Body("[".repeat(100_000))),
        ("closed", Fault::Close),
        ("truncated", Fault::Truncate),
        ("too_slow", Fault::DelayMs(60_000)),
    ]
}

/// One tenant and one provider for each fault, all in one Envoy: `/<fault>/` asks for a token of its own.
struct Tenants {
    gateway: Gateway,
    all: Vec<Tenant>,
}

struct Tenant {
    name: &'static str,
    fault: Fault,
    auth0: Auth0Sim,
    /// A request with a valid token.
    request: Request,
}

#[derive(Clone, Copy, PartialEq)]
enum Broken {
    FromTheStart,
    Later,
}

impl Tenants {
    async fn start(broken: Broken) -> Self {
        let mut all = Vec::new();
        let mut providers = Map::new();
        let mut rules = Vec::new();
        for (name, fault) in faults() {
            let issuer = format!("https://{}.auth0.com/", name.replace('_', "-"));
            let auth0 = gateway::tenant(&issuer).await.unwrap();
            let mut provider = gateway::provider(&issuer, name);
            provider["remote_jwks"]["cache_duration"] = "1s".into();
            provider["remote_jwks"]["http_uri"]["timeout"] = "1s".into();
            providers.insert(name.into(), provider);
            rules.push(json!({
                "match": {"prefix": format!("/{name}/")},
                "requires": {"provider": name},
            }));
            let request = Request::get(format!("/{name}/")).bearer(&auth0.token().build());
            let tenant = Tenant {
                name,
                fault,
                auth0,
                request,
            };
            if broken == Broken::FromTheStart {
                tenant.break_down();
            }
            all.push(tenant);
        }
        let mut configuration = gateway::configuration(&rules.into());
        configuration["default"]["requires"]["provider"] = "closed".into();
        configuration["providers"] = providers.into();
        let clusters: Vec<_> = all
            .iter()
            .map(|tenant| (tenant.name, tenant.auth0.address()))
            .collect();
        let gateway = Gateway::start(&configuration, WORKERS, &clusters)
            .await
            .unwrap();
        Self { gateway, all }
    }

    fn fetches(&self) -> Vec<u64> {
        let counts = self
            .all
            .iter()
            .map(|tenant| tenant.auth0.requests(JWKS_PATH).count);
        counts.collect()
    }

    /// What a valid token of each tenant gets, all asked at once.
    async fn statuses(&self) -> anyhow::Result<Vec<(&'static str, u16)>> {
        let mut asked = JoinSet::new();
        for tenant in &self.all {
            let (name, request) = (tenant.name, tenant.request.clone());
            let address = self.gateway.address();
            asked.spawn(async move { Ok((name, request.send(address).await?.status)) });
        }
        asked.join_all().await.into_iter().collect()
    }

    async fn all_answer(&self, status: u16) {
        let mut others = self.statuses().await.unwrap();
        others.retain(|(_, seen)| *seen != status);
        assert_eq!(others, [], "expected {status} of every tenant");
    }
}

impl Tenant {
    fn break_down(&self) {
        self.auth0.fault(JWKS_PATH, self.fault.clone());
    }
}
