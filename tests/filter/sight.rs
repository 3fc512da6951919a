//! What the compiled module tells: audit lines in the log, filter state, metrics; and nothing where nothing is asked.

use std::collections::BTreeSet;
use std::time::Duration;

use auth0_sim::Key;
use edge_auth_policy::metrics;
use proxy_wasm_host::{LogLevel, MetricValue, Proxy, Request};
use serde_json::{Value, json};

use crate::harness::{TICK, builder, check, config, get, keys, one_call, ready, shown, token};

fn audit_lines(proxy: &Proxy) -> Vec<Value> {
    proxy
        .logs()
        .into_iter()
        .filter(|entry| entry.message.contains("edge_auth_audit"))
        .map(|entry| {
            assert_eq!(entry.level, LogLevel::Info);
            serde_json::from_str(&entry.message).unwrap()
        })
        .collect()
}

fn with_audit() -> Value {
    let mut config = config();
    config["decision_id"] = json!({});
    config["audit"] = json!({
        "subject": "plain", "max_lines_per_second": 5, "filter_state": ["subject", "rule", "reason"],
    });
    config
}

#[test]
fn a_denial_has_its_line_its_name_and_its_facts_and_a_flood_is_cut() {
    let proxy = ready(&with_audit(), 1);
    let wrong = token().audience("https://other.example").build();
    let outcome = proxy
        .worker(0)
        .decide(get("/private", &wrong).source("203.0.113.9"));
    assert_eq!(shown(&outcome), "401 wrong_audience");
    let lines = audit_lines(&proxy);
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(line["reason"], "wrong_audience");
    assert_eq!(line["client"], "203.0.113.9");
    assert_eq!(line["provider"], "auth0");
    let proxy_wasm_host::Outcome::LocalReply(reply) = &outcome else {
        panic!("{outcome:?}")
    };
    let named = line["decision_id"].as_str().unwrap();
    assert_eq!(reply.headers.get("x-decision-id"), Some(named.as_bytes()));
    let outcome = proxy.worker(0).decide(get("/private", &token().build()));
    let upstream = outcome.upstream_headers().unwrap().get("x-decision-id");
    assert!(upstream.is_some_and(|id| id.len() == 32 && id != named.as_bytes()));

    for _ in 0..100 {
        check(&proxy, Request::get("/private"), "401 missing_token");
    }
    assert_eq!(audit_lines(&proxy).len(), 5);
    proxy.advance(Duration::from_secs(1));
    check(&proxy, Request::get("/private"), "401 missing_token");
    let lines = audit_lines(&proxy);
    assert_eq!(lines.last().unwrap()["suppressed"], 96);
    proxy.advance(TICK);
    assert_eq!(proxy.metric("edge_auth.audit_lines"), 6);
    assert_eq!(proxy.metric("edge_auth.audit_suppressed"), 96);
    assert_eq!(proxy.refusals(), []);
}

#[test]
fn no_line_is_written_where_the_log_drops_the_level() {
    let proxy = builder(&with_audit())
        .log_level(LogLevel::Warn)
        .start()
        .unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(TICK);
    check(&proxy, Request::get("/private"), "401 missing_token");
    proxy.advance(TICK);
    assert_eq!(audit_lines(&proxy), Vec::<Value>::new());
    assert_eq!(proxy.metric("edge_auth.audit_lines"), 0);
}

#[test]
fn decisions_and_checks_are_timed_as_often_as_asked() {
    let histogram = |percent: u8, name: &str| {
        let mut config = config();
        config["histogram_sample_percent"] = json!(percent);
        let proxy = ready(&config, 1);
        for n in 0..50 {
            let token = token().subject(&format!("auth0|{n}")).build();
            check(&proxy, get("/private", &token), "200");
        }
        proxy.advance(TICK);
        match proxy.metrics().get(&format!("edge_auth.{name}")) {
            Some(MetricValue::Histogram(values)) => values.len(),
            None => 0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(histogram(0, metrics::DECISION_MICROSECONDS), 0);
    assert_eq!(histogram(10, metrics::DECISION_MICROSECONDS), 5);
    assert_eq!(histogram(100, metrics::DECISION_MICROSECONDS), 50);
    assert_eq!(histogram(0, metrics::MODULE_MICROSECONDS), 0);
    assert_eq!(histogram(10, metrics::MODULE_MICROSECONDS), 50);
}

#[test]
fn a_new_key_set_is_told_by_its_ids_and_what_was_skipped() {
    let proxy = builder(&config()).start().unwrap();
    proxy.advance(TICK);
    let hostile = json!({"kty": "oct", "k": "AA", "kid": "sym"});
    let mut good = Key::Rsa1.jwk();
    good["kid"] = json!("k\n\"1\"");
    let body = json!({"keys": [good, hostile]}).to_string();
    one_call(&proxy).respond(proxy_wasm_host::Response::new(200).body(body));
    proxy.advance(TICK);
    let told = proxy.logs().into_iter().find(|entry| {
        entry.message == "edge-auth: providers.auth0: loaded 1 keys (k??1?), 1 that can't be used"
    });
    assert!(told.is_some(), "{:?}", proxy.logs());
    assert_eq!(proxy.metric("edge_auth.keys.auth0.count"), 1);
    assert_eq!(proxy.metric("edge_auth.keys.auth0.skipped"), 1);
}

/// Whatever the module reports is in the documentation's list.
#[test]
fn every_metric_the_module_reports_is_documented() {
    let mut config = with_audit();
    config["histogram_sample_percent"] = json!(100);
    let proxy = ready(&config, 1);
    check(&proxy, get("/private", &token().build()), "200");
    check(&proxy, Request::get("/private"), "401 missing_token");
    proxy.advance(TICK);
    let documented: BTreeSet<&str> = metrics::ALL.iter().map(|metric| metric.name).collect();
    let reported = proxy.metrics();
    assert!(reported.len() > 10, "{reported:?}");
    for name in reported.keys() {
        let family = name
            .strip_prefix("edge_auth.")
            .unwrap()
            .replace("keys.auth0.", "keys.<provider>.")
            .replace("reply.missing_token", "reply.<reason>");
        assert!(documented.contains(family.as_str()), "{family}");
    }
}
