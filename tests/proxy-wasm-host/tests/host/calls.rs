//! HTTP and gRPC calls: dispatched, answered, failed, timed out.

use std::time::Duration;

use proxy_wasm_host::{FailurePolicy, Outcome, Proxy, Request, Response, Thread};

use crate::support::{builder, pairs, proxy, said};

/// Calls `cluster` with a timeout of 5 s on each request, pauses, and resumes once there is an answer.
fn calling(cluster: &str) -> String {
    format!(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $number (call $http_call @"{cluster}" {} @"" @"" (i32.const 5000) (global.get $at)))
          (i32.const 1))
        (func (export "proxy_on_http_call_response")
            (param $context i32) (param $token i32) (param $headers i32) (param $body i32) (param i32)
          (call $number (local.get $context))
          (call $number (local.get $token))
          (call $answer (call $get_header_map_value (i32.const 6) @":status"
            (global.get $at) (global.get $size)))
          (call $answer (call $get_buffer_bytes (i32.const 4) (i32.const 0) (local.get $body)
            (global.get $at) (global.get $size)))
          (drop (call $set_effective_context (i32.const 2)))
          (drop (call $continue_stream (i32.const 0))))"#,
        pairs(&[
            (":method", "GET"),
            (":path", "/jwks"),
            (":authority", "idp")
        ])
    )
}

#[track_caller]
fn check(end: impl Fn(&Proxy), status: &str, body: &str) {
    let proxy = proxy(&calling("known"));
    let stream = proxy.worker(0).request(Request::get("/"));
    end(&proxy);
    assert_eq!(said(&proxy), ["0", "1", "4", status, body]);
    assert!(matches!(stream.outcome(), Outcome::Continued { .. }));
    assert!(proxy.pending_http_calls().is_empty());
}

#[test]
fn an_answer_reaches_the_root_context_which_resumes_the_stream() {
    check(
        |proxy| {
            let calls = proxy.pending_http_calls();
            assert_eq!(calls[0].request().path(), "/jwks");
            assert_eq!(calls[0].request().timeout, Some(Duration::from_secs(5)));
            assert_eq!(calls[0].thread(), Thread::Worker(0));
            assert!(calls[0].respond(Response::new(200).body("keys")));
            assert!(!calls[0].respond(Response::new(200)), "only once");
        },
        "200",
        "keys",
    );
}

#[test]
fn an_answer_can_be_read_in_its_callback_only() {
    let text = calling("known")
        + r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (call $answer (call $get_header_map_value (i32.const 6) @":status"
            (global.get $at) (global.get $size)))
          (call $answer (call $get_buffer_bytes (i32.const 4) (i32.const 0) (i32.const 9)
            (global.get $at) (global.get $size)))
          (i32.const 0))"#;
    let proxy = proxy(&text);
    proxy.worker(0).request(Request::post("/").body("b"));
    proxy.pending_http_calls()[0].respond(Response::new(200).body("keys"));
    assert_eq!(said(&proxy)[3..], ["200", "keys", "2", "1"]);
}

#[test]
fn a_refused_connection_is_a_503() {
    let text = "upstream connect error or disconnect/reset before headers. \
                reset reason: remote connection failure";
    check(
        |proxy| assert!(proxy.pending_http_calls()[0].refuse_connection()),
        "503",
        text,
    );
}

#[test]
fn a_call_times_out_by_the_clock_as_a_504() {
    check(
        |proxy| {
            proxy.advance(Duration::from_millis(4_999));
            assert_eq!(proxy.pending_http_calls().len(), 1);
            proxy.advance(Duration::from_millis(1));
        },
        "504",
        "upstream request timeout",
    );
}

#[test]
fn a_broken_connection_is_an_answer_without_headers() {
    // There is neither a map nor a buffer then.
    check(
        |proxy| assert!(proxy.pending_http_calls()[0].reset()),
        "2",
        "1",
    );
}

#[test]
fn a_call_to_an_unknown_cluster_is_a_bad_argument() {
    let proxy = proxy(&calling("unknown"));
    proxy.worker(0).request(Request::get("/"));
    assert_eq!(said(&proxy), ["2"]);
    assert!(proxy.pending_http_calls().is_empty());
}

#[test]
fn a_call_to_an_unhealthy_cluster_fails_at_once() {
    let proxy = proxy(&calling("known"));
    proxy.set_cluster_healthy("known", false);
    proxy.worker(0).request(Request::get("/"));
    assert_eq!(said(&proxy), ["10"]);
    assert!(proxy.pending_http_calls().is_empty());
}

#[test]
fn a_call_without_an_authority_is_a_bad_argument() {
    let text = format!(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $number (call $http_call @"known" {} @"" @"" (i32.const 0) (global.get $at)))
          (i32.const 0))"#,
        pairs(&[(":method", "GET"), (":path", "/jwks")])
    );
    let proxy = proxy(&text);
    proxy.worker(0).decide(Request::get("/"));
    assert_eq!(said(&proxy), ["2"]);
}

#[test]
fn a_cluster_can_answer_by_itself() {
    let proxy = builder(&calling("idp"))
        .answering_cluster("idp", |request| Response::new(200).body(request.path()))
        .start()
        .unwrap();
    let stream = proxy.worker(0).request(Request::get("/"));
    assert_eq!(said(&proxy), ["0", "1", "4", "200", "/jwks"]);
    assert!(matches!(stream.outcome(), Outcome::Continued { .. }));
}

#[test]
fn cve_2026_48090_an_answer_after_the_stream_is_gone_harms_nobody() {
    let proxy = proxy(&calling("known"));
    let stream = proxy.worker(0).request(Request::get("/"));
    stream.finish();
    assert!(proxy.pending_http_calls()[0].respond(Response::new(200).body("late")));
    assert_eq!(stream.outcome(), Outcome::Paused);
    assert_eq!(proxy.worker(0).failure(), None);
}

#[test]
fn an_answer_to_a_reloaded_vms_call_is_nobodys() {
    let text = calling("known")
        + r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (unreachable))"#;
    let proxy = builder(&text)
        .cluster("known")
        .failure_policy(FailurePolicy::FailReload {
            backoff: Duration::ZERO,
        })
        .start()
        .unwrap();
    proxy.worker(0).request(Request::post("/").body("trap"));
    let old = proxy.pending_http_calls().remove(0);
    assert!(
        old.respond(Response::new(200)),
        "resumes the stream, whose body is the VM's end"
    );
    proxy.worker(0).request(Request::post("/").body("trap"));
    let old = proxy.pending_http_calls().remove(0);
    old.respond(Response::new(200));
    let dead = proxy.worker(0).request(Request::get("/"));
    assert_eq!(proxy.pending_http_calls().len(), 1);
    assert!(
        !old.respond(Response::new(200)),
        "the same token of another VM"
    );
    assert_eq!(dead.outcome(), Outcome::Paused);
}

/// Makes a gRPC call on each request.
fn grpc(upstream: &str) -> String {
    format!(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $number (call $grpc_call @"{upstream}" @"envoy.service.ratelimit.v3.RateLimitService"
            @"ShouldRateLimit" @"" @"message" (i32.const 20) (global.get $at)))
          (i32.const 1))
        (func (export "proxy_on_grpc_receive") (param i32) (param $token i32) (param $size i32)
          (call $number (local.get $token))
          (call $answer (call $get_buffer_bytes (i32.const 5) (i32.const 0) (local.get $size)
            (global.get $at) (global.get $size))))
        (func (export "proxy_on_grpc_close") (param i32) (param $token i32) (param $status i32)
          (call $number (local.get $token))
          (call $number (local.get $status))
          (call $answer (call $get_status (i32.const 8) (global.get $at) (global.get $size))))"#
    )
}

#[track_caller]
fn check_grpc(upstream: &str, end: impl Fn(&Proxy), expected: &[&str]) {
    let proxy = proxy(&grpc(upstream));
    proxy.worker(0).request(Request::get("/"));
    end(&proxy);
    assert_eq!(said(&proxy), expected);
}

#[test]
fn a_grpc_call_names_its_cluster_or_sends_a_grpc_service() {
    for upstream in ["known", "\\0a\\07\\0a\\05known"] {
        check_grpc(
            upstream,
            |proxy| {
                let call = &proxy.pending_grpc_calls()[0];
                assert_eq!(call.request().cluster, "known");
                assert_eq!(call.request().method, "ShouldRateLimit");
                assert_eq!(call.request().message, b"message");
                assert!(call.respond("ok"));
            },
            &["0", "5", "ok"],
        );
    }
}

#[test]
fn a_grpc_call_fails_with_a_status_and_a_message() {
    check_grpc(
        "known",
        |proxy| assert!(proxy.pending_grpc_calls()[0].fail(7, "no")),
        &["0", "5", "7", "no"],
    );
}

#[test]
fn a_grpc_call_times_out_by_the_clock() {
    check_grpc(
        "known",
        |proxy| proxy.advance(Duration::from_millis(20)),
        &["0", "5", "14", "upstream request timeout{response_timeout}"],
    );
}

#[test]
fn a_grpc_call_to_nowhere_is_refused() {
    check_grpc("unknown", |_| {}, &["4"]);
    let unhealthy = proxy(&grpc("known"));
    unhealthy.set_cluster_healthy("known", false);
    unhealthy.worker(0).request(Request::get("/"));
    assert_eq!(
        said(&unhealthy),
        ["10", "5", "14", "no healthy upstream{no_healthy_upstream}"]
    );
    let unknown = "\\0a\\09\\0a\\07unknown";
    check_grpc(unknown, |_| {}, &["10", "5", "14", "Cluster not available"]);
}
