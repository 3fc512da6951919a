//! Encoded messages that a lenient verifier would take, each properly "signed".

use super::*;

/// Signs an encoded message as it stands.
fn raise_to_private_exponent(private: &RsaPrivateKey, encoded: &[u8]) -> Vec<u8> {
    use ::rsa::traits::PrivateKeyParts;
    let encoded = BigUint::from_bytes_be(encoded);
    octets(&encoded.modpow(private.d(), private.n()), private.size())
}

#[track_caller]
fn check_pkcs1_v15(change: impl FnOnce(&mut Vec<u8>), expected: Result<(), Mismatch>) {
    let private = private_key(2048, 3);
    let digest = digest(Hash::Sha256);
    let mut encoded = vec![0; 256];
    pkcs1::encode(Hash::Sha256, &digest, &mut encoded).unwrap();
    change(&mut encoded);
    assert_eq!(encoded.len(), 256);
    let signature = raise_to_private_exponent(&private, &encoded);
    let verdict = public_key(&private).verify_pkcs1_v15(Hash::Sha256, &digest, &signature);
    assert_eq!(verdict, expected);
}

/// Where `DigestInfo` begins in 256 octets with SHA-256.
const DIGEST_INFO: usize = 256 - 32 - 19;

#[test]
fn encoding_as_it_should_be_verifies() {
    check_pkcs1_v15(|_| (), Ok(()));
}

#[test]
fn digest_info_without_the_null_parameters_is_a_mismatch() {
    check_pkcs1_v15(
        |encoded| {
            encoded.splice(DIGEST_INFO + 15..DIGEST_INFO + 17, []);
            encoded[DIGEST_INFO + 1] -= 2;
            encoded[DIGEST_INFO + 3] -= 2;
            encoded.splice(2..2, [0xff, 0xff]);
        },
        Err(Mismatch),
    );
}

#[test]
fn padding_that_ends_early_with_garbage_behind_the_digest_is_a_mismatch() {
    check_pkcs1_v15(|encoded| encoded[2..].rotate_left(100), Err(Mismatch));
}

#[test]
fn block_type_and_padding_octets_must_be_those_of_a_signature() {
    check_pkcs1_v15(|encoded| encoded[1] = 0x02, Err(Mismatch));
    check_pkcs1_v15(|encoded| encoded[1] = 0x00, Err(Mismatch));
    check_pkcs1_v15(|encoded| encoded[77] = 0xfe, Err(Mismatch));
    check_pkcs1_v15(|encoded| encoded[DIGEST_INFO - 1] = 0xff, Err(Mismatch));
}

#[test]
fn bare_digest_without_digest_info_is_a_mismatch() {
    check_pkcs1_v15(
        |encoded| {
            encoded.splice(DIGEST_INFO..DIGEST_INFO + 19, []);
            encoded.splice(2..2, [0xff; 19]);
        },
        Err(Mismatch),
    );
}

/// Bleichenbacher's forgery of 2006, without a private key: with e = 3, a cube root has enough freedom to make the
/// first third of an encoded message come out right. It fools who parses and stops behind the digest.
#[test]
fn cube_root_of_a_prefix_is_a_mismatch() {
    let private = private_key(2048, 3);
    let digest = digest(Hash::Sha256);
    let mut short = vec![0; 3 + 8 + 19 + 32];
    pkcs1::encode(Hash::Sha256, &digest, &mut short).unwrap();
    let prefix = BigUint::from_bytes_be(&short);
    let behind = (256 - short.len()) * 8;
    let root = cube_root(&(((prefix + 1u8) << behind) - 1u8));
    let cube = octets(&(&root * &root * &root), 256);
    assert_eq!(cube[..short.len()], short, "the forgery is well made");
    let verdict = public_key(&private).verify_pkcs1_v15(Hash::Sha256, &digest, &octets(&root, 256));
    assert_eq!(verdict, Err(Mismatch));
}

/// The largest number whose cube is not above `cube`.
fn cube_root(cube: &BigUint) -> BigUint {
    let mut root = BigUint::from(0u8);
    for bit in (0..=cube.bits() / 3).rev() {
        let next = &root | BigUint::from(1u8) << bit;
        if &(&next * &next * &next) <= cube {
            root = next;
        }
    }
    root
}

/// An encoded PSS message with every part chosen by the caller before it is masked and signed.
#[derive(Clone)]
struct PssParts {
    first: u8,
    zeros: Vec<u8>,
    separator: u8,
    trailer: u8,
    /// Set above the bits that EM has, after masking.
    surplus: u8,
}

#[track_caller]
fn check_pss(bits: usize, change: impl FnOnce(&mut PssParts), expected: Result<(), Mismatch>) {
    let private = private_key(bits, 3);
    let digest = digest(Hash::Sha256);
    let salt = [0x5a; 32];
    let length = (bits - 1).div_ceil(8);
    let mut parts = PssParts {
        first: 0,
        zeros: vec![0; length - 32 - 1 - 32 - 1 - 1],
        separator: 1,
        trailer: 0xbc,
        surplus: 0,
    };
    change(&mut parts);
    let h = Sha256::new()
        .chain_update([0; 8])
        .chain_update(&digest)
        .chain_update(salt)
        .finalize();
    let mut db = [&[parts.first], &parts.zeros[..], &[parts.separator], &salt].concat();
    for (counter, chunk) in (0u32..).zip(db.chunks_mut(32)) {
        let mask = Sha256::new()
            .chain_update(h)
            .chain_update(counter.to_be_bytes())
            .finalize();
        for (octet, mask) in chunk.iter_mut().zip(mask) {
            *octet ^= mask;
        }
    }
    db[0] &= 0xff >> (8 * length - (bits - 1));
    db[0] |= parts.surplus;
    let encoded = [&db[..], &h, &[parts.trailer]].concat();
    let signature = raise_to_private_exponent(&private, &encoded);
    let verdict = public_key(&private).verify_pss(Hash::Sha256, &digest, &signature);
    assert_eq!(verdict, expected, "{bits} bits");
}

#[test]
fn pss_encoding_as_it_should_be_verifies() {
    for bits in [2048, 2049, 2050, 2056] {
        check_pss(bits, |_| (), Ok(()));
    }
}

#[test]
fn pss_trailer_other_than_bc_is_a_mismatch() {
    check_pss(2048, |parts| parts.trailer = 0xcc, Err(Mismatch));
    check_pss(2049, |parts| parts.trailer = 0x00, Err(Mismatch));
}

#[test]
fn pss_separator_other_than_01_is_a_mismatch() {
    check_pss(2048, |parts| parts.separator = 0x00, Err(Mismatch));
    check_pss(2048, |parts| parts.separator = 0x81, Err(Mismatch));
}

#[test]
fn pss_padding_other_than_zeros_is_a_mismatch() {
    check_pss(2048, |parts| parts.first = 0x01, Err(Mismatch));
    check_pss(2049, |parts| parts.first = 0x80, Err(Mismatch));
    check_pss(2048, |parts| parts.zeros[0] = 0x80, Err(Mismatch));
    check_pss(
        2048,
        |parts| *parts.zeros.last_mut().unwrap() = 1,
        Err(Mismatch),
    );
}

#[test]
fn pss_bits_above_the_encoded_message_must_be_zero() {
    // 2050 bits: EM has one bit in its first octet, the modulus two.
    check_pss(2050, |parts| parts.surplus = 0b10, Err(Mismatch));
}

#[test]
fn pss_octet_above_the_encoded_message_must_be_zero() {
    // 2049 bits: the modulus is an octet longer than EM. A signature that opens to EM with that octet's bit set.
    let private = private_key(2049, 3);
    let digest = digest(Hash::Sha256);
    let mut encoded = vec![0; 257];
    encoded[0] = 1;
    assert!(BigUint::from_bytes_be(&encoded) < *private.n());
    let signature = raise_to_private_exponent(&private, &encoded);
    let verdict = public_key(&private).verify_pss(Hash::Sha256, &digest, &signature);
    assert_eq!(verdict, Err(Mismatch));
}

#[test]
fn trivial_signatures_are_mismatches() {
    // 0, 1 and n − 1 open to themselves under every key.
    for bits in [2048, 2049] {
        let private = private_key(bits, 65_537);
        let public = public_key(&private);
        for s in [BigUint::from(0u8), BigUint::from(1u8), private.n() - 1u8] {
            let s = octets(&s, private.size());
            for hash in HASHES {
                for digest in [digest(hash), vec![0; hash.size()]] {
                    assert_eq!(public.verify_pkcs1_v15(hash, &digest, &s), Err(Mismatch));
                    assert_eq!(public.verify_pss(hash, &digest, &s), Err(Mismatch));
                }
            }
        }
    }
}
