//! The tenant as code: the post-login Action, the deploy CLI's import without a tenant, and what Auth0 calls, against a
//! real api-server.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::javascript;
use super::report::Counts;
use crate::service::{self, Services};
use crate::{node, workspace};

/// What opens the internal routes of this run's api-server, and nothing else.
const INTERNAL_TOKEN: &str = "tenant-tests-tenant-tests-tenant-tests";

/// The calls of the Action and the log stream. Node does not find them by itself: they need a server.
const CALLS: &str = "tests/calls/api-server.mjs";

/// Runs `npm test` of `api-server/auth0`, and then the calls.
///
/// # Errors
///
/// When Node.js or the packages can't be installed, or api-server does not start.
pub(super) fn run() -> Result<Counts> {
    let node = node::find_or_install()?;
    let folder = workspace::root().join("api-server/auth0");
    node.install_packages(&folder)?;
    let without_server = javascript::run(node.command().current_dir(&folder), &[])?;

    let mut services = Services::new()?;
    let internal = start_api_server(&mut services)?;
    let mut calls = node.command();
    calls
        .current_dir(&folder)
        .env("API_INTERNAL_ADDRESS", internal)
        .env("API_INTERNAL_TOKEN", INTERNAL_TOKEN);
    let with_server = javascript::run(&mut calls, &[CALLS])?;
    Ok(Counts {
        passed: without_server.passed + with_server.passed,
        failed: without_server.failed + with_server.failed,
    })
}

/// The address of its internal listener.
fn start_api_server(services: &mut Services) -> Result<String> {
    let folder = workspace::target().join("tenant-tests");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let database = folder.join("api-server.db");
    let mut api_server = Command::new(workspace::target().join("debug/api-server"));
    api_server
        // Nobody is there: what Auth0 calls does not depend on the issuer's keys.
        .env("API_ISSUER", "http://127.0.0.1:9/")
        .env("API_LISTEN", "127.0.0.1:0")
        .env("API_INTERNAL_LISTEN", "127.0.0.1:0")
        .env("API_DATABASE_URL", format!("sqlite:{}", database.display()))
        .env("API_INTERNAL_TOKEN", INTERNAL_TOKEN)
        .env("API_LOG", "error");
    services.start("api-server", 32, &mut api_server, |lines| {
        service::word(lines, "internal=")
    })
}
