//! The API against its own description: schemathesis makes requests of all kinds from `/openapi.json` and judges every
//! answer by it. It comes from `PyPI` into a private folder under `target/`. Routes for browsers are tried by one that
//! is logged in: `schemathesis_hooks.py` logs it in at the simulated Auth0.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::report::Counts;
use crate::http;
use crate::service::{Services, word};
use crate::{command, pypi, workspace};

/// The release the API is tried with.
const VERSION: &str = "4.32.5";

/// Some 40 packages.
const INSTALL_LIMIT: Duration = Duration::from_mins(5);

/// How long one listener is tried: a bound on what a run costs, not a length it has.
const RUN_LIMIT: Duration = Duration::from_mins(4);

/// Requests made of one operation, at most, in each phase that makes them up.
const EXAMPLES: &str = "12";

/// The application at the simulated Auth0, and the site it is.
const CLIENT_ID: &str = "browser-app";
const SITE: &str = "https://app.example.com";

/// What opens the API's internal routes, and what seals its cookies; both of this run only.
const INTERNAL_TOKEN: &str = "schemathesis-schemathesis-schemathesis";
const SESSION_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Tries both listeners; an operation counts as one test.
///
/// # Errors
///
/// When schemathesis can't be installed, or a server does not start.
pub(super) fn run() -> Result<Counts> {
    let schemathesis = find_or_install()?;
    let folder = workspace::target().join("schemathesis");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let programs = workspace::target().join("debug");

    let mut services = Services::new()?;
    let mut auth0 = Command::new(programs.join("auth0-sim"));
    let client = json!({
        "client_id": CLIENT_ID,
        "callbacks": [format!("{SITE}/api/v1/auth/callback")],
        "allowed_logout_urls": [format!("{SITE}/")],
    });
    auth0.args(["--client", &client.to_string()]);
    let issuer = services.start("auth0-sim", 35, &mut auth0, |lines| word(lines, "http://"))?;
    let database = folder.join("api-server.db");
    let mut api_server = Command::new(programs.join("api-server"));
    api_server
        .env("API_ISSUER", format!("{issuer}/"))
        .env("API_LISTEN", "127.0.0.1:0")
        .env("API_INTERNAL_LISTEN", "127.0.0.1:0")
        .env("API_DATABASE_URL", format!("sqlite:{}", database.display()))
        .env("API_CLIENT_ID", CLIENT_ID)
        .env("API_PUBLIC_URL", SITE)
        .env("API_SESSION_KEYS", SESSION_KEY)
        .env("API_MANAGEMENT_CLIENT_ID", "test-m2m-client")
        .env("API_MANAGEMENT_CLIENT_SECRET", "test-only-m2m-secret")
        .env("API_INTERNAL_TOKEN", INTERNAL_TOKEN)
        .env("API_LOG", "warn");
    let (public, internal) = services.start("api-server", 32, &mut api_server, |lines| {
        let (public, internal) = (word(lines, "public=")?, word(lines, "internal=")?);
        // It listens before it has the issuer's keys.
        let status = http::status(http::address(&public)?, "/readyz").ok()?;
        (status == 200).then_some((public, internal))
    })?;
    let token = token(&issuer)?;

    let mut total = Counts::default();
    for (url, bearer) in [(&public, token.as_str()), (&internal, INTERNAL_TOKEN)] {
        let mut command = Command::new(&schemathesis);
        command
            .env("EDGE_AUTH_API", &public)
            .env("EDGE_AUTH_ISSUER", &issuer)
            .env("EDGE_AUTH_CLIENT_ID", CLIENT_ID);
        let counts = try_listener(command, &folder, url, bearer)?;
        total.passed += counts.passed;
        total.failed += counts.failed;
    }
    Ok(total)
}

fn try_listener(
    mut schemathesis: Command,
    folder: &Path,
    url: &str,
    bearer: &str,
) -> Result<Counts> {
    let report = folder.join("report.xml");
    let tests = workspace::root().join("api-server/tests");
    schemathesis
        .current_dir(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", tests.join("schemathesis_hooks.py"))
        .arg("--config-file")
        .arg(tests.join("schemathesis.toml"))
        .args(["run", &format!("{url}/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {bearer}")])
        .args(["--phases", "examples,coverage,fuzzing"])
        // The same requests every time: a test that draws lots can't be told from one that broke.
        .arg("--generation-deterministic")
        .args(["--max-examples", EXAMPLES, "--continue-on-failure"])
        .args(["--report", "junit", "--report-junit-path"])
        .arg(&report);
    let outcome = command::run_within(RUN_LIMIT, &mut schemathesis);
    let text = fs::read_to_string(&report).context("schemathesis left no report")?;
    let counts = count(&text)?;
    // What it can't count as a test's failure is one all the same.
    if counts.failed == 0 {
        outcome?;
    }
    Ok(counts)
}

/// The totals of a `JUnit` report: `<testsuites errors="0" failures="1" tests="24" …>`.
fn count(report: &str) -> Result<Counts> {
    let (_, rest) = report
        .split_once("<testsuites")
        .context("the report has no testsuites")?;
    let head = rest.split('>').next().unwrap_or_default();
    let number = |name: &str| -> Result<usize> {
        let (_, rest) = head
            .split_once(&format!(" {name}=\""))
            .with_context(|| format!("the report has no {name}"))?;
        Ok(rest.split('"').next().unwrap_or_default().parse()?)
    };
    let (tests, failed) = (number("tests")?, number("failures")? + number("errors")?);
    Ok(Counts {
        passed: tests.saturating_sub(failed),
        failed,
    })
}

fn find_or_install() -> Result<PathBuf> {
    let folder = workspace::target().join("schemathesis-venv");
    let program = folder.join("bin/schemathesis");
    let is_there = || {
        let version = command::output(Command::new(&program).arg("--version"));
        version.is_some_and(|version| version.contains(VERSION))
    };
    if !is_there() {
        let package = format!("schemathesis=={VERSION}");
        pypi::install(&folder, &package, INSTALL_LIMIT).with_context(|| {
            format!(
                "{package} can't be installed from PyPI.\n\
                 Next step: see whether `python3 -m pip download {package}` works here"
            )
        })?;
        ensure!(
            is_there(),
            "{package} is installed, but does not run on this machine"
        );
    }
    Ok(program)
}

/// An access token with every scope, for a user the simulated tenant does not know.
fn token(issuer: &str) -> Result<String> {
    let scope = "read:documents write:documents delete:documents read:profile write:profile";
    let body = json!({"scope": scope, "subject": "auth0|schemathesis"}).to_string();
    let address = http::address(issuer).context("the simulated Auth0 names no address")?;
    let answer: Value = serde_json::from_str(&http::post_json(address, "/sim/token", &body)?)?;
    let token = answer["access_token"].as_str();
    Ok(token
        .context("the simulated Auth0 gives no token")?
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read_from_the_report_and_an_error_is_a_failure() {
        let report = r#"<?xml version="1.0"?>
            <testsuites disabled="0" errors="1" failures="2" tests="20" time="3.5"><testsuite tests="9"/>"#;
        let counts = count(report).unwrap();
        assert_eq!((counts.passed, counts.failed), (17, 3));
        assert!(count("<html>").is_err());
    }
}
