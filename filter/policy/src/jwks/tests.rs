//! Several workers, one store, a provider that can rotate, fail and be slow; time moves by hand.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::request::HeaderField;
use crate::store::SharedStore as _;
use crate::store::fetch::{Fetch, FetchId, FetchKind, Outcome, Poll, Response};
use crate::store::testing::TestStore;
use crate::time::UnixTime;

/// A key set document with these key ids, all of them the key of RFC 7515 appendix A.3.
fn key_set(key_ids: &[&str]) -> &'static str {
    let keys: Vec<_> = key_ids
        .iter()
        .map(|key_id| {
            serde_json::json!({
                "kty": "EC", "crv": "P-256", "kid": key_id,
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            })
        })
        .collect();
    serde_json::json!({ "keys": keys }).to_string().leak()
}

/// What the provider does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    Answers(u16, &'static str),
    Down,
    /// The request stays unanswered and the worker that sent it is gone.
    Hangs,
}

struct Proxy {
    workers: Vec<RemoteKeys>,
    store: TestStore,
    now: UnixTime,
    provider: Provider,
    headers: Vec<HeaderField<'static>>,
    fetches: Vec<(UnixTime, Fetch)>,
}

impl Proxy {
    fn new(workers: usize) -> Self {
        Self::with(workers, &settings())
    }

    fn with(workers: usize, settings: &JwksSettings) -> Self {
        Self {
            workers: vec![RemoteKeys::new(settings.clone(), 42); workers],
            store: TestStore::default(),
            now: UnixTime::from_secs(1_000_000),
            provider: Provider::Answers(200, key_set(&["one", "two"])),
            headers: Vec::new(),
            fetches: Vec::new(),
        }
    }

    /// One worker's tick; a fetch it asks for is answered at once.
    fn tick(&mut self, worker: usize) -> (Poll, Option<Outcome<FetchFailure>>) {
        let poll = self.workers[worker].poll(self.now, &mut self.store);
        let outcome = poll
            .fetch
            .clone()
            .and_then(|fetch| self.send(worker, fetch));
        (poll, outcome)
    }

    fn send(&mut self, worker: usize, fetch: Fetch) -> Option<Outcome<FetchFailure>> {
        let id = fetch.id;
        self.fetches.push((self.now, fetch));
        self.answer(worker, id)
    }

    fn answer(&mut self, worker: usize, id: FetchId) -> Option<Outcome<FetchFailure>> {
        let keys = &mut self.workers[worker];
        match self.provider {
            Provider::Answers(status, body) => {
                let response = Response {
                    status,
                    headers: &self.headers,
                    body: body.as_bytes(),
                };
                Some(keys.on_response(id, self.now, &response, &mut self.store))
            }
            Provider::Down => Some(keys.on_failure(id, self.now, &mut self.store)),
            Provider::Hangs => None,
        }
    }

    fn tick_all(&mut self) {
        for worker in 0..self.workers.len() {
            self.tick(worker);
        }
    }

    /// Lets `duration` pass with a tick of every worker in each half second.
    fn run(&mut self, duration: Duration) {
        let end = self.now.saturating_add(duration);
        while self.now < end {
            self.now = self.now.saturating_add(Duration::from_millis(500));
            self.tick_all();
        }
    }

    fn unknown(&mut self, worker: usize) -> UnknownKeyId {
        self.workers[worker].on_unknown_key_id(self.now, &mut self.store)
    }

    #[track_caller]
    fn all_have(&self, expected: &[&str]) {
        for worker in &self.workers {
            assert_eq!(key_ids(worker, self.now), expected);
        }
    }
}

fn settings() -> JwksSettings {
    let location = Location {
        authority: "tenant.example".to_owned(),
        path: "/.well-known/jwks.json".to_owned(),
    };
    JwksSettings::new("auth0", Source::Jwks(location))
}

fn key_ids(worker: &RemoteKeys, now: UnixTime) -> Vec<&str> {
    let keys = worker.usable(now).map_or(&[][..], |keys| keys.keys());
    keys.iter().filter_map(|key| key.key_id()).collect()
}

fn seconds(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn the_first_worker_fetches_and_all_have_keys() {
    let mut proxy = Proxy::new(4);
    assert!(proxy.workers[0].usable(proxy.now).is_none());
    let (poll, outcome) = proxy.tick(2);
    let fetch = poll.fetch.unwrap();
    assert_eq!(
        (&*fetch.cluster, &*fetch.authority),
        ("auth0", "tenant.example")
    );
    assert_eq!(
        (&*fetch.path, fetch.timeout),
        ("/.well-known/jwks.json", seconds(5))
    );
    assert_eq!(outcome, Some(Outcome::Changed));
    let (poll, _) = proxy.tick(0);
    assert_eq!(
        poll,
        Poll {
            changed: true,
            settled: true,
            fetch: None
        }
    );
    proxy.tick_all();
    proxy.all_have(&["one", "two"]);
}

#[test]
fn one_request_per_refresh_interval_over_all_workers() {
    let mut proxy = Proxy::new(8);
    proxy.run(seconds(300 * 10));
    // Refreshed up to a tenth ahead of the end: 10 to 12 in the time of 10.
    assert!(
        (10..=12).contains(&proxy.fetches.len()),
        "{} requests",
        proxy.fetches.len()
    );
    for pair in proxy.fetches.windows(2) {
        let apart = pair[1].0.since(pair[0].0);
        assert!(
            apart >= seconds(270) && apart <= seconds(301),
            "{apart:?} apart"
        );
    }
}

#[test]
fn a_tick_with_nothing_due_is_one_read() {
    let mut proxy = Proxy::new(2);
    proxy.run(seconds(10));
    let (reads, writes) = (proxy.store.reads.get(), proxy.store.writes);
    proxy.tick_all();
    assert_eq!(
        (proxy.store.reads.get() - reads, proxy.store.writes - writes),
        (2, 0)
    );
}

#[test]
fn while_one_worker_fetches_the_others_wait() {
    let mut proxy = Proxy::new(3);
    proxy.provider = Provider::Hangs;
    let (poll, _) = proxy.tick(0);
    let id = poll.fetch.unwrap().id;
    assert_eq!(proxy.tick(1).0, Poll::default());
    assert_eq!(proxy.tick(0).0, Poll::default());
    proxy.provider = Provider::Answers(200, key_set(&["one"]));
    assert_eq!(proxy.answer(0, id), Some(Outcome::Changed));
    assert!(proxy.tick(1).0.changed);
}

#[test]
fn a_fetch_whose_worker_died_is_taken_over() {
    let mut proxy = Proxy::new(2);
    proxy.provider = Provider::Hangs;
    let dead = proxy.tick(0).0.fetch.unwrap().id;
    proxy.provider = Provider::Answers(200, key_set(&["one"]));
    proxy.now = proxy.now.saturating_add(seconds(6));
    assert_eq!(proxy.tick(1).0.fetch, None, "the lease still runs");
    proxy.now = proxy.now.saturating_add(seconds(2));
    assert_eq!(proxy.tick(1).1, Some(Outcome::Changed));
    // CVE-2026-48090, lesson 16: the answer that comes after all meets nothing.
    proxy.provider = Provider::Answers(200, key_set(&["late"]));
    assert_eq!(proxy.answer(0, dead), Some(Outcome::Ignored));
    proxy.run(seconds(5));
    proxy.all_have(&["one"]);
}

#[test]
fn cve_2026_48090_answers_nobody_waits_for_are_ignored() {
    let mut proxy = Proxy::new(1);
    let id = proxy.tick(0).0.fetch.unwrap().id;
    // CVE-2025-64527, lesson 3: one callback per fetch, whatever the host does.
    for provider in [Provider::Answers(200, key_set(&["other"])), Provider::Down] {
        proxy.provider = provider;
        assert_eq!(proxy.answer(0, id), Some(Outcome::Ignored));
        assert_eq!(proxy.answer(0, FetchId(99, 0)), Some(Outcome::Ignored));
    }
    proxy.all_have(&["one", "two"]);
}

#[test]
fn bad_answers_keep_the_keys_that_are_loaded() {
    let big = "k".repeat(256 * 1024 + 1).leak();
    for (provider, reason) in [
        (Provider::Down, "no_answer"),
        (Provider::Answers(500, key_set(&["one"])), "status"),
        (Provider::Answers(302, key_set(&["one"])), "status"),
        (Provider::Answers(200, "<html>"), "jwks_not_json"),
        (Provider::Answers(200, key_set(&[])), "jwks_no_usable_key"),
        (Provider::Answers(200, big), "too_large"),
    ] {
        let mut proxy = Proxy::new(2);
        proxy.run(seconds(1));
        proxy.provider = provider;
        proxy.now = proxy.now.saturating_add(seconds(301));
        let (_, outcome) = proxy.tick(1);
        let Some(Outcome::Failed(failure)) = outcome else {
            panic!("{provider:?}: {outcome:?}");
        };
        assert_eq!(failure.reason(), reason);
        proxy.run(seconds(60));
        proxy.all_have(&["one", "two"]);
    }
}

#[test]
fn keys_outlive_an_outage_up_to_max_stale_and_not_longer() {
    let mut proxy = Proxy::new(2);
    proxy.run(seconds(1));
    proxy.provider = Provider::Down;
    let fetched = proxy.fetches[0].0;
    proxy.now = fetched.saturating_add(seconds(300 + 86_400));
    proxy.tick_all();
    proxy.all_have(&["one", "two"]);
    proxy.now = proxy.now.saturating_add(Duration::from_millis(1));
    proxy.tick_all();
    // CVE-2026-31837, lesson 20: no keys, and nothing instead of them.
    proxy.all_have(&[]);
    proxy.provider = Provider::Answers(200, key_set(&["three"]));
    proxy.run(seconds(5));
    proxy.all_have(&["three"]);
}

#[test]
fn an_outage_from_the_start_is_left_within_seconds_of_its_end() {
    let mut proxy = Proxy::new(4);
    proxy.provider = Provider::Down;
    proxy.run(seconds(600));
    proxy.all_have(&[]);
    let per_minute = proxy.fetches.len() / 10;
    assert!(
        (15..=21).contains(&per_minute),
        "{per_minute} requests a minute"
    );
    assert!(proxy.workers[0].retry_after(proxy.now) <= seconds(4));
    proxy.provider = Provider::Answers(200, key_set(&["one"]));
    proxy.run(seconds(5));
    proxy.all_have(&["one"]);
}

#[test]
fn cache_control_moves_the_refresh_within_bounds() {
    for (value, earliest, latest) in [
        (&b"public, max-age=15"[..], 54, 60),
        (b"no-store", 54, 60),
        (b"max-age=900", 810, 900),
        (b"max-age=999999", 3240, 3600),
    ] {
        let mut proxy = Proxy::new(2);
        proxy.headers = vec![(b"cache-control", value)];
        proxy.run(seconds(2));
        while proxy.fetches.len() < 2 {
            proxy.run(seconds(1));
        }
        let apart = proxy.fetches[1].0.since(proxy.fetches[0].0);
        assert!(
            apart >= seconds(earliest) && apart <= seconds(latest + 1),
            "{apart:?}"
        );
    }
}

#[test]
fn a_rotated_key_is_fetched_when_a_token_names_it() {
    let mut proxy = Proxy::new(4);
    proxy.run(seconds(40));
    proxy.provider = Provider::Answers(200, key_set(&["new"]));
    assert_eq!(proxy.unknown(3), UnknownKeyId::FetchPending);
    assert_eq!(proxy.unknown(1), UnknownKeyId::FetchPending);
    assert_eq!(proxy.tick(0).1, Some(Outcome::Changed));
    // A worker whose tick comes later finds the keys when it asks.
    assert_eq!(proxy.unknown(3), UnknownKeyId::KeysChanged);
    assert_eq!(key_ids(&proxy.workers[3], proxy.now), ["new"]);
    assert!(proxy.tick(1).0.settled);
    assert_eq!(proxy.fetches.len(), 2);
}

#[test]
fn a_flood_of_unknown_key_ids_makes_one_fetch_per_cooldown() {
    let mut proxy = Proxy::new(4);
    proxy.run(seconds(1));
    let before = proxy.fetches.len();
    for _ in 0..100 {
        for request in 0..100 {
            proxy.unknown(request % 4);
        }
        proxy.run(Duration::from_millis(500));
    }
    // 50 s: at the start and once more after 30 s.
    assert_eq!(proxy.fetches.len() - before, 2);
    let UnknownKeyId::CoolingDown { until } = proxy.unknown(0) else {
        panic!("the last demand was met less than 30 s ago");
    };
    assert!(until > proxy.now && until <= proxy.now.saturating_add(seconds(30)));
}

#[test]
fn a_fetch_that_fails_settles_what_waits_for_it() {
    let mut proxy = Proxy::new(2);
    proxy.run(seconds(1));
    proxy.provider = Provider::Down;
    assert_eq!(proxy.unknown(1), UnknownKeyId::FetchPending);
    assert_eq!(
        proxy.tick(0).1,
        Some(Outcome::Failed(FetchFailure::NoAnswer))
    );
    assert!(proxy.tick(1).0.settled);
    assert!(matches!(proxy.unknown(1), UnknownKeyId::CoolingDown { .. }));
}

#[test]
fn a_clock_that_goes_back_neither_stops_refreshing_nor_keeps_keys_for_ever() {
    let mut proxy = Proxy::new(2);
    proxy.now = UnixTime::from_secs(1_000_000_000);
    proxy.run(seconds(1));
    proxy.now = UnixTime::from_secs(900_000_000);
    proxy.provider = Provider::Answers(200, key_set(&["new"]));
    proxy.tick_all();
    proxy.tick_all();
    proxy.all_have(&["new"]);
    // And with the provider down: the age counts from the step.
    proxy.now = UnixTime::from_secs(800_000_000);
    proxy.provider = Provider::Down;
    proxy.run(seconds(60));
    proxy.all_have(&["new"]);
    proxy.now = UnixTime::from_secs(800_000_000 + 300 + 86_400 + 60);
    proxy.tick_all();
    proxy.all_have(&[]);
}

#[test]
fn corrupted_records_are_fetched_anew_and_lose_nobody_keys() {
    for suffix in ["/state", "/body"] {
        for garbage in [&b""[..], b"\x01", b"\xff\xff\xff\xff", &[1; 70], &[0; 4096]] {
            let mut proxy = Proxy::new(2);
            proxy.run(seconds(1));
            let key = proxy.store.keys_ending(suffix).remove(0);
            proxy.store.corrupt(&key, garbage);
            proxy.workers.push(RemoteKeys::new(settings(), 1));
            for _ in 0..4 {
                proxy.now = proxy.now.saturating_add(seconds(10));
                proxy.tick_all();
                assert_eq!(key_ids(&proxy.workers[0], proxy.now), ["one", "two"]);
            }
            proxy.all_have(&["one", "two"]);
            assert!(
                proxy.fetches.len() <= 2,
                "{suffix} {garbage:?}: no storm of requests"
            );
        }
    }
}

#[test]
fn a_lost_body_is_not_fetched_on_every_tick_while_the_provider_is_down() {
    let mut proxy = Proxy::new(2);
    proxy.run(seconds(1));
    let key = proxy.store.keys_ending("/body").remove(0);
    proxy.store.corrupt(&key, b"");
    proxy.workers.push(RemoteKeys::new(settings(), 1));
    proxy.provider = Provider::Down;
    proxy.run(seconds(60));
    // At once, then after 1, 2, 4, 8, 16 and 30 s, less some jitter.
    let retries = proxy.fetches.len() - 1;
    assert!((5..=8).contains(&retries), "{retries} requests");
}

#[test]
fn a_document_under_our_key_that_is_no_key_set_is_not_loaded() {
    let mut proxy = Proxy::new(1);
    proxy.run(seconds(1));
    let key = proxy.store.keys_ending("/body").remove(0);
    let mut forged = proxy.store.get(&key).unwrap().value;
    let end = forged.len() - 1;
    forged[end] ^= 1;
    proxy.store.corrupt(&key, &forged);
    proxy.workers.push(RemoteKeys::new(settings(), 1));
    proxy.provider = Provider::Down;
    let (poll, _) = proxy.tick(1);
    assert!(
        !poll.changed,
        "a body that is not what its hash says is not loaded"
    );
    assert!(proxy.workers[1].usable(proxy.now).is_none());
}

#[test]
fn discovery_takes_two_requests_under_one_lease() {
    let mut discovered = settings();
    discovered.source = Source::Discovery {
        metadata: Location {
            authority: "tenant.example".to_owned(),
            path: "/.well-known/openid-configuration".to_owned(),
        },
        issuer: "https://tenant.example/".to_owned(),
        allowed_hosts: Vec::new(),
    };
    let mut proxy = Proxy::with(2, &discovered);
    let metadata =
        r#"{"issuer":"https://tenant.example/","jwks_uri":"https://tenant.example/k?v=1"}"#;
    proxy.provider = Provider::Answers(200, metadata);
    let (poll, outcome) = proxy.tick(0);
    let first = poll.fetch.unwrap();
    assert_eq!(first.kind, FetchKind::Discovery);
    let Some(Outcome::Continue(second)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((second.kind, &*second.path), (FetchKind::Jwks, "/k?v=1"));
    assert_eq!(second.cluster, "auth0");
    assert_eq!(proxy.tick(1).0.fetch, None);
    // Metadata once more, where the keys' answer is awaited.
    assert_eq!(proxy.answer(0, first.id), Some(Outcome::Ignored));
    proxy.provider = Provider::Answers(200, key_set(&["one"]));
    assert_eq!(proxy.answer(0, second.id), Some(Outcome::Changed));
    proxy.tick(1);
    proxy.all_have(&["one"]);

    let evil = r#"{"issuer":"https://tenant.example/","jwks_uri":"https://169.254.169.254/k"}"#;
    proxy.provider = Provider::Answers(200, evil);
    proxy.now = proxy.now.saturating_add(seconds(301));
    let (_, outcome) = proxy.tick(0);
    assert_eq!(outcome, Some(Outcome::Failed(FetchFailure::JwksUriRefused)));
    proxy.all_have(&["one"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any order of ticks, any lost swaps, workers that die: never two requests for one interval but for the
    /// lease of a dead worker, and in the end everybody has the keys of the last answer.
    #[test]
    fn any_interleaving_with_lost_swaps_fetches_once(
        order in prop::collection::vec(0_usize..5, 50..200),
        lost: u64,
    ) {
        let mut proxy = Proxy::new(5);
        proxy.store.lost = lost;
        for worker in order {
            proxy.now = proxy.now.saturating_add(Duration::from_millis(20));
            proxy.tick(worker);
        }
        proxy.run(seconds(10));
        proxy.all_have(&["one", "two"]);
        // A commit that loses 16 swaps in a row leaves its lease to run out: never more than that costs.
        prop_assert!(proxy.fetches.len() <= 1 + 64 / 16, "{} requests", proxy.fetches.len());
        for pair in proxy.fetches.windows(2) {
            prop_assert!(pair[1].0.since(pair[0].0) >= seconds(7));
        }
    }

    /// Answers that come late, in any order or never, each with other keys, while swaps are lost: a worker that
    /// starts at any moment finds the keys that were published last.
    #[test]
    fn slow_answers_in_any_order_leave_record_and_body_in_step(
        steps in prop::collection::vec((0_usize..4, 0_usize..4, 0_u64..6_000), 20..120),
        lost: u64,
    ) {
        let mut proxy = Proxy::new(4);
        // Never sixteen for one answer: such an answer is given up, and its body found by newcomers all the same.
        proxy.store.lost = lost & 0x7f7f_7f7f_7f7f_7f7f;
        let mut waiting: Vec<(usize, FetchId)> = Vec::new();
        let mut published = None;
        for (number, (worker, action, pause)) in steps.into_iter().enumerate() {
            proxy.now = proxy.now.saturating_add(Duration::from_millis(pause));
            proxy.provider = Provider::Hangs;
            match action {
                0 if !waiting.is_empty() => {
                    let (worker, id) = waiting.remove(number % waiting.len());
                    let keys = format!("keys-{number}");
                    proxy.provider = Provider::Answers(200, key_set(&[&keys]));
                    if proxy.answer(worker, id) == Some(Outcome::Changed) {
                        published = Some(keys);
                    }
                }
                1 => {
                    proxy.unknown(worker);
                }
                _ => {
                    let fetch = proxy.tick(worker).0.fetch;
                    waiting.extend(fetch.map(|fetch| (worker, fetch.id)));
                }
            }
            let mut newcomer = RemoteKeys::new(settings(), 0);
            newcomer.poll(proxy.now, &mut proxy.store.inner.clone());
            prop_assert_eq!(key_ids(&newcomer, proxy.now), published.as_deref().into_iter().collect::<Vec<_>>());
        }
        proxy.store.lost = 0;
        proxy.provider = Provider::Answers(200, key_set(&["last"]));
        proxy.run(seconds(400));
        proxy.all_have(&["last"]);
    }
}
