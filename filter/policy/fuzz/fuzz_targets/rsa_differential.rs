//! A signature's verdict is that of the `rsa` crate and of BoringSSL, whatever its encoded message looks like.
//!
//! No private key is needed: for an encoded message EM and a number s with s^e > EM, n = s^e − EM is a modulus under
//! which s is the signature that opens to EM.
#![no_main]

use std::collections::BTreeMap;
use std::sync::Mutex;

use edge_auth_policy::rsa::{Hash, MIN_BITS, RsaPublicKey};
use libfuzzer_sys::fuzz_target;
use rsa::{BigUint, Pkcs1v15Sign, Pss};
use sha2::digest::DynDigest;
use sha2::{Digest, Sha256, Sha384, Sha512};

fuzz_target!(|input: &[u8]| {
    let Some((&[choice, size, seed], changes)) = input.split_first_chunk() else {
        return;
    };
    let hash = [Hash::Sha256, Hash::Sha384, Hash::Sha512][usize::from(choice) % 3];
    let e = [3u32, 5, 17][usize::from(choice / 3) % 3];
    let is_pss = choice & 0x80 != 0;
    let bits = MIN_BITS + usize::from(size % 40);
    let message = [seed];
    let digest = digest(hash, &message);

    let length = bits.div_ceil(8);
    let mut encoded = if is_pss {
        encode_pss(hash, &digest, bits - 1, changes)
    } else {
        let mut encoded = encode_pkcs1_v15(hash, &digest, length);
        change(&mut encoded, changes);
        encoded
    };
    let surplus = encoded.len() * 8 - bits.min(encoded.len() * 8);
    encoded[0] &= 0xff >> surplus;

    let encoded = BigUint::from_bytes_be(&encoded);
    let Some((n, s)) = modulus_for(&encoded, e, bits, seed) else {
        return;
    };
    let signature = octets(&s, length);
    let ours = RsaPublicKey::new(&n.to_bytes_be(), &e.to_be_bytes()).expect("n and e are allowed");
    let ours = if is_pss {
        ours.verify_pss(hash, &digest, &signature)
    } else {
        ours.verify_pkcs1_v15(hash, &digest, &signature)
    };
    let theirs = rsa::RsaPublicKey::new(n.clone(), e.into()).expect("n and e are allowed");
    let theirs = match (is_pss, hash) {
        (false, Hash::Sha256) => theirs.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &signature),
        (false, Hash::Sha384) => theirs.verify(Pkcs1v15Sign::new::<Sha384>(), &digest, &signature),
        (false, Hash::Sha512) => theirs.verify(Pkcs1v15Sign::new::<Sha512>(), &digest, &signature),
        (true, Hash::Sha256) => theirs.verify(Pss::new::<Sha256>(), &digest, &signature),
        (true, Hash::Sha384) => theirs.verify(Pss::new::<Sha384>(), &digest, &signature),
        (true, Hash::Sha512) => theirs.verify(Pss::new::<Sha512>(), &digest, &signature),
    };
    assert_eq!(ours.is_ok(), theirs.is_ok());
    if changes.iter().all(|&octet| octet == 0) {
        assert_eq!(ours, Ok(()));
    }
    #[cfg(feature = "boringssl")]
    assert_eq!(
        ours.is_ok(),
        boring::verify(is_pss, hash, &n, e, &message, &signature)
    );
});

fn digest(hash: Hash, message: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha256 => Sha256::digest(message).to_vec(),
        Hash::Sha384 => Sha384::digest(message).to_vec(),
        Hash::Sha512 => Sha512::digest(message).to_vec(),
    }
}

/// Flips bits: pairs of a position (from the end in its upper half) and a mask.
fn change(encoded: &mut [u8], changes: &[u8]) {
    for &[position, mask] in changes.as_chunks::<2>().0 {
        let position = usize::from(position);
        let position = if position < 128 {
            position
        } else {
            encoded.len() - (256 - position)
        };
        encoded[position] ^= mask;
    }
}

fn encode_pkcs1_v15(hash: Hash, digest: &[u8], length: usize) -> Vec<u8> {
    let (algorithm, size) = match hash {
        Hash::Sha256 => (1, 32),
        Hash::Sha384 => (2, 48),
        Hash::Sha512 => (3, 64),
    };
    let identifier = [
        0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, algorithm, 5, 0,
    ];
    let info = [&[0x30, 17 + size], &identifier[..], &[4, size], digest].concat();
    let padding = vec![0xff; length - 3 - info.len()];
    [&[0, 1], &padding[..], &[0], &info].concat()
}

/// EMSA-PSS with changes to DB before it is masked or, for an odd number of them, to EM after.
fn encode_pss(hash: Hash, digest: &[u8], bits: usize, changes: &[u8]) -> Vec<u8> {
    let length = bits.div_ceil(8);
    let salt = vec![0x5a; digest.len()];
    let mut hasher: Box<dyn DynDigest> = match hash {
        Hash::Sha256 => Box::new(Sha256::new()),
        Hash::Sha384 => Box::new(Sha384::new()),
        Hash::Sha512 => Box::new(Sha512::new()),
    };
    let mut hashed = |parts: [&[u8]; 3]| {
        parts.iter().for_each(|part| hasher.update(part));
        hasher.finalize_reset()
    };
    let h = hashed([&[0; 8], digest, &salt]);
    let mut db = vec![0; length - h.len() - 1 - salt.len() - 1];
    db.push(1);
    db.extend(&salt);
    let is_before = changes.len().is_multiple_of(2);
    if is_before {
        change(&mut db, changes);
    }
    for (counter, chunk) in (0u32..).zip(db.chunks_mut(h.len())) {
        let mask = hashed([&h, &counter.to_be_bytes(), &[]]);
        chunk
            .iter_mut()
            .zip(&mask)
            .for_each(|(octet, mask)| *octet ^= mask);
    }
    db[0] &= 0xff >> (8 * length - bits);
    let mut encoded = [&db[..], &h, &[0xbc]].concat();
    if !is_before {
        change(&mut encoded, changes);
    }
    encoded
}

/// n and s with s^e mod n = EM, n odd and of so many bits.
fn modulus_for(encoded: &BigUint, e: u32, bits: usize, seed: u8) -> Option<(BigUint, BigUint)> {
    // s^e is just below 2^bits. An EM that is shorter by a bit, as every proper one is, leaves n above 2^(bits − 1).
    let s = root(bits, e) - u32::from(seed);
    [&s - 1u32, s].into_iter().find_map(|s| {
        let power = s.pow(e);
        if power <= *encoded {
            return None;
        }
        let n = power - encoded;
        let is_odd = &n % 2u8 == BigUint::from(1u8);
        (is_odd && n.bits() == bits && *encoded < n).then_some((n, s))
    })
}

/// The largest s with s^e < 2^bits.
fn root(bits: usize, e: u32) -> BigUint {
    static ROOTS: Mutex<BTreeMap<(usize, u32), BigUint>> = Mutex::new(BTreeMap::new());
    let mut roots = ROOTS.lock().expect("a panic ends the fuzzer");
    let root = roots.entry((bits, e)).or_insert_with(|| {
        let one = BigUint::from(1u8);
        let limit = &one << bits;
        let bits = (0..=bits / e as usize).rev();
        bits.fold(BigUint::from(0u8), |root, bit| {
            let larger = &root | &one << bit;
            if larger.pow(e) < limit { larger } else { root }
        })
    });
    root.clone()
}

/// `BigUint`'s own power takes its numbers by reference of another crate's trait.
trait Power {
    fn pow(&self, exponent: u32) -> BigUint;
}

impl Power for BigUint {
    fn pow(&self, exponent: u32) -> BigUint {
        (0..exponent).fold(BigUint::from(1u8), |power, _| power * self)
    }
}

/// Big-endian, as long as the modulus.
fn octets(number: &BigUint, length: usize) -> Vec<u8> {
    let octets = number.to_bytes_be();
    let mut padded = vec![0; length - octets.len()];
    padded.extend(octets);
    padded
}

#[cfg(feature = "boringssl")]
mod boring {
    use boring::bn::BigNum;
    use boring::hash::MessageDigest;
    use boring::pkey::PKey;
    use boring::rsa::{Padding, Rsa};
    use boring::sign::{RsaPssSaltlen, Verifier};

    use super::{BigUint, Hash};

    pub(crate) fn verify(
        is_pss: bool,
        hash: Hash,
        n: &BigUint,
        e: u32,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let n = BigNum::from_slice(&n.to_bytes_be()).unwrap();
        let key = Rsa::from_public_components(n, BigNum::from_u32(e).unwrap()).unwrap();
        let key = PKey::from_rsa(key).unwrap();
        let hash = match hash {
            Hash::Sha256 => MessageDigest::sha256(),
            Hash::Sha384 => MessageDigest::sha384(),
            Hash::Sha512 => MessageDigest::sha512(),
        };
        let mut verifier = Verifier::new(hash, &key).unwrap();
        if is_pss {
            verifier.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            verifier
                .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
                .unwrap();
            verifier.set_rsa_mgf1_md(hash).unwrap();
        }
        verifier.verify_oneshot(signature, message).unwrap_or(false)
    }
}
