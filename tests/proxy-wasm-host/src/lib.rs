//! A proxy-wasm 0.2.1 host in wasmtime that behaves as Envoy does, for tests of filters.
//!
//! It simulates and never scripts: the test sends requests, moves the clock and answers the filter's calls,
//! and looks at what became of them. Which hostcalls a filter makes, and in which order, is its own affair.
//!
//! ```no_run
//! use std::time::Duration;
//! use proxy_wasm_host::{Outcome, Proxy, Request, Response};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let proxy = Proxy::builder(std::fs::read("filter.wasm")?)
//!     .configuration(r#"{"version": 1}"#)
//!     .workers(2)
//!     .cluster("auth0")
//!     .start()?;
//!
//! // The filter fetches its keys on a tick; until they are there it holds the request.
//! let stream = proxy.worker(0).request(Request::get("/api").header("authorization", "Bearer …"));
//! proxy.advance(Duration::from_secs(1));
//! assert_eq!(stream.outcome(), Outcome::Paused);
//!
//! for call in proxy.pending_http_calls() {
//!     call.respond(Response::new(200).body(r#"{"keys": []}"#));
//! }
//! assert_eq!(stream.outcome().status(), Some(401));
//! stream.finish();
//! assert_eq!(proxy.metric("denied"), 1);
//! assert!(proxy.refusals().is_empty(), "the filter broke no rule of the ABI");
//! # Ok(())
//! # }
//! ```
//!
//! The judge is Envoy 1.40 itself: what modules see here was compared with what the same modules see there.
//! What is like Envoy: header maps (bytes, inline names, which map may be used when), local replies and
//! how they pass the response callbacks, pausing, calls and their failures, shared data and queues, metrics,
//! the clock, WASI, failure policies, and one VM per thread. What is not there: TCP filters, gRPC streams,
//! HTTP metadata frames, buffer limits, routes, and attributes that are protobuf messages unless the test
//! supplies them.

mod abi;
mod builder;
mod clock;
mod error;
mod filter_chain;
mod grpc_calls;
mod guest;
mod headers;
mod hostcalls;
mod http_calls;
mod lock;
mod log;
mod metrics;
mod module;
mod pairs;
mod plugin;
mod process;
mod proxy;
mod request;
mod response;
mod shared;
mod shared_data;
mod shared_queue;
mod state;
mod stream;
mod vm;
mod wasi;
mod worker;

pub use abi::{LogLevel, MetricType, Status};
pub use builder::Builder;
pub use error::StartError;
pub use grpc_calls::{GrpcCall, GrpcRequest};
pub use headers::Headers;
pub use http_calls::{HttpCall, HttpRequest};
pub use log::{Callback, LogEntry, Refusal, Thread};
pub use metrics::MetricValue;
pub use plugin::FailurePolicy;
pub use proxy::{Proxy, Stream, Worker};
pub use request::Request;
pub use response::{LocalReply, Response};
pub use shared_data::Versioned;
pub use stream::Outcome;
