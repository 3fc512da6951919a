//! A key set: parsed once, then asked for the few keys a token may have been signed with.

mod merge;

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::key::{KeyFingerprint, VerifyingKey};
use super::parse::{Unusable, verifying_key};
use crate::json::{self, Limits, Value};
use crate::signature::Algorithm;
use crate::sort::sort_by;

/// The longest key set document, in bytes. Identity providers publish 2 to 20 keys of at most 4 KiB with their
/// certificates.
pub const MAX_SET_BYTES: usize = 256 * 1024;

/// The most keys a set may have, usable or not.
pub const MAX_KEYS: usize = 100;

/// The most keys one token is checked with: what a token can make us compute is bounded by it.
pub const MAX_CANDIDATES: usize = 4;

/// What a key set document may make us build: a set, its keys, their members, and certificate chains beside them.
pub const JWKS_LIMITS: Limits = Limits {
    depth: 6,
    values: 4096,
};

/// The usable keys of a JWK Set (RFC 7517 §5).
#[derive(Clone, Debug)]
pub struct KeySet {
    /// Sorted by `kid`, those without one first; the document's order among equals.
    keys: Vec<VerifyingKey>,
    skipped: Vec<Skipped>,
    id: KeySetId,
}

/// What tells one content of a key set from another: which keys it has, under which names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySetId([u8; 32]);

/// A key that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its place in `keys`, from zero.
    pub index: usize,
    /// Why.
    pub reason: Unusable,
}

/// Why a document is not a key set to work with. All are the identity provider's fault, or of whoever answered in
/// its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`MAX_SET_BYTES`].
    #[error("the key set is longer than {MAX_SET_BYTES} bytes")]
    TooLarge,
    /// Not strict JSON: an HTML page, a truncated body, duplicate members.
    #[error("the key set is {0}")]
    Json(#[from] json::Error),
    /// Not an object with an array called `keys` (RFC 7517 §5.1).
    #[error("not a JSON Web Key set")]
    NotAKeySet,
    /// More keys than [`MAX_KEYS`].
    #[error("the key set has more than {MAX_KEYS} keys")]
    TooManyKeys,
    /// None of its keys can be used; there is no fallback to any other key (CVE-2026-31837).
    #[error("none of the {skipped} keys can be used")]
    NoUsableKey {
        /// How many keys were skipped.
        skipped: usize,
    },
}

impl Error {
    /// A code for metrics and logs, one of a fixed set.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "jwks_too_large",
            Self::Json(_) => "jwks_not_json",
            Self::NotAKeySet => "jwks_not_a_key_set",
            Self::TooManyKeys => "jwks_too_many_keys",
            Self::NoUsableKey { .. } => "jwks_no_usable_key",
        }
    }
}

impl KeySetId {
    fn of(keys: &[VerifyingKey]) -> Self {
        let mut hash = Sha256::new();
        for key in keys {
            hash.update(key.fingerprint().0);
            hash.update([u8::from(key.key_id().is_some())]);
            let key_id = key.key_id().unwrap_or_default();
            hash.update(
                u64::try_from(key_id.len())
                    .unwrap_or(u64::MAX)
                    .to_le_bytes(),
            );
            hash.update(key_id);
            hash.update(key.algorithm().map_or("", Algorithm::name));
        }
        Self(hash.finalize().into())
    }
}

impl KeySet {
    /// Reads a JWK Set document.
    ///
    /// # Errors
    /// Any of [`Error`]; single keys that cannot be used are skipped instead, see [`KeySet::skipped`].
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_SET_BYTES {
            return Err(Error::TooLarge);
        }
        let document = json::parse(json, JWKS_LIMITS)?;
        let jwks = document
            .as_object()
            .and_then(|set| set.get("keys"))
            .and_then(Value::as_array)
            .ok_or(Error::NotAKeySet)?;
        if jwks.len() > MAX_KEYS {
            return Err(Error::TooManyKeys);
        }
        let mut keys = Vec::with_capacity(jwks.len());
        let mut skipped = Vec::new();
        for (index, jwk) in jwks.iter().enumerate() {
            match verifying_key(jwk) {
                Ok(key) => keys.push(key),
                Err(reason) => skipped.push(Skipped { index, reason }),
            }
        }
        if keys.is_empty() {
            return Err(Error::NoUsableKey {
                skipped: skipped.len(),
            });
        }
        sort_by(&mut keys, |a, b| a.key_id().cmp(&b.key_id()));
        let id = KeySetId::of(&keys);
        Ok(Self { keys, skipped, id })
    }

    /// What tells this content from another: equal where a token fares the same.
    pub fn id(&self) -> KeySetId {
        self.id
    }

    /// The usable keys, sorted by `kid`; never empty.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The keys of the document that were left out, in its order.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Whether a usable key is called `key_id`.
    pub fn has_key_id(&self, key_id: &str) -> bool {
        !self.range(Some(key_id)).is_empty()
    }

    /// Whether this very key is in the set.
    pub fn has_fingerprint(&self, fingerprint: KeyFingerprint) -> bool {
        self.keys.iter().any(|key| key.fingerprint() == fingerprint)
    }

    /// The keys a token with this `kid` and algorithm may have been signed with, at most [`MAX_CANDIDATES`].
    ///
    /// Keys with that `kid` come first, duplicates included; then keys without `kid`, which promise nothing about
    /// it. A token without `kid` may have been signed with any key. Only keys whose type, curve and `alg` fit are
    /// given. Finding a `kid` is a binary search.
    pub fn candidates<'k>(
        &'k self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'k VerifyingKey> + use<'k> {
        let (first, second) = match key_id {
            Some(_) => (self.range(key_id), self.range(None)),
            None => (0..self.keys.len(), 0..0),
        };
        let slice = |range| self.keys.get::<Range<usize>>(range).unwrap_or_default();
        slice(first)
            .iter()
            .chain(slice(second))
            .filter(move |key| key.fits(algorithm))
            .take(MAX_CANDIDATES)
    }

    /// Where the keys with exactly this `kid`, or without any, stand.
    fn range(&self, key_id: Option<&str>) -> Range<usize> {
        let start = self.keys.partition_point(|key| key.key_id() < key_id);
        let end = self.keys.partition_point(|key| key.key_id() <= key_id);
        start..end
    }
}
