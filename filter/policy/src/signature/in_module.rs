//! Checking signatures with code inside the module: the same natively and in wasm, for every algorithm.

use ed25519_dalek::Verifier as _;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Algorithm, HashFunction, Scheme, SignatureError, SignatureVerifier};
use crate::jwk::{KeyMaterial, VerifyingKey};

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
            (KeyMaterial::Ed25519(key), Algorithm::EdDsa) => {
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
    key: &::rsa::RsaPublicKey,
    algorithm: Algorithm,
    signing_input: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    use ::rsa::{Pkcs1v15Sign, Pss};

    // RFC 7518 §3.5: the salt of PSS is as long as the hash, which is what `Pss::new` expects.
    let result = match (algorithm.scheme(), algorithm.hash_function()) {
        (Scheme::RsaPkcs1, HashFunction::Sha256) => {
            let digest = Sha256::digest(signing_input);
            key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, signature)
        }
        (Scheme::RsaPkcs1, HashFunction::Sha384) => {
            let digest = Sha384::digest(signing_input);
            key.verify(Pkcs1v15Sign::new::<Sha384>(), &digest, signature)
        }
        (Scheme::RsaPkcs1, HashFunction::Sha512) => {
            let digest = Sha512::digest(signing_input);
            key.verify(Pkcs1v15Sign::new::<Sha512>(), &digest, signature)
        }
        (Scheme::RsaPss, HashFunction::Sha256) => {
            let digest = Sha256::digest(signing_input);
            key.verify(Pss::new::<Sha256>(), &digest, signature)
        }
        (Scheme::RsaPss, HashFunction::Sha384) => {
            let digest = Sha384::digest(signing_input);
            key.verify(Pss::new::<Sha384>(), &digest, signature)
        }
        (Scheme::RsaPss, HashFunction::Sha512) => {
            let digest = Sha512::digest(signing_input);
            key.verify(Pss::new::<Sha512>(), &digest, signature)
        }
        (Scheme::Ecdsa | Scheme::Ed25519, _) => return Err(SignatureError::Unsupported),
    };
    result.map_err(|_| SignatureError::Mismatch)
}
