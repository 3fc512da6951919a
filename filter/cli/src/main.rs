//! `edge-auth`: the policy on the command line, before any proxy starts.
//!
//! Everything here runs the code that the filter runs, natively. What a command says goes to standard output,
//! why it could not run to standard error. Exit codes are for CI: 0 all is well, 1 something is wrong with what
//! was looked at, 2 it could not be looked at.

mod cases;
mod check;
mod document;
mod edge;
mod explain;
mod found;
mod generate;
mod reference;
mod seal;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Check, explain and test an edge-auth policy before a proxy loads it
#[derive(Debug, Parser)]
#[command(name = "edge-auth", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find every mistake in plugin configurations, wherever they stand
    Check(check::Arguments),
    /// Tell which rule and which step decides a request, step by step
    Explain(explain::Arguments),
    /// Run cases: requests, and what must become of them
    Test(cases::Arguments),
    /// Make the manifests around a plugin configuration
    Generate(generate::Arguments),
    /// Seal access tokens into session cookies, to test a policy that opens them
    SealSession(seal::Arguments),
    /// Print the JSON Schema of the plugin configuration
    Schema,
    /// Print the reference of the plugin configuration, in Markdown
    Reference,
}

/// What a command has to say, and whether what it looked at is right.
#[derive(Debug)]
struct Report {
    text: String,
    right: bool,
}

impl Report {
    fn right(text: String) -> Self {
        Self { text, right: true }
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(report) => {
            print(&report.text);
            ExitCode::from(u8::from(!report.right))
        }
        Err(error) => {
            eprintln!("edge-auth: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Report> {
    match &arguments.command {
        Command::Check(arguments) => check::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Test(arguments) => cases::run(arguments),
        Command::Generate(arguments) => generate::run(arguments),
        Command::SealSession(arguments) => seal::run(arguments),
        Command::Schema => {
            let schema = serde_json::to_string_pretty(&edge_auth_policy::config::schema())?;
            Ok(Report::right(schema + "\n"))
        }
        Command::Reference => Ok(Report::right(reference::markdown(
            &edge_auth_policy::config::schema(),
        ))),
    }
}

/// Writes to standard output; a reader that has seen enough (`| head`) is no failure.
fn print(text: &str) {
    if let Err(error) = std::io::stdout().lock().write_all(text.as_bytes())
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("edge-auth: cannot write: {error}");
    }
}
