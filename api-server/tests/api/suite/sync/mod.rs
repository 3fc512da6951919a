//! Sync between devices.

mod interleavings;
mod pull;
mod push;

pub(super) const CHANGES: &str = "/api/v1/sync/changes";
pub(super) const PUSH: &str = "/api/v1/sync/push";
