//! Our verdict beside the `rsa` crate's, Wycheproof's, and what a forger would try.

mod differential;
mod forgeries;
mod keys;
mod signatures;
mod wycheproof;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey};

use super::*;

/// The public half of a test key, as we read it.
fn public_key(private: &RsaPrivateKey) -> RsaPublicKey {
    RsaPublicKey::new(&private.n().to_bytes_be(), &private.e().to_bytes_be()).unwrap()
}

/// A private key of exactly this size, the same on every run.
///
/// Made of many small primes: as good for arithmetic as two large ones, and found in no time.
fn private_key(bits: usize, exponent: u64) -> RsaPrivateKey {
    let mut rng = StdRng::seed_from_u64(bits as u64 ^ exponent << 16);
    loop {
        let mut primes: Vec<BigUint> = Vec::new();
        let mut product = BigUint::from(1u8);
        while product.bits() + 200 < bits {
            let prime = random_prime(&mut rng, 128, &BigUint::from(0u8));
            product *= &prime;
            primes.push(prime);
        }
        // At least what is missing to the highest bit, rounded up, and less than twice that.
        let missing = (BigUint::from(1u8) << (bits - 1)) / &product + 1u8;
        let last = random_prime(&mut rng, missing.bits() - 1, &missing);
        product *= &last;
        primes.push(last);
        if product.bits() == bits
            && let Ok(key) = RsaPrivateKey::from_primes(primes, exponent.into())
        {
            return key;
        }
    }
}

/// A prime of this many random bits above `base`, with which every exponent of these tests has an inverse.
fn random_prime(rng: &mut StdRng, bits: usize, base: &BigUint) -> BigUint {
    let factors_of_exponents = [3u32, 17, 641, 65_537, 6_700_417].map(BigUint::from);
    let (zero, one, two) = (BigUint::from(0u8), BigUint::from(1u8), BigUint::from(2u8));
    loop {
        let candidate = base + (random(rng, bits) | &one << (bits - 1));
        let candidate = candidate | &one;
        let less_one = &candidate - &one;
        if factors_of_exponents.iter().all(|f| &less_one % f != zero)
            && two.modpow(&less_one, &candidate) == one
        {
            return candidate;
        }
    }
}

fn random(rng: &mut StdRng, bits: usize) -> BigUint {
    let mut octets = vec![0; bits.div_ceil(8)];
    rng.fill_bytes(&mut octets);
    BigUint::from_bytes_be(&octets) % (BigUint::from(1u8) << bits)
}

/// Big-endian, with leading zeros up to `length` octets.
fn octets(number: &BigUint, length: usize) -> Vec<u8> {
    let octets = number.to_bytes_be();
    let mut padded = vec![0; length - octets.len()];
    padded.extend(octets);
    padded
}

/// Some digest of this hash function's length.
fn digest(hash: Hash) -> Vec<u8> {
    (1..).take(hash.size()).collect()
}

const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
