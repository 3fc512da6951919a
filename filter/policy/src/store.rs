//! Where state lives that all workers of a proxy share: counters, fetched documents, leases.
//!
//! Envoy runs one VM per worker thread; what they share is the proxy-wasm shared data, a map with
//! compare-and-swap and without deletion. [`SharedStore`] is that map as a trait, so that the policy can be
//! exact over all workers and still be tested natively.
//!
//! Every value is a record of ours in a versioned binary encoding. It is read as if it were hostile: other
//! plugins may share the map. Keys begin with `edge-auth/1/`; a module that writes records another way counts
//! the number up, so that the workers of before and after an upgrade never take each other's for corrupted.

mod backoff;
mod codec;
pub(crate) mod document;
pub mod fetch;
mod hash;
mod memory;
pub(crate) mod record;
pub(crate) mod replica;
pub mod seed;
mod versions;

#[cfg(test)]
pub(crate) mod testing;

pub use memory::MemoryStore;
pub use versions::Versions;

pub(crate) use backoff::{backoff, jitter};
pub(crate) use codec::{Reader, Writer};
pub(crate) use hash::{ContentHash, KeyedHash};

/// A value read from the store, with the version a later [`SharedStore::compare_and_swap`] must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The stored bytes.
    pub value: Vec<u8>,
    /// The version of these bytes; never zero.
    pub version: u32,
}

/// Another worker wrote between our read and our write: read again and decide again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CasMismatch;

/// A map shared by all workers of one proxy. Values are never deleted: callers bound the key space.
pub trait SharedStore {
    /// The value under `key`, if any was ever written.
    fn get(&self, key: &str) -> Option<Versioned>;

    /// Writes `value` if what is stored still is what [`get`](Self::get) answered: the version `expected`, or
    /// nothing at all where that is `None`.
    ///
    /// The ABI has no "only if absent", but Envoy gives one: it compares a non-zero version only with a value
    /// that exists, and inserts where there is none (`SharedData::set` of proxy-wasm-cpp-host). An adapter
    /// therefore passes [`ABSENT`] for `None`, never zero, which would overwrite.
    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch>;

    /// The version that this worker's last successful [`compare_and_swap`](Self::compare_and_swap) got, as far as
    /// one can tell without asking: right unless another worker wrote since this one last
    /// [learnt](Self::learn_version) a version, and then too low.
    ///
    /// So a swap that names it succeeds only if that write is still what is stored, if it was learnt minutes ago and
    /// not four billion writes. `None`: the store can't tell.
    fn written_version(&self) -> Option<u32> {
        None
    }

    /// Takes note of the version of a value that this worker itself wrote a moment ago, or somebody after it.
    fn learn_version(&mut self, version: u32) {
        let _ = version;
    }
}

/// The version an adapter names to write only where nothing is stored: one that no value is expected to have.
///
/// Envoy counts versions up from one, over all keys; the count would have to reach this value in the very
/// write that another worker's first write of the same key races with.
pub const ABSENT: u32 = u32::MAX;

impl<S: SharedStore + ?Sized> SharedStore for &mut S {
    fn get(&self, key: &str) -> Option<Versioned> {
        (**self).get(key)
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch> {
        (**self).compare_and_swap(key, value, expected)
    }

    fn written_version(&self) -> Option<u32> {
        (**self).written_version()
    }

    fn learn_version(&mut self, version: u32) {
        (**self).learn_version(version);
    }
}
