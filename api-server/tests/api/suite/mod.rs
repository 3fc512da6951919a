//! What the API promises, one module per URL. Both engines run the same suite.

mod auth;
mod body;
mod config;
mod database;
mod documents;
mod durability;
mod health;
mod internal;
mod login;
mod logs;
mod openapi;
mod postgres;
mod profile;
mod provider;
pub(crate) mod server;
mod shutdown;
mod sync;
mod web;
