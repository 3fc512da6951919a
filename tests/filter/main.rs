//! The compiled filter in wasmtime: glue, workers, waiting, shared data, traps. What the policy decides is tested
//! natively; here it is shown that the module carries it out, on a host that enforces the ABI.

mod advisories;
mod configure;
mod cost;
mod fetched_bodies;
mod harness;
mod hostile;
mod identity;
mod jwks;
mod rate_limit;
mod rate_limit_service;
mod replies;
mod rfc_vectors;
mod session;
mod sight;
mod verifier;
