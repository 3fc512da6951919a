//! Several VMs: shared data, shared queues, metrics and what the main thread does.

use std::time::Duration;

use proxy_wasm_host::{HttpCall, MetricValue, Request, Thread};

use crate::support::{builder, pairs, said};

/// Counts requests in shared data with compare-and-swap, trying until it works.
const COUNTING: &str = r#"
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (local $count i32)
    (loop $again
      (local.set $count (i32.const 0))
      (i32.store (i32.const 8) (i32.const 0))
      (if (i32.eqz (call $get_shared_data @"count" (global.get $at) (global.get $size) (i32.const 8)))
        (then (local.set $count (i32.load8_u (i32.load (global.get $at))))))
      (i32.store8 (i32.const 12) (i32.add (local.get $count) (i32.const 1)))
      (br_if $again (call $set_shared_data @"count" (i32.const 12) (i32.const 1)
        (i32.load (i32.const 8)))))
    (i32.const 0))"#;

#[test]
fn workers_count_together_and_lost_swaps_are_tried_again() {
    let proxy = builder(COUNTING).workers(3).start().unwrap();
    for round in 0..4 {
        for worker in 0..3 {
            proxy.fail_next_swaps(u32::from(round > 0 && worker == 1));
            proxy.worker(worker).decide(Request::get("/"));
        }
    }
    let count = &proxy.shared_data()[b"count".as_slice()];
    assert_eq!((count.value.as_slice(), count.version), (&[12][..], 12));
}

#[test]
fn workers_on_threads_of_their_own_lose_no_count() {
    let proxy = builder(COUNTING).workers(4).start().unwrap();
    // A swap that expects no value overwrites, as Envoy's does, so the datum is created before anybody races for it.
    proxy.worker(0).decide(Request::get("/"));
    std::thread::scope(|scope| {
        for worker in 0..proxy.workers() {
            let worker = proxy.worker(worker);
            scope.spawn(move || {
                for _ in 0..50 {
                    worker.decide(Request::get("/"));
                }
            });
        }
    });
    assert_eq!(proxy.shared_data()[b"count".as_slice()].value, [201]);
}

#[test]
fn a_datum_that_is_not_there_is_not_found() {
    let text = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $number (call $get_shared_data @"k" (global.get $at) (global.get $size) (i32.const 8)))
          (call $number (call $set_shared_data @"k" @"v" (i32.const 9)))
          (call $number (call $set_shared_data @"k" @"w" (i32.const 9)))
          (call $answer (call $get_shared_data @"k" (global.get $at) (global.get $size) (i32.const 8)))
          (call $number (i32.load (i32.const 8)))
          (i32.const 0))"#;
    let proxy = builder(text).start().unwrap();
    proxy.worker(0).decide(Request::get("/"));
    assert_eq!(said(&proxy), ["1", "0", "8", "v", "1"]);
    assert!(
        proxy.refusals().is_empty(),
        "these are answers, not broken rules"
    );
    proxy.set_shared_data("k", "set by another VM");
    assert_eq!(proxy.shared_data()[b"k".as_slice()].version, 2);
}

/// Each worker registers a queue of its own name (its `WORKER` is the stream's path) and wakes "/0".
const QUEUES: &str = r#"
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $get_header_map_value (i32.const 0) @":path" (global.get $at) (global.get $size)))
    (drop (call $register_shared_queue (i32.load (global.get $at)) (i32.load (global.get $size))
      (i32.const 8)))
    (call $number (i32.load (i32.const 8)))
    (call $number (call $resolve_shared_queue @"" @"/0" (i32.const 8)))
    (call $number (call $enqueue_shared_queue (i32.load (i32.const 8)) @"wake"))
    (call $say @"end of callback")
    (i32.const 0))
  (func (export "proxy_on_queue_ready") (param $context i32) (param $queue i32)
    (call $number (local.get $context))
    (call $answer (call $dequeue_shared_queue (local.get $queue) (global.get $at) (global.get $size)))
    (call $answer (call $dequeue_shared_queue (local.get $queue) (global.get $at) (global.get $size))))"#;

#[track_caller]
fn check_wakes(registrant: usize, other: usize) {
    let proxy = builder(QUEUES).workers(2).vm_id("vm").start().unwrap();
    let threads = |range: std::ops::Range<usize>| {
        let entries = proxy.logs();
        entries[range]
            .iter()
            .map(|entry| entry.thread)
            .collect::<Vec<_>>()
    };
    let woken = ["1", "wake", "7"];
    proxy.worker(registrant).decide(Request::get("/0"));
    assert_eq!(said(&proxy)[..4], ["1", "0", "0", "end of callback"]);
    assert_eq!(said(&proxy)[4..], woken);
    proxy.worker(other).decide(Request::get("/1"));
    assert_eq!(said(&proxy)[7..11], ["2", "0", "0", "end of callback"]);
    assert_eq!(said(&proxy)[11..], woken);
    assert_eq!(threads(7..11), [Thread::Worker(other); 4]);
    assert_eq!(threads(11..14), [Thread::Worker(registrant); 3]);
}

#[test]
fn an_element_wakes_the_thread_that_registered_the_queue() {
    check_wakes(0, 1);
    check_wakes(1, 0);
}

#[test]
fn the_last_to_register_a_queue_is_told() {
    let proxy = builder(QUEUES).workers(2).start().unwrap();
    for worker in [0, 1] {
        proxy.worker(worker).decide(Request::get("/0"));
        let told = proxy.logs().last().unwrap().thread;
        assert_eq!(told, Thread::Worker(worker));
    }
}

#[test]
fn an_unknown_queue_is_not_found() {
    let text = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $number (call $resolve_shared_queue @"other" @"q" (i32.const 8)))
          (call $number (call $enqueue_shared_queue (i32.const 5) @"x"))
          (call $number (call $dequeue_shared_queue (i32.const 5) (global.get $at) (global.get $size)))
          (i32.const 0))"#;
    let proxy = builder(text).start().unwrap();
    proxy.worker(0).decide(Request::get("/"));
    assert_eq!(said(&proxy), ["1", "1", "1"]);
}

#[test]
fn queues_that_wake_each_other_for_ever_are_given_up() {
    let text = r#"(global $queue (mut i32) (i32.const 0))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $register_shared_queue @"q" (i32.const 8)))
          (i32.eqz (call $enqueue_shared_queue (i32.load (i32.const 8)) @"x")))
        (func (export "proxy_on_queue_ready") (param i32 i32)
          (drop (call $enqueue_shared_queue (local.get 1) @"x")))"#;
    let proxy = builder(text).start().unwrap();
    assert_eq!(
        said(&proxy),
        ["gave up after 100000 events of one operation"]
    );
}

#[test]
fn metrics_are_the_proxys() {
    let text = r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (drop (call $define_metric (i32.const 0) @"requests" (i32.const 8)))
          (drop (call $increment_metric (i32.load (i32.const 8)) (i64.const 2)))
          (drop (call $define_metric (i32.const 1) @"level" (i32.const 8)))
          (drop (call $record_metric (i32.load (i32.const 8)) (i64.const 7)))
          (drop (call $define_metric (i32.const 2) @"sizes" (i32.const 8)))
          (drop (call $record_metric (i32.load (i32.const 8)) (i64.const 3)))
          (call $number (call $get_metric (i32.load (i32.const 8)) (i32.const 8)))
          (call $number (call $define_metric (i32.const 3) @"what" (i32.const 8)))
          (i32.const 0))"#;
    let proxy = builder(text).workers(2).start().unwrap();
    proxy.worker(0).decide(Request::get("/"));
    proxy.worker(1).decide(Request::get("/"));
    assert_eq!((proxy.metric("requests"), proxy.metric("level")), (4, 7));
    assert_eq!(proxy.metrics()["sizes"], MetricValue::Histogram(vec![3, 3]));
    assert_eq!(proxy.metric("never defined"), 0);
    assert_eq!(said(&proxy), ["2"; 4]);
}

#[test]
fn the_main_thread_validates_with_a_throw_away_vm_and_then_ticks() {
    let text = r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (drop (call $set_tick_period_milliseconds (i32.const 10)))
          (call $say @"configure")
          (i32.const 1))
        (func (export "proxy_on_tick") (param i32) (call $say @"tick"))"#;
    let proxy = builder(text).workers(2).main_thread(true).start().unwrap();
    let threads = |proxy: &proxy_wasm_host::Proxy| {
        proxy
            .logs()
            .into_iter()
            .map(|entry| entry.thread)
            .collect::<Vec<_>>()
    };
    let workers = [Thread::Worker(0), Thread::Worker(1)];
    assert_eq!(
        threads(&proxy),
        [Thread::Main, Thread::Main, workers[0], workers[1]]
    );
    proxy.advance(Duration::from_millis(10));
    assert_eq!(threads(&proxy)[4..], [Thread::Main, workers[0], workers[1]]);
    assert_eq!(proxy.workers(), 2);
    assert_eq!(proxy.main_thread().unwrap().thread(), Thread::Main);
}

#[test]
fn the_calls_of_the_throw_away_vm_are_cancelled() {
    let text = format!(
        r#"(func (export "proxy_on_configure") (param i32 i32) (result i32)
          (i32.eqz (call $http_call @"idp" {} @"" @"" (i32.const 0) (global.get $at))))"#,
        pairs(&[(":method", "GET"), (":path", "/"), (":authority", "idp")])
    );
    let proxy = builder(&text)
        .main_thread(true)
        .cluster("idp")
        .start()
        .unwrap();
    let callers: Vec<_> = proxy
        .pending_http_calls()
        .iter()
        .map(HttpCall::thread)
        .collect();
    assert_eq!(callers, [Thread::Main, Thread::Worker(0)]);
}
