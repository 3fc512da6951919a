//! RSA signature verification (RFC 8017) with public exponents, at a price wasm can bear.
//!
//! The signature is raised to the public exponent by a kernel of our own (`montgomery`), made for WebAssembly and
//! nothing else: key constants are computed once per key, a verification allocates nothing. Encodings are built and
//! compared whole, never parsed (PKCS #1 v1.5) or recomputed from their own salt (PSS).
//!
//! There is no private key here, no signing, no encryption, no SHA-1 and no key below 2048 bits (RFC 7518 §3.3).
//! Since nothing is secret, nothing is constant-time.

mod limbs;
mod montgomery;
mod pkcs1;
mod pss;
#[cfg(test)]
mod tests;

use std::fmt;

use sha2::{Digest, Sha256, Sha384, Sha512};
use thiserror::Error;

use self::montgomery::Modulus;

/// The shortest modulus, in bits: RFC 7518 §3.3 and §3.5 demand "2048 bits or larger".
pub const MIN_BITS: usize = 2048;

/// The longest modulus, in bits. A verification's cost grows with the square; 8192 bits cost some twenty times 2048.
pub const MAX_BITS: usize = 8192;

/// The largest public exponent, 2³³ − 1. Exponents beyond would let a key set buy computing time; none in use is.
pub const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// The hash functions of RS256, RS384, RS512 and PS256, PS384, PS512 (RFC 7518 §3.3, §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-256, 32 octets.
    Sha256,
    /// SHA-384, 48 octets.
    Sha384,
    /// SHA-512, 64 octets.
    Sha512,
}

/// Why octets are not a public key to verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The modulus is shorter than [`MIN_BITS`] or longer than [`MAX_BITS`].
    #[error("RSA modulus of {bits} bits is not within {MIN_BITS} to {MAX_BITS}")]
    ModulusSize {
        /// Length of the modulus without leading zero bits.
        bits: usize,
    },
    /// The modulus is even, so it is no product of two odd primes.
    #[error("RSA modulus is even")]
    ModulusEven,
    /// The exponent is even, below 3 or above [`MAX_EXPONENT`].
    #[error("RSA public exponent is not an odd number from 3 to {MAX_EXPONENT}")]
    Exponent,
}

/// The signature is not one of this digest under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("signature does not match")]
pub struct Mismatch;

/// An RSA public key, ready to verify: everything that depends on the key alone is already computed.
#[derive(Clone)]
pub struct RsaPublicKey {
    modulus: Modulus,
    exponent: u64,
    size_bits: usize,
}

impl RsaPublicKey {
    /// Takes modulus and public exponent as big-endian octets, as in a JWK's `n` and `e` (RFC 7518 §6.3.1).
    ///
    /// Leading zero octets are accepted: RFC 7518 §6.3.1.1 warns that some libraries write one.
    pub fn new(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = size_bits(n);
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(KeyError::ModulusSize { bits });
        }
        if is_even(n) {
            return Err(KeyError::ModulusEven);
        }
        if size_bits(e) > u64::BITS as usize {
            return Err(KeyError::Exponent);
        }
        let exponent = e.iter().fold(0, |e, &octet| e << 8 | u64::from(octet));
        if is_even(e) || !(3..=MAX_EXPONENT).contains(&exponent) {
            return Err(KeyError::Exponent);
        }
        Ok(Self {
            modulus: Modulus::new(n, bits).ok_or(KeyError::ModulusSize { bits })?,
            exponent,
            size_bits: bits,
        })
    }

    /// Length of the modulus in bits.
    pub fn size_bits(&self) -> usize {
        self.size_bits
    }

    /// Verifies an RSASSA-PKCS1-v1_5 signature of a digest: [RFC 8017 §8.2.2].
    ///
    /// [RFC 8017 §8.2.2]: https://www.rfc-editor.org/rfc/rfc8017#section-8.2.2
    pub fn verify_pkcs1_v15(
        &self,
        hash: Hash,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), Mismatch> {
        let mut buffer = [0; MAX_BITS / 8];
        let encoded = self.open(signature, &mut buffer).ok_or(Mismatch)?;
        let mut buffer = [0; MAX_BITS / 8];
        let expected = buffer.get_mut(..encoded.len()).ok_or(Mismatch)?;
        pkcs1::encode(hash, digest, expected).ok_or(Mismatch)?;
        matches(encoded == expected)
    }

    /// Verifies an RSASSA-PSS signature of a digest: [RFC 8017 §8.1.2], with MGF1 over the same hash function and a
    /// salt as long as its digest, as RFC 7518 §3.5 demands.
    ///
    /// [RFC 8017 §8.1.2]: https://www.rfc-editor.org/rfc/rfc8017#section-8.1.2
    pub fn verify_pss(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> Result<(), Mismatch> {
        let mut buffer = [0; MAX_BITS / 8];
        let encoded = self.open(signature, &mut buffer).ok_or(Mismatch)?;
        let bits = self.size_bits.saturating_sub(1);
        matches(match hash {
            Hash::Sha256 => pss::verify::<Sha256>(digest, encoded, bits),
            Hash::Sha384 => pss::verify::<Sha384>(digest, encoded, bits),
            Hash::Sha512 => pss::verify::<Sha512>(digest, encoded, bits),
        })
    }

    /// RSAVP1 alone, for a fuzzer to compare with other implementations.
    #[cfg(fuzzing)]
    pub fn power(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = [0; MAX_BITS / 8];
        Some(self.open(signature, &mut buffer)?.to_vec())
    }

    /// RSAVP1 and I2OSP (RFC 8017 §5.2.2, §4.1): the encoded message, as long as the modulus; `None` if the
    /// signature is not as long as the modulus or not below it.
    fn open<'a>(&self, signature: &[u8], buffer: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let encoded = buffer.get_mut(..self.size_bits.div_ceil(8))?;
        if signature.len() != encoded.len() {
            return None;
        }
        self.modulus.raise(signature, self.exponent, encoded)?;
        Some(encoded)
    }
}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaPublicKey")
            .field("size_bits", &self.size_bits)
            .field("exponent", &self.exponent)
            .finish_non_exhaustive()
    }
}

impl Hash {
    /// Length of a digest in octets.
    pub fn size(self) -> usize {
        match self {
            Self::Sha256 => Sha256::output_size(),
            Self::Sha384 => Sha384::output_size(),
            Self::Sha512 => Sha512::output_size(),
        }
    }
}

fn matches(verified: bool) -> Result<(), Mismatch> {
    if verified { Ok(()) } else { Err(Mismatch) }
}

fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|&&octet| octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

fn size_bits(octets: &[u8]) -> usize {
    let unused = octets.first().map_or(0, |octet| octet.leading_zeros());
    octets.len() * 8 - unused as usize
}

fn is_even(octets: &[u8]) -> bool {
    octets.last().is_none_or(|octet| octet.is_multiple_of(2))
}
