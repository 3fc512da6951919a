//! Browser sessions: who is logged in where, with tokens the browser's scripts never see.
//!
//! The browser holds a sealed cookie with the session's id, its generation and the access token; the edge opens it.
//! The refresh token never leaves the server; it rests sealed in the database.

pub mod cookie;
pub(crate) mod list;
pub mod refresh;
pub(crate) mod revoke;
pub mod store;
