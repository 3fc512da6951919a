//! Checking signatures with code inside the module: the same natively and in wasm, for every algorithm.

use ed25519_dalek::Verifier as _;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Algorithm, HashFunction, Scheme, SignatureError, SignatureVerifier};
use crate::jwk::{KeyMaterial, VerifyingKey};
use crate::rsa::RsaPublicKey;

/// The verifier that needs nothing from its host.
#[derive(Clone, Copy, Debug, Default)]
pub struct InModule;

impl SignatureVerifier for InModule {
    fn verify(
        &mut self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let matches = match (key.material(), algorithm) {
            (KeyMaterial::Rsa(key), _) => {
                return verify_rsa(key, algorithm, signing_input, signature);
            }
            (KeyMaterial::P256(key), Algorithm::Es256) => {
                p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(signing_input, &signature).is_ok())
            }
            (KeyMaterial::P384(key), Algorithm::Es384) => {
                p384::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(signing_input, &signature).is_ok())
            }
            (KeyMaterial::P521(key), Algorithm::Es512) => {
                p521::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(signing_input, &signature).is_ok())
            }
            // Strict: small-order points and non-canonical encodings, on which implementations disagree, fail.
            (KeyMaterial::Ed25519(key), Algorithm::EdDsa | Algorithm::Ed25519) => {
                ed25519_dalek::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_strict(signing_input, &signature).is_ok())
            }
            _ => return Err(SignatureError::Unsupported),
        };
        if matches {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }
}

fn verify_rsa(
    key: &RsaPublicKey,
    algorithm: Algorithm,
    signing_input: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let hash = algorithm.hash_function();
    let verify = |digest: &[u8]| match algorithm.scheme() {
        Scheme::RsaPkcs1 => key
            .verify_pkcs1_v15(hash, digest, signature)
            .map_err(|_| SignatureError::Mismatch),
        Scheme::RsaPss => key
            .verify_pss(hash, digest, signature)
            .map_err(|_| SignatureError::Mismatch),
        Scheme::Ecdsa | Scheme::Ed25519 => Err(SignatureError::Unsupported),
    };
    match hash {
        HashFunction::Sha256 => verify(&Sha256::digest(signing_input)),
        HashFunction::Sha384 => verify(&Sha384::digest(signing_input)),
        HashFunction::Sha512 => verify(&Sha512::digest(signing_input)),
    }
}
