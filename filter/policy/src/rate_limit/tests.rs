//! Limits over simulated workers, lost swaps and real threads; time moves by hand.

use std::collections::HashMap;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::store::testing::TestStore;
use crate::store::{CasMismatch, MemoryStore, Versioned};

fn settings(requests: u32, per: u64) -> RateLimitSettings {
    RateLimitSettings {
        name: "auth_per_ip".to_owned(),
        key: vec![KeyPart::ClientAddress],
        requests: NonZeroU32::new(requests).unwrap(),
        per: Duration::from_secs(per),
        counts: Counts::Requests,
        max_keys: 1024,
    }
}

fn limit(settings: RateLimitSettings) -> RateLimit {
    RateLimit::new(settings, "edge_auth", Seed::new([7; 16]))
}

fn client(limit: &RateLimit, client: u32) -> Key {
    limit.key(|_| KeyValue::Address(std::net::Ipv4Addr::from(client).into()))
}

fn at(millis: u64) -> UnixTime {
    UnixTime::from_millis(1_000_000_000 + millis)
}

#[test]
fn a_window_begins_with_the_first_request_and_lasts_per() {
    let limit = limit(settings(2, 60));
    let key = client(&limit, 1);
    let mut store = MemoryStore::default();
    let mut check = |millis, expected: (bool, u32, u64)| {
        let verdict = limit.check(key, at(millis), &mut store);
        let reset = u64::try_from(verdict.reset_after.as_millis()).unwrap();
        assert_eq!(
            (verdict.is_allowed(), verdict.remaining, reset),
            expected,
            "at {millis}"
        );
    };
    check(500, (true, 1, 60_000));
    check(59_500, (true, 0, 1_000));
    check(59_501, (false, 0, 999));
    check(60_499, (false, 0, 1));
    check(60_500, (true, 1, 60_000));
}

#[test]
fn each_key_and_each_limit_counts_for_itself() {
    let first = limit(settings(1, 60));
    let mut other = settings(1, 60);
    other.name = "another".to_owned();
    let other = limit(other);
    let mut store = MemoryStore::default();
    for limit in [&first, &other] {
        for number in 0..50 {
            let key = client(limit, number);
            assert!(limit.check(key, at(0), &mut store).is_allowed());
            assert!(!limit.check(key, at(0), &mut store).is_allowed());
        }
    }
}

#[test]
fn exactly_ten_of_a_thousand_requests_over_four_threads() {
    struct Locked<'a>(&'a Mutex<MemoryStore>);
    impl SharedStore for Locked<'_> {
        fn get(&self, key: &str) -> Option<Versioned> {
            self.0.lock().unwrap().get(key)
        }
        fn compare_and_swap(
            &mut self,
            key: &str,
            value: &[u8],
            expected: Option<u32>,
        ) -> Result<(), CasMismatch> {
            self.0
                .lock()
                .unwrap()
                .compare_and_swap(key, value, expected)
        }
    }

    let store = Mutex::new(MemoryStore::default());
    let allowed: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let limit = limit(settings(10, 60));
                let store = &store;
                scope.spawn(move || {
                    let allowed = |_: &u32| {
                        limit
                            .check(client(&limit, 1), at(0), &mut Locked(store))
                            .is_allowed()
                    };
                    (0..250).filter(allowed).count()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    });
    assert_eq!(allowed, 10);
}

#[test]
fn a_counter_that_cannot_be_written_denies() {
    let limit = limit(settings(10, 60));
    let mut store = TestStore {
        lost: u64::MAX,
        ..TestStore::default()
    };
    let verdict = limit.check(client(&limit, 1), at(0), &mut store);
    assert_eq!(verdict.denial, Some(Denial::StoreContended));
    assert_eq!(store.writes, 64);
    assert!(
        limit
            .check(client(&limit, 1), at(0), &mut store)
            .is_allowed()
    );
}

#[test]
fn a_denied_request_writes_nothing() {
    let limit = limit(settings(1, 60));
    let mut store = TestStore::default();
    limit.check(client(&limit, 1), at(0), &mut store);
    let (reads, writes) = (store.reads.get(), store.writes);
    limit.check(client(&limit, 1), at(1), &mut store);
    assert_eq!((store.reads.get() - reads, store.writes - writes), (1, 0));
}

#[test]
fn a_flood_of_clients_fills_the_table_and_no_more() {
    let limit = limit(settings(5, 3600));
    let mut store = MemoryStore::default();
    let evicted = (0..50_000)
        .filter(|&number| {
            limit
                .check(client(&limit, number), at(0), &mut store)
                .evicted
        })
        .count();
    assert_eq!(store.len(), 1024 / 4);
    assert_eq!(evicted, 50_000 - 1024 / 4 * 8);
    let largest = store
        .keys()
        .map(|key| store.get(key).unwrap().value.len())
        .max();
    assert_eq!(largest, Some(1 + 8 * 28));
}

#[test]
fn as_many_clients_as_configured_are_counted_nearly_without_eviction() {
    let limit = limit(settings(5, 3600));
    let mut store = MemoryStore::default();
    let evicted = (0..1024)
        .filter(|&number| {
            limit
                .check(client(&limit, number), at(0), &mut store)
                .evicted
        })
        .count();
    assert!(evicted < 1024 / 50, "{evicted} of 1024");
}

#[test]
fn failed_authentications_block_for_their_time() {
    let mut settings = settings(3, 60);
    settings.counts = Counts::FailedAuthentication {
        block: Duration::from_mins(10),
    };
    let limit = limit(settings);
    let key = client(&limit, 1);
    let mut store = MemoryStore::default();
    for millis in [0, 10_000, 59_999] {
        assert!(limit.peek(key, at(millis), &store).is_allowed());
        limit.check(key, at(millis), &mut store);
    }
    let blocked = limit.peek(key, at(60_000), &store);
    assert_eq!(blocked.denial, Some(Denial::Exhausted));
    assert_eq!(blocked.reset_after, Duration::from_millis(599_999));
    assert!(!limit.peek(key, at(659_998), &store).is_allowed());
    assert!(limit.peek(key, at(659_999), &store).is_allowed());
}

#[test]
fn failures_that_are_far_apart_do_not_block() {
    let mut settings = settings(3, 60);
    settings.counts = Counts::FailedAuthentication {
        block: Duration::from_mins(10),
    };
    let limit = limit(settings);
    let key = client(&limit, 1);
    let mut store = MemoryStore::default();
    for minutes in 0..100 {
        limit.check(key, at(minutes * 31_000), &mut store);
        assert!(limit.peek(key, at(minutes * 31_000), &store).is_allowed());
    }
}

#[test]
fn corrupted_slots_are_counted_from_zero() {
    let limit = limit(settings(1, 60));
    for garbage in [&b""[..], b"\x01", b"\x02", &[1; 29], &[255; 500]] {
        let mut store = TestStore::default();
        limit.check(client(&limit, 1), at(0), &mut store);
        let key = store.keys_ending("").remove(0);
        store.corrupt(&key, garbage);
        assert!(
            limit
                .check(client(&limit, 1), at(0), &mut store)
                .is_allowed()
        );
        assert!(
            !limit
                .check(client(&limit, 1), at(0), &mut store)
                .is_allowed()
        );
    }
}

#[test]
fn another_key_of_the_same_limit_does_not_meet_its_counters() {
    let by_address = limit(settings(1, 60));
    let mut by_host = settings(1, 60);
    by_host.key = vec![KeyPart::Host];
    let by_host = limit(by_host);
    let value = |_: &KeyPart| KeyValue::Bytes(b"same");
    assert_ne!(by_address.key(value), by_host.key(value));
}

fn fields(verdicts: &[(&RateLimit, Verdict)]) -> Fields {
    let mut fields = Fields::default();
    for (limit, verdict) in verdicts {
        fields.counted(limit, *verdict);
    }
    fields
}

#[test]
fn clients_are_told_their_limits_as_structured_fields() {
    let burst = limit(settings(10, 60));
    let mut daily = settings(1000, 86_400);
    daily.name = "say \"daily\"\\\r\n\u{e9}".to_owned();
    let daily = limit(daily);
    let mut store = MemoryStore::default();
    let now = at(0);
    let verdicts =
        [&burst, &daily].map(|limit| (limit, limit.check(client(limit, 1), now, &mut store)));
    let told = fields(&verdicts);
    assert_eq!(
        told.policy,
        r#""auth_per_ip";q=10;w=60, "say \"daily\"\\";q=1000;w=86400"#
    );
    assert_eq!(
        told.limit,
        r#""auth_per_ip";r=9;t=60, "say \"daily\"\\";r=999;t=86400"#
    );
    assert_eq!(told.retry_after, None);
}

#[test]
fn a_denied_client_is_told_when_to_come_back() {
    let limit = limit(settings(1, 60));
    let mut store = MemoryStore::default();
    limit.check(client(&limit, 1), at(0), &mut store);
    let verdict = limit.check(client(&limit, 1), at(500), &mut store);
    let told = fields(&[(&limit, verdict)]);
    // 59.5 s, rounded up.
    assert_eq!(told.limit, r#""auth_per_ip";r=0;t=60"#);
    assert_eq!(told.retry_after, Some(60));
    assert!(
        limit
            .check(client(&limit, 1), at(60_000), &mut store)
            .is_allowed()
    );
}

#[test]
fn what_the_service_counts_is_told_beside_what_is_counted_here() {
    let here = limit(settings(10, 60));
    let mut store = MemoryStore::default();
    let verdict = here.check(client(&here, 1), at(0), &mut store);
    let by_service = service::ServiceLimit {
        name: "per_user".into(),
        key: vec![KeyPart::Host],
    };
    let status = service::Status {
        over_limit: true,
        remaining: 0,
        reset_after: Duration::from_millis(1_500),
        quota: Some(service::Quota {
            requests: 30,
            per: Duration::from_secs(3600),
        }),
    };
    let mut told = fields(&[(&here, verdict)]);
    told.answered(&by_service, &status);
    assert_eq!(
        told.policy,
        r#""auth_per_ip";q=10;w=60, "per_user";q=30;w=3600"#
    );
    assert_eq!(told.limit, r#""auth_per_ip";r=9;t=60, "per_user";r=0;t=2"#);
    assert_eq!(told.retry_after, Some(2));
    let silent = service::Status {
        quota: None,
        ..status
    };
    let mut told = Fields::default();
    told.answered(&by_service, &silent);
    assert_eq!(told.retry_after, Some(2));
    assert!(told.into_pairs().is_empty());
}

#[test]
fn failed_authentication_limits_are_not_advertised() {
    let mut settings = settings(1, 60);
    settings.counts = Counts::FailedAuthentication {
        block: Duration::from_secs(90),
    };
    let limit = limit(settings);
    let mut store = MemoryStore::default();
    limit.check(client(&limit, 1), at(0), &mut store);
    let told = fields(&[(&limit, limit.peek(client(&limit, 1), at(0), &store))]);
    assert_eq!(
        (&*told.policy, &*told.limit, told.retry_after),
        ("", "", Some(90))
    );
}

proptest! {
    /// Beside the simplest possible counter: same answers for any requests at any times, swaps lost or not.
    #[test]
    fn counts_as_a_fixed_window_does(
        requests in prop::collection::vec((0_u32..6, 0_u64..4_000), 1..300),
        lost: u64,
        quota in 1_u32..8,
    ) {
        let limit = limit(settings(quota, 10));
        let mut store = TestStore { lost, ..TestStore::default() };
        let mut model: HashMap<u32, (u64, u32)> = HashMap::new();
        let mut now = 0;
        for (number, pause) in requests {
            now += pause;
            let window = model.entry(number).or_insert((now, 0));
            if now >= window.0 + 10_000 {
                *window = (now, 0);
            }
            let allowed = window.1 < quota;
            window.1 += u32::from(allowed);
            let verdict = limit.check(client(&limit, number), at(now), &mut store);
            if verdict.denial == Some(Denial::StoreContended) {
                // Only 64 lost swaps in a row do this; then nothing may have been counted.
                prop_assert_eq!(lost, u64::MAX);
                window.1 -= u32::from(allowed);
                continue;
            }
            prop_assert_eq!(verdict.is_allowed(), allowed);
            prop_assert_eq!(verdict.remaining, quota - window.1);
        }
    }
}
