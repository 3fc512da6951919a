//! What was run, how it went, how long it took; and the table at the end.

use std::time::{Duration, Instant};

use anyhow::{Error, Result};

use crate::paint;

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

/// The summary, as it grows.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    outcome: Outcome,
    took: Duration,
}

#[derive(Debug)]
enum Outcome {
    /// A step that is no test.
    Done,
    /// A step that failed, or tests that could not be run; counts as one failure.
    Failed(String),
    /// Tests that ran.
    Tests(Counts),
}

impl Report {
    /// Runs a step that counts no tests.
    pub(super) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) {
        let start = Instant::now();
        let outcome = match run() {
            Ok(()) => Outcome::Done,
            Err(error) => failed(&error),
        };
        self.push(name, outcome, start.elapsed());
    }

    /// Runs the tests of a boundary; to run none is a failure.
    pub(super) fn boundary(&mut self, name: &str, run: impl FnOnce() -> Result<Counts>) {
        eprintln!("{} tests: {name}", paint::stderr().bold("==>"));
        let start = Instant::now();
        let outcome = match run() {
            Ok(Counts {
                passed: 0,
                failed: 0,
            }) => Outcome::Failed("no test ran".to_owned()),
            Ok(counts) => Outcome::Tests(counts),
            Err(error) => failed(&error),
        };
        self.push(name, outcome, start.elapsed());
    }

    /// Notes a step that succeeded.
    pub(super) fn timed(&mut self, name: &str, took: Duration) {
        self.push(name, Outcome::Done, took);
    }

    /// Notes a step that failed and ended the run.
    pub(super) fn failed_step(&mut self, name: &str, error: &Error) {
        self.push(name, failed(error), Duration::ZERO);
    }

    /// Whether nothing failed.
    pub(super) fn is_good(&self) -> bool {
        self.total().failed == 0
    }

    /// Prints the table, and as last line `N passed, N failed`.
    pub(super) fn print(&self) {
        let paint = paint::stdout();
        println!("\n{:<34} {:>8} {:>8} {:>8}", "", "passed", "failed", "time");
        for Row {
            name,
            outcome,
            took,
        } in &self.rows
        {
            let took = format!("{:.0} s", took.as_secs_f32());
            match outcome {
                Outcome::Done => println!("{name:<34} {:>8} {:>8} {took:>8}", "ok", ""),
                Outcome::Tests(Counts { passed, failed: 0 }) => {
                    println!("{name:<34} {passed:>8} {:>8} {took:>8}", 0);
                }
                Outcome::Tests(Counts { passed, failed }) => {
                    let row = format!("{name:<34} {passed:>8} {failed:>8} {took:>8}");
                    println!("{}", paint.red(row));
                }
                Outcome::Failed(error) => {
                    let first = error.lines().next().unwrap_or_default();
                    println!("{}", paint.red(format!("{name:<34}  FAILED  {first}")));
                }
            }
        }
        let Counts { passed, failed } = self.total();
        println!("\n{passed} passed, {failed} failed");
    }

    fn push(&mut self, name: &str, outcome: Outcome, took: Duration) {
        let paint = paint::stderr();
        let what = match &outcome {
            Outcome::Done => paint.green("ok"),
            Outcome::Tests(Counts { passed, failed: 0 }) => paint.green(format!("{passed} passed")),
            Outcome::Tests(Counts { passed, failed }) => {
                paint.red(format!("{passed} passed, {failed} failed"))
            }
            Outcome::Failed(error) => paint.red(format!("FAILED: {error}")),
        };
        eprintln!("    {name}: {what} ({:.0} s)", took.as_secs_f32());
        self.rows.push(Row {
            name: name.to_owned(),
            outcome,
            took,
        });
    }

    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for row in &self.rows {
            match &row.outcome {
                Outcome::Done => {}
                Outcome::Failed(_) => total.failed += 1,
                Outcome::Tests(counts) => {
                    total.passed += counts.passed;
                    total.failed += counts.failed;
                }
            }
        }
        total
    }
}

fn failed(error: &Error) -> Outcome {
    Outcome::Failed(format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_that_runs_no_test_is_a_failure() {
        let mut report = Report::default();
        report.boundary("one that passes", || {
            Ok(Counts {
                passed: 3,
                failed: 0,
            })
        });
        assert!(report.is_good());
        report.boundary("an empty one", || Ok(Counts::default()));
        assert_eq!(
            report.total(),
            Counts {
                passed: 3,
                failed: 1
            }
        );
    }

    #[test]
    fn a_failed_step_keeps_the_last_line_from_saying_that_nothing_failed() {
        let mut report = Report::default();
        report.step("lints", || Err(Error::msg("clippy failed")));
        assert!(!report.is_good());
        assert_eq!(
            report.total(),
            Counts {
                passed: 0,
                failed: 1
            }
        );
    }
}
