//! `browser`: the tests of `tests/browser`, in a real Chromium through everything that is real, with each provider.

mod chromium;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::dev::{House, Parts, Plan, Ports, Provider, SPA_CLIENT_ID, free_port};
use crate::node::{self, Node};
use crate::service::Services;
use crate::{command, filter, workspace};

/// What to leave out.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// With this provider only
    #[arg(long, value_enum)]
    provider: Option<Provider>,
    /// Whose standard library to build the module with
    #[arg(long, value_enum, default_value_t = filter::Choice::Auto)]
    toolchain: filter::Choice,
    /// Only test files with one of these in their name
    names: Vec<String>,
}

/// How long the tests with one provider may take: a bound on what a run costs, not a length it has. It is the only one
/// on files and tests; each step of a test has its own, in `person.js`.
const RUN_LIMIT: Duration = Duration::from_mins(10);

/// Builds what is needed, and runs the tests.
///
/// # Errors
///
/// When something is missing and can't be installed, a server does not start, or a test failed.
pub fn run(arguments: &Arguments) -> Result<()> {
    let parts = Parts::build(arguments.toolchain)?;
    let (mut passed, mut failed) = (0, 0);
    for provider in Provider::ALL {
        if arguments.provider.is_none_or(|only| only == provider) {
            let counts = check(&parts, provider, &arguments.names)?;
            passed += counts.0;
            failed += counts.1;
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed > 0 {
        bail!("{failed} browser tests failed");
    }
    Ok(())
}

/// Starts a house with this provider, runs the test files whose name has one of `names` in it (none: all), and gives
/// how many tests passed and failed.
///
/// # Errors
///
/// When something is missing and can't be installed, a server does not start, or no test ran.
pub fn check(parts: &Parts, provider: Provider, names: &[String]) -> Result<(usize, usize)> {
    let tests = workspace::root().join("tests/browser");
    let files = files(&tests, names)?;
    let node = node::find_or_install()?;
    node.install_packages(&tests)?;
    let chromium = chromium::find_or_install(&node, &tests)?;

    let folder = workspace::target().join("browser").join(provider.name());
    if folder.exists() {
        // Documents and sessions of the last run.
        fs::remove_dir_all(&folder)?;
    }
    let spa = format!("http://127.0.0.1:{}", free_port()?);
    let plan = Plan {
        provider,
        folder,
        ports: Ports::default(),
        concurrency: 2,
        origins: vec![spa.clone()],
        for_tests: true,
    };
    let mut services = Services::new()?;
    let house = House::start(&mut services, &plan, parts)?;
    run_files(&node, &tests, &files, &house, &spa, &chromium)
}

fn files(folder: &Path, names: &[String]) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let asked = names.is_empty() || names.iter().any(|part| name.contains(part));
        if name.ends_with(".test.js") && asked {
            files.push(name);
        }
    }
    ensure!(!files.is_empty(), "no file in tests/browser has that name");
    files.sort();
    Ok(files)
}

fn run_files(
    node: &Node,
    tests: &Path,
    files: &[String],
    house: &House,
    spa: &str,
    chromium: &Path,
) -> Result<(usize, usize)> {
    let report: PathBuf = house.folder.join("report.tap");
    let mut command = node.command();
    command
        .current_dir(tests)
        // They share one house: what a test sets at the provider must not reach another.
        .args(["--test", "--test-concurrency=1"])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg("--test-reporter=tap")
        .arg(format!("--test-reporter-destination={}", report.display()))
        .args(files)
        .env("EDGE_AUTH_ORIGIN", house.origin())
        .env(
            "EDGE_AUTH_PLAIN_ORIGIN",
            format!("http://localhost:{}", house.http),
        )
        .env("EDGE_AUTH_PROVIDER", house.issuer())
        .env("EDGE_AUTH_ADMIN", format!("http://{}", house.admin))
        .env("EDGE_AUTH_SPA_ORIGIN", spa)
        .env("EDGE_AUTH_SPA_CLIENT_ID", SPA_CLIENT_ID)
        .env("EDGE_AUTH_CERTIFICATE", &house.certificate)
        .env("EDGE_AUTH_CHROMIUM", chromium)
        // For requests that tests make without the browser.
        .env("NODE_EXTRA_CA_CERTS", &house.certificate);
    let outcome = command::run_within(RUN_LIMIT, &mut command);
    let text = fs::read_to_string(&report).context("node left no report of the tests")?;
    let counts = count(&text);
    // What it can't count as a test's failure is one all the same: a run that was ended has no totals.
    if !matches!(counts, Ok((_, failed)) if failed > 0) {
        outcome?;
    }
    counts
}

/// The totals at the end of a TAP report; whatever did not pass has failed.
fn count(report: &str) -> Result<(usize, usize)> {
    let number = |name: &str| -> Result<usize> {
        let lines = report.lines().rev();
        let mut found = lines.filter_map(|line| line.strip_prefix(name));
        let number = found
            .next()
            .with_context(|| format!("no `{name}` in the report"))?;
        Ok(number.parse()?)
    };
    let (tests, passed) = (number("# tests ")?, number("# pass ")?);
    Ok((passed, tests.saturating_sub(passed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_did_not_pass_has_failed() {
        let report = "TAP version 13\nok 1 - # pass 7\n1..5\n# tests 5\n# suites 0\n# pass 2\n# fail 1\n# cancelled 1\n# skipped 1\n";
        assert_eq!(count(report).unwrap(), (2, 3));
        assert!(count("TAP version 13\n").is_err());
    }

    #[test]
    fn files_are_chosen_by_a_part_of_their_name() {
        let folder = workspace::root().join("tests/browser");
        let chosen = files(&folder, &["login".to_owned()]).unwrap();
        assert_eq!(chosen, ["login.test.js"]);
        assert!(files(&folder, &["no-such".to_owned()]).is_err());
    }
}
