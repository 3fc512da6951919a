//! The whole in a real Envoy: each file proves one topic.

mod advisories;
mod configuration;
mod differential;
mod harness;
mod hostile_paths;
mod hostile_tokens;
mod identity_headers;
mod migration;
mod native_filters;
mod outage;
mod rate_limit;
mod rate_limit_over_proxies;
mod rate_limit_service;
mod rfc_vectors;
mod rotation;
mod session;
mod sight;
mod walkthrough;
