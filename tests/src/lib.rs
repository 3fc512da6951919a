//! What end-to-end tests are made of: real things, started, asked and ended.
//!
//! | part | is |
//! |---|---|
//! | [`envoy`] | a real Envoy, with a bootstrap made for the test and its log at hand when the test fails |
//! | [`module`] | the wasm module under test, never a stale one |
//! | [`upstream`] | the application behind the edge: an echo that tells what reached it |
//! | [`client`] | an HTTP/1.1 client that sends exactly the bytes it is told |
//! | [`rfc_vectors`] | the examples of RFC 7515 and RFC 8037 |
//! | [`sources`] | the names of all tests, for documents that name some |
//! | [`load`] | many of its requests at once |
//! | [`rate_limit_service`] | a service that Envoy asks over gRPC, which answers as the test says |
//! | [`redis`] | a Redis of the test's own |
//! | [`redis_counters`] | what the crate `limitador` has such a service answer, its counters in Redis |
//! | [`gateway`] | Envoy with the module in front of the echo, ready to be asked |
//! | [`wait`] | waiting for what another process does, with a deadline |
//!
//! A missing part is an error that names the next step, never a skipped test: a skipped test looks like a passed one.

pub mod client;
pub mod envoy;
pub mod gateway;
pub mod load;
pub mod module;
pub mod rate_limit_service;
pub mod redis;
pub mod redis_counters;
pub mod rfc_vectors;
pub mod sources;
pub mod upstream;
pub mod wait;
