//! Two workers, one interrupted between any two of its reads and writes by everything the other can do.

use std::cell::{Cell, RefCell};

use super::*;
use crate::store::{CasMismatch, MemoryStore};

/// Runs `interruption` on the store before its operation number `at`.
struct Interrupted<F> {
    inner: RefCell<MemoryStore>,
    operations: Cell<usize>,
    at: usize,
    interruption: RefCell<Option<F>>,
}

impl<F: FnOnce(&mut MemoryStore)> Interrupted<F> {
    fn new(inner: MemoryStore, at: usize, interruption: F) -> Self {
        Self {
            inner: RefCell::new(inner),
            operations: Cell::new(0),
            at,
            interruption: RefCell::new(Some(interruption)),
        }
    }

    fn step(&self) {
        let number = self.operations.replace(self.operations.get() + 1);
        if number == self.at
            && let Some(interruption) = self.interruption.take()
        {
            interruption(&mut self.inner.borrow_mut());
        }
    }
}

impl<F: FnOnce(&mut MemoryStore)> SharedStore for Interrupted<F> {
    fn get(&self, key: &str) -> Option<Versioned> {
        self.step();
        self.inner.borrow().get(key)
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch> {
        self.step();
        self.inner
            .borrow_mut()
            .compare_and_swap(key, value, expected)
    }
}

fn document() -> Document {
    Document::new("k", LEASE, Duration::from_mins(5))
}

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(1_000_000 + secs)
}

const LEASE: Duration = Duration::from_secs(7);

fn begin(document: &mut Document, now: UnixTime, store: &mut impl SharedStore) -> Option<u64> {
    let seen = document.record(store);
    document.begin(now, seen, false, store)
}

#[track_caller]
fn check_body(store: &impl SharedStore, expected: &[u8]) {
    let reader = document();
    let record = reader.record(store);
    let (content, body) = reader.body(&record, store).unwrap();
    assert_eq!(body, expected);
    assert_eq!(content, record.content);
}

#[test]
fn a_writer_that_lost_its_lease_never_spoils_the_body() {
    // The operations of a publication: body read, record read, body written, record written.
    for operation in 0..4 {
        let mut store = MemoryStore::default();
        let mut slow = document();
        begin(&mut slow, at(0), &mut store).unwrap();
        let mut store = Interrupted::new(store, operation, |store: &mut MemoryStore| {
            let mut other = document();
            begin(&mut other, at(8), store).unwrap();
            let commit = other.publish(b"other", at(9), at(300), store);
            assert!(matches!(commit, Commit::Done(_)));
        });
        let commit = slow.publish(b"slow", at(10), at(300), &mut store);
        assert_eq!(
            commit,
            Commit::Superseded,
            "interrupted before operation {operation}"
        );
        check_body(&store, b"other");
    }
}

#[test]
fn a_takeover_under_way_publishes_over_what_a_slow_writer_left() {
    for operation in 0..4 {
        let mut store = MemoryStore::default();
        let mut slow = document();
        begin(&mut slow, at(0), &mut store).unwrap();
        let other = RefCell::new(document());
        let mut store = Interrupted::new(store, operation, |store: &mut MemoryStore| {
            begin(&mut other.borrow_mut(), at(8), store).unwrap();
        });
        let commit = slow.publish(b"slow", at(10), at(300), &mut store);
        assert_eq!(
            commit,
            Commit::Superseded,
            "interrupted before operation {operation}"
        );
        let commit = other
            .borrow_mut()
            .publish(b"other", at(11), at(300), &mut store);
        assert!(matches!(commit, Commit::Done(_)));
        check_body(&store, b"other");
    }
}

#[test]
fn a_late_answer_nobody_took_over_for_is_good() {
    let mut store = MemoryStore::default();
    let mut slow = document();
    begin(&mut slow, at(0), &mut store).unwrap();
    let commit = slow.publish(b"slow", at(100), at(300), &mut store);
    assert!(matches!(commit, Commit::Done(_)));
    check_body(&store, b"slow");
}

#[test]
fn a_demand_in_between_is_kept() {
    for operation in 0..4 {
        let mut store = MemoryStore::default();
        let mut writer = document();
        begin(&mut writer, at(0), &mut store).unwrap();
        // The lease ran out, so that a demand is not answered by the attempt under way.
        let mut store = Interrupted::new(store, operation, |store: &mut MemoryStore| {
            let demand = document().demand(at(8), Duration::from_secs(30), store);
            assert_eq!(demand, Demand::Pending);
        });
        let commit = writer.publish(b"body", at(9), at(300), &mut store);
        assert!(matches!(commit, Commit::Done(_)));
        assert!(
            document().record(&store).demand_pending,
            "before operation {operation}"
        );
        check_body(&store, b"body");
    }
}

#[test]
fn of_two_workers_that_find_it_due_one_begins() {
    for operation in 0..3 {
        let other = Cell::new(None);
        let mut store = Interrupted::new(
            MemoryStore::default(),
            operation,
            |store: &mut MemoryStore| {
                other.set(begin(&mut document(), at(0), store));
            },
        );
        let first = begin(&mut document(), at(0), &mut store);
        assert!(
            first.is_some() != other.get().is_some(),
            "before operation {operation}"
        );
    }
}

#[test]
fn a_renewed_lease_is_not_taken_over() {
    let mut store = MemoryStore::default();
    let mut slow = document();
    begin(&mut slow, at(0), &mut store).unwrap();
    assert!(slow.renew(at(6), &mut store));
    assert_eq!(begin(&mut document(), at(8), &mut store), None);
    assert!(begin(&mut document(), at(14), &mut store).is_some());
    assert!(!slow.renew(at(14), &mut store));
    assert_eq!(
        slow.publish(b"slow", at(15), at(300), &mut store),
        Commit::Superseded
    );
}

#[test]
fn an_unchanged_body_is_not_written_again() {
    let mut store = MemoryStore::default();
    let mut writer = document();
    for now in [0, 300] {
        begin(&mut writer, at(now), &mut store).unwrap();
        writer.publish(b"same", at(now), at(now + 300), &mut store);
    }
    assert_eq!(writer.record(&store).generation, 2);
    assert_eq!(store.get("k/body").unwrap().version, 2);
    check_body(&store, b"same");
}
