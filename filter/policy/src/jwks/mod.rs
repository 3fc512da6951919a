//! The remote key set as a state machine: fetched by one worker for all, refreshed, outliving an outage.
//!
//! [`RemoteKeys`] is one worker's end. The adapter calls [`poll`](RemoteKeys::poll) on every tick, sends the
//! [`Fetch`](crate::store::fetch::Fetch) it may answer with, and hands the answer back. All workers share one
//! record and one copy of the document through the store, so a proxy makes one request per refresh interval,
//! however many workers it has.
//!
//! What is never done: falling back to any key that was not fetched from the configured place (CVE-2026-31837),
//! dropping good keys because a fetch failed, fetching per request.

mod cache_control;
mod discovery;
mod failure;
mod remote;
mod settings;

#[cfg(test)]
mod tests;

pub use crate::store::fetch::Location;
pub use failure::FetchFailure;
pub use remote::{RemoteKeys, UnknownKeyId};
pub use settings::{JwksSettings, Source};
