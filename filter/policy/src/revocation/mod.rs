//! Revoked tokens, sessions, subjects and clients, and blocked addresses: polled once per proxy.
//!
//! A signed token is good until it expires; what ends it earlier is this list. One worker polls the feed (its
//! format is described in [`feed`]) and publishes the whole set through the store; every worker holds it
//! compiled, and asking it is a few hash look-ups. Nothing is revoked by a token's bytes or their hash: another
//! encoding of the same signature would slip through. What is named are `jti`, `sid`, `sub` with a time, and
//! clients.
//!
//! A feed that is down leaves the last set in force. How old it may become, and what happens then, is
//! configured; its age is there to be shown.

pub mod feed;
mod remote;
mod set;
mod settings;

#[cfg(test)]
mod tests;

pub use remote::{FeedFailure, Refusal, RevocationFeed};
pub use set::Credential;
pub use settings::{OnUnavailable, RevocationSettings};
