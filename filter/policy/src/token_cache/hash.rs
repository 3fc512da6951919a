//! The hashes of the cache's two tables, keyed so that a client can't aim at a slot.

use std::hash::{BuildHasher, Hasher};

use siphasher::sip::SipHasher13;

/// Hashes the end of a token, which is the end of its signature.
///
/// Only verified tokens are in the table, and nobody chooses the signature of one: the end is as good as the whole
/// and costs a tenth. A token that ends alike and is another is told apart by comparison, which is of the whole.
#[derive(Clone, Copy)]
pub(super) struct Tail(pub(super) [u8; 16]);

/// Hashes a whole token: a client chooses every byte of one that is refused.
#[derive(Clone, Copy)]
pub(super) struct Whole(pub(super) [u8; 16]);

/// How much of a token's end is hashed: 384 bits of an RSA signature in base64url, most of an ECDSA signature.
const TAIL_BYTES: usize = 64;

impl BuildHasher for Tail {
    type Hasher = TailHasher;

    fn build_hasher(&self) -> TailHasher {
        TailHasher(SipHasher13::new_with_key(&self.0))
    }
}

impl BuildHasher for Whole {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_key(&self.0)
    }
}

/// Hashes the end of each slice it is fed.
pub(super) struct TailHasher(SipHasher13);

impl Hasher for TailHasher {
    fn write(&mut self, bytes: &[u8]) {
        let end = bytes.last_chunk::<TAIL_BYTES>();
        self.0.write(end.map_or(bytes, |end| end.as_slice()));
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}
