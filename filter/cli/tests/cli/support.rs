//! Running the binary in the folder of the fixtures, so that its output names no path of this machine.

use std::path::PathBuf;
use std::process::Command;

/// What a run printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `edge-auth` with these arguments, separated by spaces.
pub(crate) fn edge_auth(arguments: &str) -> Run {
    edge_auth_with(&arguments.split_whitespace().collect::<Vec<_>>())
}

/// Runs `edge-auth` with these arguments.
pub(crate) fn edge_auth_with(arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_edge-auth"))
        .args(arguments)
        .current_dir(package().join("tests/cli/fixtures"))
        .output()
        .expect("the binary starts");
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// The folder of this package.
pub(crate) fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a run with what it should print and its exit code.
#[track_caller]
pub(crate) fn check(arguments: &str, code: i32, stdout: &str) {
    let run = edge_auth(arguments);
    assert_eq!(run.stdout, stdout, "stderr: {}", run.stderr);
    assert_eq!(run.code, Some(code));
}
