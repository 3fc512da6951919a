//! What a guess saves, what a wrong one costs, and that none ever lets a request through too many.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::super::*;
use super::Recent;
use crate::rate_limit::slot::Slot;
use crate::store::testing::TestStore;
use crate::store::{CasMismatch, SharedStore, Versioned, Versions};

fn limit(requests: u32, name: &str) -> RateLimit {
    let settings = RateLimitSettings {
        name: name.to_owned(),
        key: vec![KeyPart::ClientAddress],
        requests: NonZeroU32::new(requests).unwrap(),
        per: Duration::from_secs(60),
        counts: Counts::Requests,
        max_keys: 1024,
    };
    RateLimit::new(settings, "edge_auth", Seed::new([7; 16]))
}

fn client(limit: &RateLimit, number: u32) -> Key {
    limit.key(|_| KeyValue::Address(Ipv4Addr::from(number).into()))
}

const NOW: UnixTime = UnixTime::from_secs(1_000_000);

/// Reads and writes since last asked.
fn calls(store: &mut TestStore) -> (usize, usize) {
    (store.reads.take(), std::mem::take(&mut store.writes))
}

#[test]
fn a_worker_that_writes_alone_reads_a_counter_once() {
    let limit = limit(1000, "all");
    let (first, second) = (client(&limit, 1), client(&limit, 2));
    let mut store = TestStore::default();
    // The first is read back, to learn where the store's versions are.
    for (key, reads) in [(first, 2), (second, 1)] {
        assert!(limit.check(key, NOW, &mut store).is_allowed());
        assert_eq!(calls(&mut store), (reads, 1));
    }
    for _ in 0..10 {
        for key in [first, second] {
            assert!(limit.check(key, NOW, &mut store).is_allowed());
            assert_eq!(calls(&mut store), (0, 1));
        }
    }
    assert_eq!(limit.peek(first, NOW, &store).remaining, 1000 - 11);
}

#[test]
fn a_refusal_is_read_and_never_guessed() {
    let limit = limit(2, "two");
    let key = client(&limit, 1);
    let mut store = TestStore::default();
    for _ in 0..2 {
        assert!(limit.check(key, NOW, &mut store).is_allowed());
    }
    calls(&mut store);
    assert!(!limit.check(key, NOW, &mut store).is_allowed());
    assert_eq!(calls(&mut store), (1, 0));
    // Somebody makes room: what this worker remembers would still refuse.
    let [name] = &store
        .inner
        .keys()
        .filter(|key| key.contains("limit"))
        .map(str::to_owned)
        .collect::<Vec<_>>()[..]
    else {
        panic!("one counter");
    };
    store.corrupt(name, b"");
    assert!(limit.check(key, NOW, &mut store).is_allowed());
}

/// The store as another worker has it: the same values, and versions learnt apart.
struct Other<'s>(&'s mut TestStore, &'s mut Versions);

impl SharedStore for Other<'_> {
    fn get(&self, key: &str) -> Option<Versioned> {
        self.0.inner.get(key)
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch> {
        let versions = self.0.versions;
        let swapped = self.0.compare_and_swap(key, value, expected);
        self.0.versions = versions;
        swapped.inspect(|()| self.1.wrote())
    }

    fn written_version(&self) -> Option<u32> {
        self.1.newest()
    }

    fn learn_version(&mut self, version: u32) {
        self.1.learn(version);
    }
}

#[test]
fn where_another_worker_writes_too_a_wrong_guess_is_rare_and_counts_nothing() {
    let (own, others) = (limit(100_000, "all"), limit(100_000, "all"));
    let key = client(&own, 1);
    let mut store = TestStore::default();
    let mut versions = Versions::default();
    let mut own_calls = (0, 0);
    for _ in 0..5_000 {
        calls(&mut store);
        assert!(own.check(key, NOW, &mut store).is_allowed());
        let (reads, writes) = calls(&mut store);
        own_calls = (own_calls.0 + reads, own_calls.1 + writes);
        let mut other = Other(&mut store, &mut versions);
        assert!(others.check(key, NOW, &mut other).is_allowed());
    }
    // One failed swap and one reading back after 0, 1, 2, 4, … 1,024 counts, and then after each 1,024.
    for calls in [own_calls.0, own_calls.1] {
        assert!((5_010..5_020).contains(&calls), "{calls}");
    }
    assert_eq!(own.peek(key, NOW, &store).remaining, 90_000);
    // Alone again, it finds that out within 1,024 counts and stays with it.
    for _ in 0..1_100 {
        own.check(key, NOW, &mut store);
    }
    calls(&mut store);
    for _ in 0..100 {
        own.check(key, NOW, &mut store);
    }
    assert_eq!(calls(&mut store), (0, 100));
}

#[test]
fn what_another_worker_wrote_elsewhere_only_costs_a_wrong_guess() {
    let (own, others) = (limit(100, "mine"), limit(100, "theirs"));
    let (mine, theirs) = (client(&own, 1), client(&others, 1));
    let mut store = TestStore::default();
    let mut versions = Versions::default();
    own.check(mine, NOW, &mut store);
    for _ in 0..3 {
        others.check(theirs, NOW, &mut Other(&mut store, &mut versions));
        own.check(mine, NOW, &mut store);
    }
    assert_eq!(own.peek(mine, NOW, &store).remaining, 96);
    assert_eq!(others.peek(theirs, NOW, &store).remaining, 97);
}

#[test]
fn what_is_remembered_ends_with_its_window_and_after_a_minute() {
    let limit = limit(2, "two");
    let key = client(&limit, 1);
    let mut store = TestStore::default();
    for _ in 0..2 {
        limit.check(key, NOW, &mut store);
    }
    calls(&mut store);
    let later = NOW.saturating_add(Duration::from_secs(60));
    assert_eq!(limit.check(key, later, &mut store).remaining, 1);
    assert_eq!(calls(&mut store), (2, 1));
    // A clock that went back is no reason to trust it either.
    assert_eq!(limit.check(key, NOW, &mut store).remaining, 0);
    assert_eq!(calls(&mut store), (2, 1));
}

#[test]
fn a_flood_of_slots_is_remembered_in_a_fixed_number_of_places() {
    let mut recent = Recent {
        learnt: Some(NOW),
        ..Recent::default()
    };
    let value = Slot::default().encode();
    for slot in 0..20_000 {
        recent.remember(slot, Some(slot), &value, NOW);
    }
    assert_eq!(recent.places.len(), 256);
    let remembered = (0..20_000).filter(|slot| recent.guess(*slot, NOW).is_some());
    assert_eq!(remembered.count(), 256);
}

/// A slot may have been written days ago, and versions have come round since.
#[test]
fn a_version_that_was_only_read_is_not_counted_on() {
    let limit = limit(10, "ten");
    let key = client(&limit, 1);
    let mut store = TestStore::default();
    limit.check(key, NOW, &mut Other(&mut store, &mut Versions::default()));
    limit.peek(key, NOW, &store);
    assert_eq!(store.written_version(), None);
}

/// Between a write and its reading back somebody else may have written.
#[test]
fn what_is_read_back_and_is_somebody_elses_is_not_remembered() {
    let mut store = TestStore::default();
    let mut recent = Recent::default();
    let value = Slot::default().encode();
    store.compare_and_swap("slot", b"theirs", None).unwrap();
    recent.wrote(1, "slot", &value, NOW, &mut store);
    assert!(recent.guess(1, NOW).is_none());
    store.corrupt("slot", value.as_bytes());
    let mut recent = Recent::default();
    recent.wrote(1, "slot", &value, NOW, &mut store);
    assert!(recent.guess(1, NOW).is_some());
}

proptest! {
    /// Three workers in any order and with swaps lost.
    #[test]
    fn exactly_as_many_as_allowed_pass_in_any_order(
        turns in prop::collection::vec((0..3_usize, 0..3_u32), 40..80),
        lost: u64,
    ) {
        let mut workers = [(); 3].map(|()| (limit(10, "ten"), Versions::default()));
        // Never so many in a row that a count is given up.
        let mut store = TestStore {
            lost: lost & 0x5555_5555_5555_5555,
            ..TestStore::default()
        };
        let mut passed = [0; 3];
        for (worker, number) in turns.iter().copied() {
            let (limit, versions) = &mut workers[worker];
            let key = client(limit, number);
            let verdict = limit.check(key, NOW, &mut Other(&mut store, versions));
            passed[number as usize] += usize::from(verdict.is_allowed());
        }
        for number in 0..3 {
            let asked = turns.iter().filter(|(_, own)| *own == number).count();
            prop_assert_eq!(passed[number as usize], asked.min(10));
        }
    }
}
