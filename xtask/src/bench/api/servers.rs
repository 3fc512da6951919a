//! The two servers: api-server as it is released, and `FastAPI` as its tutorial writes it; on one core each.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Bench;
use super::documents::Database;
use crate::bench::tokens::{AUDIENCE, ISSUER};
use crate::service::{Services, word};
use crate::{command, http, pypi, workspace};

/// A server that answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    /// Names it in tables.
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    pub(super) process: u32,
}

/// The one that is ours.
pub(super) const OURS: &str = "api-server";
/// Some 25 packages.
const INSTALL_LIMIT: Duration = Duration::from_mins(5);

/// Builds api-server with the profile it is released with.
///
/// # Errors
///
/// When it does not build.
pub(super) fn build() -> Result<PathBuf> {
    command::run(command::cargo().args([
        "build",
        "--release",
        "--package",
        "api-server",
        "--bin",
        "api-server",
    ]))?;
    Ok(workspace::target().join("release/api-server"))
}

/// The Python that has what the other server needs.
///
/// # Errors
///
/// When `PyPI`'s packages can't be installed.
pub(super) fn python() -> Result<PathBuf> {
    let folder = workspace::target().join("fastapi-venv");
    let requirements = sources().join("requirements.txt");
    pypi::install_pinned(&folder, &requirements, INSTALL_LIMIT).with_context(|| {
        format!(
            "{} can't be installed from PyPI",
            workspace::relative(&requirements)
        )
    })?;
    Ok(folder.join("bin/python"))
}

/// Where the Python files lie.
pub(super) fn sources() -> PathBuf {
    workspace::root().join("tests/bench/fastapi")
}

/// Starts api-server on `database`.
///
/// # Errors
///
/// When it does not start.
pub(super) fn api_server(
    bench: &Bench<'_>,
    services: &mut Services,
    database: &Database,
) -> Result<Server> {
    let name = OURS;
    let mut command = bench.load.on_core("0", bench.program);
    command
        .env("API_ISSUER", ISSUER)
        .env("API_AUDIENCE", AUDIENCE)
        .env(
            "API_JWKS_URI",
            format!("http://{}/.well-known/jwks.json", bench.issuer),
        )
        .env("API_LISTEN", "127.0.0.1:0")
        .env("API_INTERNAL_LISTEN", "127.0.0.1:0")
        .env("API_DATABASE_URL", format!("sqlite:{}", database.display()))
        // Neither server writes a line for each request.
        .env("API_LOG", "warn");
    let address = services.start(name, 32, &mut command, |lines| {
        let address = http::address(&word(lines, "public=")?)?;
        let status = http::status(address, "/readyz").ok()?;
        (status == 200).then_some(address)
    })?;
    server(name, address, services)
}

/// How python-jose is given a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Jose {
    /// The JSON Web Key with every token, as Auth0's quickstart for Python does.
    WebKey,
    /// A key that is made once: quicker, and seldom seen.
    Constructed,
}

/// Starts the `FastAPI` server on `database`.
///
/// # Errors
///
/// When it does not start.
pub(super) fn fastapi(
    bench: &Bench<'_>,
    services: &mut Services,
    database: &Database,
    jose: Jose,
) -> Result<Server> {
    let (name, form) = match jose {
        Jose::WebKey => ("FastAPI", "web-key"),
        Jose::Constructed => ("FastAPI, tuned", "constructed"),
    };
    let keys = bench.folder.join("jwks.json");
    fs::write(&keys, bench.tokens.jwks.to_string())?;
    // uvicorn does not say which port it took.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    drop(listener);
    let mut command = bench.load.on_core("0", bench.python);
    command
        .args(["-m", "uvicorn", "server:app", "--app-dir"])
        .arg(sources())
        .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--loop", "uvloop", "--http", "httptools"])
        .args(["--log-level", "warning", "--no-access-log"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BENCH_ISSUER", ISSUER)
        .env("BENCH_AUDIENCE", AUDIENCE)
        .env("BENCH_JWKS", &keys)
        .env("BENCH_KEYS", form)
        .env("BENCH_DATABASE", database.path());
    services.start(name, 33, &mut command, |_| {
        let status = http::status(address, "/healthz").ok()?;
        (status == 200).then_some(())
    })?;
    server(name, address, services)
}

fn server(name: &'static str, address: SocketAddr, services: &Services) -> Result<Server> {
    let process = services.process(name).context("it has ended")?;
    Ok(Server {
        name,
        address,
        process,
    })
}

/// The Python program `script` of ours, with `arguments`.
pub(super) fn script(python: &Path, script: &str) -> Command {
    let mut command = Command::new(python);
    command
        .arg(sources().join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
