//! One remote document that one worker fetches for all: the lease, the body, and who may write them.
//!
//! Two values in the store: a small record (`…/state`) that every worker reads on every tick, and the body
//! (`…/body`), read only when the record names a content this worker does not have. A worker that finds the
//! document due takes the lease by swapping the record; the others see it and wait. A lease whose worker died
//! runs out and the next worker takes over.
//!
//! The order of writes keeps readers right: the body first, then the record that names it. A writer that
//! lost its lease can't overwrite the body of the one that took over, because it reads the body's version
//! *before* it checks the lease and swaps against that version: whoever took over wrote the body in between,
//! and the swap fails.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::record::Record;
use super::{ContentHash, Reader, SharedStore, Versioned, Writer};
use crate::time::UnixTime;

/// A worker's end of one shared document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    state_key: String,
    body_key: String,
    lease: Duration,
    interval: Duration,
    /// The attempt this worker holds the lease of, by its number.
    in_flight: Option<u64>,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// The record says so now; every worker sees it with its next look.
    Done(Record),
    /// The lease had run out and another worker took over: nothing was changed that readers look at. Or too many
    /// swaps were lost: then the body may be there, and newer than the record.
    Superseded,
}

impl Document {
    /// A document under `key`. `lease` is how long an attempt may take in all; `interval` the longest time that
    /// is ever set between two fetches.
    pub(crate) fn new(key: &str, lease: Duration, interval: Duration) -> Self {
        Self {
            state_key: format!("{key}/state"),
            body_key: format!("{key}/body"),
            lease,
            interval,
            in_flight: None,
        }
    }

    /// How the document stands. What can't be read counts as never written, so that it is fetched anew.
    pub(crate) fn record(&self, store: &impl SharedStore) -> Record {
        self.read(store).0
    }

    /// Takes the lease if the document is due (or `missing`: named by the record but not to be had) and nobody
    /// else is at it. The number is that of the attempt.
    pub(crate) fn begin(
        &mut self,
        now: UnixTime,
        seen: Record,
        missing: bool,
        store: &mut impl SharedStore,
    ) -> Option<u64> {
        // A look at what the caller has just read comes first: it is what happens on nearly every tick.
        if !self.is_free(now, &seen, missing) {
            return None;
        }
        let (record, version) = self.read(store);
        if !self.is_free(now, &record, missing) {
            return None;
        }
        let begun = record.begin(now, self.lease);
        store
            .compare_and_swap(&self.state_key, &begun.encode(), version)
            .ok()?;
        self.in_flight = Some(begun.attempts);
        Some(begun.attempts)
    }

    /// Whether an attempt of any worker is under way.
    pub(crate) fn is_leased(&self, now: UnixTime, record: &Record) -> bool {
        record.is_leased(now, self.lease)
    }

    /// Gives the attempt under way another lease from now, for one more request. False: it was taken over.
    pub(crate) fn renew(&mut self, now: UnixTime, store: &mut impl SharedStore) -> bool {
        for _ in 0..SWAP_ATTEMPTS {
            let (mut record, version) = self.read(store);
            if !self.holds_lease(&record) {
                break;
            }
            record.lease_until = Some(now.saturating_add(self.lease));
            if store
                .compare_and_swap(&self.state_key, &record.encode(), version)
                .is_ok()
            {
                return true;
            }
        }
        self.in_flight = None;
        false
    }

    /// The attempt succeeded: publishes `body`, then the record that names it.
    pub(crate) fn publish(
        &mut self,
        body: &[u8],
        now: UnixTime,
        refresh_at: UnixTime,
        store: &mut impl SharedStore,
    ) -> Commit {
        let content = ContentHash::of(body);
        self.commit(store, Some((content, body)), |record| {
            record.generation = record.generation.wrapping_add(1).max(1);
            record.content = content;
            record.fetched_at = now;
            record.refresh_at = refresh_at;
            record.failures = 0;
        })
    }

    /// The attempt found the document as it is: it is good for longer.
    pub(crate) fn confirm(
        &mut self,
        now: UnixTime,
        refresh_at: UnixTime,
        store: &mut impl SharedStore,
    ) -> Commit {
        self.commit(store, None, |record| {
            record.fetched_at = now;
            record.refresh_at = refresh_at;
            record.failures = 0;
        })
    }

    /// The attempt failed: the document stays as it is, and is retried after what `backoff` makes of the
    /// number of failures in a row.
    pub(crate) fn fail(
        &mut self,
        now: UnixTime,
        backoff: impl Fn(&Record) -> Duration,
        store: &mut impl SharedStore,
    ) -> Commit {
        self.commit(store, None, |record| {
            record.failures = record.failures.saturating_add(1);
            record.refresh_at = now.saturating_add(backoff(record));
        })
    }

    /// Asks for a fetch out of turn, once per `cooldown` over all workers.
    pub(crate) fn demand(
        &mut self,
        now: UnixTime,
        cooldown: Duration,
        store: &mut impl SharedStore,
    ) -> Demand {
        for _ in 0..SWAP_ATTEMPTS {
            let (mut record, version) = self.read(store);
            if self.is_leased(now, &record) || record.demand_pending {
                return Demand::Pending;
            }
            if let Some(until) = record.is_cooling(now, cooldown) {
                return Demand::Cooling { until };
            }
            record.demanded_at = Some(now);
            record.demand_pending = true;
            if store
                .compare_and_swap(&self.state_key, &record.encode(), version)
                .is_ok()
            {
                return Demand::Pending;
            }
        }
        // Whoever won all those swaps demanded or fetches: wait for that.
        Demand::Pending
    }

    /// The body the record names, or a newer one whose record is about to be written.
    pub(crate) fn body(
        &self,
        record: &Record,
        store: &impl SharedStore,
    ) -> Option<(ContentHash, Vec<u8>)> {
        let stored = store.get(&self.body_key)?;
        let (generation, content, body) = decode_body(&stored.value)?;
        (content == record.content || generation > record.generation)
            .then(|| (content, body.to_vec()))
    }

    fn is_free(&self, now: UnixTime, record: &Record, missing: bool) -> bool {
        !record.is_leased(now, self.lease) && (missing || record.is_due(now, self.interval))
    }

    fn read(&self, store: &impl SharedStore) -> (Record, Option<u32>) {
        let stored = store.get(&self.state_key);
        let record = stored
            .as_ref()
            .and_then(|stored| Record::decode(&stored.value));
        (
            record.unwrap_or_default(),
            stored.map(|stored| stored.version),
        )
    }

    /// Whether the attempt of the record is this worker's and has not ended. One whose time ran out but that
    /// nobody took over is still this worker's.
    fn holds_lease(&self, record: &Record) -> bool {
        self.in_flight == Some(record.attempts) && record.lease_until.is_some()
    }

    /// Ends the attempt under way, with a new body or without. The module's doc says why in this order.
    fn commit(
        &mut self,
        store: &mut impl SharedStore,
        body: Option<(ContentHash, &[u8])>,
        advance: impl Fn(&mut Record),
    ) -> Commit {
        for _ in 0..SWAP_ATTEMPTS {
            let stored_body = body.and_then(|_| store.get(&self.body_key));
            let (mut record, version) = self.read(store);
            if !self.holds_lease(&record) {
                break;
            }
            advance(&mut record);
            record.lease_until = None;
            if let Some((content, body)) = body
                && write_body(&self.body_key, stored_body, &record, content, body, store).is_err()
            {
                continue;
            }
            if store
                .compare_and_swap(&self.state_key, &record.encode(), version)
                .is_ok()
            {
                self.in_flight = None;
                return Commit::Done(record);
            }
        }
        self.in_flight = None;
        Commit::Superseded
    }
}

/// What became of a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// A fetch is under way or will be with the next poll of any worker.
    Pending,
    /// One was demanded less than the cooldown ago.
    Cooling {
        /// When the next demand will be heard.
        until: UnixTime,
    },
}

/// Writes the body unless the stored one is the same: identity providers rarely change theirs.
fn write_body(
    key: &str,
    stored: Option<Versioned>,
    record: &Record,
    content: ContentHash,
    body: &[u8],
    store: &mut impl SharedStore,
) -> Result<(), super::CasMismatch> {
    let same = stored
        .as_ref()
        .and_then(|stored| decode_body(&stored.value))
        .is_some_and(|(_, stored, _)| stored == content);
    if same {
        return Ok(());
    }
    let encoded = Writer::with_capacity(BODY_HEAD_BYTES.saturating_add(body.len()))
        .u8(VERSION)
        .u64(record.generation)
        .bytes(&content.0)
        .bytes(body)
        .finish();
    store.compare_and_swap(key, &encoded, stored.map(|stored| stored.version))
}

/// Generation, content hash and body; `None` where the body is not what its head says.
fn decode_body(value: &[u8]) -> Option<(u64, ContentHash, &[u8])> {
    let mut reader = Reader::new(value);
    if reader.u8()? != VERSION {
        return None;
    }
    let generation = reader.u64()?;
    let content = ContentHash(reader.array()?);
    let body = reader.rest();
    (ContentHash::of(body) == content).then_some((generation, content, body))
}

const VERSION: u8 = 1;
const BODY_HEAD_BYTES: usize = 25;
/// Swaps of one operation that may be lost before it is given up. Each lost one is another worker's success.
const SWAP_ATTEMPTS: u32 = 16;
