//! The whole in a real Envoy: each file proves one topic.

mod harness;
