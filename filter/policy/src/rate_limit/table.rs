//! The counters of one limit: a fixed number of slots in the shared store, chosen by the key's hash.

use super::slot::{self, ENTRIES, Limit, Slot};
use super::{Denial, Key, Verdict};
use crate::store::{ContentHash, SharedStore};
use crate::time::UnixTime;

/// A bounded table of counters. The host can't forget a key, so the number of slots is fixed.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The name of every slot, but for its last digits.
    name: [u8; NAME_BYTES],
    slots: u32,
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
        let mut name = self.name;
        let name = self.slot_name(key, &mut name);
        for _ in 0..SWAP_ATTEMPTS {
            let stored = store.get(name);
            let value = stored.as_ref().map_or(&[][..], |stored| &stored.value);
            let mut slot = Slot::decode(value, limit, now);
            let verdict = slot.verdict(key, limit, now);
            if verdict.denial == Some(Denial::Exhausted) {
                return verdict;
            }
            let verdict = slot.count(key, limit, now);
            let (bytes, used) = slot.encode();
            let value = bytes.get(..used).unwrap_or(&bytes);
            let expected = stored.map(|stored| stored.version);
            if store.compare_and_swap(name, value, expected).is_ok() {
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
        let stored = store.get(self.slot_name(key, &mut name));
        let value = stored.as_ref().map_or(&[][..], |stored| &stored.value);
        Slot::decode(value, limit, now).verdict(key, limit, now)
    }

    /// Writes the slot's number into the end of the name: no allocation on the request path.
    fn slot_name<'n>(&self, key: Key, name: &'n mut [u8; NAME_BYTES]) -> &'n str {
        let slot = key.0 % u128::from(self.slots.max(1));
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
