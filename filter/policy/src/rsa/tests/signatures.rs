//! Genuine signatures made by the `rsa` crate, and what one changed bit does to them.

use ::rsa::sha2::{Sha256, Sha384, Sha512};
use ::rsa::{Pkcs1v15Sign, Pss};

use super::*;

fn sign_pkcs1_v15(key: &RsaPrivateKey, hash: Hash, digest: &[u8]) -> Vec<u8> {
    let scheme = match hash {
        Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
        Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
    };
    key.sign(scheme, digest).unwrap()
}

fn sign_pss(key: &RsaPrivateKey, hash: Hash, salt_length: usize, digest: &[u8]) -> Vec<u8> {
    let scheme = match hash {
        Hash::Sha256 => Pss::new_with_salt::<Sha256>(salt_length),
        Hash::Sha384 => Pss::new_with_salt::<Sha384>(salt_length),
        Hash::Sha512 => Pss::new_with_salt::<Sha512>(salt_length),
    };
    let mut rng = StdRng::seed_from_u64(2);
    key.sign_with_rng(&mut rng, scheme, digest).unwrap()
}

#[track_caller]
fn check_genuine(bits: usize, exponent: u64) {
    let private = private_key(bits, exponent);
    let public = public_key(&private);
    assert_eq!(public.size_bits(), bits);
    for hash in HASHES {
        let digest = digest(hash);
        let pkcs1 = sign_pkcs1_v15(&private, hash, &digest);
        let pss = sign_pss(&private, hash, hash.size(), &digest);
        assert_eq!(public.verify_pkcs1_v15(hash, &digest, &pkcs1), Ok(()));
        assert_eq!(public.verify_pss(hash, &digest, &pss), Ok(()));
        // One scheme's signature is not the other's.
        assert_eq!(public.verify_pss(hash, &digest, &pkcs1), Err(Mismatch));
        assert_eq!(public.verify_pkcs1_v15(hash, &digest, &pss), Err(Mismatch));
    }
}

#[test]
fn genuine_signature_of_every_modulus_size_verifies() {
    for bits in (2048..=2057).chain([2079, 3072, 4096]) {
        check_genuine(bits, 65_537);
    }
}

#[test]
fn genuine_signature_under_the_longest_key_verifies() {
    check_genuine(8192, 65_537);
}

#[test]
fn genuine_signature_with_every_kind_of_exponent_verifies() {
    for exponent in [3, 17, (1 << 32) + 1] {
        check_genuine(2048, exponent);
    }
}

#[test]
fn every_flipped_bit_of_a_signature_is_a_mismatch() {
    // The small exponent keeps 4,098 verifications quick; the kernel's steps are the same.
    let private = private_key(2049, 3);
    let public = public_key(&private);
    let digest = digest(Hash::Sha256);
    let pkcs1 = sign_pkcs1_v15(&private, Hash::Sha256, &digest);
    let pss = sign_pss(&private, Hash::Sha256, 32, &digest);
    for bit in 0..pkcs1.len() * 8 {
        let flipped = |signature: &[u8]| {
            let mut signature = signature.to_vec();
            signature[bit / 8] ^= 1 << (bit % 8);
            signature
        };
        let pkcs1 = public.verify_pkcs1_v15(Hash::Sha256, &digest, &flipped(&pkcs1));
        let pss = public.verify_pss(Hash::Sha256, &digest, &flipped(&pss));
        assert_eq!((pkcs1, pss), (Err(Mismatch), Err(Mismatch)), "bit {bit}");
    }
}

#[test]
fn every_flipped_bit_of_a_digest_is_a_mismatch() {
    let private = private_key(2048, 3);
    let public = public_key(&private);
    for hash in HASHES {
        let digest = digest(hash);
        let pkcs1 = sign_pkcs1_v15(&private, hash, &digest);
        let pss = sign_pss(&private, hash, hash.size(), &digest);
        for bit in 0..digest.len() * 8 {
            let mut digest = digest.clone();
            digest[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                public.verify_pkcs1_v15(hash, &digest, &pkcs1),
                Err(Mismatch)
            );
            assert_eq!(public.verify_pss(hash, &digest, &pss), Err(Mismatch));
        }
    }
}

#[test]
fn digest_of_another_hash_function_is_a_mismatch() {
    let private = private_key(2048, 65_537);
    let public = public_key(&private);
    for (signed, claimed) in HASHES.iter().flat_map(|&a| HASHES.map(|b| (a, b))) {
        if signed == claimed {
            continue;
        }
        let digest_signed = digest(signed);
        let pkcs1 = sign_pkcs1_v15(&private, signed, &digest_signed);
        let pss = sign_pss(&private, signed, signed.size(), &digest_signed);
        for digest in [digest_signed, digest(claimed), Vec::new()] {
            assert_eq!(
                public.verify_pkcs1_v15(claimed, &digest, &pkcs1),
                Err(Mismatch)
            );
            assert_eq!(public.verify_pss(claimed, &digest, &pss), Err(Mismatch));
        }
    }
}

#[test]
fn pss_with_a_salt_of_another_length_is_a_mismatch() {
    let private = private_key(2048, 65_537);
    let public = public_key(&private);
    let digest = digest(Hash::Sha256);
    for salt_length in [0, 20, 31, 33, 48, 222] {
        let signature = sign_pss(&private, Hash::Sha256, salt_length, &digest);
        let verdict = public.verify_pss(Hash::Sha256, &digest, &signature);
        assert_eq!(verdict, Err(Mismatch), "{salt_length}");
    }
}

#[test]
fn signature_under_another_key_is_a_mismatch() {
    let private = private_key(2048, 65_537);
    let stranger = public_key(&private_key(2048, 17));
    let digest = digest(Hash::Sha256);
    let pkcs1 = sign_pkcs1_v15(&private, Hash::Sha256, &digest);
    let pss = sign_pss(&private, Hash::Sha256, 32, &digest);
    assert_eq!(
        stranger.verify_pkcs1_v15(Hash::Sha256, &digest, &pkcs1),
        Err(Mismatch)
    );
    assert_eq!(
        stranger.verify_pss(Hash::Sha256, &digest, &pss),
        Err(Mismatch)
    );
}

#[test]
fn signature_is_exactly_as_long_as_the_modulus() {
    let private = private_key(2048, 65_537);
    let public = public_key(&private);
    let digest = digest(Hash::Sha256);
    let genuine = sign_pkcs1_v15(&private, Hash::Sha256, &digest);
    let longer = [&[0], &genuine[..]].concat();
    let trailing = [&genuine[..], &[0]].concat();
    for signature in [
        &[][..],
        &genuine[1..],
        &genuine[..255],
        &longer,
        &trailing,
        &[0; 4096],
    ] {
        let verdict = public.verify_pkcs1_v15(Hash::Sha256, &digest, signature);
        assert_eq!(verdict, Err(Mismatch), "{} octets", signature.len());
        let verdict = public.verify_pss(Hash::Sha256, &digest, signature);
        assert_eq!(verdict, Err(Mismatch), "{} octets", signature.len());
    }
}

#[test]
fn genuine_signature_plus_the_modulus_is_a_mismatch() {
    // 2049 bits leave room for s + n in as many octets: the same power, another text.
    let private = private_key(2049, 65_537);
    let public = public_key(&private);
    let digest = digest(Hash::Sha256);
    for genuine in [
        sign_pkcs1_v15(&private, Hash::Sha256, &digest),
        sign_pss(&private, Hash::Sha256, 32, &digest),
    ] {
        let twin = octets(
            &(BigUint::from_bytes_be(&genuine) + private.n()),
            genuine.len(),
        );
        assert_eq!(
            public.verify_pkcs1_v15(Hash::Sha256, &digest, &twin),
            Err(Mismatch)
        );
        assert_eq!(
            public.verify_pss(Hash::Sha256, &digest, &twin),
            Err(Mismatch)
        );
    }
}
