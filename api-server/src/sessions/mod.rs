//! Browser sessions: who is logged in where, with tokens the browser's scripts never see.
//!
//! The browser holds a sealed cookie with the session's id, its generation and the access token; the edge opens it.
//! The refresh token never leaves the server; it rests sealed in the database.

pub mod cookie;
mod list;
pub mod refresh;
mod revoke;
pub mod store;

pub use list::handler as list;
pub use revoke::{all as revoke_all, one as revoke_one};
