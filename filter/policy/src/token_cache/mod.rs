//! What this worker remembers of the tokens it has seen: verified ones with all that decisions need of them, and a
//! few whose signature was wrong.
//!
//! A signature costs more than everything else together, and clients send the same token for minutes. What is
//! remembered never grants more than verification would: the whole token is compared, its times are checked on
//! every use, the key that signed it must still be in the key set, and revocations are looked up as for any other
//! token. A token that was evicted is verified again; nothing is denied for want of room.
//!
//! Eviction is by CLOCK-Pro: a token comes in on probation and leaves first unless it is used again, so that a
//! flood of tokens seen once does not push out those in use.

mod hash;
mod key;
mod sessions;
mod size;

use std::fmt;
use std::sync::Arc;

use quick_cache::unsync::{Cache, DefaultLifecycle};

use crate::decision::IdentityFields;
use crate::jwk::KeySetId;
use crate::jwt::VerifiedClaims;
use crate::store::seed::Seed;

use hash::{Tail, Whole};
use key::{Candidate, Token};
pub(crate) use sessions::OpenedSessions;
use size::Bytes;
pub(crate) use size::block;

/// A verified token: what it says, and what the upstream is told of it.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    /// The index of the provider whose profile and keys verified it.
    pub(crate) provider: usize,
    /// What it says.
    pub(crate) claims: VerifiedClaims,
    /// The identity header fields made of its claims.
    pub(crate) identity: IdentityFields,
    /// What it takes in memory.
    bytes: u64,
}

/// Whose keys refused a signature. With other keys it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefusedBy {
    pub(crate) provider: usize,
    pub(crate) keys: KeySetId,
}

/// The tokens one worker remembers.
pub(crate) struct TokenCache {
    verified: Cache<Token, Arc<VerifiedToken>, Bytes, Tail>,
    refused: Cache<Token, RefusedBy, Bytes, Whole>,
}

/// How full the cache is, for gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFill {
    /// How many verified tokens are remembered.
    pub tokens: usize,
    /// How many bytes they take.
    pub bytes: u64,
}

impl TokenCache {
    /// Remembers verified tokens in at most `max_bytes` of memory, and those with a wrong signature in at most a
    /// sixteenth of it beside; zero remembers nothing at all.
    pub(crate) fn new(max_bytes: u64, seed: Seed) -> Self {
        let key = seed.key(b"token cache");
        let expected = |bytes: u64| usize::try_from(bytes / EXPECTED_BYTES).unwrap_or(usize::MAX);
        let refused = max_bytes / REFUSED_PART;
        Self {
            verified: Cache::with(
                expected(max_bytes),
                max_bytes,
                Bytes,
                Tail(key),
                DefaultLifecycle::default(),
            ),
            refused: Cache::with(
                expected(refused),
                refused,
                Bytes,
                Whole(key),
                DefaultLifecycle::default(),
            ),
        }
    }

    /// What is remembered of `token`, if it was verified before.
    pub(crate) fn verified(&self, token: &[u8]) -> Option<&Arc<VerifiedToken>> {
        self.verified.get(&Candidate(token))
    }

    /// Remembers a verified token.
    pub(crate) fn remember(&mut self, token: &[u8], verified: &Arc<VerifiedToken>) {
        self.verified
            .insert(Token(token.into()), Arc::clone(verified));
    }

    /// Forgets a token that does not hold any more.
    pub(crate) fn forget(&mut self, token: &[u8]) {
        self.verified.remove(&Candidate(token));
    }

    /// Who refused the signature of this very token.
    pub(crate) fn refused(&self, token: &[u8]) -> Option<RefusedBy> {
        self.refused.get(&Candidate(token)).copied()
    }

    /// Remembers that the signature of `token` was refused.
    pub(crate) fn refuse(&mut self, token: &[u8], by: RefusedBy) {
        self.refused.insert(Token(token.into()), by);
    }

    /// How full it is.
    pub(crate) fn fill(&self) -> CacheFill {
        CacheFill {
            tokens: self.verified.len(),
            bytes: self.verified.weight(),
        }
    }
}

/// Shows how full it is, and none of the tokens.
impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenCache").field(&self.fill()).finish()
    }
}

/// What an entry is expected to take, in bytes; only decides what is reserved at the start.
const EXPECTED_BYTES: u64 = 4096;
/// Tokens with a wrong signature get this part of what verified ones may take.
const REFUSED_PART: u64 = 16;
