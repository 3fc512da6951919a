//! Keys that are accepted and keys that are refused.

use super::*;

/// An odd number of exactly this many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let number = (BigUint::from(1u8) << (bits - 1)) + 12_345u32;
    number.to_bytes_be()
}

#[track_caller]
fn check(n: &[u8], e: &[u8], expected: Result<usize, KeyError>) {
    let key = RsaPublicKey::new(n, e);
    assert_eq!(key.map(|key| key.size_bits()), expected);
}

#[test]
fn modulus_from_2048_to_8192_bits_is_accepted() {
    for bits in [2048, 2049, 2050, 2055, 2056, 2057, 3072, 4096, 8191, 8192] {
        check(&modulus(bits), &[1, 0, 1], Ok(bits));
    }
}

#[test]
fn modulus_of_any_other_size_is_refused() {
    for bits in [15, 512, 1024, 2047, 8193, 16384] {
        check(
            &modulus(bits),
            &[1, 0, 1],
            Err(KeyError::ModulusSize { bits }),
        );
    }
    check(&[], &[1, 0, 1], Err(KeyError::ModulusSize { bits: 0 }));
    check(
        &[0; 256],
        &[1, 0, 1],
        Err(KeyError::ModulusSize { bits: 0 }),
    );
}

#[test]
fn even_modulus_is_refused() {
    let mut n = modulus(2048);
    n[255] ^= 1;
    check(&n, &[1, 0, 1], Err(KeyError::ModulusEven));
}

#[test]
fn leading_zero_octets_of_modulus_and_exponent_do_not_count() {
    let n = [&[0, 0], &modulus(2048)[..]].concat();
    check(&n, &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1], Ok(2048));
}

#[test]
fn odd_exponents_from_3_to_33_bits_are_accepted() {
    let accepted: [&[u8]; 5] = [
        &[3],
        &[17],
        &[1, 0, 1],
        &[1, 0, 0, 0, 1],
        &[1, 0xff, 0xff, 0xff, 0xff],
    ];
    for e in accepted {
        check(&modulus(2048), e, Ok(2048));
    }
}

#[test]
fn exponent_that_is_even_or_1_or_too_large_is_refused() {
    let refused: [&[u8]; 9] = [
        &[],
        &[0],
        &[1],
        &[2],
        &[4],
        &[1, 0, 0],
        &[2, 0, 0, 0, 1],
        &[1, 0, 0, 0, 0, 0, 0, 1],
        // Its lowest 64 bits are 65537.
        &[1, 0, 0, 0, 0, 0, 1, 0, 1],
    ];
    for e in refused {
        check(&modulus(2048), e, Err(KeyError::Exponent));
    }
}

#[test]
fn debug_names_size_and_exponent_only() {
    let key = RsaPublicKey::new(&modulus(2048), &[1, 0, 1]).unwrap();
    assert_eq!(
        format!("{key:?}"),
        "RsaPublicKey { size_bits: 2048, exponent: 65537, .. }"
    );
}
