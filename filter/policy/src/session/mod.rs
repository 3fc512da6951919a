//! Sealed values: the browser session cookie, made by api-server and opened at the edge, and their kin.
//!
//! A sealed value is encrypted and authenticated with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03; RFC 8439) and
//! written as canonical base64url of
//!
//! ```text
//! version (1 byte, 1) | key id (4 bytes) | nonce (24 bytes) | ciphertext of (expiry (8 bytes) | payload) | tag (16 bytes)
//! ```
//!
//! - The key for a purpose is derived from the configured secret and the purpose's label with SHA-256, and the label
//!   and the head are authenticated too: what was sealed for one purpose opens for no other (CVE-2023-35941).
//! - The expiry, whole seconds since the epoch in network byte order, is inside the ciphertext (CVE-2025-46344).
//! - The key id is taken from the derived key's hash, so several keys can be in force while one replaces another.
//! - Whatever is wrong, there is one error: nothing to learn from (CVE-2026-47775).
//!
//! Opening is pure. Sealing takes the nonce as an argument: it must be 24 fresh random bytes each time.

mod cookie;
mod key;
mod payload;
mod sealed;

pub use cookie::{MAX_CHUNK_BYTES, MAX_CHUNKS, chunks, find, join};
pub(crate) use key::read_secret;
pub use key::{KeyError, SessionKeys};
pub use payload::Session;
pub use sealed::{MAX_SEALED_BYTES, NONCE_BYTES, Opener, Purpose, Unopenable};
