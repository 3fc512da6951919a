//! Scopes (RFC 6749 §3.3).
