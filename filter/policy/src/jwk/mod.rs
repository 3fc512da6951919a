//! JSON Web Key sets (RFC 7517) and the verifying keys made of them.
//!
//! A set comes from an identity provider that is trusted to name its keys, over a network that may hand over
//! anything: everything is bounded, and a key that is not certainly meant for checking signatures is left out
//! and counted. Fetching, caching and refreshing are in [`crate::jwks`]; `x5c`, `x5t`, `x5u` are ignored: a key is
//! trusted because of where it was fetched, not because of a certificate.

mod key;
mod parse;
mod set;
mod spki;
#[cfg(test)]
mod tests;

pub use key::{KeyFingerprint, KeyMaterial, VerifyingKey};
pub use parse::{MAX_KEY_ID_BYTES, Unusable};
pub use set::{
    Error, JWKS_LIMITS, KeySet, KeySetId, MAX_CANDIDATES, MAX_KEYS, MAX_SET_BYTES, Skipped,
};
