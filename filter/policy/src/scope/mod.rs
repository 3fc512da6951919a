//! Scopes: what an access token may be used for (RFC 6749 §3.3), and what a rule asks for.
//!
//! A scope names a right that a client was given; what a user may do travels in other claims. Auth0's
//! `permissions` is a list of the same words, and is read as one where a provider's `scope_claims` names it.

mod requirement;
mod set;
mod token;

pub use requirement::ScopeRequirement;
pub use set::ScopeSet;
pub use token::{MAX_SCOPE_TOKEN_BYTES, ScopeToken, ScopeTokenError};
