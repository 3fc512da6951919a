//! EMSA-PSS-VERIFY (RFC 8017 §9.1.2) with MGF1 (appendix B.2.1), both over one hash function.
//!
//! The salt is exactly as long as the digest (RFC 7518 §3.5); a signature with another salt length is refused, since
//! its separator octet stands elsewhere.

use sha2::{Digest, digest::Output};

/// Whether `encoded`, the modulus-long result of RSAVP1, encodes `digest` in `bits` (one less than the modulus) bits.
///
/// Unmasks in place.
pub(super) fn verify<D: Digest>(digest: &[u8], encoded: &mut [u8], bits: usize) -> bool {
    verify_encoded::<D>(digest, encoded, bits).is_some()
}

fn verify_encoded<D: Digest>(digest: &[u8], encoded: &mut [u8], bits: usize) -> Option<()> {
    let hash_size = <D as Digest>::output_size();
    if digest.len() != hash_size {
        return None;
    }
    // When the modulus is one bit longer than whole octets, EM is an octet shorter than it, and that octet is zero.
    let surplus = encoded.len().checked_sub(bits.div_ceil(8))?;
    let (surplus, encoded) = encoded.split_at_mut_checked(surplus)?;
    if surplus.iter().any(|&octet| octet != 0) {
        return None;
    }
    let (encoded, [TRAILER]) = encoded.split_last_chunk_mut()? else {
        return None;
    };
    let (db, h) = encoded.split_at_mut_checked(encoded.len().checked_sub(hash_size)?)?;
    let unused = db.len().checked_add(hash_size + 1)?.checked_mul(8)?;
    let used_mask = 0xffu8.checked_shr(u32::try_from(unused.checked_sub(bits)?).ok()?)?;
    let first = db.first_mut()?;
    if *first & !used_mask != 0 {
        return None;
    }
    unmask::<D>(h, db);
    *db.first_mut()? &= used_mask;
    let (padding, salt) = db.split_at_checked(db.len().checked_sub(hash_size)?)?;
    let (&separator, zeros) = padding.split_last()?;
    if separator != SEPARATOR || zeros.iter().any(|&octet| octet != 0) {
        return None;
    }
    let expected = D::new()
        .chain_update([0; 8])
        .chain_update(digest)
        .chain_update(salt)
        .finalize();
    (expected[..] == *h).then_some(())
}

/// The last octet of EM.
const TRAILER: u8 = 0xbc;

/// The octet between the zeros and the salt.
const SEPARATOR: u8 = 0x01;

/// `masked ⊕ MGF1(seed)`.
fn unmask<D: Digest>(seed: &[u8], masked: &mut [u8]) {
    let blocks = masked.chunks_mut(<D as Digest>::output_size());
    for (counter, block) in (0u32..).zip(blocks) {
        let mask: Output<D> = D::new()
            .chain_update(seed)
            .chain_update(counter.to_be_bytes())
            .finalize();
        for (octet, mask) in block.iter_mut().zip(mask) {
            *octet ^= mask;
        }
    }
}
