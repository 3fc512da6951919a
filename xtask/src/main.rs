//! `cargo xtask`: see [`xtask::Arguments`] for the tasks.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match xtask::run(&xtask::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{} {error:#}", xtask::paint::stderr().red("error:"));
            ExitCode::FAILURE
        }
    }
}
