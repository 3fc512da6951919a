//! `auth0-sim`: the simulated Auth0 alone, with its own arguments.

use std::ffi::OsString;

use anyhow::Result;

use crate::command;

/// What `auth0-sim --help` explains.
#[derive(Clone, Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Passed on to it as they are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    passed_on: Vec<OsString>,
}

/// Builds it and runs it to its end.
///
/// # Errors
///
/// When it does not build or fails.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut cargo = command::cargo();
    cargo
        .args(["run", "--quiet", "--package", "auth0-sim", "--"])
        .args(&arguments.passed_on);
    command::run_inherited(&mut cargo)
}
