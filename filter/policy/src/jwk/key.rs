//! A public key that may check signatures, with all that can be computed once.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::rsa::RsaPublicKey;
use crate::signature::{Algorithm, Scheme};

/// The SHA-256 of a key's `SubjectPublicKeyInfo`: two keys with equal fingerprints are the same key, whatever their
/// `kid` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyFingerprint(pub [u8; 32]);

/// A public key made from a JWK.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    key_id: Option<Box<str>>,
    algorithm: Option<Algorithm>,
    material: KeyMaterial,
    spki_der: Vec<u8>,
    fingerprint: KeyFingerprint,
}

/// The key itself, in the form the in-module verifier computes with.
#[derive(Clone)]
pub enum KeyMaterial {
    /// RSA
    Rsa(RsaPublicKey),
    /// A point on P-256
    P256(p256::ecdsa::VerifyingKey),
    /// A point on P-384
    P384(p384::ecdsa::VerifyingKey),
    /// A point on P-521
    P521(p521::ecdsa::VerifyingKey),
    /// A point on edwards25519
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl VerifyingKey {
    /// Puts a key together; `algorithm` is the JWK's own restriction and must fit the material, which `spki_der`
    /// encodes.
    pub(super) fn new(
        key_id: Option<Box<str>>,
        algorithm: Option<Algorithm>,
        material: KeyMaterial,
        spki_der: Vec<u8>,
    ) -> Self {
        let fingerprint = KeyFingerprint(Sha256::digest(&spki_der).into());
        Self {
            key_id,
            algorithm,
            material,
            spki_der,
            fingerprint,
        }
    }

    /// The `kid`, if the JWK has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The one algorithm the JWK allows, if it names one.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The key in the form the in-module verifier computes with.
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// The key as DER `SubjectPublicKeyInfo` (RFC 5280 §4.1), as Envoy's `verify_signature` wants it.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// What identifies this key beyond its `kid`.
    pub fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint
    }

    /// Whether the key's type, curve and `alg` all allow `algorithm` (RFC 8725 §3.1: one key, one algorithm family;
    /// CVE-2024-33663 is the confusion this prevents).
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.material.fits(algorithm)
    }

    /// The length of every signature this key makes, in bytes, as a JWS carries it.
    pub fn signature_bytes(&self) -> usize {
        match &self.material {
            KeyMaterial::Rsa(key) => key.size_bits().div_ceil(8),
            KeyMaterial::P256(_) | KeyMaterial::Ed25519(_) => 64,
            KeyMaterial::P384(_) => 96,
            KeyMaterial::P521(_) => 132,
        }
    }
}

impl KeyMaterial {
    /// Whether a key of this type and curve can be used with `algorithm`.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa(_) => matches!(algorithm.scheme(), Scheme::RsaPkcs1 | Scheme::RsaPss),
            Self::P256(_) => algorithm == Algorithm::Es256,
            Self::P384(_) => algorithm == Algorithm::Es384,
            Self::P521(_) => algorithm == Algorithm::Es512,
            Self::Ed25519(_) => algorithm.scheme() == Scheme::Ed25519,
        }
    }
}

/// The kind of key; its numbers are in the `SubjectPublicKeyInfo`.
impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa(_) => "Rsa",
            Self::P256(_) => "P256",
            Self::P384(_) => "P384",
            Self::P521(_) => "P521",
            Self::Ed25519(_) => "Ed25519",
        })
    }
}
