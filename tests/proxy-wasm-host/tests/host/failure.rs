//! Traps and broken rules: what kills a VM, and what its streams get then.

use std::time::Duration;

use proxy_wasm_host::{FailurePolicy, LogLevel, Outcome, Proxy, Request, Response, StartError};

use crate::support::{builder, module, proxy, said};

/// Panics on `/panic`.
const PANICKING: &str = r#"
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $get_header_map_value (i32.const 0) @":path" (global.get $at) (global.get $size)))
    (if (i32.gt_u (i32.load (global.get $size)) (i32.const 1)) (then (unreachable)))
    (i32.const 0))
  (func (export "proxy_on_delete") (param i32) (call $say @"delete"))"#;

fn panicked(policy: FailurePolicy) -> (Proxy, Outcome) {
    let proxy = builder(PANICKING)
        .failure_policy(policy)
        .workers(2)
        .start()
        .unwrap();
    assert!(matches!(
        proxy.worker(0).request(Request::get("/")).outcome(),
        Outcome::Continued { .. }
    ));
    let outcome = proxy.worker(0).decide(Request::get("/panic"));
    (proxy, outcome)
}

#[test]
fn fail_closed_answers_503_to_this_stream_and_to_all_later_ones() {
    let (proxy, outcome) = panicked(FailurePolicy::FailClosed);
    let later = proxy.worker(0).decide(Request::get("/"));
    for outcome in [outcome, later] {
        let reply = outcome.local_reply().unwrap();
        assert_eq!(
            (reply.status, reply.details.as_str()),
            (503, "wasm_fail_stream")
        );
    }
    let failure = proxy.worker(0).failure().unwrap();
    assert!(
        failure.starts_with("Function: proxy_on_request_headers failed:"),
        "{failure}"
    );
    assert_eq!(proxy.logs().last().unwrap().level, LogLevel::Error);
    assert_eq!(said(&proxy).len(), 1, "a dead VM is not told of deletions");
    assert_eq!(proxy.worker(1).failure(), None);
    let other = proxy.worker(1).decide(Request::get("/"));
    assert!(
        matches!(other, Outcome::Continued { .. }),
        "the other worker has a VM of its own"
    );
}

#[test]
fn fail_open_lets_everything_pass() {
    let (proxy, outcome) = panicked(FailurePolicy::FailOpen);
    assert!(matches!(outcome, Outcome::Continued { .. }));
    let later = proxy.worker(0).decide(Request::post("/").body("b"));
    assert!(matches!(later, Outcome::Continued { body, .. } if body == b"b"));
}

#[test]
fn fail_reload_starts_a_new_vm_once_the_backoff_is_over() {
    let (proxy, outcome) = panicked(FailurePolicy::FailReload {
        backoff: Duration::from_secs(1),
    });
    assert_eq!(outcome.status(), Some(503));
    assert_eq!(
        proxy.worker(0).decide(Request::get("/")).status(),
        Some(503)
    );
    proxy.advance(Duration::from_secs(1));
    let next = proxy.worker(0).decide(Request::get("/"));
    assert!(matches!(next, Outcome::Continued { .. }));
    assert_eq!(
        (proxy.worker(0).reloads(), proxy.worker(0).failure()),
        (1, None)
    );
}

#[test]
fn a_stream_of_the_old_vm_means_nothing_to_the_new_one() {
    let proxy = builder(PANICKING)
        .failure_policy(FailurePolicy::FailReload {
            backoff: Duration::ZERO,
        })
        .start()
        .unwrap();
    let old = proxy.worker(0).request(Request::get("/"));
    proxy.worker(0).decide(Request::get("/panic"));
    let new = proxy.worker(0).request(Request::get("/"));
    old.finish();
    assert!(!said(&proxy).contains(&"delete".to_owned()));
    new.finish();
    assert_eq!(said(&proxy).last().unwrap(), "delete");
}

#[test]
fn a_trap_in_a_response_callback_is_a_503_instead_of_the_response() {
    let proxy = proxy(
        r#"(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (unreachable))"#,
    );
    let stream = proxy.worker(0).request(Request::get("/"));
    stream.respond(Response::new(200).body("secret"));
    let seen = stream.client_response().unwrap();
    assert_eq!((seen.status, seen.body.as_slice()), (503, &b""[..]));
}

#[test]
fn a_reply_before_a_panic_does_not_count() {
    let proxy = proxy(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (drop (call $send_local_response (i32.const 204) @"" @"" @"" (i32.const -1)))
          (unreachable))"#,
    );
    assert_eq!(
        proxy.worker(0).decide(Request::get("/")).status(),
        Some(503)
    );
}

#[test]
fn a_tick_that_traps_ends_the_vm_and_its_ticks() {
    let proxy = proxy(
        r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_tick_period_milliseconds (i32.const 1)))
          (i32.const 1))
        (func (export "proxy_on_tick") (param i32) (unreachable))"#,
    );
    proxy.advance(Duration::from_millis(5));
    assert_eq!(said(&proxy).len(), 1);
    assert_eq!(
        proxy.worker(0).decide(Request::get("/")).status(),
        Some(503)
    );
}

#[test]
fn an_endless_loop_is_a_trap() {
    let proxy = builder(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (loop $for_ever (br $for_ever))
          (i32.const 0))"#,
    )
    .callback_fuel(10_000)
    .start()
    .unwrap();
    assert_eq!(
        proxy.worker(0).decide(Request::get("/")).status(),
        Some(503)
    );
    assert!(
        proxy
            .worker(0)
            .failure()
            .unwrap()
            .contains("ran for 10000 instructions")
    );
}

#[test]
fn an_exit_is_a_trap() {
    let proxy = proxy(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $proc_exit (i32.const 3))
          (i32.const 0))"#,
    );
    proxy.worker(0).decide(Request::get("/"));
    assert!(
        proxy
            .worker(0)
            .failure()
            .unwrap()
            .contains("exited with code 3")
    );
}

#[test]
fn pointers_outside_of_memory_are_refused() {
    let proxy = proxy(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $number (call $log (i32.const 2) (i32.const -1) (i32.const 4)))
          (call $number (call $log (i32.const 2) (i32.const 131071) (i32.const 2)))
          (call $number (call $get_current_time_nanoseconds (i32.const 131065)))
          (call $number (call $get_header_map_value (i32.const 0) @":path"
            (i32.const 131069) (global.get $size)))
          (call $number (call $log (i32.const 6) @"x"))
          (i32.const 0))"#,
    );
    proxy.worker(0).decide(Request::get("/"));
    assert_eq!(said(&proxy), ["6", "6", "6", "6", "2"]);
    assert_eq!(proxy.refusals().len(), 5);
}

#[test]
fn an_allocator_may_not_call_the_host() {
    let text = r#"(module
        (import "env" "proxy_get_header_map_value"
          (func $get (param i32 i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_done" (func $done (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) ":path")
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (call $done))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $get (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 16) (i32.const 20))))"#;
    let proxy = Proxy::builder(wat::parse_str(text).unwrap())
        .start()
        .unwrap();
    proxy.worker(0).decide(Request::get("/"));
    assert!(
        proxy
            .worker(0)
            .failure()
            .unwrap()
            .contains("proxy_done called by the module's allocator")
    );
}

#[track_caller]
fn refused(text: &str) -> StartError {
    Proxy::builder(wat::parse_str(text).unwrap())
        .start()
        .unwrap_err()
}

#[test]
fn what_is_no_proxy_wasm_module_does_not_start() {
    let no_module = Proxy::builder("not wasm").start().unwrap_err();
    assert!(matches!(no_module, StartError::Compile(_)));
    assert!(matches!(refused("(module)"), StartError::AbiVersion));
    let unknown_import = r#"(module (import "env" "proxy_fly" (func))
        (func (export "proxy_abi_version_0_2_1")))"#;
    assert!(matches!(refused(unknown_import), StartError::Link(_)));
    let wrong_signature = r#"(module (func (export "proxy_abi_version_0_2_1"))
        (func (export "proxy_on_tick")))"#;
    assert!(matches!(
        refused(wrong_signature),
        StartError::Signature {
            name: "proxy_on_tick"
        }
    ));
}

#[test]
fn a_refused_configuration_says_what_the_filter_logged() {
    let text = module(
        r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (call $say @"rules[0]: unknown key")
          (i32.const 0))"#,
    );
    let error = Proxy::builder(text).start().unwrap_err();
    assert!(matches!(error, StartError::ConfigureRefused { .. }));
    assert_eq!(error.logs()[0].message, "rules[0]: unknown key");
    assert!(error.to_string().contains("rules[0]: unknown key"));
}

#[test]
fn a_vm_that_refuses_to_start_or_panics_while_starting_does_not_start() {
    let refusing =
        module(r#"(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 0))"#);
    assert!(matches!(
        Proxy::builder(refusing).start().unwrap_err(),
        StartError::VmStartRefused { .. }
    ));
    let panicking = module(r#"(func (export "_initialize") (unreachable))"#);
    assert!(matches!(
        Proxy::builder(panicking).start().unwrap_err(),
        StartError::Trap {
            callback: "_initialize",
            ..
        }
    ));
}
