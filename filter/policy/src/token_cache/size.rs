//! What an entry takes in memory, allocator included.

use std::sync::Arc;

use quick_cache::Weighter;

use super::key::Token;
use super::{RefusedBy, VerifiedToken};
use crate::decision::IdentityFields;
use crate::jwt::VerifiedClaims;

/// Weighs entries in bytes.
#[derive(Clone, Copy)]
pub(super) struct Bytes;

impl Weighter<Token, Arc<VerifiedToken>> for Bytes {
    fn weight(&self, token: &Token, verified: &Arc<VerifiedToken>) -> u64 {
        SLOT_BYTES + block(token.0.len()) + verified.bytes
    }
}

impl Weighter<Token, RefusedBy> for Bytes {
    fn weight(&self, token: &Token, _: &RefusedBy) -> u64 {
        SLOT_BYTES + block(token.0.len())
    }
}

impl VerifiedToken {
    /// With what it takes in memory counted once: the cache asks often.
    pub(crate) fn new(provider: usize, claims: VerifiedClaims, identity: IdentityFields) -> Self {
        let fields = identity
            .iter()
            .map(|(_, value)| block(value.len()))
            .sum::<u64>();
        let bytes = block(size_of::<Self>() + REFERENCE_COUNTS)
            + claims.heap_bytes()
            + block(size_of_val(&*identity) + REFERENCE_COUNTS)
            + fields;
        Self {
            provider,
            claims,
            identity,
            bytes,
        }
    }
}

/// What the allocator takes for a block of `bytes`: a header of a word, rounded up (dlmalloc on wasm32).
pub(crate) fn block(bytes: usize) -> u64 {
    let whole = match bytes {
        0 => 0,
        1..=12 => 16,
        _ => (bytes + 4).next_multiple_of(8),
    };
    u64::try_from(whole).unwrap_or(u64::MAX)
}

/// The two counts of an [`Arc`].
const REFERENCE_COUNTS: usize = 2 * size_of::<usize>();

/// The cache's own table and list, per entry: slot and map entry, the ghosts of entries that left, and the room
/// that tables keep for growing.
pub(super) const SLOT_BYTES: u64 = 128;
