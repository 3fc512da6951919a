//! The two hashes of the store: one that names contents, one that hides and spreads keys.

use std::fmt;
use std::hash::Hasher as _;

use sha2::{Digest as _, Sha256};
use siphasher::sip128::{Hasher128 as _, SipHasher24};

/// The first 128 bits of a document's SHA-256: equal means the same document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContentHash(pub(crate) [u8; 16]);

impl ContentHash {
    pub(crate) fn of(content: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(content).into();
        let mut hash = [0; 16];
        hash.iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        Self(hash)
    }

    /// Names a sequence of parts; no two sequences read alike.
    pub(crate) fn of_parts(parts: &[&str]) -> Self {
        let mut content = Vec::new();
        for part in parts {
            content.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            content.extend_from_slice(part.as_bytes());
        }
        Self::of(&content)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// SipHash-2-4 with 128 bits under the proxy's secret seed.
///
/// A client who picks the hashed value (an address out of a large network, a header) can neither aim at a
/// slot of a table nor find two values that collide.
#[derive(Clone, Debug)]
pub(crate) struct KeyedHash(SipHasher24);

impl KeyedHash {
    pub(crate) fn new(seed: &[u8; 16]) -> Self {
        Self(SipHasher24::new_with_key(seed))
    }

    /// Feeds one part with its length, so that no two sequences of parts read alike.
    #[must_use]
    pub(crate) fn part(mut self, part: &[u8]) -> Self {
        self.0
            .write_u64(u64::try_from(part.len()).unwrap_or(u64::MAX));
        self.0.write(part);
        self
    }

    pub(crate) fn finish(&self) -> u128 {
        self.0.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let hash = |parts: &[&[u8]]| {
            let hash = parts
                .iter()
                .fold(KeyedHash::new(&[7; 16]), |hash, part| hash.part(part));
            hash.finish()
        };
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_ne!(hash(&[b"a"]), hash(&[b"a", b""]));
        assert_ne!(hash(&[b"a\0\0\0\0\0\0\0\0b"]), hash(&[b"a", b"b"]));
        assert_eq!(hash(&[b"a", b"b"]), hash(&[b"a", b"b"]));
    }

    #[test]
    fn another_seed_gives_another_hash() {
        let hash = |seed| KeyedHash::new(&[seed; 16]).part(b"192.0.2.1").finish();
        assert_ne!(hash(1), hash(2));
    }
}
