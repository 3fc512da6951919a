//! Users: what we know of whoever a token names.

mod seen;
pub mod store;

pub use seen::Seen;
