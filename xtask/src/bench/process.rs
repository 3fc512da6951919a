//! What a process has used: CPU time and memory, as `/proc` tells (Linux).

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Time on the CPU in user and system mode; zero where `/proc` does not say.
///
/// # Errors
///
/// When `/proc` says something else than it is documented to.
pub(super) fn cpu_time(process: u32) -> Result<Duration> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else {
        return Ok(Duration::ZERO);
    };
    let mut nanos = 0_u64;
    for task in tasks.flatten() {
        // The first number is time on the CPU in nanoseconds (Linux, proc_pid_schedstat(5)).
        let text = fs::read_to_string(task.path().join("schedstat"))?;
        let first = text.split(' ').next().context("schedstat is empty")?;
        nanos += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Bytes in memory (`VmRSS`); zero where `/proc` does not say.
///
/// # Errors
///
/// When `/proc` says something else than it is documented to.
pub(super) fn resident_bytes(process: u32) -> Result<u64> {
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else {
        return Ok(0);
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: u64 = kibibytes.context("no VmRSS")?.trim().parse()?;
    Ok(kibibytes * 1024)
}
