//! Markdown documents, sync, profiles and login behind the edge.
//!
//! `main` reads the settings and calls [`run`]; tests build [`app::App`] from a map of settings.

pub mod app;
pub mod audit;
pub mod auth;
pub mod body;
pub mod client;
pub mod clock;
pub mod config;
pub mod database;
pub mod documents;
pub mod error;
pub mod feed;
pub mod health;
pub mod internal;
pub mod login;
pub mod maintenance;
pub mod management;
pub mod merge_patch;
pub mod openapi;
pub mod pagination;
pub mod profile;
pub mod query;
pub mod run;
pub mod server;
pub mod sessions;
pub mod sync;
pub mod telemetry;
pub mod timestamp;
pub mod users;
pub mod web;
