//! A store whose writes other workers race, for the tests of every state machine.

use std::cell::Cell;

use super::{CasMismatch, MemoryStore, SharedStore, Versioned, Versions};

/// Counts what is asked of a [`MemoryStore`] and loses the swaps it is told to.
#[derive(Debug, Default)]
pub(crate) struct TestStore {
    pub(crate) inner: MemoryStore,
    pub(crate) reads: Cell<usize>,
    pub(crate) writes: usize,
    /// Of the swaps to come, the lost ones are those with a one at their place, from the lowest bit on.
    pub(crate) lost: u64,
    /// What a worker that uses it knows of versions.
    pub(crate) versions: Versions,
}

impl TestStore {
    /// Overwrites a value as another plugin could.
    pub(crate) fn corrupt(&mut self, key: &str, value: &[u8]) {
        let version = self.inner.get(key).map(|stored| stored.version);
        self.inner.compare_and_swap(key, value, version).unwrap();
    }

    /// The keys that end with `suffix`.
    pub(crate) fn keys_ending(&self, suffix: &str) -> Vec<String> {
        self.inner
            .keys()
            .filter(|key| key.ends_with(suffix))
            .map(str::to_owned)
            .collect()
    }
}

impl SharedStore for TestStore {
    fn get(&self, key: &str) -> Option<Versioned> {
        self.reads.set(self.reads.get() + 1);
        self.inner.get(key)
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch> {
        self.writes += 1;
        let lost = self.lost & 1 == 1;
        self.lost >>= 1;
        if lost {
            return Err(CasMismatch);
        }
        self.inner.compare_and_swap(key, value, expected)?;
        self.versions.wrote();
        Ok(())
    }

    fn written_version(&self) -> Option<u32> {
        self.versions.newest()
    }

    fn learn_version(&mut self, version: u32) {
        self.versions.learn(version);
    }
}
