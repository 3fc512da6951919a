//! The command: `api-server` serves, `api-server check` reads the settings and says what is wrong.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use api_server::config::{Environment, Settings};
use api_server::{run, telemetry};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Documents, sync, profiles and login behind the edge.
///
/// Settings come from the environment (`API_ISSUER`, …) and from the YAML file that `API_CONFIG_FILE` names.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve; the default.
    Serve,
    /// Read the settings and print every mistake, without serving.
    Check,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = match Environment::read().and_then(|source| Settings::read(&source)) {
        Ok(settings) => settings,
        Err(mistakes) => return fail(&mistakes),
    };
    match arguments.command {
        Some(Command::Check) => {
            check(&settings);
            ExitCode::SUCCESS
        }
        Some(Command::Serve) | None => match serve(settings).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&format_args!("{error:#}\n")),
        },
    }
}

/// The whole story on standard error, without a backtrace: what went wrong is outside this program.
#[expect(clippy::print_stderr, reason = "this is how a command fails")]
fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprint!("api-server: {error}");
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "this is what the command prints")]
fn check(settings: &Settings) {
    println!("{settings:#?}");
    println!("the settings are complete");
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    telemetry::init(&settings.log, settings.log_format);
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).context("no handler for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("no handler for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = stop.send(true);
        // A second signal means it: no more waiting.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    run::run(settings, stopped, print_ready).await?;
    Ok(())
}

/// The one line on standard output that a parent process waits for.
#[expect(clippy::print_stdout, reason = "this is what the command prints")]
fn print_ready(public: SocketAddr, internal: SocketAddr) {
    println!("ready public=http://{public} internal=http://{internal}");
}
