//! Rate limits: exact over all workers of a proxy, bounded in memory, told to clients in header fields.
//!
//! A limit allows `requests` per key in a window that begins with the key's first request and lasts `per`: a
//! fixed window, so within one window there is never one request too many. Counters live in the shared store
//! and are written with compare-and-swap; a counter that can't be written denies. What this worker wrote last it need
//! not read before it swaps again.
//!
//! Several limits on one rule are checked in their order, and the first denial ends it: what earlier limits
//! counted stays counted, what later ones would have counted is not. A denied request is not counted by the
//! limit that denies it, so a client that keeps trying is let in again when its window ends.
//!
//! Over many proxies the counting is left to a service: see [`service`].
//! Limits that are counted here are checked before the service is asked about its own.

mod field;
mod key;
mod recent;
pub mod service;
mod slot;
mod table;

#[cfg(test)]
mod tests;

pub use field::Fields;
pub use key::{Key, KeyPart, KeyValue};

use std::num::NonZeroU32;
use std::time::Duration;

use crate::store::seed::Seed;
use crate::store::{KeyedHash, SharedStore};
use crate::time::UnixTime;
use slot::Limit;
use table::Table;

/// One limit as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitSettings {
    /// Names the limit to operators and, in `RateLimit-Policy`, to clients.
    pub name: String,
    /// What is counted apart: every combination of these has a counter of its own. Empty: one for all.
    pub key: Vec<KeyPart>,
    /// How many in one window.
    pub requests: NonZeroU32,
    /// The length of a window. 1 s to 24 h.
    pub per: Duration,
    /// What is counted.
    pub counts: Counts,
    /// For how many keys at once counters are kept. 256 to 1,048,576.
    pub max_keys: u32,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Every request.
    Requests,
    /// Requests whose credentials were refused; the last one allowed begins a time without any.
    FailedAuthentication {
        /// How long that time lasts. 1 s to 24 h.
        block: Duration,
    },
}

impl RateLimitSettings {
    /// Counters of one limit take at most about 85 bytes for each of these, and the key in the host's map.
    pub const DEFAULT_MAX_KEYS: u32 = 65_536;
}

/// One limit, ready to be checked by one worker.
#[derive(Clone, Debug)]
pub struct RateLimit {
    settings: RateLimitSettings,
    hash: KeyedHash,
    table: Table,
    limit: Limit,
    policy_item: String,
}

/// What a limit says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why the request is denied; `None`: it is not.
    pub denial: Option<Denial>,
    /// How many more the window allows.
    pub remaining: u32,
    /// When the window ends, or the block does.
    pub reset_after: Duration,
    /// Whether another key's live counter had to give way: the table is too small for its keys.
    pub evicted: bool,
}

/// Why a limit denies a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denial {
    /// The window's requests are used up, or the block lasts.
    Exhausted,
    /// The counter could not be written: other workers won every swap. Nothing uncounted is let through.
    StoreContended,
}

impl Verdict {
    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        self.denial.is_none()
    }
}

impl RateLimit {
    /// A limit whose counters are shared by all workers that name the same `scope` (one configuration of the
    /// module), name and key, and agreed on the same seed.
    pub fn new(settings: RateLimitSettings, scope: &str, seed: Seed) -> Self {
        let hash = key::hash(&seed, &settings.key);
        let block = match settings.counts {
            Counts::Requests => None,
            Counts::FailedAuthentication { block } => Some(block),
        };
        Self {
            hash,
            table: Table::new(scope, &settings.name, settings.max_keys),
            limit: Limit {
                requests: settings.requests,
                per: settings.per,
                block,
            },
            policy_item: field::policy_item(&settings),
            settings,
        }
    }

    /// The limit as configured.
    pub fn settings(&self) -> &RateLimitSettings {
        &self.settings
    }

    /// The key of a request: `value` says what the request has for each part.
    pub fn key<'v>(&self, mut value: impl FnMut(&KeyPart) -> KeyValue<'v>) -> Key {
        let parts = self.settings.key.iter();
        Key::new(&parts.fold(self.hash.clone(), |hash, part| value(part).feed(hash)))
    }

    /// Counts one request (or one failed authentication) under `key` and says whether it is within the limit.
    pub fn check(&self, key: Key, now: UnixTime, store: &mut impl SharedStore) -> Verdict {
        self.table.count(key, &self.limit, now, store)
    }

    /// Says whether the next request would be within the limit, and counts nothing: the question to ask before
    /// credentials are looked at, where failed authentications are counted.
    ///
    /// Requests that are under way together all pass this question before one of them is counted; so many
    /// failures more than `requests` there may be.
    pub fn peek(&self, key: Key, now: UnixTime, store: &impl SharedStore) -> Verdict {
        self.table.look(key, &self.limit, now, store)
    }
}
