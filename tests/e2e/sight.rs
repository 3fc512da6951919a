//! What an operator sees of a decision in a real Envoy: the audit line in its log, the facts in its access log, the
//! name in the answer and upstream.

use std::time::Duration;

use gateway_tests::{
    client::Request,
    envoy::{Bootstrap, Envoy, Listener, WasmFilter},
    gateway::{self, reason},
    module,
    upstream::{Echo, Seen},
    wait,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const FACTS: [&str; 6] = [
    "rule",
    "reason",
    "would_deny",
    "provider",
    "subject",
    "decision_id",
];

/// An access log that prints every fact, one JSON object a line.
fn access_log(path: &str) -> Value {
    let mut format = json!({"request_id": "%REQ(X-REQUEST-ID)%", "status": "%RESPONSE_CODE%"});
    for fact in FACTS {
        format[fact] = format!("%FILTER_STATE(wasm.edge_auth.{fact}:PLAIN)%").into();
    }
    json!([{
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": {"json_format": format},
        },
    }])
}

fn configuration() -> Value {
    let mut configuration = gateway::configuration(&json!([
        {
            "name": "write",
            "match": {"prefix": "/write"},
            "requires": {"provider": "auth0", "scopes": {"all_of": ["write:documents"]}},
        },
        {
            "name": "trial",
            "match": {"prefix": "/trial"},
            "requires": {"provider": "auth0", "scopes": {"all_of": ["write:documents"]}},
            "mode": "shadow",
        },
    ]));
    configuration["decision_id"] = json!({"trust_request_id": true});
    configuration["audit"] = json!({
        "allowed_sample_percent": 100, "subject": "plain", "filter_state": FACTS,
    });
    configuration["histogram_sample_percent"] = json!(100);
    configuration
}

async fn lines(path: &std::path::Path, count: usize) -> Vec<Value> {
    wait::until("the access log", Duration::from_secs(30), async || {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        Ok((lines.len() >= count).then_some(lines))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_denial_can_be_followed_from_the_answer_to_both_logs() {
    let auth0 = gateway::auth0().await.unwrap();
    let configuration = configuration();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("access.log");
    let upstream = Echo::start().await.unwrap();
    let filter = WasmFilter::new(module::path().unwrap(), &configuration);
    let listener = Listener::forwarding_to("edge", "api_server")
        .wasm(&filter)
        .connection_manager("access_log", access_log(path.to_str().unwrap()));
    let bootstrap = Bootstrap::default()
        .cluster("api_server", upstream.address())
        .cluster("auth0", auth0.address())
        .listener(listener);
    let envoy = Envoy::start(&bootstrap, 1).await.unwrap();
    let send = async |request: Request| request.send(envoy.address("edge")).await.unwrap();

    let token = auth0
        .token()
        .subject("auth0|7")
        .scope("read:documents")
        .build();
    let passed = send(
        Request::get("/read?code=query-secret")
            .bearer(&token)
            .header("x-decision-id", "forged")
            .header("x-request-id", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    )
    .await;
    let denied = send(Request::get("/write").bearer(&token)).await;
    let tried = send(Request::get("/trial").bearer(&token)).await;
    assert_eq!(
        (passed.status, denied.status, tried.status),
        (200, 403, 200)
    );
    assert_eq!(reason(&denied).as_deref(), Some("insufficient_scope"));
    let seen: Seen = passed.json().unwrap();

    let access = lines(&path, 3).await;
    let facts = |line: &Value| FACTS.map(|fact| line[fact].as_str().unwrap_or("-").to_owned());
    let id = |line: &Value| line["request_id"].as_str().unwrap().to_owned();
    let [first, second, third] = &access[..] else {
        panic!("{access:?}")
    };
    let expected = |rule: &str, reason: &str, would_deny: &str, id: String| {
        [rule, reason, would_deny, "auth0", "auth0|7", &id].map(ToOwned::to_owned)
    };
    assert_eq!(facts(first), expected("default", "-", "-", id(first)));
    assert_eq!(
        facts(second),
        expected("write", "insufficient_scope", "-", id(second))
    );
    assert_eq!(
        facts(third),
        expected("trial", "-", "insufficient_scope", id(third))
    );
    // Envoy made the name itself: a client outside cannot choose it.
    assert_ne!(id(first), "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert_eq!(seen.header("x-decision-id"), [id(first)]);
    assert_eq!(denied.header("x-decision-id"), Some(id(second).as_str()));

    let log = envoy.log();
    let audit: Vec<Value> = log
        .iter()
        .filter_map(|line| Some(&line[line.find("{\"edge_auth_audit\"")?..]))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = |line: &Value| {
        ["decision", "rule", "reason", "subject", "decision_id"]
            .map(|member| line[member].as_str().unwrap_or("-").to_owned())
            .join(" ")
    };
    assert_eq!(
        audit.iter().map(told).collect::<Vec<_>>(),
        [
            format!("allow default - auth0|7 {}", id(first)),
            format!("deny write insufficient_scope auth0|7 {}", id(second)),
            format!("would_deny trial insufficient_scope auth0|7 {}", id(third)),
        ]
    );
    let everything = format!("{log:?}{access:?}");
    for secret in [token.as_str(), "query-secret"] {
        assert!(!everything.contains(secret));
    }

    histograms(&envoy).await;
}

async fn histograms(envoy: &Envoy) {
    // Histograms are merged on a timer.
    wait::until("the histograms", Duration::from_secs(30), async || {
        let answer = Request::get("/stats/prometheus?filter=edge_auth")
            .send(envoy.admin())
            .await?;
        let text = answer.text();
        let count = |name: &str| {
            let name = format!("edge_auth_{name}_count");
            let line = text.lines().find(|line| line.contains(&name))?;
            line.rsplit(' ').next()?.parse::<u32>().ok()
        };
        // The first request may have waited for keys: then its decision was not timed.
        let decisions = count("decision_microseconds").unwrap_or(0);
        let verifications = count("verification_by_host_microseconds").unwrap_or(0);
        Ok((decisions >= 2 && verifications == 1).then_some(()))
    })
    .await
    .unwrap();
}
