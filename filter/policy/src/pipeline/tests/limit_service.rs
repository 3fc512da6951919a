//! Limits that a service counts: what it is asked, and what becomes of a request by its answer.

use super::*;
use crate::protobuf::{Fields as ProtoFields, Message, Value};
use crate::rate_limit::service::Failure;

const OK: u64 = 1;
const OVER_LIMIT: u64 = 2;

fn config() -> serde_json::Value {
    let mut config = super::config();
    config["rules"] = json!([
        {"match": {"path": "/two"}, "requires": {"provider": "auth0"},
         "rate_limits": ["per_user", "here", "per_client"]},
        {"match": {"path": "/public"}, "requires": "public", "rate_limits": ["per_client"]},
        {"name": "shadow", "match": {"path": "/shadow"}, "mode": "shadow", "requires": "public",
         "rate_limits": ["per_client"]},
        {"name": "ramp", "match": {"path": "/ramp"}, "mode": "shadow", "enforce_percent": 50,
         "requires": {"provider": "auth0"}, "rate_limits": ["per_client"]},
    ]);
    config["rate_limits"] =
        json!({"here": {"key": ["client_address"], "requests": 2, "per": "60s"}});
    config["rate_limit_service"] = json!({
        "cluster": "ratelimit", "domain": "edge",
        "limits": {"per_user": {"key": [{"claim": "sub"}]}, "per_client": {"key": ["client_address"]}},
    });
    config
}

fn with(name: &str, value: serde_json::Value) -> serde_json::Value {
    let mut config = config();
    config["rate_limit_service"][name] = value;
    config
}

/// The request held for the service.
#[track_caller]
fn held(judgement: Judgement) -> Box<Held> {
    assert_eq!(shown(&judgement), "wait RateLimitService");
    judgement.held.unwrap()
}

/// What becomes of the request once the service has answered.
fn answered(edge: &mut Edge, held: Box<Held>, answer: Result<Message, Failure>) -> Judgement {
    let answer = answer.and_then(|message| held.read(&message.finish()));
    let fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", b"GET"),
        (b":path", b"/two"),
        (b":authority", b"api.pymd.io"),
    ];
    let head = RequestHead {
        headers: &fields,
        source_address: Some(IpAddr::from([203, 0, 113, 7])),
        tls: true,
    };
    edge.gateway
        .on_rate_limit_answer(&head, *held, answer, edge.now)
}

fn response(code: u64, statuses: &[Message]) -> Message {
    let response = Message::default().varint(1, code);
    statuses
        .iter()
        .fold(response, |response, status| response.message(2, status))
}

/// A status of a rule that allows 30 in an hour.
fn status(code: u64, remaining: u64, reset_seconds: u64) -> Message {
    Message::default()
        .varint(1, code)
        .message(2, &Message::default().varint(1, 30).varint(2, 3))
        .varint(3, remaining)
        .message(4, &Message::default().varint(1, reset_seconds))
}

/// The entries of the descriptors of a request, `key=value`.
fn descriptors(message: &[u8]) -> Vec<Vec<String>> {
    let bytes = |message: &[u8], number: u32| -> Vec<Vec<u8>> {
        ProtoFields::new(message)
            .filter_map(|field| match field.unwrap() {
                (found, Value::Bytes(bytes)) if found == number => Some(bytes.to_vec()),
                _ => None,
            })
            .collect()
    };
    let text = |entry: &[u8], number| {
        let values = bytes(entry, number);
        String::from_utf8(values.first().cloned().unwrap_or_default()).unwrap()
    };
    let entries = |descriptor: &Vec<u8>| {
        let entries = bytes(descriptor, 1);
        let shown = entries
            .iter()
            .map(|entry| format!("{}={}", text(entry, 1), text(entry, 2)));
        shown.collect()
    };
    bytes(message, 2).iter().map(entries).collect()
}

fn ask(edge: &mut Edge, path: &str) -> Judgement {
    let authorization = bearer(|_| {});
    edge.ask("GET", path, &[("authorization", &authorization)], true)
}

#[test]
fn all_limits_of_a_rule_are_asked_about_in_one_call() {
    let mut edge = Edge::new(&config());
    let held = held(ask(&mut edge, "/two"));
    assert_eq!(
        descriptors(held.message()),
        [
            ["limit=per_user", "claim.sub=auth0|1"],
            ["limit=per_client", "client_address=203.0.113.7"],
        ]
    );
}

#[test]
fn a_request_goes_on_with_its_identity_only_after_the_service_allowed_it() {
    let mut edge = Edge::new(&config());
    let held = held(ask(&mut edge, "/two"));
    let judgement = answered(&mut edge, held, Ok(response(OK, &[])));
    assert_eq!(
        shown(&judgement),
        "200 x-user-id=auth0|1 x-user-roles=editor,reader"
    );
    assert_eq!(judgement.rule, Some(0));
}

#[test]
fn a_request_over_a_limit_of_the_service_is_told_so_with_all_its_limits() {
    let mut edge = Edge::new(&config());
    let held = held(ask(&mut edge, "/two"));
    let statuses = [status(OVER_LIMIT, 0, 90), status(OK, 7, 10)];
    let judgement = answered(&mut edge, held, Ok(response(OVER_LIMIT, &statuses)));
    assert_eq!(shown(&judgement), "429 rate_limited");
    let Decision::Reply(reply) = &judgement.decision else {
        panic!("{judgement:?}")
    };
    assert_eq!(reply.header("retry-after"), Some("90"));
    assert_eq!(
        reply.header("ratelimit"),
        Some(r#""here";r=1;t=60, "per_user";r=0;t=90, "per_client";r=7;t=10"#)
    );
    assert_eq!(
        reply.header("ratelimit-policy"),
        Some(r#""here";q=2;w=60, "per_user";q=30;w=3600, "per_client";q=30;w=3600"#)
    );
}

#[test]
fn limits_of_this_proxy_are_counted_once_and_before_the_service_is_asked() {
    let mut edge = Edge::new(&config());
    for _ in 0..2 {
        let held = held(ask(&mut edge, "/two"));
        let judgement = answered(&mut edge, held, Ok(response(OK, &[])));
        assert!(shown(&judgement).starts_with("200"));
    }
    assert_eq!(shown(&ask(&mut edge, "/two")), "429 rate_limited");
}

#[test]
fn what_the_service_does_not_decide_the_failure_mode_does() {
    let failures = [Failure::NotSent, Failure::NoAnswer, Failure::Malformed];
    for failure in failures {
        let mut edge = Edge::new(&config());
        let held_request = held(ask(&mut edge, "/public"));
        let judgement = answered(&mut edge, held_request, Err(failure));
        assert_eq!(shown(&judgement), "503 rate_limit_unavailable");
        let mut edge = Edge::new(&with("failure_mode", json!("allow")));
        let held_request = held(ask(&mut edge, "/public"));
        let judgement = answered(&mut edge, held_request, Err(failure));
        assert_eq!(shown(&judgement), "200");
    }
}

/// `allow` is for a service that says nothing, never for one that says no.
#[test]
fn a_denial_stands_whatever_the_failure_mode() {
    let mut edge = Edge::new(&with("failure_mode", json!("allow")));
    let held_request = held(ask(&mut edge, "/public"));
    let judgement = answered(&mut edge, held_request, Ok(response(OVER_LIMIT, &[])));
    assert_eq!(shown(&judgement), "429 rate_limited");
    let held_request = held(ask(&mut edge, "/public"));
    let over = [status(OVER_LIMIT, 0, 1)];
    let judgement = answered(&mut edge, held_request, Ok(response(OK, &over)));
    assert_eq!(shown(&judgement), "429 rate_limited");
}

#[test]
fn more_statuses_than_limits_are_no_answer() {
    let mut edge = Edge::new(&config());
    let held = held(ask(&mut edge, "/public"));
    let statuses = [status(OK, 1, 1), status(OK, 1, 1)];
    let judgement = answered(&mut edge, held, Ok(response(OK, &statuses)));
    assert_eq!(shown(&judgement), "503 rate_limit_unavailable");
}

#[test]
fn what_is_only_watched_never_asks() {
    let mut edge = Edge::new(&config());
    assert_eq!(shown(&ask(&mut edge, "/shadow")), "200");
    let asked = (0..40).filter(|n| {
        let authorization = bearer(|claims| claims["sub"] = json!(format!("auth0|{n}")));
        let judgement = edge.ask("GET", "/ramp", &[("authorization", &authorization)], true);
        judgement.held.is_some()
    });
    // Always the same callers: their places are in `ramp`'s tests.
    assert!((1..40).contains(&asked.count()));
}

#[test]
fn the_address_is_asked_for_where_the_service_counts_by_it() {
    let mut config = config();
    config["rate_limits"] = json!({});
    config["rules"] = json!([
        {"match": {"path": "/public"}, "requires": "public", "rate_limits": ["per_client"]},
    ]);
    assert!(Edge::new(&config).gateway.needs().source_address);
    config["rate_limit_service"]["limits"]["per_client"]["key"] = json!(["host"]);
    assert!(!Edge::new(&config).gateway.needs().source_address);
}

#[test]
fn answers_tell_of_limits_where_the_configuration_says_always() {
    let mut config = config();
    let mut edge = Edge::new(&config);
    let held_request = held(ask(&mut edge, "/two"));
    let judgement = answered(&mut edge, held_request, Ok(response(OK, &[])));
    assert_eq!(judgement.answer_fields, []);
    config["rate_limit_headers"] = json!("always");
    let mut edge = Edge::new(&config);
    let held_request = held(ask(&mut edge, "/two"));
    let allowed = [status(OK, 29, 3600), Message::default().varint(1, OK)];
    let judgement = answered(&mut edge, held_request, Ok(response(OK, &allowed)));
    assert_eq!(
        judgement.answer_fields,
        [
            (
                "ratelimit-policy",
                r#""here";q=2;w=60, "per_user";q=30;w=3600"#.to_owned()
            ),
            (
                "ratelimit",
                r#""here";r=1;t=60, "per_user";r=29;t=3600"#.to_owned()
            ),
        ]
    );
}

#[test]
fn an_audit_line_tells_what_the_service_decided() {
    let mut config = config();
    config["audit"] = json!({"subject": "plain", "max_lines_per_second": 5});
    let mut edge = Edge::new(&config);
    let judgement = ask(&mut edge, "/two");
    assert_eq!(judgement.audit, None);
    let held = held(judgement);
    let judgement = answered(&mut edge, held, Err(Failure::NoAnswer));
    let line: serde_json::Value = serde_json::from_str(&judgement.audit.unwrap()).unwrap();
    assert_eq!(line["reason"], "rate_limit_unavailable");
    assert_eq!(line["subject"], "auth0|1");
}
