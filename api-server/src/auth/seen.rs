//! Tokens seen before: verified once, and asked on every use for everything that may have changed since.
//!
//! A signature costs more than the rest of a small request, and clients send the same token for an hour. What is
//! remembered grants no more than verification would: the whole token is compared, its times are checked, and the key
//! that signed it must still be in the key set. A token that was pushed out is verified again.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::Identity;

/// Verified tokens and what they say.
pub(super) struct SeenTokens(Cache<Box<str>, Arc<Identity>, Bytes>);

/// Memory for them, in bytes: some 7,000 of the usual size. Those used least leave first.
const MAX_BYTES: u64 = 32 << 20;

/// About what an entry takes: the token, and its claims parsed.
#[derive(Clone)]
struct Bytes;

impl Weighter<Box<str>, Arc<Identity>> for Bytes {
    fn weight(&self, token: &Box<str>, _: &Arc<Identity>) -> u64 {
        1024 + 4 * token.len() as u64
    }
}

impl SeenTokens {
    pub(super) fn get(&self, token: &str) -> Option<Arc<Identity>> {
        self.0.get(token)
    }

    pub(super) fn remember(&self, token: &str, identity: &Arc<Identity>) {
        self.0.insert(token.into(), Arc::clone(identity));
    }

    pub(super) fn forget(&self, token: &str) {
        self.0.remove(token);
    }
}

impl Default for SeenTokens {
    fn default() -> Self {
        // As many as fit of the usual size; only decides what is reserved at the start.
        Self(Cache::with_weighter(7_000, MAX_BYTES, Bytes))
    }
}

/// Shows how many there are, and none of them.
impl std::fmt::Debug for SeenTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SeenTokens").field(&self.0.len()).finish()
    }
}
