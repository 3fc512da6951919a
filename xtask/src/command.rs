//! Programs run to their end: seen, timed, and explained when they fail.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{paint, workspace};

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
    success(&line, status)
}

/// As [`run`], with our own standard output and input.
///
/// # Errors
///
/// When it can't be started or does not succeed.
pub fn run_inherited(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command
        .status()
        .with_context(|| format!("can't start `{line}`"))?;
    success(&line, status)
}

/// As [`run`], and ends the program when it takes longer than `limit`.
///
/// # Errors
///
/// When it can't be started, does not succeed, or was ended.
pub fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    let line = line(command);
    let child = on_stderr(command)
        .spawn()
        .with_context(|| format!("can't start `{line}`"))?;
    success(&line, wait(child, &line, limit)?)
}

/// As [`run_within`], but its output is shown only when it fails.
///
/// # Errors
///
/// When it can't be started, does not succeed, or was ended.
pub fn run_quietly(limit: Duration, command: &mut Command) -> Result<()> {
    let line = line(command);
    let folder = workspace::target();
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("xtask-{}.log", std::process::id()));
    let mut log = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)?;
    let _ = std::fs::remove_file(&path); // stays readable through the open file
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .spawn()
        .with_context(|| format!("can't start `{line}`"))?;
    let outcome = wait(child, &line, limit).and_then(|status| success(&line, status));
    if outcome.is_err() {
        let mut output = Vec::new();
        log.rewind()?;
        log.read_to_end(&mut output)?;
        eprint!("{}", String::from_utf8_lossy(&output));
    }
    outcome
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

/// The Cargo that runs us, else the one on PATH, in the workspace's folder.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace::root());
    cargo
}

fn on_stderr(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(std::io::stderr())
}

fn wait(mut child: Child, line: &str, limit: Duration) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("`{line}` was ended after {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn success(line: &str, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}
