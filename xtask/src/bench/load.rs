//! One turn of load on one listener, and what it cost the server.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::process;
use crate::{apt, command};

/// Connections kept open: as in the figures this project was planned with.
const CONNECTIONS: u16 = 16;
/// What requests ask for, where their line does not say.
pub(super) const PATH: &str = "/api/v1/documents";

/// Sends each line in its turn, and prints one line of JSON at the end.
const SCRIPT: &str = r#"
local requests, at = {}, 0
function init(args)
  local path, field, prefix, body = args[2], args[3], args[4], args[5]
  for line in io.lines(args[1]) do
    local own, value = line:match("^([^\t]*)\t(.*)$")
    local fields = { [field] = prefix .. (value or line) }
    if body then fields["content-type"] = "application/json" end
    requests[#requests + 1] = wrk.format(body and "POST" or "GET", own or path, fields, body)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nBENCH {"requests": %d, "micros": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
"#;

/// What one turn gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) requests: u64,
    pub(super) per_second: f64,
    pub(super) p50_micros: u64,
    pub(super) p99_micros: u64,
    /// The server's CPU time per request.
    pub(super) cpu_micros: f64,
}

/// What requests bring: a line of a file each, in a header field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried<'c> {
    /// A value each; or a path, a tab and a value, where each asks for something of its own.
    pub(super) lines: &'c Path,
    pub(super) field: &'c str,
    /// What stands before the value in the field.
    pub(super) prefix: &'c str,
    /// JSON that is posted; without it a request is a GET.
    pub(super) body: Option<&'c str>,
}

impl<'c> Carried<'c> {
    /// Bearer tokens (RFC 6750 §2.1) on GET requests.
    pub(super) fn tokens(lines: &'c Path) -> Self {
        Self {
            lines,
            field: "authorization",
            prefix: "Bearer ",
            body: None,
        }
    }
}

/// The load generator, and the script it runs.
#[derive(Debug)]
pub(super) struct Load {
    script: PathBuf,
    /// Whether `taskset` can give the server one core and the load another.
    pub(super) pinned: bool,
}

impl Load {
    /// Finds wrk, or installs it.
    ///
    /// # Errors
    ///
    /// When there is none and none can be installed.
    pub(super) fn prepare(folder: &Path) -> Result<Self> {
        // wrk prints its version and fails.
        if Command::new("wrk").arg("--version").output().is_err() {
            apt::install(&["wrk"])
                .context("there is no wrk.\nNext step: install wrk (https://github.com/wg/wrk)")?;
        }
        let script = folder.join("load.lua");
        fs::write(&script, SCRIPT)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let taskset = command::output(Command::new("taskset").arg("--version")).is_some();
        Ok(Self {
            script,
            pinned: cores > 1 && taskset,
        })
    }

    /// `program`, on a core of its own where that can be had.
    pub(super) fn on_core(&self, core: &str, program: &Path) -> Command {
        if self.pinned {
            let mut pinned = Command::new("taskset");
            pinned.args(["--cpu-list", core]).arg(program);
            pinned
        } else {
            Command::new(program)
        }
    }

    /// Load for `time`; `server` is the process whose CPU time counts.
    ///
    /// # Errors
    ///
    /// When a request was refused: then something else was measured.
    pub(super) fn turn(
        &self,
        address: SocketAddr,
        carried: Carried<'_>,
        time: Duration,
        server: u32,
    ) -> Result<Turn> {
        let before = process::cpu_time(server)?;
        let mut wrk = self.on_core("1", Path::new("wrk"));
        wrk.args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
            .args(["--duration", &format!("{}s", time.as_secs())])
            .arg("--script")
            .arg(&self.script)
            .arg(format!("http://{address}"))
            .arg("--")
            .arg(carried.lines)
            .args([PATH, carried.field, carried.prefix])
            .args(carried.body);
        let printed = command::output(&mut wrk).context("wrk failed")?;
        let cpu = process::cpu_time(server)?.saturating_sub(before);
        let line = printed.lines().find_map(|line| line.strip_prefix("BENCH "));
        let line: Value = serde_json::from_str(line.context("wrk printed no result")?)?;
        let number = |name: &str| line[name].as_u64().unwrap_or_default();
        if number("refused") + number("broken") > 0 {
            bail!(
                "{} of {} requests were refused, {} connections broke",
                number("refused"),
                number("requests"),
                number("broken")
            );
        }
        let requests = number("requests").max(1);
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let (count, micros) = (requests as f64, number("micros") as f64);
        Ok(Turn {
            requests,
            per_second: count / micros * 1e6,
            p50_micros: number("p50"),
            p99_micros: number("p99"),
            cpu_micros: cpu.as_secs_f64() * 1e6 / count,
        })
    }
}
