//! The only list of tasks: people, README and CI call the same ones.
//!
//! Progress goes to standard error; standard output carries what a script wants to read, such as the path
//! of the module. Dependencies stay few: this crate compiles before anything else on a fresh clone.

pub mod apt;
pub mod auth0_sim;
pub mod bench;
pub mod bootstrap;
pub mod browser;
pub mod command;
pub mod dev;
pub mod envoy;
pub mod filter;
pub mod fuzz;
mod http;
pub mod manifests;
pub mod node;
pub mod paint;
mod pypi;
mod service;
pub mod test;
pub mod web;
pub mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The only list of tasks of edge-auth
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
pub struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the proxy-wasm module that Envoy loads, and print its path last
    BuildFilter(filter::Arguments),
    /// Run the whole house on loopback: an identity provider, api-server, and Envoy with the module in front
    Dev(dev::Arguments),
    /// Install what is missing, run every check, and count the tests of each boundary
    #[command(visible_alias = "ci")]
    Test(test::Arguments),
    /// Measure what a request costs: at the edge beside Envoy's own filters, in api-server beside a Python server
    Bench(bench::Arguments),
    /// Run every parser under libFuzzer, guided by coverage: hours where CI takes seconds
    Fuzz(fuzz::Arguments),
    /// Run the browser tests: a real Chromium through a real Envoy, with each identity provider
    Browser(browser::Arguments),
    /// Run the simulated Auth0 alone
    Auth0Sim(auth0_sim::Arguments),
    /// Fetch the libraries of the browser app
    Web,
    /// Write envoy/plugin-config.yaml into the bootstrap and the manifests that carry it
    Manifests,
}

/// Runs the task of the command line.
///
/// # Errors
///
/// When it does not reach its end; the text says why and what to do next.
pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.task {
        Task::BuildFilter(arguments) => filter::run(arguments),
        Task::Dev(arguments) => dev::run(arguments),
        Task::Test(arguments) => test::run(arguments),
        Task::Bench(arguments) => bench::run(arguments),
        Task::Fuzz(arguments) => fuzz::run(arguments),
        Task::Browser(arguments) => browser::run(arguments),
        Task::Auth0Sim(arguments) => auth0_sim::run(arguments),
        Task::Web => web::install(),
        Task::Manifests => manifests::run(),
    }
}
