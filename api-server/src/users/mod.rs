//! Users: what we know of whoever a token names.

pub mod store;
