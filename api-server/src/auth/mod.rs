//! Who is asking: the bearer token, verified here once more.
//!
//! The edge has judged it already. It is judged again by the same policy in native code, so that a hole in the
//! network opens nothing. No identity header of the edge is ever believed.

mod caller;
mod keys;
mod scope;
mod seen;
mod verifier;

pub use caller::Caller;
pub use keys::Keys;
pub use scope::{
    DeleteDocuments, ReadDocuments, ReadProfile, RequiredScope, WriteDocuments, WriteProfile,
};
pub use verifier::{Identity, LOGOUT_TOKEN_AGE, Verifier};
