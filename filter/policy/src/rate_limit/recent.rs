//! What this worker wrote last into a few slots, so that the next count there needs no reading first.
//!
//! A swap that names the version this worker's own write got succeeds only if that write is still what is stored. So
//! the swap itself proves that what is remembered is true, and a count made of it is as exact as one made of a fresh
//! reading: what is remembered is a guess until then, and never a reason to refuse a request.
//!
//! What version a write got is counted on from one that was read back right after a write: this is done at first, once
//! a minute and after a wrong guess.
//!
//! Where other workers write too, the guess is mostly wrong, and a wrong one costs a swap that fails. After each
//! wrong guess in a row twice as many counts go by without one, so that a busy proxy with many workers pays one
//! failed swap and one reading in a thousand counts and otherwise reads first, as if nothing was remembered.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::slot::Encoded;
use crate::store::SharedStore;
use crate::time::UnixTime;

/// The slots that were written last, at most [`PLACES`] of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    /// A slot has one place, which it shares with others. Places are made when the first of their slots is written.
    places: Vec<Option<Box<Written>>>,
    /// When a version was read back, if no guess was wrong since.
    learnt: Option<UnixTime>,
    /// How many counts go by after the next wrong guess.
    penalty: u32,
    /// How many counts are still to go by.
    skip: u32,
}

/// A slot as it was written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    slot: u32,
    at: UnixTime,
    /// What the store says the write got.
    pub(super) version: u32,
    /// The bytes, and how many of them.
    pub(super) value: Encoded,
}

impl Recent {
    /// What was written into `slot`, where guessing that it is still there pays.
    pub(super) fn guess(&self, slot: u32, now: UnixTime) -> Option<&Written> {
        let written = self.places.get(place(slot))?.as_deref()?;
        let is_usable = self.learnt.is_some() && written.slot == slot && is_recent(written.at, now);
        is_usable.then_some(written)
    }

    /// A guess was right.
    pub(super) fn was_right(&mut self) {
        self.penalty = 0;
    }

    /// A guess was wrong: somebody else wrote, and what is remembered of `slot` will never be true again.
    pub(super) fn was_wrong(&mut self, slot: u32) {
        if let Some(place) = self.places.get_mut(place(slot)) {
            *place = None;
        }
        self.penalty = self.penalty.saturating_mul(2).clamp(1, MAX_PENALTY);
        self.skip = self.penalty;
        self.learnt = None;
    }

    /// Remembers what was just written as `value` into `slot`, whose name in `store` is `name`, where that pays.
    pub(super) fn wrote(
        &mut self,
        slot: u32,
        name: &str,
        value: &Encoded,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) {
        if self.learnt.is_some_and(|learnt| is_recent(learnt, now)) {
            return self.remember(slot, store.written_version(), value, now);
        }
        if let Some(left) = self.skip.checked_sub(1) {
            self.skip = left;
            return;
        }
        let Some(stored) = store.get(name) else {
            return;
        };
        store.learn_version(stored.version);
        self.learnt = Some(now);
        // Somebody else's is no reason to remember ours.
        let own = stored.value == value.as_bytes();
        self.remember(slot, own.then_some(stored.version), value, now);
    }

    /// Remembers what was written into `slot`; `version` is `None` where the store can't say.
    fn remember(&mut self, slot: u32, version: Option<u32>, value: &Encoded, now: UnixTime) {
        if self.places.is_empty() {
            self.places.resize(PLACES, None);
        }
        let Some(place) = self.places.get_mut(place(slot)) else {
            return;
        };
        match (place, version) {
            (Some(written), Some(version)) => {
                written.slot = slot;
                written.at = now;
                written.version = version;
                written.value.copy_from(value);
            }
            (place @ None, Some(version)) => {
                *place = Some(Box::new(Written {
                    slot,
                    at: now,
                    version,
                    value: value.clone(),
                }));
            }
            (place, None) => *place = None,
        }
    }
}

fn is_recent(then: UnixTime, now: UnixTime) -> bool {
    then <= now && now < then.saturating_add(USABLE_FOR)
}

fn place(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or_default() % PLACES
}

/// Slots remembered per limit: 64 KiB of memory at most.
const PLACES: usize = 256;
/// A host's versions come round after four billion writes, which takes hours: nothing is remembered that long.
const USABLE_FOR: Duration = Duration::from_mins(1);
/// Counts that go by without a guess after many wrong ones.
const MAX_PENALTY: u32 = 1024;
