//! The whole in a real Envoy: each file proves one topic.

mod configuration;
mod differential;
mod harness;
mod hostile_paths;
mod hostile_tokens;
mod identity_headers;
mod native_filters;
mod outage;
mod rate_limit;
mod rotation;
mod session;
mod sight;
mod walkthrough;
