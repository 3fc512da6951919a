//! The only list of tasks: people, README and CI call the same ones.
//!
//! Progress goes to standard error; standard output carries what a script wants to read, such as the path
//! of the module. Dependencies stay few: this crate compiles before anything else on a fresh clone.

pub mod command;
pub mod filter;
pub mod paint;
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
}

/// Runs the task of the command line.
///
/// # Errors
///
/// When it does not reach its end; the text says why and what to do next.
pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.task {
        Task::BuildFilter(arguments) => filter::run(arguments),
    }
}
