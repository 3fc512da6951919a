//! Tests on Node's own runner: shown as they run, and counted.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::report::Counts;
use crate::{command, workspace};

/// A bound on what a run costs, not a length it has.
const RUN_LIMIT: Duration = Duration::from_mins(10);

/// Runs `node`, a command with its folder, environment and perhaps arguments, as `node --test files…`. Without files, Node
/// looks for them itself: `*.test.mjs` and the like in the folder.
///
/// # Errors
///
/// When Node can't be started, or fails in a way that it does not count as a test's.
pub(super) fn run(node: &mut Command, files: &[&str]) -> Result<Counts> {
    let report = workspace::target().join(format!("node-tests-{}.tap", std::process::id()));
    fs::create_dir_all(workspace::target())?;
    node.arg("--test")
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg("--test-reporter=tap")
        .arg(destination(&report))
        .args(files);
    let outcome = command::run_within(RUN_LIMIT, node);
    let text = fs::read_to_string(&report).context("Node left no report of its tests")?;
    fs::remove_file(&report)?;
    let counts = count(&text)?;
    if counts.failed == 0 {
        outcome?;
    }
    Ok(counts)
}

fn destination(report: &Path) -> String {
    format!("--test-reporter-destination={}", report.display())
}

/// The totals at the end of a TAP report: `# pass 3` and the like. What was cancelled or skipped was not shown to hold.
fn count(report: &str) -> Result<Counts> {
    let number = |name: &str| -> Result<usize> {
        let line = format!("# {name} ");
        let mut found = report.lines().rev().filter_map(|l| l.strip_prefix(&line));
        let number = found
            .next()
            .with_context(|| format!("the report has no `{line}`"))?;
        Ok(number.parse()?)
    };
    Ok(Counts {
        passed: number("pass")?,
        failed: number("fail")? + number("cancelled")? + number("skipped")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_cancelled_or_skipped_is_a_failure() {
        let report = "TAP version 13\nok 1 - prints # pass 7\n# pass 9\n1..7\n# tests 7\n# suites 0\n# pass 3\n# fail 1\n\
                      # cancelled 1\n# skipped 2\n# todo 0\n# duration_ms 12.5\n";
        let counts = count(report).unwrap();
        assert_eq!((counts.passed, counts.failed), (3, 4));
        assert!(count("TAP version 13\n").is_err());
    }
}
