//! Several workers, one store, a feed that grows, pages, forgets and fails; time moves by hand.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::store::SharedStore as _;
use crate::store::fetch::{Fetch, FetchId, Location, Outcome, Poll, Response};
use crate::store::seed::Seed;
use crate::store::testing::TestStore;
use crate::time::UnixTime;

/// What the feed does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Server {
    /// As described in [`feed`], so many entries a page.
    Pages(usize),
    Says(u16, &'static str),
    Down,
}

struct Proxy {
    workers: Vec<RevocationFeed>,
    store: TestStore,
    now: UnixTime,
    server: Server,
    /// Revoked session ids in order; a cursor is how many of them were told.
    revoked: Vec<String>,
    fetches: Vec<(UnixTime, String)>,
}

impl Proxy {
    fn new(workers: usize) -> Self {
        Self::with(workers, &settings())
    }

    fn with(workers: usize, settings: &RevocationSettings) -> Self {
        Self {
            workers: vec![RevocationFeed::new(settings.clone(), Seed::new([3; 16])); workers],
            store: TestStore::default(),
            now: UnixTime::from_secs(1_000_000),
            server: Server::Pages(100),
            revoked: Vec::new(),
            fetches: Vec::new(),
        }
    }

    /// One worker's tick; what it asks for is answered at once, page by page.
    fn tick(&mut self, worker: usize) -> (Poll, Option<Outcome<FeedFailure>>) {
        let poll = self.workers[worker].poll(self.now, &mut self.store);
        let mut outcome = None;
        let mut next = poll.fetch.clone();
        while let Some(fetch) = next.take() {
            let answer = self.answer(worker, &fetch);
            if let Outcome::Continue(fetch) = &answer {
                next = Some(fetch.clone());
            }
            outcome = Some(answer);
        }
        (poll, outcome)
    }

    fn answer(&mut self, worker: usize, fetch: &Fetch) -> Outcome<FeedFailure> {
        self.fetches.push((self.now, fetch.path.clone()));
        let feed = &mut self.workers[worker];
        let (status, body) = match self.server {
            Server::Down => return feed.on_failure(fetch.id, self.now, &mut self.store),
            Server::Says(status, body) => (status, body.to_owned()),
            Server::Pages(size) => (200, page(&self.revoked, &fetch.path, size)),
        };
        let response = Response {
            status,
            headers: &[],
            body: body.as_bytes(),
        };
        feed.on_response(fetch.id, self.now, &response, &mut self.store)
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

    fn check(&self, worker: usize, session: &str) -> Result<(), Refusal> {
        let credential = Credential {
            issuer: "https://tenant.example/",
            session_id: Some(session),
            ..Credential::default()
        };
        self.workers[worker].check(&credential, self.now)
    }

    #[track_caller]
    fn all_say(&self, session: &str, expected: Result<(), Refusal>) {
        for worker in 0..self.workers.len() {
            assert_eq!(self.check(worker, session), expected, "worker {worker}");
        }
    }
}

/// The feed, as a server would have it.
fn page(revoked: &[String], path: &str, size: usize) -> String {
    let cursor = path
        .split_once("cursor=")
        .and_then(|(_, cursor)| cursor.parse().ok());
    // A cursor from before the server lost its memory gets a snapshot.
    let known = cursor.filter(|&cursor: &usize| cursor <= revoked.len());
    let start = known.unwrap_or(0);
    let end = revoked.len().min(start + size);
    let entry = |session| json!({"kind": "sid", "value": session, "expires_at": 2_000_000});
    let entries: Vec<_> = revoked[start..end].iter().map(entry).collect();
    json!({
        "version": 1, "snapshot": known.is_none(), "cursor": end.to_string(),
        "more": end < revoked.len(), "entries": entries,
    })
    .to_string()
}

fn settings() -> RevocationSettings {
    let location = Location {
        authority: "api".to_owned(),
        path: "/internal/edge/feed".to_owned(),
    };
    RevocationSettings::new("api_internal", location)
}

fn seconds(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const REVOKED: Result<(), Refusal> = Err(Refusal::SessionRevoked);

#[test]
fn a_revoked_session_is_refused_by_all_workers_within_one_poll_interval() {
    let mut proxy = Proxy::new(4);
    proxy.run(seconds(10));
    proxy.all_say("s1", Ok(()));
    proxy.revoked.push("s1".to_owned());
    proxy.run(seconds(2));
    proxy.tick_all();
    proxy.all_say("s1", REVOKED);
    proxy.all_say("s2", Ok(()));
}

#[test]
fn one_poll_per_interval_over_all_workers() {
    let mut proxy = Proxy::new(8);
    proxy.run(seconds(100));
    assert!(
        (49..=51).contains(&proxy.fetches.len()),
        "{} polls",
        proxy.fetches.len()
    );
    let (first, second) = (&proxy.fetches[0].1, &proxy.fetches[1].1);
    assert_eq!(
        (&**first, &**second),
        ("/internal/edge/feed", "/internal/edge/feed?cursor=0")
    );
}

#[test]
fn a_tick_with_nothing_due_is_one_read() {
    let mut proxy = Proxy::new(2);
    proxy.run(seconds(1));
    let (reads, writes) = (proxy.store.reads.get(), proxy.store.writes);
    proxy.tick_all();
    assert_eq!(
        (proxy.store.reads.get() - reads, proxy.store.writes - writes),
        (2, 0)
    );
}

#[test]
fn a_poll_without_news_leaves_the_body_alone() {
    let mut proxy = Proxy::new(2);
    proxy.revoked.push("s1".to_owned());
    proxy.run(seconds(2));
    let body = proxy.store.keys_ending("/body").remove(0);
    let version = proxy.store.get(&body).unwrap().version;
    proxy.run(seconds(20));
    assert_eq!(proxy.store.get(&body).unwrap().version, version);
    assert!(proxy.workers[0].age(proxy.now).unwrap() <= seconds(2));
}

#[test]
fn a_long_feed_comes_in_pages_and_is_published_whole() {
    let mut proxy = Proxy::new(2);
    proxy.server = Server::Pages(10);
    proxy.revoked = (0..95).map(|number| format!("s{number}")).collect();
    let (_, outcome) = proxy.tick(0);
    assert_eq!(outcome, Some(Outcome::Changed));
    assert_eq!(proxy.fetches.len(), 10);
    proxy.tick(1);
    assert_eq!(proxy.workers[1].len(), 95);
    proxy.all_say("s94", REVOKED);
}

#[test]
fn a_snapshot_lifts_what_it_does_not_name() {
    let mut proxy = Proxy::new(2);
    proxy.revoked = vec!["s1".to_owned(), "s2".to_owned()];
    proxy.run(seconds(2));
    proxy.all_say("s1", REVOKED);
    // The server lost its memory; our cursor says nothing to it.
    proxy.revoked = vec!["s2".to_owned()];
    proxy.run(seconds(4));
    proxy.all_say("s1", Ok(()));
    proxy.all_say("s2", REVOKED);
}

#[test]
fn a_feed_that_is_down_means_what_is_configured() {
    for (on_unavailable, expected) in [
        (OnUnavailable::Deny, Err(Refusal::Unavailable)),
        (OnUnavailable::Allow, Ok(())),
    ] {
        let settings = RevocationSettings {
            on_unavailable,
            ..settings()
        };
        let mut proxy = Proxy::with(2, &settings);
        proxy.all_say("s2", expected);
        proxy.revoked.push("s1".to_owned());
        proxy.run(seconds(2));
        proxy.server = Server::Down;
        proxy.run(seconds(290));
        proxy.all_say("s2", Ok(()));
        proxy.run(seconds(20));
        proxy.all_say("s2", expected);
        proxy.all_say("s1", REVOKED);
        assert!(proxy.workers[1].age(proxy.now).unwrap() > seconds(300));
        assert!(proxy.workers[1].failures() > 10);
        proxy.server = Server::Pages(100);
        proxy.run(seconds(11));
        proxy.all_say("s2", Ok(()));
    }
}

#[test]
fn bad_answers_keep_the_set_in_force() {
    let too_large = " ".repeat(1024 * 1024 + 1).leak();
    for (server, reason) in [
        (Server::Down, "no_answer"),
        (Server::Says(500, "{}"), "status"),
        (Server::Says(302, "{}"), "status"),
        (Server::Says(200, "<html>"), "unreadable"),
        (Server::Says(200, too_large), "too_large"),
    ] {
        let mut proxy = Proxy::new(2);
        proxy.revoked.push("s1".to_owned());
        proxy.run(seconds(1));
        proxy.server = server;
        proxy.now = proxy.now.saturating_add(seconds(2));
        let Some(Outcome::Failed(failure)) = proxy.tick(1).1 else {
            panic!("{:?}", proxy.server);
        };
        assert_eq!(failure.reason(), reason);
        proxy.run(seconds(30));
        proxy.all_say("s1", REVOKED);
    }
}

#[test]
fn news_before_any_snapshot_are_refused() {
    let news = r#"{"version":1,"snapshot":false,"cursor":"9","more":false,"entries":[]}"#;
    let mut proxy = Proxy::new(1);
    proxy.server = Server::Says(200, news);
    assert_eq!(
        proxy.tick(0).1,
        Some(Outcome::Failed(FeedFailure::NotASnapshot))
    );
    proxy.all_say("s1", Err(Refusal::Unavailable));
}

#[test]
fn a_feed_with_too_many_entries_is_refused_whole_and_visibly() {
    let settings = RevocationSettings {
        max_entries: 100,
        ..settings()
    };
    let mut proxy = Proxy::with(2, &settings);
    proxy.revoked = (0..100).map(|number| format!("s{number}")).collect();
    proxy.run(seconds(2));
    proxy.revoked.push("one too many".to_owned());
    proxy.now = proxy.now.saturating_add(seconds(2));
    assert_eq!(
        proxy.tick(0).1,
        Some(Outcome::Failed(FeedFailure::TooManyEntries(100)))
    );
    assert_eq!(proxy.workers[0].len(), 100);
    proxy.run(seconds(310));
    proxy.all_say("s7", REVOKED);
    proxy.all_say("s500", Err(Refusal::Unavailable));
}

#[test]
fn a_feed_that_never_ends_is_given_up() {
    let endless = r#"{"version":1,"snapshot":true,"cursor":"1","more":true,"entries":[]}"#;
    let mut proxy = Proxy::new(1);
    proxy.server = Server::Says(200, endless);
    assert_eq!(proxy.tick(0).1, Some(Outcome::Failed(FeedFailure::Endless)));
    assert_eq!(proxy.fetches.len(), 256);
}

#[test]
fn a_worker_that_dies_between_pages_is_taken_over() {
    let mut proxy = Proxy::new(2);
    proxy.server = Server::Pages(1);
    proxy.revoked = vec!["s1".to_owned(), "s2".to_owned()];
    let first = proxy.workers[0]
        .poll(proxy.now, &mut proxy.store)
        .fetch
        .unwrap();
    proxy.now = proxy.now.saturating_add(seconds(2));
    let Outcome::Continue(second) = proxy.answer(0, &first) else {
        panic!("a second page");
    };
    proxy.now = proxy.now.saturating_add(seconds(2));
    assert_eq!(
        proxy.tick(1).0.fetch,
        None,
        "the lease was renewed with the page"
    );
    proxy.now = proxy.now.saturating_add(seconds(2));
    assert_eq!(proxy.tick(1).1, Some(Outcome::Changed));
    // CVE-2026-48090, lesson 16: what comes late meets nothing.
    assert_eq!(proxy.answer(0, &second), Outcome::Ignored);
    assert_eq!(proxy.answer(0, &first), Outcome::Ignored);
    proxy.tick_all();
    proxy.all_say("s2", REVOKED);
}

#[test]
fn a_clock_that_goes_back_neither_stops_polls_nor_keeps_an_old_set_young() {
    let mut proxy = Proxy::new(2);
    proxy.run(seconds(2));
    proxy.now = UnixTime::from_secs(500_000);
    proxy.revoked.push("s1".to_owned());
    proxy.tick_all();
    proxy.tick_all();
    proxy.all_say("s1", REVOKED);
    proxy.now = UnixTime::from_secs(400_000);
    proxy.server = Server::Down;
    proxy.run(seconds(320));
    proxy.all_say("s2", Err(Refusal::Unavailable));
}

#[test]
fn corrupted_records_are_polled_anew_and_revoke_nobody_less() {
    for suffix in ["/state", "/body"] {
        for garbage in [&b""[..], b"\x01", &[0; 70], &[1; 70], &[255; 4096]] {
            let mut proxy = Proxy::new(2);
            proxy.revoked.push("s1".to_owned());
            proxy.run(seconds(2));
            let key = proxy.store.keys_ending(suffix).remove(0);
            proxy.store.corrupt(&key, garbage);
            proxy
                .workers
                .push(RevocationFeed::new(settings(), Seed::new([3; 16])));
            for _ in 0..6 {
                proxy.now = proxy.now.saturating_add(seconds(2));
                proxy.tick_all();
                assert_eq!(proxy.check(0, "s1"), REVOKED);
            }
            proxy.all_say("s1", REVOKED);
        }
    }
}

#[test]
fn lesson_46_a_token_is_revoked_by_its_id_however_its_signature_is_written() {
    let said = r#"{"version":1,"snapshot":true,"cursor":"1","more":false,
        "entries":[{"kind":"jti","value":"t1","expires_at":2000000}]}"#;
    let mut proxy = Proxy::new(1);
    proxy.server = Server::Says(200, said);
    proxy.tick(0);
    // The same claims, whatever bytes carried them: nothing of the token itself is asked for.
    let credential = Credential {
        token_id: Some("t1"),
        ..Credential::default()
    };
    let checked = proxy.workers[0].check(&credential, proxy.now);
    assert_eq!(checked, Err(Refusal::TokenRevoked));
}

#[test]
fn an_address_is_blocked_until_the_block_expires() {
    let said = r#"{"version":1,"snapshot":true,"cursor":"1","more":false,
        "entries":[{"kind":"address","value":"203.0.113.7","expires_at":1000100}]}"#;
    let mut proxy = Proxy::new(1);
    let client = "203.0.113.7".parse().unwrap();
    assert_eq!(proxy.workers[0].check_address(client, proxy.now), Ok(()));
    proxy.server = Server::Says(200, said);
    proxy.tick(0);
    let blocked = Err(Refusal::AddressBlocked);
    assert_eq!(proxy.workers[0].check_address(client, proxy.now), blocked);
    let end = UnixTime::from_secs(1_000_100);
    assert_eq!(proxy.workers[0].check_address(client, end), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Ticks and late answers in any order, workers that die, lost swaps, a feed that grows all the while: no
    /// revocation that was published is ever missing, and in the end all know all.
    #[test]
    fn no_interleaving_loses_a_revocation(
        steps in prop::collection::vec((0_usize..3, 0_usize..4, 0_u64..3_000), 20..150),
        lost: u64,
    ) {
        let mut proxy = Proxy::new(3);
        proxy.server = Server::Pages(2);
        proxy.store.lost = lost & (lost << 1);
        let mut waiting: Vec<(usize, Fetch)> = Vec::new();
        let mut published = 0;
        for (number, (worker, action, pause)) in steps.into_iter().enumerate() {
            proxy.now = proxy.now.saturating_add(Duration::from_millis(pause));
            match action {
                0 if !waiting.is_empty() => {
                    let (worker, fetch) = waiting.remove(number % waiting.len());
                    match proxy.answer(worker, &fetch) {
                        Outcome::Continue(fetch) => waiting.push((worker, fetch)),
                        Outcome::Changed => published = proxy.workers[worker].len(),
                        _ => {}
                    }
                }
                1 => proxy.revoked.push(format!("s{}", proxy.revoked.len())),
                _ => {
                    let fetch = proxy.workers[worker].poll(proxy.now, &mut proxy.store).fetch;
                    waiting.extend(fetch.map(|fetch| (worker, fetch)));
                }
            }
            let mut newcomer = RevocationFeed::new(settings(), Seed::new([3; 16]));
            newcomer.poll(proxy.now, &mut proxy.store.inner.clone());
            prop_assert_eq!(newcomer.len(), published);
        }
        proxy.store.lost = 0;
        proxy.run(seconds(20));
        for worker in &proxy.workers {
            prop_assert_eq!(worker.len(), proxy.revoked.len());
        }
    }
}

#[test]
fn answers_nobody_waits_for_are_ignored() {
    let mut proxy = Proxy::new(1);
    let response = Response {
        status: 200,
        headers: &[],
        body: b"{}",
    };
    let outcome =
        proxy.workers[0].on_response(FetchId(1, 0), proxy.now, &response, &mut proxy.store);
    assert_eq!(outcome, Outcome::Ignored);
}
