//! `test` (and `ci`): everything that says the project is sound, in one command that also installs what it needs.
//!
//! Packages are always compiled as the whole workspace, so that every step finds the same features built, and each
//! boundary is then run by itself from what is there. Lint steps go on after a failure; the summary names them all.

mod boundary;
mod javascript;
mod openapi;
mod report;
mod runner;
mod tenant;

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use boundary::COMPILED_FILTER;
use report::{Counts, Report};
use runner::Runner;

use crate::dev::{self, Provider};
use crate::envoy;
use crate::filter::{self, Choice, Toolchain};
use crate::{apt, browser, command, web, workspace};

/// What to leave out, where time is short.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Build the module with this toolchain only; `auto` is each that can be had
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    toolchain: Choice,
}

/// Names the module that the tests of the compiled filter and of the whole load.
const MODULE: &str = "EDGE_AUTH_MODULE";

/// How long each parser is fuzzed, where ten seconds of it are worth waiting for.
const FUZZ_SECONDS: &str = "EDGE_AUTH_FUZZ_SECONDS";

/// Names the module built with Debian's packages, where there is one.
const DEBIAN_MODULE: &str = "EDGE_AUTH_MODULE_DEBIAN";

/// Runs every check and prints what was counted; the last line is `N passed, N failed`.
///
/// # Errors
///
/// When something failed, or a boundary ran no test.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut report = Report::default();
    let outcome = checks(arguments, &mut report);
    if let Err(error) = &outcome {
        report.failed_step("preparation", error);
    }
    report.print();
    if report.is_good() {
        return Ok(());
    }
    bail!("not everything passed: see the summary above")
}

fn checks(arguments: &Arguments, report: &mut Report) -> Result<()> {
    report.step("formatting", || {
        command::run(command::cargo().args(["fmt", "--all", "--check"]))
    });

    command::announce("finding what the tests need");
    let envoy = envoy::find_or_install()?;
    eprintln!("    Envoy {} ({})", envoy.version, envoy.path.display());
    find_postgres()?;
    find_redis()?;
    web::install()?;
    let toolchains = toolchains(arguments.toolchain)?;
    let modules = modules(&toolchains)?;
    let (_, module) = modules.first().context("no module was built")?;
    let module = filter::publish(module)?;

    report.step("lints", || {
        command::announce("clippy on the whole workspace, warnings denied");
        let mut clippy = command::cargo();
        clippy.args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]);
        command::run(&mut clippy)
    });
    if toolchains
        .iter()
        .any(|toolchain| matches!(toolchain, Toolchain::Rustup))
    {
        report.step("lints of the filter as wasm", || {
            command::announce("clippy on the filter for wasm32-wasip1");
            let mut clippy = command::cargo();
            clippy.args(["clippy", "--package", "edge-auth-filter", "--target"]);
            command::run(clippy.args([filter::TARGET, "--", "-D", "warnings"]))
        });
    }
    report.step("documentation", || {
        command::announce("documentation, warnings denied");
        let mut doc = command::cargo();
        doc.args([
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ]);
        command::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });

    command::announce("building the tests and the servers");
    let start = Instant::now();
    command::run(command::cargo().args(["build", "--workspace", "--bins"]))?;
    let mut runner = Runner::build()?;
    report.timed("build of the tests", start.elapsed());

    runner
        .env(envoy::VARIABLE, &envoy.path)
        .env(MODULE, &module)
        .env("REQUIRE_E2E", "1")
        .env(FUZZ_SECONDS, "10");
    if let Some((_, debian)) = modules.iter().find(|(name, _)| *name == DEBIAN) {
        runner.env(DEBIAN_MODULE, &debian.path);
    }
    for boundary in &boundary::ALL {
        if boundary.name == COMPILED_FILTER {
            for (toolchain, module) in &modules {
                let name = format!("{} ({toolchain})", boundary.name);
                runner.env(MODULE, &module.path);
                report.boundary(&name, || runner.run(boundary));
            }
            runner.env(MODULE, &module);
        } else {
            report.boundary(boundary.name, || runner.run(boundary));
        }
    }
    report.boundary("the API against its OpenAPI", openapi::run);
    report.boundary("the tenant as code", tenant::run);
    report.boundary("examples in documentation", || runner.run_doc_tests());
    let parts = dev::Parts {
        envoy,
        module,
        programs: workspace::target().join("debug"),
    };
    for provider in Provider::ALL {
        let name = format!("browser ({})", provider.name());
        report.boundary(&name, || Ok(counts(browser::check(&parts, provider, &[])?)));
    }
    report.boundary("quick start, each line of `dev`", || {
        Ok(counts(dev::check(&parts)?))
    });
    Ok(())
}

fn counts((passed, failed): (usize, usize)) -> Counts {
    Counts { passed, failed }
}

const RUSTUP: &str = "rustup";
const DEBIAN: &str = "Debian";

/// Every toolchain that can be had, so that both ways of building are proved where both are.
fn toolchains(choice: Choice) -> Result<Vec<Toolchain>> {
    if choice != Choice::Auto {
        return Ok(vec![filter::find(choice)?]);
    }
    let found = [Choice::Rustup, Choice::Debian].map(filter::find);
    let (mut toolchains, mut missing) = (Vec::new(), Vec::new());
    for toolchain in found {
        match toolchain {
            Ok(toolchain) => toolchains.push(toolchain),
            Err(error) => missing.push(format!("{error:#}")),
        }
    }
    if toolchains.is_empty() {
        // Says it all again with the next step.
        return Ok(vec![filter::find(Choice::Auto)?]);
    }
    for error in missing {
        eprintln!("    left out: {error}");
    }
    Ok(toolchains)
}

fn modules(toolchains: &[Toolchain]) -> Result<Vec<(&'static str, filter::Module)>> {
    let build = |toolchain: &Toolchain| {
        let name = match toolchain {
            Toolchain::Rustup => RUSTUP,
            Toolchain::Debian(_) => DEBIAN,
        };
        Ok((name, filter::build(toolchain)?))
    };
    toolchains.iter().map(build).collect()
}

/// The end-to-end tests start a Redis of their own, behind a rate limit service.
fn find_redis() -> Result<()> {
    if command::output(Command::new("redis-server").arg("--version")).is_some() {
        return Ok(());
    }
    apt::install(&["redis-server"]).context(
        "the tests of a limit over several proxies need Redis.\n\
         Next step: install Redis 7 or later, redis-server on PATH",
    )
}

/// The API suite starts a `PostgreSQL` of its own; Debian keeps the programs out of PATH.
fn find_postgres() -> Result<()> {
    let on_path = || command::output(Command::new("postgres").arg("--version")).is_some();
    let debian = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten();
        versions
            .map(|version| version.path().join("bin/postgres"))
            .any(|path| path.exists())
    };
    if on_path() || debian() {
        return Ok(());
    }
    apt::install(&["postgresql"]).context(
        "api-server's tests need PostgreSQL.\n\
         Next step: install PostgreSQL 15 or later, its programs on PATH",
    )
}
