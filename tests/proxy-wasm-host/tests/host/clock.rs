//! Time: frozen within a callback, moved by the test, ticks on the way.

use std::time::Duration;

use proxy_wasm_host::{Proxy, Request};

use crate::support::{builder, said};

const TICKING: &str = r#"
  (func $now
    (drop (call $get_current_time_nanoseconds (i32.const 8)))
    (call $number (i32.wrap_i64 (i64.div_u (i64.load (i32.const 8)) (i64.const 1000000)))))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $set_tick_period_milliseconds (i32.const 100)))
    (i32.const 1))
  (func (export "proxy_on_tick") (param i32) (call $now))"#;

fn ticking(more: &str) -> Proxy {
    builder(&format!("{TICKING}{more}"))
        .now(Duration::from_secs(1))
        .workers(2)
        .start()
        .unwrap()
}

#[test]
fn each_due_tick_comes_at_its_own_time_on_every_worker_in_order() {
    let proxy = ticking("");
    proxy.advance(Duration::from_millis(99));
    assert!(said(&proxy).is_empty());
    proxy.advance(Duration::from_millis(201));
    assert_eq!(
        said(&proxy),
        ["1100", "1100", "1200", "1200", "1300", "1300"]
    );
    assert_eq!(proxy.now(), Duration::from_millis(1300));
}

#[test]
fn a_stream_can_change_the_period_of_its_vm_and_zero_stops_it() {
    let proxy = ticking(
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (drop (call $set_tick_period_milliseconds (i32.const 30)))
          (i32.const 0))
        (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
          (drop (call $set_tick_period_milliseconds (i32.const 0)))
          (i32.const 0))"#,
    );
    proxy.worker(0).decide(Request::get("/"));
    proxy.advance(Duration::from_millis(60));
    assert_eq!(said(&proxy), ["1030", "1060"]);
    proxy.worker(0).decide(Request::post("/").body("b"));
    proxy.advance(Duration::from_millis(100));
    assert_eq!(
        said(&proxy),
        ["1030", "1060", "1100"],
        "only the other worker ticks"
    );
}

#[test]
fn a_wall_clock_step_moves_what_modules_see_but_no_timer() {
    let proxy = ticking("");
    proxy.step_wall_clock(Duration::from_millis(500));
    proxy.advance(Duration::from_millis(100));
    assert_eq!(said(&proxy), ["600", "600"]);
}

#[test]
fn wasi_has_the_same_wall_clock_and_a_monotonic_one_from_the_start() {
    let text = r#"
  (func $clock (param $clock i32)
    (call $number (call $clock_time_get (local.get $clock) (i64.const 1) (i32.const 8)))
    (call $number (i32.wrap_i64 (i64.div_u (i64.load (i32.const 8)) (i64.const 1000000)))))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call $clock (i32.const 0))
    (call $clock (i32.const 1))
    (call $number (call $clock_time_get (i32.const 2) (i64.const 1) (i32.const 8)))
    (i32.const 0))"#;
    let proxy = builder(text).now(Duration::from_secs(1)).start().unwrap();
    proxy.advance(Duration::from_millis(5));
    proxy.worker(0).decide(Request::get("/"));
    assert_eq!(said(&proxy), ["0", "1005", "0", "5", "58"]);
}
