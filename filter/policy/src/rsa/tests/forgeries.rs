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

/// What an encoded PSS message is made of, for a test to change.
#[derive(Clone)]
struct PssParts {
    digest: Vec<u8>,
    /// DB before the salt: zeros and the separator.
    padding: Vec<u8>,
    trailer: u8,
    /// Set in the first octet as long as the modulus, after masking.
    surplus: u8,
}

impl PssParts {
    /// EM with a zero octet in front where the modulus is longer by one.
    fn encode(&self, bits: usize, salt: &[u8]) -> Vec<u8> {
        let h = Sha256::new()
            .chain_update([0; 8])
            .chain_update(&self.digest)
            .chain_update(salt)
            .finalize();
        let mut db = [&self.padding, salt].concat();
        for (counter, chunk) in (0u32..).zip(db.chunks_mut(32)) {
            let mask = Sha256::new()
                .chain_update(h)
                .chain_update(counter.to_be_bytes())
                .finalize();
            for (octet, mask) in chunk.iter_mut().zip(mask) {
                *octet ^= mask;
            }
        }
        db[0] &= 0xff >> (8 * (bits - 1).div_ceil(8) - (bits - 1));
        let encoded = [&db, &h[..], &[self.trailer]].concat();
        let mut encoded = octets(&BigUint::from_bytes_be(&encoded), bits.div_ceil(8));
        encoded[0] |= self.surplus;
        encoded
    }
}

#[track_caller]
fn check_pss(bits: usize, change: impl FnOnce(&mut PssParts), expected: Result<(), Mismatch>) {
    let private = private_key(bits, 3);
    let zeros = (bits - 1).div_ceil(8) - 32 - 1 - 32 - 1;
    let mut parts = PssParts {
        digest: digest(Hash::Sha256),
        padding: [&vec![0; zeros][..], &[1]].concat(),
        trailer: 0xbc,
        surplus: 0,
    };
    change(&mut parts);
    // A salt with which the encoded message is below the modulus, so that there is a signature.
    let encoded = (0..=u8::MAX)
        .map(|salt| parts.encode(bits, &[salt; 32]))
        .find(|encoded| BigUint::from_bytes_be(encoded) < *private.n())
        .expect("one salt in two or so will do");
    let signature = raise_to_private_exponent(&private, &encoded);
    let verdict = public_key(&private).verify_pss(Hash::Sha256, &parts.digest, &signature);
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
    for separator in [0x00, 0x02, 0x81] {
        check_pss(
            2048,
            |parts| *parts.padding.last_mut().unwrap() = separator,
            Err(Mismatch),
        );
    }
}

#[test]
fn pss_padding_other_than_zeros_is_a_mismatch() {
    check_pss(2048, |parts| parts.padding[0] = 0x01, Err(Mismatch));
    check_pss(2049, |parts| parts.padding[0] = 0x80, Err(Mismatch));
    check_pss(2048, |parts| parts.padding[1] = 0x80, Err(Mismatch));
    check_pss(2048, |parts| parts.padding[189] = 0x01, Err(Mismatch));
}

#[test]
fn pss_bits_above_the_encoded_message_must_be_zero() {
    // The bits of the modulus' first octet that EM has no use for: one of two, one of eight, and the whole octet.
    check_pss(2050, |parts| parts.surplus = 0b10, Err(Mismatch));
    check_pss(2056, |parts| parts.surplus = 0x80, Err(Mismatch));
    check_pss(2049, |parts| parts.surplus = 0x01, Err(Mismatch));
}

#[test]
fn pss_of_a_digest_of_another_length_is_a_mismatch() {
    for length in [0, 20, 31, 33, 64] {
        check_pss(2048, |parts| parts.digest = vec![7; length], Err(Mismatch));
    }
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
