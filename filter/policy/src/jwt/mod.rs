//! JSON Web Tokens (RFC 7519) in JWS compact serialization (RFC 7515 §7.1), checked by the rules of RFC 8725.
//!
//! A token comes in as bytes, becomes an [`UnverifiedToken`] whose every accessor says so in its name, and leaves
//! [`verify()`] as [`VerifiedClaims`], which nothing else can make. The algorithm comes from the configuration and
//! the key; a token can only fail to fit. No encrypted token is opened, none is unpacked, no key is taken from one.

mod error;
mod jws;
mod numeric_date;
mod profile;
#[cfg(test)]
mod tests;
mod unverified;
mod verify;

pub use error::Error;
pub use jws::{MAX_HEADER_BYTES, MAX_TOKEN_BYTES, MAX_TYPE_BYTES};
pub(crate) use numeric_date::numeric_date;
pub use profile::{DEFAULT_SCOPE_CLAIMS, TokenProfile};
pub use unverified::{CLAIMS_LIMITS, UnverifiedToken};
pub use verify::{VerifiedClaims, verify};
