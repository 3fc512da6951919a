//! The counters of one limit: a fixed number of slots in the shared store, chosen by the key's hash.

use std::cell::RefCell;

use super::recent::Recent;
use super::slot::{self, ENTRIES, Encoded, Limit, Slot};
use super::{Denial, Key, Verdict};
use crate::store::{ContentHash, SharedStore};
use crate::time::UnixTime;

/// A bounded table of counters. The host can't forget a key, so the number of slots is fixed.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The name of every slot, but for its last digits.
    name: [u8; NAME_BYTES],
    slots: u32,
    recent: RefCell<Recent>,
}

impl Table {
    pub(super) fn new(scope: &str, limit: &str, max_keys: u32) -> Self {
        let hash = ContentHash::of_parts(&[scope, limit]);
        let mut name = [b'0'; NAME_BYTES];
        for (to, from) in name
            .iter_mut()
            .zip(format!("edge-auth/1/limit/{hash}/").bytes())
        {
            *to = from;
        }
        Self {
            name,
            slots: (max_keys / KEYS_PER_SLOT).max(1),
            recent: RefCell::default(),
        }
    }

    /// Counts one for `key` unless it is used up. Exact: what is counted was swapped in.
    pub(super) fn count(
        &self,
        key: Key,
        limit: &Limit,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> Verdict {
        let number = self.slot_of(key);
        let mut name = self.name;
        let name = slot_name(number, &mut name);
        let mut recent = self.recent.borrow_mut();
        if let Some(written) = recent.guess(number, now) {
            let counted = count_in(written.value.as_bytes(), key, limit, now);
            // A refusal is never a guess.
            if let Ok((value, verdict)) = counted {
                let expected = Some(written.version);
                if store
                    .compare_and_swap(name, value.as_bytes(), expected)
                    .is_ok()
                {
                    recent.was_right();
                    recent.wrote(number, name, &value, now, store);
                    return verdict;
                }
                recent.was_wrong(number);
            }
        }
        for _ in 0..SWAP_ATTEMPTS {
            let stored = store.get(name);
            let value = stored.as_ref().map_or(&[][..], |stored| &stored.value);
            let (value, verdict) = match count_in(value, key, limit, now) {
                Ok(counted) => counted,
                Err(refused) => return refused,
            };
            let expected = stored.map(|stored| stored.version);
            if store
                .compare_and_swap(name, value.as_bytes(), expected)
                .is_ok()
            {
                recent.wrote(number, name, &value, now, store);
                return verdict;
            }
        }
        slot::contended(limit)
    }

    /// What counting would say, without counting.
    pub(super) fn look(
        &self,
        key: Key,
        limit: &Limit,
        now: UnixTime,
        store: &impl SharedStore,
    ) -> Verdict {
        let mut name = self.name;
        let stored = store.get(slot_name(self.slot_of(key), &mut name));
        let value = stored.as_ref().map_or(&[][..], |stored| &stored.value);
        Slot::decode(value, limit, now).verdict(key, limit, now)
    }

    fn slot_of(&self, key: Key) -> u32 {
        let slot = key.0 % u128::from(self.slots.max(1));
        u32::try_from(slot).unwrap_or_default()
    }
}

/// What counting one for `key` makes of a stored value, or the refusal.
fn count_in(
    stored: &[u8],
    key: Key,
    limit: &Limit,
    now: UnixTime,
) -> Result<(Encoded, Verdict), Verdict> {
    let mut slot = Slot::decode(stored, limit, now);
    let verdict = slot.verdict(key, limit, now);
    if verdict.denial == Some(Denial::Exhausted) {
        return Err(verdict);
    }
    let verdict = slot.count(key, limit, now);
    Ok((slot.encode(), verdict))
}

/// Writes the slot's number into the end of the name: no allocation on the request path.
fn slot_name(slot: u32, name: &mut [u8; NAME_BYTES]) -> &str {
    for (place, digit) in name.iter_mut().rev().take(SLOT_DIGITS).enumerate() {
        let nibble = u8::try_from((slot >> (4 * place)) & 0xf).unwrap_or(0);
        *digit = if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        };
    }
    str::from_utf8(name).unwrap_or_default()
}

/// A table is half full when it holds `max_keys` counters: one slot in fifty then runs over.
const KEYS_PER_SLOT: u32 = 4;
const _: () = assert!(KEYS_PER_SLOT as usize * 2 == ENTRIES);
/// `edge-auth/1/limit/`, 32 digits of a hash, `/`, the slot's digits.
const NAME_BYTES: usize = 18 + 32 + 1 + SLOT_DIGITS;
const SLOT_DIGITS: usize = 8;
/// Swaps that may be lost in a row before the request is denied. Each lost one is another worker's counted
/// request in the same slot; with as many workers as a machine has threads, so many are never lost in a row.
const SWAP_ATTEMPTS: u32 = 64;
