//! The secret that all workers of a proxy hash with, agreed through the store.

use std::fmt;

use super::{KeyedHash, Reader, SharedStore, Writer};

/// A secret of this proxy, the same in all its workers until it restarts. Never shown, not even in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 16]);

impl Seed {
    /// A seed for one worker alone, or for a test.
    pub const fn new(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// The seed the workers agree on: the one already stored, else `proposal`, which the host drew at random.
    ///
    /// Call it once, at configuration. A lost swap means that another worker's seed is stored, and the next
    /// look finds it. Only a store that can't be written at all leaves every worker with its own proposal;
    /// nothing is allowed by it then, for what counts in such a store denies.
    pub fn agree(proposal: [u8; 16], store: &mut impl SharedStore) -> Self {
        for _ in 0..ATTEMPTS {
            let stored = store.get(KEY);
            if let Some(seed) = stored.as_ref().and_then(|stored| decode(&stored.value)) {
                return seed;
            }
            let record = Writer::default().u8(VERSION).bytes(&proposal).finish();
            let expected = stored.map(|stored| stored.version);
            if store.compare_and_swap(KEY, &record, expected).is_ok() {
                break;
            }
        }
        Self(proposal)
    }

    /// A hash under this seed, for one purpose: the label keeps the purposes apart.
    pub(crate) fn hash(&self, purpose: &[u8]) -> KeyedHash {
        KeyedHash::new(&self.0).part(purpose)
    }

    /// A key derived from this seed, for a hash that is kept for one purpose.
    pub(crate) fn key(&self, purpose: &[u8]) -> [u8; 16] {
        self.hash(purpose).finish().to_le_bytes()
    }

    /// A number derived from this seed, for the jitter of timers: workers differ from those of other proxies.
    pub fn jitter(&self) -> u64 {
        let [low, high] = split(self.hash(b"jitter").finish());
        low ^ high
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

fn split(hash: u128) -> [u64; 2] {
    [hash, hash >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0))
}

fn decode(record: &[u8]) -> Option<Seed> {
    let mut reader = Reader::new(record);
    if reader.u8()? != VERSION {
        return None;
    }
    let seed = Seed(reader.array()?);
    reader.end(seed)
}

const KEY: &str = "edge-auth/1/seed";
const VERSION: u8 = 1;
/// Swaps that may be lost in a row before a worker goes on with its own proposal.
const ATTEMPTS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn the_first_proposal_wins_for_all_workers() {
        let mut store = MemoryStore::default();
        let first = Seed::agree([1; 16], &mut store);
        let second = Seed::agree([2; 16], &mut store);
        assert_eq!(first, Seed::new([1; 16]));
        assert_eq!(second, first);
    }

    #[test]
    fn lost_swaps_do_not_split_the_workers() {
        let mut store = MemoryStore::default();
        store.refuse_swaps(3);
        let first = Seed::agree([1; 16], &mut store);
        assert_eq!(Seed::agree([2; 16], &mut store), first);
    }

    #[test]
    fn a_corrupted_seed_is_replaced() {
        let mut store = MemoryStore::default();
        for corrupted in [&b""[..], b"\x01short", &[9; 17], &[1; 18]] {
            let version = store.get(KEY).map(|stored| stored.version);
            store.compare_and_swap(KEY, corrupted, version).unwrap();
            let seed = Seed::agree([3; 16], &mut store);
            assert_eq!(seed, Seed::new([3; 16]));
            assert_eq!(Seed::agree([4; 16], &mut store), seed);
        }
    }

    #[test]
    fn debug_output_does_not_show_the_seed() {
        assert_eq!(format!("{:?}", Seed::new([42; 16])), "Seed(..)");
    }
}
