//! Where state lives that all workers of a proxy share: counters, fetched keys, leases.
//!
//! Envoy runs one VM per worker thread; what they share is the proxy-wasm shared data, a map with
//! compare-and-swap and without deletion. [`SharedStore`] is that map as a trait, so that the policy can be
//! exact over all workers and still be tested natively.

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

    /// Writes `value` if the stored version still is `expected`; `None` writes whatever is stored.
    ///
    /// There is no way to write "only if absent" in the ABI, so a first write by two workers at once may
    /// lose one of them: where that matters, write an empty value at configuration and swap from there.
    fn compare_and_swap(
        &mut self,
        key: &str,
        value: &[u8],
        expected: Option<u32>,
    ) -> Result<(), CasMismatch>;
}
