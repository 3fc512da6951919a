//! Documents, as a client of the API meets them.

mod create;
mod delete;
mod get;
mod list;
mod patch;
mod plans;
mod search;
mod update;

pub(super) const PATH: &str = "/api/v1/documents";
