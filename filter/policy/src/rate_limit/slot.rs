//! A few counters in one stored value, and what counting does to them.
//!
//! An entry is the key's hash, the end of its window and its count. An entry whose window ended is free. A
//! full slot gives the place of the entry that ends soonest: its key is then counted from zero again, which
//! is the price of a bounded table, is reported, and can't be aimed at without the proxy's seed.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Denial, Key, Verdict};
use crate::store::Reader;
use crate::time::UnixTime;

/// How much is allowed, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) requests: NonZeroU32,
    pub(super) per: Duration,
    pub(super) block: Option<Duration>,
}

/// The entries of one stored value, those that ended left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    entries: [Option<Entry>; ENTRIES],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    key: Key,
    ends_at: UnixTime,
    count: u32,
}

/// A stored value.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    bytes: [u8; MAX_BYTES],
    used: usize,
}

impl Encoded {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or(&self.bytes)
    }

    /// Becomes `other`, copying no more than that has.
    pub(super) fn copy_from(&mut self, other: &Self) {
        let copied = self.bytes.get_mut(..other.used);
        if let Some((to, from)) = copied.zip(other.bytes.get(..other.used)) {
            to.copy_from_slice(from);
            self.used = other.used;
        }
    }
}

impl Slot {
    /// What `value` says `now`. What is not a slot of ours is empty and will be overwritten.
    pub(super) fn decode(value: &[u8], limit: &Limit, now: UnixTime) -> Self {
        Self::entries(value, limit, now).unwrap_or_default()
    }

    fn entries(value: &[u8], limit: &Limit, now: UnixTime) -> Option<Self> {
        let mut reader = Reader::new(value);
        if reader.u8()? != VERSION {
            return None;
        }
        let mut slot = Self::default();
        for place in &mut slot.entries {
            if reader.rest().is_empty() {
                break;
            }
            let entry = Entry {
                key: Key(u128::from_le_bytes(reader.array()?)),
                ends_at: UnixTime::from_millis(reader.u64()?),
                count: reader.u32()?,
            };
            *place = Some(entry).filter(|entry| entry.is_live(limit, now));
        }
        reader.end(slot)
    }

    pub(super) fn encode(&self) -> Encoded {
        let mut bytes = [0; MAX_BYTES];
        let mut used = 0;
        if let Some((version, entries)) = bytes.split_first_mut() {
            *version = VERSION;
            used = 1;
            let (places, _) = entries.as_chunks_mut::<ENTRY_BYTES>();
            for (place, entry) in places.iter_mut().zip(self.entries.iter().flatten()) {
                entry.write(place);
                used += ENTRY_BYTES;
            }
        }
        Encoded { bytes, used }
    }

    /// What the limit says to `key` as things stand.
    pub(super) fn verdict(&self, key: Key, limit: &Limit, now: UnixTime) -> Verdict {
        let entry = self.entries.iter().flatten().find(|entry| entry.key == key);
        let count = entry.map_or(0, |entry| entry.count);
        let remaining = limit.requests.get().saturating_sub(count);
        Verdict {
            denial: (remaining == 0).then_some(Denial::Exhausted),
            remaining,
            reset_after: entry.map_or(limit.per, |entry| entry.ends_at.since(now)),
            evicted: false,
        }
    }

    /// Counts one for `key`, which [`verdict`](Self::verdict) allowed.
    pub(super) fn count(&mut self, key: Key, limit: &Limit, now: UnixTime) -> Verdict {
        let (place, evicted) = self.place(key);
        let Some(place) = place else {
            // A slot has places; a counter that has none is not counted, so not allowed.
            return contended(limit);
        };
        let entry = place.get_or_insert(Entry {
            key,
            ends_at: now.saturating_add(limit.per),
            count: 0,
        });
        entry.count = entry.count.saturating_add(1);
        if let Some(block) = limit.block
            && entry.count >= limit.requests.get()
        {
            entry.ends_at = now.saturating_add(block);
        }
        Verdict {
            denial: None,
            remaining: limit.requests.get().saturating_sub(entry.count),
            reset_after: entry.ends_at.since(now),
            evicted,
        }
    }

    /// The place of `key`: its own, a free one, or the one that ends soonest; and whether a key gave way.
    fn place(&mut self, key: Key) -> (Option<&mut Option<Entry>>, bool) {
        let best = self.entries.iter_mut().min_by_key(|place| match place {
            Some(entry) if entry.key == key => (0, UnixTime::default()),
            None => (1, UnixTime::default()),
            Some(entry) => (2, entry.ends_at),
        });
        let Some(place) = best else {
            return (None, false);
        };
        let evicted = place.take_if(|entry| entry.key != key).is_some();
        (Some(place), evicted)
    }
}

impl Entry {
    /// Key, end and count, in this order.
    fn write(&self, place: &mut [u8; ENTRY_BYTES]) {
        if let Some((key, rest)) = place.split_first_chunk_mut()
            && let Some((ends_at, rest)) = rest.split_first_chunk_mut()
            && let Some(count) = rest.first_chunk_mut()
        {
            *key = self.key.0.to_le_bytes();
            *ends_at = self.ends_at.as_millis().to_le_bytes();
            *count = self.count.to_le_bytes();
        }
    }

    /// Whether the window still runs. One that ends later than any window can, even for a worker whose reading
    /// of the clock is older, was begun before the clock went back.
    fn is_live(&self, limit: &Limit, now: UnixTime) -> bool {
        let longest = limit.per.max(limit.block.unwrap_or_default());
        now < self.ends_at && self.ends_at <= now.saturating_add(longest.saturating_mul(2))
    }
}

/// The verdict where nothing can be counted.
pub(super) fn contended(limit: &Limit) -> Verdict {
    Verdict {
        denial: Some(Denial::StoreContended),
        remaining: 0,
        reset_after: Duration::from_secs(1).min(limit.per),
        evicted: false,
    }
}

/// Entries of one slot: enough that few slots run full while the table is half full.
pub(super) const ENTRIES: usize = 8;
const ENTRY_BYTES: usize = 28;
const MAX_BYTES: usize = 1 + ENTRIES * ENTRY_BYTES;
const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Limit = Limit {
        requests: NonZeroU32::new(3).unwrap(),
        per: Duration::from_secs(10),
        block: None,
    };

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn reread(slot: &Slot, now: UnixTime) -> Slot {
        Slot::decode(slot.encode().as_bytes(), &LIMIT, now)
    }

    #[test]
    fn a_full_slot_survives_the_store() {
        let mut slot = Slot::default();
        for key in 0..8 {
            slot.count(Key(key), &LIMIT, at(100));
        }
        assert_eq!(reread(&slot, at(101)), slot);
        assert_eq!(slot.encode().as_bytes().len(), MAX_BYTES);
        assert_eq!(reread(&slot, at(110)), Slot::default());
    }

    #[test]
    fn the_entry_that_ends_soonest_gives_way() {
        let mut slot = Slot::default();
        for key in 0..8 {
            let verdict = slot.count(Key(key), &LIMIT, at(100 + u64::from(key != 5)));
            assert!(!verdict.evicted);
        }
        assert!(slot.count(Key(99), &LIMIT, at(102)).evicted);
        assert_eq!(slot.verdict(Key(5), &LIMIT, at(102)).remaining, 3);
        assert_eq!(slot.verdict(Key(4), &LIMIT, at(102)).remaining, 2);
        assert_eq!(slot.verdict(Key(99), &LIMIT, at(102)).remaining, 2);
    }

    #[test]
    fn a_window_from_before_a_clock_step_is_not_waited_for() {
        let mut slot = Slot::default();
        for _ in 0..3 {
            slot.count(Key(1), &LIMIT, at(1_000_000));
        }
        let denied = |now| {
            reread(&slot, at(now))
                .verdict(Key(1), &LIMIT, at(now))
                .denial
                .is_some()
        };
        assert!(denied(1_000_009));
        assert!(denied(999_999), "another worker's slightly older reading");
        assert!(!denied(900_000));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_slot(bytes in prop::collection::vec(any::<u8>(), 0..300), now: u64, key: u64) {
            let (now, key) = (UnixTime::from_nanos(now), Key(key.into()));
            let mut versioned = vec![VERSION];
            versioned.extend_from_slice(&bytes);
            for value in [&bytes, &versioned] {
                let mut slot = Slot::decode(value, &LIMIT, now);
                let allowed = slot.verdict(key, &LIMIT, now);
                let counted = slot.count(key, &LIMIT, now);
                prop_assert!(counted.remaining <= allowed.remaining);
            }
        }
    }
}
