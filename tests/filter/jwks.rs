//! Keys: one fetch for all workers, requests that wait, rotation, outages.

use std::time::Duration;

use auth0_sim::Key;
use proxy_wasm_host::{Request, Response};

use crate::harness::{
    TICK, builder, check, config, get, keys, next_call, one_call, ready, shown, token,
};

#[test]
fn one_worker_fetches_for_all() {
    let proxy = builder(&config()).workers(4).start().unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(TICK);
    let token = token().build();
    for worker in 0..4 {
        let outcome = proxy.worker(worker).decide(get("/private", &token));
        assert_eq!(shown(&outcome), "200", "worker {worker}");
    }
    assert_eq!(proxy.pending_http_calls().len(), 0);
    // The next one comes when the keys are due, once again for all.
    proxy.advance(Duration::from_secs(300));
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(TICK);
    assert_eq!(proxy.pending_http_calls().len(), 0);
}

#[test]
fn requests_that_come_before_the_keys_wait_on_every_worker_and_then_go_on() {
    let proxy = builder(&config()).workers(3).start().unwrap();
    let valid = token().build();
    let expired = token().expired_by(3600).build();
    let waiting: Vec<_> = (0..3)
        .map(|worker| proxy.worker(worker).request(get("/private", &valid)))
        .collect();
    let refused = proxy.worker(2).request(get("/private", &expired));
    for stream in &waiting {
        assert_eq!(shown(&stream.outcome()), "paused");
    }
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(Duration::from_millis(100));
    for stream in &waiting {
        assert_eq!(shown(&stream.outcome()), "200");
    }
    assert_eq!(shown(&refused.outcome()), "401 expired");
}

#[test]
fn a_request_waits_for_six_seconds_at_most() {
    let proxy = builder(&config()).start().unwrap();
    let stream = proxy.worker(0).request(get("/private", &token().build()));
    proxy.advance(Duration::from_millis(4900));
    assert_eq!(shown(&stream.outcome()), "paused");
    proxy.advance(Duration::from_millis(1300));
    let outcome = stream.outcome();
    assert_eq!(shown(&outcome), "503 keys_unavailable");
    assert!(
        outcome
            .local_reply()
            .unwrap()
            .headers
            .get("retry-after")
            .is_some()
    );
}

#[test]
fn a_provider_that_is_down_means_503_at_once_and_recovery_by_itself() {
    let proxy = builder(&config()).start().unwrap();
    proxy.advance(TICK);
    one_call(&proxy).respond(Response::new(500));
    let token = token().build();
    check(&proxy, get("/private", &token), "503 keys_unavailable");
    check(&proxy, Request::get("/healthz"), "200");
    proxy.advance(Duration::from_secs(5));
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    check(&proxy, get("/private", &token), "200");
}

#[test]
fn bad_answers_leave_the_loaded_keys_alone() {
    let proxy = ready(&config(), 1);
    let token = token().build();
    let bad = [
        Response::new(500),
        Response::new(200).body("<html>"),
        Response::new(200).body(r#"{"keys":[]}"#),
        Response::new(200).body("x".repeat(300 * 1024)),
        Response::new(302).header("location", "https://evil.example/"),
    ];
    for answer in bad {
        next_call(&proxy).respond(answer);
        check(&proxy, get("/private", &token), "200");
    }
}

#[test]
fn keys_outlive_an_outage_up_to_max_stale_and_not_longer() {
    let mut config = config();
    config["providers"]["auth0"]["remote_jwks"]["max_stale"] = "600s".into();
    config["providers"]["auth0"]["max_lifetime"] = "2h".into();
    let proxy = ready(&config, 1);
    let token = token().build();
    let step = Duration::from_secs(10);
    for _ in 0..88 {
        proxy.advance(step);
        proxy
            .pending_http_calls()
            .iter()
            .for_each(|call| assert!(call.refuse_connection()));
        check(&proxy, get("/private", &token), "200");
    }
    for _ in 0..4 {
        proxy.advance(step);
        proxy
            .pending_http_calls()
            .iter()
            .for_each(|call| assert!(call.refuse_connection()));
    }
    check(&proxy, get("/private", &token), "503 keys_unavailable");
}

#[test]
fn a_key_first_seen_in_a_token_is_fetched_and_the_request_waits_for_it() {
    let proxy = ready(&config(), 2);
    let rotated = token().signed_with(Key::Rsa2).build();
    let streams: Vec<_> = (0..2)
        .map(|worker| proxy.worker(worker).request(get("/private", &rotated)))
        .collect();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[Key::Rsa2]));
    proxy.advance(TICK);
    for stream in &streams {
        assert_eq!(shown(&stream.outcome()), "200");
    }
    // The old key was withdrawn with it.
    check(
        &proxy,
        get("/private", &token().build()),
        "401 unknown_key_id",
    );
}

#[test]
fn a_flood_of_unknown_key_ids_makes_one_fetch_per_cooldown() {
    let proxy = ready(&config(), 4);
    let key = |n: u32| auth0_sim::SigningKey::from(Key::RsaUnknown).with_kid(format!("kid-{n}"));
    let mut fetches = 0;
    for n in 0..200 {
        let forged = token().signed_with(key(n)).build();
        proxy
            .worker(n as usize % 4)
            .request(get("/private", &forged));
        proxy.advance(Duration::from_millis(100));
        for call in proxy.pending_http_calls() {
            call.respond(keys(&[Key::Rsa1]));
            fetches += 1;
        }
    }
    // Twenty seconds passed; the cooldown is thirty.
    assert_eq!(fetches, 1);
    check(&proxy, get("/private", &token().build()), "200");
}

#[test]
fn a_client_that_leaves_while_its_request_waits_is_forgotten() {
    let proxy = builder(&config()).start().unwrap();
    let stream = proxy.worker(0).request(get("/private", &token().build()));
    stream.finish();
    proxy.advance(TICK);
    one_call(&proxy).respond(keys(&[Key::Rsa1]));
    proxy.advance(TICK);
    assert_eq!(proxy.refusals(), []);
    assert_eq!(proxy.worker(0).failure(), None);
}

#[test]
fn the_line_of_waiting_requests_is_bounded() {
    let proxy = builder(&config()).start().unwrap();
    let token = token().build();
    let streams: Vec<_> = (0..1025)
        .map(|_| proxy.worker(0).request(get("/private", &token)))
        .collect();
    assert_eq!(shown(&streams[1023].outcome()), "paused");
    assert_eq!(shown(&streams[1024].outcome()), "503 too_many_waiting");
}

#[test]
fn an_unknown_cluster_is_named_in_the_log() {
    let mut config = config();
    config["providers"]["auth0"]["remote_jwks"]["http_uri"]["cluster"] = "nowhere".into();
    let proxy = builder(&config).start().unwrap();
    proxy.advance(TICK);
    assert!(
        proxy
            .logs()
            .iter()
            .any(|entry| entry.message.contains("no cluster `nowhere`"))
    );
    check(
        &proxy,
        get("/private", &token().build()),
        "503 keys_unavailable",
    );
}
