//! The shared store in plain memory: for tests, the command line and other native use.
//!
//! Versions count up over all keys, as Envoy's do.

use std::collections::HashMap;

use super::{CasMismatch, SharedStore, Versioned};

/// A [`SharedStore`] that lives in this process. Share it between workers of a test by `&mut`.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    values: HashMap<String, Versioned>,
    last_version: u32,
    refused_swaps: u32,
}

impl MemoryStore {
    /// Makes the next `swaps` calls of `compare_and_swap` fail, as if another worker had been faster.
    pub fn refuse_swaps(&mut self, swaps: u32) {
        self.refused_swaps = swaps;
    }

    /// How many keys were ever written: what a bounded key space is measured by.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nothing was ever written.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

impl SharedStore for MemoryStore {
    fn get(&self, key: &str) -> Option<Versioned> {
        self.values.get(key).cloned()
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch> {
        if let Some(left) = self.refused_swaps.checked_sub(1) {
            self.refused_swaps = left;
            return Err(CasMismatch);
        }
        let stored = self.values.get(key).map(|versioned| versioned.version);
        if stored != expected {
            return Err(CasMismatch);
        }
        self.last_version = self.last_version.checked_add(1).unwrap_or(1);
        let versioned = Versioned {
            value: value.to_vec(),
            version: self.last_version,
        };
        self.values.insert(key.to_owned(), versioned);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_first_writes_one_wins() {
        let mut store = MemoryStore::default();
        assert_eq!(store.compare_and_swap("k", b"a", None), Ok(()));
        assert_eq!(store.compare_and_swap("k", b"b", None), Err(CasMismatch));
        assert_eq!(store.get("k").unwrap().value, b"a");
    }

    #[test]
    fn a_version_is_good_for_one_write() {
        let mut store = MemoryStore::default();
        store.compare_and_swap("k", b"a", None).unwrap();
        let version = Some(store.get("k").unwrap().version);
        assert_eq!(store.compare_and_swap("k", b"b", version), Ok(()));
        assert_eq!(store.compare_and_swap("k", b"c", version), Err(CasMismatch));
        assert_eq!(store.get("k").unwrap().value, b"b");
    }

    #[test]
    fn refused_swaps_write_nothing() {
        let mut store = MemoryStore::default();
        store.refuse_swaps(2);
        assert_eq!(store.compare_and_swap("k", b"a", None), Err(CasMismatch));
        assert_eq!(store.compare_and_swap("k", b"a", None), Err(CasMismatch));
        assert!(store.is_empty());
        assert_eq!(store.compare_and_swap("k", b"a", None), Ok(()));
    }
}
