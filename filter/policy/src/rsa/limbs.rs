//! Numbers as limbs of 27 bits, least significant first.
//!
//! Redundant by design: a limb is a `u32` and a product of two limbs is below 2⁵⁴, so that 1,024 products can be
//! summed in a `u64` before a carry has to move. That is more than two rows of the longest modulus, which is why
//! the kernel in `montgomery` propagates carries once per multiplication and not once per product. WebAssembly has
//! neither a carry flag nor a 64 × 64 → 128 bit product; full 32-bit limbs would pay for both.

/// Bits a limb carries.
pub(super) const LIMB_BITS: u32 = 27;

/// The bits of a limb.
pub(super) const LIMB_MASK: u32 = (1 << LIMB_BITS) - 1;

/// Limbs the kernel handles at a time; every number has a multiple of this many.
pub(super) const BLOCK: usize = 4;

/// Limbs of the longest modulus.
pub(super) const MAX_LIMBS: usize = count(super::MAX_BITS);

/// The sums of the kernel: up to `MAX_LIMBS` products of a multiplication and as many of a reduction meet in one
/// column, with a carry from the column below. They must fit.
const _: () = {
    let product = (LIMB_MASK as u64).pow(2);
    let products = product * 2 * MAX_LIMBS as u64;
    assert!(products < u64::MAX - (u64::MAX >> LIMB_BITS));
};

/// Limbs for a modulus of `bits` bits: two bits more than it needs, so that R > 4n (see `montgomery`).
pub(super) const fn count(bits: usize) -> usize {
    (bits + 2)
        .div_ceil(LIMB_BITS as usize)
        .next_multiple_of(BLOCK)
}

/// Reads big-endian octets; `None` if the number is too large for so many limbs.
///
/// A signature may have up to seven bits more than the modulus and than its limbs have room for. Dropped, they would
/// make several signatures out of one.
pub(super) fn read(octets: &[u8], limbs: &mut [u32]) -> Option<()> {
    let mut octets = octets.iter().rev();
    let mut pending: u64 = 0;
    let mut bits = 0;
    for limb in limbs {
        while bits < LIMB_BITS {
            let octet = octets.next().copied().unwrap_or_default();
            pending |= u64::from(octet) << bits;
            bits += u8::BITS;
        }
        *limb = low(pending);
        pending >>= LIMB_BITS;
        bits -= LIMB_BITS;
    }
    (pending == 0 && octets.all(|&octet| octet == 0)).then_some(())
}

/// Writes big-endian octets, as many as there is room for.
pub(super) fn write(limbs: &[u32], octets: &mut [u8]) {
    let mut limbs = limbs.iter();
    let mut pending: u64 = 0;
    let mut bits = 0;
    for octet in octets.iter_mut().rev() {
        if bits < u8::BITS {
            let limb = limbs.next().copied().unwrap_or_default();
            pending |= u64::from(limb) << bits;
            bits += LIMB_BITS;
        }
        let [lowest, ..] = pending.to_le_bytes();
        *octet = lowest;
        pending >>= u8::BITS;
        bits -= u8::BITS;
    }
}

/// Whether `a < b`; both have the same number of limbs.
pub(super) fn less(a: &[u32], b: &[u32]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// `a − b`, where a ≥ b; the limbs of `a` may be longer than 27 bits at the top.
pub(super) fn subtract(a: &mut [u32], b: &[u32]) {
    let mut borrow = 0;
    for (a, &b) in a.iter_mut().zip(b) {
        let difference = a.wrapping_sub(b).wrapping_sub(borrow);
        borrow = difference >> 31;
        *a = difference & LIMB_MASK;
    }
}

/// `2a`, where 2a fits.
pub(super) fn double(a: &mut [u32]) {
    let mut carry = 0;
    for a in a {
        let doubled = (*a << 1) | carry;
        carry = doubled >> LIMB_BITS;
        *a = doubled & LIMB_MASK;
    }
}

/// The lowest limb of a column.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the mask leaves 27 of the 32 bits"
)]
pub(super) const fn low(column: u64) -> u32 {
    column as u32 & LIMB_MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round_trip(octets: &[u8]) {
        let mut limbs = vec![u32::MAX; count(octets.len() * 8)];
        assert_eq!(read(octets, &mut limbs), Some(()));
        assert!(limbs.iter().all(|&limb| limb <= LIMB_MASK));
        let mut written = vec![0xaa; octets.len()];
        write(&limbs, &mut written);
        assert_eq!(written, octets);
    }

    #[test]
    fn octets_survive_being_limbs() {
        check_round_trip(&[]);
        check_round_trip(&[0x81]);
        check_round_trip(&[0; 64]);
        check_round_trip(&[0xff; 256]);
        check_round_trip(&[0xff; 257]);
        let counting: Vec<u8> = (0..=255).collect();
        for length in 0..=counting.len() {
            check_round_trip(&counting[..length]);
        }
    }

    #[test]
    fn number_too_large_for_its_limbs_is_refused() {
        let mut limbs = [0; 4];
        assert_eq!(
            read(&[&[0x0f][..], &[0xff; 13]].concat(), &mut limbs),
            Some(())
        );
        assert_eq!(read(&[&[0x10][..], &[0x00; 13]].concat(), &mut limbs), None);
        assert_eq!(read(&[&[0x80][..], &[0x00; 20]].concat(), &mut limbs), None);
    }

    #[test]
    fn writing_into_more_room_fills_with_zeros() {
        let mut octets = [0xaa; 16];
        write(&[0x0102_0304], &mut octets);
        assert_eq!(octets, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_most_significant_limb_decides_an_order() {
        assert!(less(&[9, 1], &[0, 2]));
        assert!(!less(&[0, 2], &[9, 1]));
        assert!(!less(&[5, 5], &[5, 5]));
        assert!(less(&[4, 5], &[5, 5]));
    }

    #[test]
    fn a_borrow_runs_through_every_limb() {
        let mut a = [0, 0, 0, 1];
        subtract(&mut a, &[1, 0, 0, 0]);
        assert_eq!(a, [LIMB_MASK, LIMB_MASK, LIMB_MASK, 0]);
        double(&mut a);
        assert_eq!(a, [LIMB_MASK - 1, LIMB_MASK, LIMB_MASK, 1]);
    }

    #[test]
    fn every_allowed_size_has_two_spare_bits_in_whole_blocks() {
        for bits in super::super::MIN_BITS..=super::super::MAX_BITS {
            let limbs = count(bits);
            assert!(limbs * LIMB_BITS as usize >= bits + 2);
            assert_eq!(limbs % BLOCK, 0);
            assert!(limbs <= MAX_LIMBS);
        }
    }
}
