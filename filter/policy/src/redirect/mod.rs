//! HTTP to HTTPS.
