//! Rate limits over all workers.

use std::time::Duration;

use proxy_wasm_host::Request;

use crate::harness::{check, config, ready, shown};

#[test]
fn a_limit_is_exact_over_all_workers() {
    let proxy = ready(&config(), 4);
    let request = || Request::post("/login").source("203.0.113.9");
    let passed = (0..100)
        .filter(|n| shown(&proxy.worker(n % 4).decide(request())) == "200")
        .count();
    assert_eq!(passed, 10);
    proxy.advance(Duration::from_secs(61));
    check(&proxy, request(), "200");
}

#[test]
fn lost_swaps_never_let_one_through_too_many() {
    let proxy = ready(&config(), 4);
    let mut passed = 0;
    for n in 0..60 {
        proxy.fail_next_swaps(n % 5);
        let request = Request::post("/login").source("203.0.113.9");
        passed += usize::from(shown(&proxy.worker(n as usize % 4).decide(request)) == "200");
    }
    assert_eq!(passed, 10);
}

#[test]
fn clients_are_counted_apart_and_ipv6_by_its_64() {
    let proxy = ready(&config(), 1);
    let ask = |source: &str| {
        shown(
            &proxy
                .worker(0)
                .decide(Request::post("/login").source(source)),
        )
    };
    for _ in 0..10 {
        assert_eq!(ask("203.0.113.9"), "200");
        assert_eq!(ask("2001:db8::1"), "200");
    }
    assert_eq!(ask("203.0.113.9"), "429 rate_limited");
    assert_eq!(ask("203.0.113.10"), "200");
    assert_eq!(ask("2001:db8::ffff"), "429 rate_limited");
    assert_eq!(ask("2001:db8:0:1::1"), "200");
}

#[test]
fn cve_2026_40575_a_forwarded_address_of_the_client_s_own_counts_for_nothing() {
    let proxy = ready(&config(), 1);
    let ask = |forged: &str| {
        let request = Request::post("/login")
            .source("203.0.113.9")
            .header("x-forwarded-for", forged);
        shown(&proxy.worker(0).decide(request))
    };
    for n in 0..10 {
        assert_eq!(ask(&format!("198.51.100.{n}")), "200");
    }
    assert_eq!(ask("198.51.100.200"), "429 rate_limited");
}

/// What a worker wrote last it counts on without reading; a swap that another worker was faster in proves it wrong.
#[test]
fn a_worker_that_counts_alone_reads_nothing_and_finds_out_when_it_is_not_alone() {
    let proxy = ready(&config(), 2);
    // How often the shared data was read and written, and the answer.
    let ask = |number| {
        let worker = proxy.worker(number);
        worker.take_hostcalls();
        let answer = shown(&worker.decide(Request::post("/login").source("203.0.113.9")));
        let calls = worker.take_hostcalls();
        let count = |name: &str| calls.get(name).copied().unwrap_or_default();
        let (reads, writes) = (
            count("proxy_get_shared_data"),
            count("proxy_set_shared_data"),
        );
        (reads, writes, answer)
    };
    let is = |number, (reads, writes, answer): (u64, u64, &str)| {
        assert_eq!(ask(number), (reads, writes, answer.to_owned()));
    };
    // Read, swapped and read back: this worker learns where versions stand.
    is(0, (2, 1, "200"));
    for _ in 0..5 {
        is(0, (0, 1, "200"));
    }
    is(1, (2, 1, "200"));
    // A swap that fails, then as if nothing was remembered for having been wrong, and learnt anew.
    is(0, (1, 2, "200"));
    is(0, (2, 1, "200"));
    is(0, (0, 1, "200"));
    // That was the tenth. A refusal is never made of what is remembered.
    is(0, (1, 0, "429 rate_limited"));
    is(1, (1, 1, "429 rate_limited"));
    is(1, (1, 0, "429 rate_limited"));
}
