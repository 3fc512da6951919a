//! `bench edge`: what a request costs with our module, with Envoy's own filters that do the same work, and with
//! none; all in one Envoy, interleaved, so that a busy machine slows them alike. `bench api`: what one costs
//! api-server, beside the same routes in Python.
//!
//! Absolute figures are this machine's. What is worth quoting are ratios, taken round by round, and the CPU time
//! per request. No figure decides whether a test passes.

mod api;
mod edge;
mod load;
mod noop;
mod process;
mod report;
mod start;
mod tokens;
mod variants;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use crate::{command, filter};

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Clone, Debug, Subcommand)]
enum Bench {
    /// Requests through one Envoy worker: no filter, Envoy's own, ours
    Edge(Edge),
    /// From the start of an Envoy to its first answer, with 1, 100 and 10,000 rules
    Start(Start),
    /// Requests to api-server on one core, beside `FastAPI`; and one owner with up to a million documents
    Api(Length),
    /// Decisions, natively and without a proxy (criterion)
    Policy,
}

/// How long to measure.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Length {
    /// Two short rounds, under three minutes
    #[arg(long)]
    quick: bool,
    /// How often each variant takes its turn [default: 7, or 2 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=99))]
    rounds: Option<u16>,
    /// How long a turn lasts, in seconds [default: 4, or 2 with --quick]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u16).range(1..=60))]
    seconds: Option<u16>,
}

impl Length {
    /// How many there are, and how long a turn lasts.
    fn plan(self) -> (u16, Duration) {
        let (rounds, seconds) = if self.quick { (2, 2) } else { (7, 4) };
        let seconds = self.seconds.unwrap_or(seconds);
        (
            self.rounds.unwrap_or(rounds),
            Duration::from_secs(seconds.into()),
        )
    }
}

/// How to measure.
#[derive(Clone, Debug, clap::Args)]
struct Edge {
    #[command(flatten)]
    length: Length,
    /// Only variants whose name contains this; may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Measure this module instead of building one
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// Measure this module too, as variants of their own: what a change costs or saves
    #[arg(long, value_name = "FILE")]
    beside: Option<PathBuf>,
    /// Whose standard library to build the module with
    #[arg(long, value_enum, default_value_t = filter::Choice::Auto)]
    toolchain: filter::Choice,
}

/// How to measure starts.
#[derive(Clone, Debug, clap::Args)]
struct Start {
    /// How often each variant is started
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=99))]
    rounds: u16,
    /// Measure this module instead of building one
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// Whose standard library to build the module with
    #[arg(long, value_enum, default_value_t = filter::Choice::Auto)]
    toolchain: filter::Choice,
}

/// Measures and prints a table; JSON goes to `target/bench/`.
///
/// # Errors
///
/// When a part is missing, or a variant does not do the work its name says.
pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.bench {
        Bench::Edge(arguments) => edge::run(arguments),
        Bench::Start(arguments) => start::run(arguments),
        Bench::Api(length) => api::run(*length),
        Bench::Policy => command::run_inherited(command::cargo().args([
            "bench",
            "--package",
            "edge-auth-policy",
            "--benches",
        ])),
    }
}
