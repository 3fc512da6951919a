//! Strict JSON for untrusted input.
