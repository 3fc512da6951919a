//! The session cookie, sealed as api-server seals it and opened in a real Envoy with keys from its environment; and a
//! session that is revoked while it is in use.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, routing::get};
use edge_auth_policy::{
    session::{NONCE_BYTES, Purpose, Session, SessionKeys, chunks},
    time::UnixTime,
};
use gateway_tests::{
    client::Request,
    envoy::{Bootstrap, Envoy, Listener, WasmFilter},
    gateway::{self, reason},
    load, module,
    upstream::{Echo, Seen},
    wait,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const OLD_KEY: &str = "HxwdHh8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo";
const COOKIE: &str = "__Host-edge-session";
const WORKERS: u32 = 4;
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The cookies of a session for ten minutes.
fn cookies(key: &str, session_id: &str, token: &str) -> String {
    let session = Session {
        session_id: session_id.into(),
        generation: 1,
        access_token: token.into(),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let sealed = SessionKeys::parse(key)
        .unwrap()
        .seal(
            Purpose::Session,
            b"",
            UnixTime::from_secs(now.as_secs() + 600),
            &session.to_bytes(),
            [7; NONCE_BYTES],
        )
        .unwrap();
    let pieces = chunks(COOKIE, &sealed).unwrap();
    let pairs: Vec<_> = pieces.iter().map(|(n, v)| format!("{n}={v}")).collect();
    pairs.join("; ")
}

fn configuration() -> Value {
    let mut configuration = gateway::configuration(&json!([
        {"match": {"prefix": "/api/v1/auth/"}, "requires": "public"},
    ]));
    configuration["session"] = json!({"keys_env": ["EDGE_SESSION_KEY", "EDGE_SESSION_KEY_OLD"]});
    configuration
}

/// Envoy with the keys in the module's environment.
async fn start(
    configuration: &Value,
    keys: &[(&str, &str)],
    clusters: &[(&str, SocketAddr)],
) -> anyhow::Result<(Envoy, Echo)> {
    let upstream = Echo::start().await?;
    let filter = WasmFilter::new(module::path()?, configuration);
    let filter = keys
        .iter()
        .fold(filter, |filter, (name, key)| filter.environment(name, key));
    let mut bootstrap = Bootstrap::default()
        .cluster("api_server", upstream.address())
        .listener(Listener::forwarding_to("edge", "api_server").wasm(&filter));
    for (cluster, address) in clusters {
        bootstrap = bootstrap.cluster(cluster, *address);
    }
    let envoy = Envoy::start(&bootstrap, WORKERS).await?;
    Ok((envoy, upstream))
}

#[tokio::test]
async fn a_session_goes_upstream_as_a_bearer_token_and_its_cookie_does_not() {
    let auth0 = gateway::auth0().await.unwrap();
    let keys = [("EDGE_SESSION_KEY", KEY), ("EDGE_SESSION_KEY_OLD", OLD_KEY)];
    let clusters = [("auth0", auth0.address())];
    let (envoy, _upstream) = start(&configuration(), &keys, &clusters).await.unwrap();
    let send = async |request: Request| request.send(envoy.address("edge")).await.unwrap();

    let token = auth0.token().build();
    for key in [KEY, OLD_KEY] {
        let mine = cookies(key, "s1", &token);
        let both = format!("theme=dark; {mine}; lang=en");
        let answer = send(Request::get("/api/v1/documents").header("cookie", &both)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let seen: Seen = answer.json().unwrap();
        assert_eq!(seen.header("authorization"), [format!("Bearer {token}")]);
        assert_eq!(seen.header("cookie"), ["theme=dark; lang=en"]);
        // The application that made the cookie gets it where it needs it.
        let answer = send(Request::get("/api/v1/auth/session").header("cookie", &mine)).await;
        let seen: Seen = answer.json().unwrap();
        assert_eq!(seen.header("cookie"), [mine]);
        assert!(seen.header("authorization").is_empty());
    }

    // Too long for one cookie.
    let long = auth0.token().claim("padding", "p".repeat(3000)).build();
    let pieces = cookies(KEY, "s1", &long);
    assert!(
        pieces.contains("__Host-edge-session.1="),
        "{}",
        pieces.len()
    );
    let answer = send(Request::get("/api").header("cookie", &pieces)).await;
    let seen: Seen = answer.json().unwrap();
    assert_eq!(seen.header("authorization"), [format!("Bearer {long}")]);
    assert!(seen.header("cookie").is_empty());

    let mine = cookies(KEY, "s1", &token);
    let cut = &mine[..mine.len() - 1];
    let answer = send(Request::get("/api").header("cookie", cut)).await;
    assert_eq!(
        (answer.status, reason(&answer).as_deref()),
        (401, Some("invalid_session"))
    );
    let evil = Request::new("POST", "/api")
        .header("cookie", &mine)
        .header("origin", "https://evil.example");
    let answer = send(evil).await;
    assert_eq!(
        (answer.status, reason(&answer).as_deref()),
        (403, Some("cross_site"))
    );
}

#[tokio::test]
async fn a_module_without_its_key_does_not_start_and_says_which() {
    let auth0 = gateway::auth0().await.unwrap();
    let clusters = [("auth0", auth0.address())];
    let keys = [("EDGE_SESSION_KEY", "c2VjcmV0LXNlY3JldA")];
    let error = start(&configuration(), &keys, &clusters).await.unwrap_err();
    let log = format!("{error:#}");
    for line in [
        "session.keys_env[0]: EDGE_SESSION_KEY must hold keys of 32 bytes each",
        "session.keys_env[1]: EDGE_SESSION_KEY_OLD is not set for this VM",
    ] {
        assert!(log.contains(line), "{line} is missing in {log}");
    }
    assert!(!log.contains("c2VjcmV0LXNlY3JldA"), "{log}");
}

/// What api-server serves at `/internal/edge/feed`: everything there is, each time.
async fn feed(revoked: Arc<Mutex<Vec<Value>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let page = move || {
        let entries = revoked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let cursor = entries.len().to_string();
        async move {
            Json(json!({
                "version": 1, "snapshot": true, "cursor": cursor, "more": false, "entries": entries,
            }))
        }
    };
    let router = Router::new().route("/internal/edge/feed", get(page));
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_session_is_refused_by_all_four_workers_within_one_poll() {
    let auth0 = gateway::auth0().await.unwrap();
    let revoked = Arc::new(Mutex::new(Vec::new()));
    let feed = feed(Arc::clone(&revoked)).await;
    let mut configuration = configuration();
    configuration["session"]["keys_env"] = json!(["EDGE_SESSION_KEY"]);
    configuration["revocations"] = json!({
        "http_uri": {"uri": "http://127.0.0.1/internal/edge/feed", "cluster": "feed"},
        "poll_interval": format!("{}s", POLL_INTERVAL.as_secs()),
    });
    let clusters = [("auth0", auth0.address()), ("feed", feed)];
    let (envoy, _upstream) = start(&configuration, &[("EDGE_SESSION_KEY", KEY)], &clusters)
        .await
        .unwrap();
    let token = auth0.token().build();
    let mine = Request::get("/api").header("cookie", cookies(KEY, "mine", &token));
    let other = Request::get("/api").header("cookie", cookies(KEY, "other", &token));
    // So many connections of their own that each worker has some.
    let ask = async |request: &Request| {
        let requests = (0..WAVE).map({
            let request = request.clone();
            move |_| request.clone()
        });
        let answers = load::send_all(envoy.address("edge"), WAVE, requests).await;
        let told = answers.unwrap();
        let refused = told
            .iter()
            .filter(|answer| answer.status == 401 && reason(answer).as_deref() == Some("revoked"));
        let refused = refused.count();
        let passed = told.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(passed + refused, WAVE);
        refused
    };
    assert_eq!(ask(&mine).await, 0);
    for worker in 0..WORKERS {
        let name = format!("worker_{worker}.downstream_cx_total");
        let all = envoy.stats("listener.127").await.unwrap();
        let served = all.iter().find(|(stat, _)| stat.ends_with(&name));
        assert!(
            served.is_some_and(|(_, count)| *count > 0),
            "{name}: {all:?}"
        );
    }

    let until = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 3600;
    revoked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(json!({"kind": "sid", "value": "mine", "expires_at": until}));
    let started = std::time::Instant::now();
    wait::until(
        "the revocation to be in force",
        Duration::from_secs(20),
        async || Ok((ask(&mine).await == WAVE).then_some(())),
    )
    .await
    .unwrap();
    let took = started.elapsed();
    // One poll; a worker looks at what was fetched on its tick, at most half a second later; one wave of requests.
    let bound = POLL_INTERVAL + Duration::from_millis(500) + SLACK;
    assert!(took <= bound, "{took:?}");
    assert_eq!(ask(&other).await, 0);
}

const WAVE: usize = 64;
/// For the fetch itself and two waves of requests, on a machine that compiles beside the test.
const SLACK: Duration = Duration::from_millis(1500);
