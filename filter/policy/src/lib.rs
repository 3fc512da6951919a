//! edge-auth's decisions: values in, effects out.
//!
//! Each callback of a proxy hands over plain data and the time, and gets back what to do. Nothing here makes
//! a host call, reads a clock, draws randomness or does I/O; the same input gives the same decision, natively
//! and in wasm.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg_attr(
    test,
    expect(
        clippy::indexing_slicing,
        reason = "a test that indexes out of bounds fails, as it should"
    )
)]

pub mod audit;
pub mod authority;
pub mod base64url;
pub mod claims;
pub mod client_address;
pub mod condition;
pub mod config;
pub mod cors;
pub mod credentials;
pub mod decision;
pub mod decision_id;
pub mod identity;
pub mod json;
pub mod jwk;
pub mod jwks;
pub mod jwt;
pub mod metrics;
pub mod path;
pub mod pipeline;
pub mod protected_resource;
pub mod protobuf;
pub mod rate_limit;
pub mod redirect;
pub mod rejection;
pub mod request;
pub mod revocation;
pub mod route;
pub mod rsa;
pub mod sampler;
pub mod scope;
pub mod security_headers;
pub mod session;
pub mod signature;
mod sort;
pub mod step_up;
pub mod store;
pub mod time;
pub mod token;
mod token_cache;
