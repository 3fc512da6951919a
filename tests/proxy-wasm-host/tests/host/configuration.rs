//! What a module is given: configurations, environment, random numbers, attributes, foreign functions.

use proxy_wasm_host::{LogLevel, Request, Status};

use crate::support::{builder, proxy, said};

/// Logs a buffer.
const READ: &str = r"
  (func $read (param $buffer i32)
    (call $answer (call $get_buffer_bytes (local.get $buffer) (i32.const 0) (i32.const 100)
      (global.get $at) (global.get $size))))";

#[test]
fn a_configuration_is_there_in_its_callback_only() {
    let text = READ.to_owned()
        + r#"(func (export "proxy_on_vm_start") (param i32) (param $size i32) (result i32)
          (call $number (local.get $size))
          (call $read (i32.const 6))
          (call $read (i32.const 7))
          (i32.const 1))
        (func (export "proxy_on_configure") (param i32) (param $size i32) (result i32)
          (call $number (local.get $size))
          (call $read (i32.const 7))
          (i32.const 1))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $read (i32.const 7))
          (call $read (i32.const 9))
          (i32.const 0))"#;
    let proxy = builder(&text)
        .vm_configuration("vm!")
        .configuration("plugin")
        .start()
        .unwrap();
    assert_eq!(said(&proxy), ["3", "vm!", "1", "6", "plugin"]);
    proxy.worker(0).decide(Request::get("/"));
    assert_eq!(said(&proxy)[5..], ["1", "2"]);
}

#[test]
fn the_order_of_starting_is_initialize_create_start_configure() {
    let text = r#"(func (export "_initialize") (call $say @"initialize"))
        (func (export "proxy_on_context_create") (param $context i32) (param $root i32)
          (call $number (local.get $context))
          (call $number (local.get $root)))
        (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
          (call $say @"start") (i32.const 1))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (call $say @"configure") (i32.const 1))"#;
    let proxy = proxy(text);
    assert_eq!(said(&proxy), ["initialize", "1", "0", "start", "configure"]);
    proxy.worker(0).decide(Request::get("/"));
    proxy.worker(0).decide(Request::get("/"));
    assert_eq!(said(&proxy)[5..], ["2", "1", "3", "1"]);
}

#[test]
fn environment_variables_are_the_ones_configured() {
    let text = r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $environ_sizes_get (i32.const 8) (i32.const 12)))
          (call $number (i32.load (i32.const 8)))
          (drop (call $environ_get (i32.const 200) (i32.const 300)))
          (call $say (i32.load (i32.const 200)) (i32.load (i32.const 12)))
          (i32.const 1))"#;
    let proxy = builder(text)
        .env("A", "1")
        .env("KEY", "secret")
        .start()
        .unwrap();
    assert_eq!(said(&proxy), ["2", "A=1\0KEY=secret\0"]);
}

#[test]
fn random_numbers_come_from_the_seed_and_differ_between_vms() {
    let text = r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $random_get (i32.const 200) (i32.const 4)))
          (call $number (i32.load (i32.const 200)))
          (call $number (call $random_get (i32.const 0) (i32.const 65537)))
          (i32.const 1))"#;
    let drawn = |seed| said(&builder(text).random_seed(seed).workers(2).start().unwrap());
    let first = drawn(1);
    assert_eq!(first, drawn(1));
    assert_ne!(first, drawn(2));
    assert_ne!(first[0], first[2]);
    assert_eq!(first[1], "28");
}

#[test]
fn output_becomes_log_lines() {
    let text = r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (i32.store (i32.const 200) (i32.const 300))
          (i32.store (i32.const 204) (i32.const 3))
          (i32.store (i32.const 208) (i32.const 303))
          (i32.store (i32.const 212) (i32.const 3))
          (drop (call $fd_write (i32.const 2) (i32.const 200) (i32.const 2) (i32.const 8)))
          (call $number (i32.load (i32.const 8)))
          (call $number (call $fd_write (i32.const 3) (i32.const 200) (i32.const 2) (i32.const 8)))
          (i32.const 1))
        (data (i32.const 300) "oh dear\0a")
        (data (i32.const 305) "\0a")"#;
    let proxy = proxy(text);
    assert_eq!(proxy.logs()[0].level, LogLevel::Error);
    assert_eq!(said(&proxy), ["oh de", "6", "8"]);
}

#[test]
fn the_log_level_is_the_proxys_but_every_line_is_kept() {
    let text = r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $get_log_level (i32.const 8)))
          (call $number (i32.load (i32.const 8)))
          (drop (call $log (i32.const 0) @"trace"))
          (i32.const 1))"#;
    let proxy = builder(text).log_level(LogLevel::Warn).start().unwrap();
    assert_eq!(said(&proxy), ["3", "trace"]);
    assert_eq!(proxy.logs()[1].level, LogLevel::Trace);
}

fn property(path: &str) -> String {
    format!(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $answer (call $get_property @"{path}" (global.get $at) (global.get $size)))
          (i32.const 0))"#
    )
}

#[track_caller]
fn check_property(path: &str, request: Request, expected: &str) {
    let proxy = builder(&property(path)).vm_id("vm").start().unwrap();
    proxy.worker(0).decide(request);
    assert_eq!(said(&proxy), [expected], "{path}");
}

#[test]
fn attributes_describe_the_stream() {
    let request = || {
        Request::get("/a?b=c")
            .source("203.0.113.7:9")
            .header("x", "1")
            .header("x", "2")
    };
    check_property("source\\00address", request(), "203.0.113.7:9");
    check_property("source\\00port", request(), "\u{9}\0\0\0\0\0\0\0");
    check_property("request\\00path", request(), "/a?b=c");
    check_property("request\\00url_path", request(), "/a");
    check_property("request\\00query", request(), "b=c");
    check_property("request\\00headers\\00x", request(), "1,2");
    check_property("request\\00headers\\00y", request(), "1");
    check_property("connection\\00mtls", request(), "\0");
    check_property("connection\\00tls_version", request(), "TLSv1.3");
    check_property("connection\\00tls_version", request().plaintext(), "1");
    check_property(
        "connection\\00requested_server_name",
        request(),
        "example.com",
    );
    let name = "connection\\00requested_server_name";
    check_property(name, request().plaintext(), "");
    check_property("request", request(), "3");
    check_property("plugin_vm_id", request(), "vm");
    check_property("unknown", request(), "1");
    let given = request().property(&["connection", "mtls"], [1]);
    check_property("connection\\00mtls", given, "\u{1}");
}

#[test]
fn filter_state_is_the_streams() {
    let text = r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (call $number (call $set_property @"user" @"nobody"))
          (call $number (call $get_property @"source\00address" (global.get $at) (global.get $size)))
          (i32.const 1))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $number (call $set_property @"user" @"me"))
          (call $answer (call $get_property @"user" (global.get $at) (global.get $size)))
          (call $answer (call $get_property @"filter_state\00wasm.user"
            (global.get $at) (global.get $size)))
          (i32.const 0))"#;
    let proxy = proxy(text);
    let stream = proxy.worker(0).request(Request::get("/"));
    assert_eq!(said(&proxy), ["1", "1", "0", "me", "me"]);
    assert_eq!(stream.filter_state(&["user"]).as_deref(), Some(&b"me"[..]));
    assert_eq!(stream.filter_state(&["other"]), None);
}

#[test]
fn a_foreign_function_is_the_callers() {
    let text = r#"(func $foreign (param $name i32) (param $bytes i32)
          (call $answer (call $call_foreign_function (local.get $name) (local.get $bytes) @"ab"
            (global.get $at) (global.get $size))))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $foreign @"reverse")
          (call $foreign @"fail")
          (call $foreign @"absent")
          (i32.const 0))"#;
    let proxy = builder(text)
        .foreign_function("reverse", |bytes| Ok(bytes.iter().rev().copied().collect()))
        .foreign_function("fail", |_| Err(Status::BadArgument))
        .start()
        .unwrap();
    proxy.worker(0).decide(Request::get("/"));
    assert_eq!(said(&proxy), ["ba", "2", "1"]);
}

#[test]
fn fuel_and_memory_can_be_read_and_are_the_same_every_time() {
    let cost = || {
        let proxy = proxy(
            r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
              (drop (memory.grow (i32.const 1)))
              (i32.const 0))"#,
        );
        let worker = proxy.worker(0);
        worker.take_callbacks();
        assert_eq!(worker.memory_bytes(), 2 * 65536);
        let stream = worker.request(Request::get("/"));
        assert_eq!(worker.memory_bytes(), 3 * 65536);
        let callbacks = worker.take_callbacks();
        assert_eq!(callbacks.len(), 1);
        assert_eq!(
            (callbacks[0].name, callbacks[0].context),
            ("proxy_on_request_headers", 2)
        );
        assert_eq!(callbacks[0].fuel, stream.fuel());
        stream.fuel()
    };
    assert!(cost() > 0);
    assert_eq!(cost(), cost());
}

#[test]
fn hostcalls_are_counted_by_name_and_by_worker() {
    let proxy = proxy(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $say @"one") (call $say @"two")
          (drop (call $set_tick_period_milliseconds (i32.const 0)))
          (i32.const 0))"#,
    );
    let worker = proxy.worker(0);
    worker.take_hostcalls();
    worker.request(Request::get("/"));
    let calls: Vec<_> = worker.take_hostcalls().into_iter().collect();
    assert_eq!(
        calls,
        [("proxy_log", 2), ("proxy_set_tick_period_milliseconds", 1)]
    );
    assert!(worker.take_hostcalls().is_empty());
}

#[test]
fn a_root_context_ends_when_it_says_so() {
    let text = r#"(func (export "proxy_on_done") (param i32) (result i32)
          (drop (call $set_tick_period_milliseconds (i32.const 1)))
          (call $say @"not yet") (i32.const 0))
        (func (export "proxy_on_tick") (param i32) (call $number (call $done)) (call $number (call $done)))
        (func (export "proxy_on_delete") (param i32) (call $say @"delete"))"#;
    let proxy = proxy(text);
    proxy.shut_down();
    proxy.advance(std::time::Duration::from_millis(3));
    assert_eq!(said(&proxy), ["not yet", "0", "1", "delete"]);
}
