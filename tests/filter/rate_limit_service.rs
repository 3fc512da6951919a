//! The rate limit service over gRPC: requests that wait for it, its answers, and what goes wrong with it.

use std::time::Duration;

use auth0_sim::Key;
use edge_auth_policy::protobuf::Message;
use edge_auth_policy::rate_limit::service::MAX_ANSWER_BYTES;
use proxy_wasm_host::{GrpcCall, LogLevel, Outcome, Proxy, Request, Response};
use serde_json::{Value, json};

use crate::harness::{NOW, TICK, builder, check, config, get, keys, one_call, shown, token};

/// Everything below `/api` is counted by the service, by subject, and here too.
fn with_service() -> Value {
    let mut config = config();
    config["rules"] = json!([
        {"match": {"prefix": "/api"}, "requires": {"provider": "auth0"},
         "rate_limits": ["here", "per_user"]},
        {"match": {"prefix": "/public"}, "requires": "public", "rate_limits": ["per_host"]},
    ]);
    config["rate_limits"] =
        json!({"here": {"key": ["client_address"], "requests": 3, "per": "60s"}});
    config["rate_limit_service"] = json!({
        "cluster": "ratelimit", "domain": "edge", "timeout": "20ms",
        "limits": {"per_user": {"key": [{"claim": "sub"}]}, "per_host": {"key": ["host"]}},
    });
    config
}

fn allowing() -> Value {
    let mut config = with_service();
    config["rate_limit_service"]["failure_mode"] = json!("allow");
    config
}

fn ready(config: &Value) -> Proxy {
    let proxy = builder(config).cluster("ratelimit").start().unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(TICK);
    proxy
}

fn api() -> Request {
    get("/api", &token().build())
}

#[track_caller]
fn one_question(proxy: &Proxy) -> GrpcCall {
    let mut calls = proxy.pending_grpc_calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0)
}

fn response(code: u64) -> Vec<u8> {
    let quota = Message::default().varint(1, 30).varint(2, 3);
    let status = Message::default()
        .varint(1, code)
        .message(2, &quota)
        .varint(3, 4)
        .message(4, &Message::default().varint(1, 77));
    Message::default()
        .varint(1, code)
        .message(2, &status)
        .finish()
}

fn ok() -> Vec<u8> {
    response(1)
}

fn over_limit() -> Vec<u8> {
    response(2)
}

/// What happens to a request to `/public` whose question ends like this.
#[track_caller]
fn check_end(proxy: &Proxy, end: impl FnOnce(&Proxy), expected: &str) {
    let stream = proxy.worker(0).request(Request::get("/public"));
    assert_eq!(shown(&stream.outcome()), "paused");
    end(proxy);
    assert_eq!(shown(&stream.outcome()), expected);
    stream.finish();
}

fn metric(proxy: &Proxy, name: &str) -> u64 {
    proxy.advance(TICK);
    proxy.metric(&format!("edge_auth.rate_limit_service.{name}"))
}

#[test]
fn a_request_waits_for_the_service_and_goes_on_with_its_identity() {
    let proxy = ready(&with_service());
    let stream = proxy.worker(0).request(api().header("x-user-id", "root"));
    assert_eq!(shown(&stream.outcome()), "paused");
    let question = one_question(&proxy);
    let sent = question.request();
    assert_eq!(
        (
            sent.cluster.as_str(),
            sent.service.as_str(),
            sent.method.as_str()
        ),
        (
            "ratelimit",
            "envoy.service.ratelimit.v3.RateLimitService",
            "ShouldRateLimit"
        )
    );
    assert_eq!(sent.timeout, Some(Duration::from_millis(20)));
    let entry = |key, value| Message::default().string(1, key).string(2, value);
    let descriptor = Message::default()
        .message(1, &entry("limit", "per_user"))
        .message(1, &entry("claim.sub", auth0_sim::DEFAULT_SUBJECT));
    let expected = Message::default()
        .string(1, "edge")
        .message(2, &descriptor)
        .varint(3, 1);
    assert_eq!(sent.message, expected.finish());

    assert!(question.respond(ok()));
    let outcome = stream.outcome();
    assert_eq!(shown(&outcome), "200");
    let upstream = outcome.upstream_headers().unwrap();
    let seen: Vec<_> = upstream.get_all("x-user-id").collect();
    assert_eq!(seen, [auth0_sim::DEFAULT_SUBJECT.as_bytes()]);
    assert!(!question.respond(over_limit()), "an answer comes once");
    assert_eq!(
        (metric(&proxy, "asked"), metric(&proxy, "over_limit")),
        (1, 0)
    );
    assert_eq!(proxy.refusals(), []);
}

#[test]
fn a_request_over_the_limit_is_told_when_to_come_back() {
    let proxy = ready(&with_service());
    let stream = proxy.worker(0).request(api());
    one_question(&proxy).respond(over_limit());
    let outcome = stream.outcome();
    assert_eq!(shown(&outcome), "429 rate_limited");
    let Outcome::LocalReply(reply) = &outcome else {
        panic!("{outcome:?}")
    };
    let text = |name| String::from_utf8_lossy(reply.headers.get(name).unwrap()).into_owned();
    assert_eq!(text("retry-after"), "77");
    assert_eq!(text("ratelimit"), r#""here";r=2;t=60, "per_user";r=4;t=77"#);
    assert_eq!(
        text("ratelimit-policy"),
        r#""here";q=3;w=60, "per_user";q=30;w=3600"#
    );
    assert_eq!(metric(&proxy, "over_limit"), 1);
}

#[test]
fn limits_of_the_proxy_come_first_and_count_a_held_request_once() {
    let proxy = ready(&with_service());
    for _ in 0..3 {
        let stream = proxy.worker(0).request(api());
        one_question(&proxy).respond(ok());
        assert_eq!(shown(&stream.outcome()), "200");
    }
    check(&proxy, api(), "429 rate_limited");
    assert_eq!(proxy.pending_grpc_calls().len(), 0);
}

#[test]
fn a_service_that_fails_denies_or_allows_as_configured_and_is_counted_by_why() {
    let unreadable = |proxy: &Proxy| {
        one_question(proxy).respond("no message");
    };
    let long = |proxy: &Proxy| {
        let padded = Message::default()
            .varint(1, 1)
            .bytes(3, &vec![0; MAX_ANSWER_BYTES]);
        one_question(proxy).respond(padded.finish());
    };
    for (config, expected) in [
        (with_service(), "503 rate_limit_unavailable"),
        (allowing(), "200"),
    ] {
        let proxy = ready(&config);
        let failed = |status| {
            move |proxy: &Proxy| {
                one_question(proxy).fail(status, "");
            }
        };
        check_end(&proxy, failed(14), expected);
        check_end(
            &proxy,
            |proxy| proxy.advance(Duration::from_millis(20)),
            expected,
        );
        check_end(&proxy, failed(12), expected);
        check_end(&proxy, unreadable, expected);
        check_end(&proxy, long, expected);
        check_end(
            &proxy,
            |proxy| {
                one_question(proxy).respond("");
            },
            expected,
        );
        proxy.set_cluster_healthy("ratelimit", false);
        check(&proxy, Request::get("/public"), expected);
        for (why, count) in [
            ("no_answer", 2),
            ("grpc_status", 1),
            ("malformed", 1),
            ("too_long", 1),
            ("unknown_code", 1),
            ("not_sent", 1),
        ] {
            assert_eq!(metric(&proxy, &format!("failed.{why}")), count, "{why}");
        }
        assert_eq!(metric(&proxy, "asked"), 7);
        // The host refused the call to an unhealthy cluster, and nothing else.
        let refused: Vec<_> = proxy.refusals().iter().map(|it| it.hostcall).collect();
        assert_eq!(refused, ["proxy_grpc_call"]);
    }
}

#[test]
fn a_cluster_that_is_not_there_is_told_in_the_log_once() {
    let proxy = builder(&with_service()).start().unwrap();
    for _ in 0..3 {
        check(
            &proxy,
            Request::get("/public"),
            "503 rate_limit_unavailable",
        );
        proxy.advance(TICK);
    }
    let lines: Vec<_> = proxy
        .logs()
        .into_iter()
        .filter(|entry| entry.message.contains("rate_limit_service"))
        .collect();
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(line.level, LogLevel::Warn);
    assert_eq!(
        line.message,
        "edge-auth: rate_limit_service: Envoy has no such cluster, or none of its endpoints is healthy; requests it \
         does not answer for are denied"
    );
}

#[test]
fn a_client_that_leaves_is_forgotten_and_the_answer_finds_nobody() {
    let proxy = ready(&with_service());
    let gone = proxy.worker(0).request(api());
    let question = one_question(&proxy);
    gone.finish();
    assert!(question.respond(ok()));
    let stream = proxy.worker(0).request(api());
    one_question(&proxy).respond(ok());
    assert_eq!(shown(&stream.outcome()), "200");
    assert_eq!(metric(&proxy, "asked"), 1);
    assert_eq!(proxy.worker(0).failure(), None);
    assert_eq!(proxy.refusals(), []);
}

#[test]
fn no_more_requests_are_held_than_a_worker_has_room_for() {
    let proxy = ready(&with_service());
    let held: Vec<_> = (0..1024)
        .map(|_| proxy.worker(0).request(Request::get("/public")))
        .collect();
    check(
        &proxy,
        Request::get("/public"),
        "503 rate_limit_unavailable",
    );
    proxy.pending_grpc_calls()[500].respond(ok());
    assert_eq!(shown(&held[500].outcome()), "200");
    let stream = proxy.worker(0).request(Request::get("/public"));
    assert_eq!(shown(&stream.outcome()), "paused");
    proxy.advance(Duration::from_millis(20));
    assert_eq!(shown(&held[0].outcome()), "503 rate_limit_unavailable");
    assert_eq!(metric(&proxy, "failed.too_many"), 1);
}

/// The host keeps the timeout; where its clock stepped back the module does not wait for that.
#[test]
fn a_clock_that_steps_back_ends_the_waiting() {
    let mut config = allowing();
    config["rate_limit_service"]["timeout"] = json!("1s");
    let proxy = ready(&config);
    let stream = proxy.worker(0).request(Request::get("/public"));
    proxy.step_wall_clock(Duration::from_secs(NOW - 3600));
    proxy.advance(TICK);
    assert_eq!(shown(&stream.outcome()), "200");
    assert!(one_question(&proxy).respond(over_limit()), "too late");
    assert_eq!(shown(&stream.outcome()), "200");
}

#[test]
fn a_request_that_waited_for_keys_asks_when_they_are_there() {
    let proxy = builder(&with_service())
        .cluster("ratelimit")
        .start()
        .unwrap();
    let stream = proxy.worker(0).request(api());
    proxy.advance(TICK);
    assert_eq!(proxy.pending_grpc_calls().len(), 0);
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    assert_eq!(shown(&stream.outcome()), "paused");
    one_question(&proxy).respond(ok());
    assert_eq!(shown(&stream.outcome()), "200");
    assert_eq!(proxy.refusals(), []);
}

#[test]
fn answers_tell_of_limits_only_where_asked_and_where_there_are_any() {
    let told = |config: &Value| {
        let proxy = ready(config);
        let stream = proxy.worker(0).request(api());
        one_question(&proxy).respond(ok());
        stream.respond(Response::new(200).header("ratelimit", "\"theirs\";r=1"));
        let answer = stream.client_response().unwrap();
        let told: Vec<_> = answer
            .headers
            .get_all("ratelimit")
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect();
        told
    };
    assert_eq!(told(&with_service()), ["\"theirs\";r=1"]);
    let mut always = with_service();
    always["rate_limit_headers"] = json!("always");
    assert_eq!(
        told(&always),
        ["\"theirs\";r=1", r#""here";r=2;t=60, "per_user";r=4;t=77"#]
    );
    let proxy = ready(&always);
    let stream = proxy.worker(0).request(get("/elsewhere", &token().build()));
    stream.respond(Response::new(200));
    let answer = stream.client_response().unwrap();
    assert_eq!(answer.headers.get("ratelimit"), None);
}
