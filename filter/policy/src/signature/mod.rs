//! Where a signature is checked: one trait, so that Envoy's `BoringSSL`, native code or code inside the module can
//! do it, and the algorithms it is checked with.
//!
//! Which algorithm and which key are right is decided by [`crate::jwt`] and [`crate::jwk`] before a verifier is
//! asked; a verifier answers a mathematical question only.

mod algorithm;
pub(crate) mod der;
mod in_module;
#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, AlgorithmSet, HashFunction, Scheme};
pub use der::ecdsa_der;
pub use in_module::InModule;

use crate::jwk::VerifyingKey;

/// Checks signatures.
pub trait SignatureVerifier {
    /// Whether `signature` is `key`'s signature by `algorithm` over `signing_input`.
    ///
    /// `signature` is as the JWS carries it: r||s for ECDSA. The caller has made sure that the key fits the
    /// algorithm and that the signature has the one length this key makes.
    ///
    /// # Errors
    /// [`SignatureError`]; an implementation that is not certain answers with an error.
    fn verify(
        &mut self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError>;
}

/// Why a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signature was not made by this key over this input.
    #[error("the signature does not match")]
    Mismatch,
    /// This verifier cannot check this kind of signature; another may.
    #[error("the signature algorithm is not supported here")]
    Unsupported,
}
