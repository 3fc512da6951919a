//! Runs the tests of a boundary and counts them: with `cargo nextest` where it is installed, else the test programs
//! that `cargo test` built, one after the other.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::boundary::Boundary;
use super::report::Counts;
use crate::command;

/// Tests that are built and can be run boundary by boundary.
#[derive(Debug)]
pub(super) struct Runner {
    environment: BTreeMap<&'static str, OsString>,
    how: How,
}

#[derive(Debug)]
enum How {
    Nextest,
    Programs(Vec<Program>),
}

/// A test program, as Cargo announces it.
#[derive(Debug)]
struct Program {
    package: String,
    target: String,
    folder: PathBuf,
    path: PathBuf,
}

impl Runner {
    /// Builds all tests of the workspace.
    pub(super) fn build() -> Result<Self> {
        let has_nextest =
            command::output(command::cargo().args(["nextest", "--version"])).is_some();
        let how = if has_nextest {
            command::run(command::cargo().args(["nextest", "run", "--workspace", "--no-run"]))?;
            How::Nextest
        } else {
            How::Programs(build_programs()?)
        };
        Ok(Self {
            environment: BTreeMap::new(),
            how,
        })
    }

    /// Sets a variable for the tests.
    pub(super) fn env(&mut self, name: &'static str, value: impl Into<OsString>) -> &mut Self {
        self.environment.insert(name, value.into());
        self
    }

    /// Runs the tests of a boundary to the last, and counts them.
    pub(super) fn run(&self, boundary: &Boundary) -> Result<Counts> {
        match &self.how {
            How::Nextest => self.run_nextest(boundary),
            How::Programs(programs) => {
                let mut total = Counts::default();
                for program in programs {
                    if boundary.has(&program.package, &program.target) {
                        let mut test = Command::new(&program.path);
                        test.current_dir(&program.folder)
                            .env("CARGO_MANIFEST_DIR", &program.folder);
                        let counts = self.run_libtest(&mut test)?;
                        total.passed += counts.passed;
                        total.failed += counts.failed;
                    }
                }
                Ok(total)
            }
        }
    }

    /// Runs the examples in documentation; nextest does not.
    pub(super) fn run_doc_tests(&self) -> Result<Counts> {
        let mut cargo = command::cargo();
        self.run_libtest(cargo.args(["test", "--workspace", "--doc", "--no-fail-fast", "--quiet"]))
    }

    fn run_nextest(&self, boundary: &Boundary) -> Result<Counts> {
        let mut nextest = command::cargo();
        nextest
            .args([
                "nextest",
                "run",
                "--workspace",
                "--no-fail-fast",
                "--no-tests=pass",
            ])
            .args(["--status-level=slow", "--final-status-level=fail"])
            .args(["--filterset", &boundary.filterset()]);
        let lines = self.tee(&mut nextest)?.0;
        let summary = lines.iter().rev().find_map(|line| nextest_summary(line));
        // Without a single test nextest prints no summary.
        Ok(summary.unwrap_or_default())
    }

    fn run_libtest(&self, command: &mut Command) -> Result<Counts> {
        let (lines, success) = self.tee(command)?;
        let mut total = Counts::default();
        for counts in lines.iter().filter_map(|line| libtest_summary(line)) {
            total.passed += counts.passed;
            total.failed += counts.failed;
        }
        ensure!(
            success || total.failed > 0,
            "`{}` failed outside a test",
            command::line(command)
        );
        Ok(total)
    }

    /// Runs a command with its output shown as it comes; gives all its lines and whether it succeeded.
    fn tee(&self, command: &mut Command) -> Result<(Vec<String>, bool)> {
        let mut child = command
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start `{}`", command::line(command)))?;
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            forward(stdout, sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, sender);
        }
        let lines: Vec<String> = lines.iter().inspect(|line| eprintln!("{line}")).collect();
        Ok((lines, child.wait()?.success()))
    }
}

/// Sends the lines of `stream` from a thread of its own.
fn forward(stream: impl Read + Send + 'static, lines: mpsc::Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if lines.send(line).is_err() {
                return;
            }
        }
    });
}

fn build_programs() -> Result<Vec<Program>> {
    let mut cargo = command::cargo();
    cargo
        .args(["test", "--workspace", "--no-run"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit());
    let output = cargo.output()?;
    if !output.status.success() {
        bail!("the tests do not build");
    }
    let lines = String::from_utf8(output.stdout)?;
    Ok(lines.lines().filter_map(program).collect())
}

/// A `compiler-artifact` message of a test program.
fn program(message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["profile"]["test"] != true {
        return None;
    }
    // `…/folder#name@version`, or `…/name#version`.
    let (location, fragment) = message["package_id"].as_str()?.split_once('#')?;
    let package = match fragment.split_once('@') {
        Some((name, _)) => name,
        None => location.rsplit('/').next()?,
    };
    Some(Program {
        package: package.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        folder: Path::new(message["manifest_path"].as_str()?)
            .parent()?
            .to_owned(),
        path: PathBuf::from(message["executable"].as_str()?),
    })
}

/// `Summary [ 0.1s] 5 tests run: 4 passed (1 slow), 1 failed, 0 skipped`; all that did not pass has failed.
fn nextest_summary(line: &str) -> Option<Counts> {
    let (_, summary) = line
        .trim_start()
        .strip_prefix("Summary [")?
        .split_once("] ")?;
    let run = summary.split([' ', '/']).next()?.parse().ok()?;
    let passed = before(summary, " passed").unwrap_or(0);
    let failed = usize::checked_sub(run, passed)?;
    Some(Counts { passed, failed })
}

/// `test result: ok. 5 passed; 0 failed; …`.
fn libtest_summary(line: &str) -> Option<Counts> {
    let result = line.strip_prefix("test result: ")?;
    Some(Counts {
        passed: before(result, " passed")?,
        failed: before(result, " failed")?,
    })
}

/// The number that stands before `word`.
fn before(text: &str, word: &str) -> Option<usize> {
    let (before, _) = text.split_once(word)?;
    before
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: Option<Counts>, passed: usize, failed: usize) {
        assert_eq!(counts, Some(Counts { passed, failed }));
    }

    #[test]
    fn nextest_counts_whatever_did_not_pass_as_failed() {
        let summary = |text: &str| nextest_summary(&format!("     Summary [   0.026s] {text}"));
        check(summary("4 tests run: 4 passed, 0 skipped"), 4, 0);
        check(summary("1 test run: 1 passed (1 slow), 9 skipped"), 1, 0);
        check(
            summary("5 tests run: 3 passed, 1 failed, 1 timed out, 0 skipped"),
            3,
            2,
        );
        check(summary("2 tests run: 0 passed, 2 failed, 0 skipped"), 0, 2);
        assert_eq!(
            nextest_summary("        PASS [   0.010s] a test of Summary ["),
            None
        );
    }

    #[test]
    fn libtest_counts_are_read_from_each_result() {
        let line =
            "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out";
        check(libtest_summary(line), 12, 3);
        assert_eq!(libtest_summary("test results::are_read ... ok"), None);
    }

    #[test]
    fn test_programs_are_named_by_package_and_target() {
        let message = |package: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"{package}","manifest_path":"/c/filter/policy/Cargo.toml",
                "target":{{"name":"e2e"}},"profile":{{"test":true}},"executable":"/c/target/debug/deps/e2e-1"}}"#
            )
        };
        let named = program(&message(
            "path+file:///c/filter/policy#edge-auth-policy@0.1.0",
        ))
        .unwrap();
        assert_eq!(
            (named.package.as_str(), named.target.as_str()),
            ("edge-auth-policy", "e2e")
        );
        assert_eq!(named.folder, Path::new("/c/filter/policy"));
        let unnamed = program(&message("path+file:///c/api-server#0.1.0")).unwrap();
        assert_eq!(unnamed.package, "api-server");
        assert!(program(r#"{"reason":"build-finished","success":true}"#).is_none());
    }
}
