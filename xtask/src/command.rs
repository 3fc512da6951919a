//! Programs run to their end: seen, timed, and explained when they fail.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::paint;

/// Runs `command` with its output on our standard error; an error names the command.
///
/// # Errors
///
/// When it can't be started or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = on_stderr(command)
        .status()
        .with_context(|| format!("can't start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// As [`run`], and ends the program when it takes longer than `limit`.
///
/// # Errors
///
/// When it can't be started, does not succeed, or was ended.
pub fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    let line = line(command);
    let mut child = on_stderr(command)
        .spawn()
        .with_context(|| format!("can't start `{line}`"))?;
    let start = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("`{line}` failed ({status})"),
            None if start.elapsed() > limit => {
                child.kill()?;
                child.wait()?;
                bail!("`{line}` was ended after {} s", limit.as_secs());
            }
            None => thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// What `command` prints on standard output, trimmed; `None` when it is missing or fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout)
        .ok()
        .map(|text| text.trim().to_owned())
}

/// The command as a person would type it, without its environment.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Says what is about to happen.
pub fn announce(what: &str) {
    eprintln!("{} {what}", paint::stderr().bold("==>"));
}

fn on_stderr(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(std::io::stderr())
}
