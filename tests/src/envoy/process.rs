//! The Envoy process: found, started, waited for, ended with the test, its log shown when the test fails.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use super::Bootstrap;
use crate::{client::Request, wait};

/// A running Envoy. Dropped, it is killed; while a test panics, its log is printed first.
#[derive(Debug)]
pub struct Envoy {
    child: Child,
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
    log: Log,
    _directory: TempDir,
}

impl Envoy {
    /// Starts Envoy with this bootstrap and `workers` worker threads, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When there is no Envoy, with the next step; when it ends instead of getting ready, with its log.
    pub async fn start(bootstrap: &Bootstrap, workers: u32) -> Result<Self> {
        let directory = TempDir::new()?;
        let configuration = directory.path().join("bootstrap.json");
        let admin_path = directory.path().join("admin");
        fs::write(&configuration, bootstrap.to_json().to_string())?;
        let mut child = Command::new(binary()?)
            .arg("--config-path")
            .arg(&configuration)
            .arg("--admin-address-path")
            .arg(&admin_path)
            .arg("--use-dynamic-base-id")
            .arg("--concurrency")
            .arg(workers.to_string())
            .args([
                "--log-level",
                "warning",
                "--component-log-level",
                "wasm:info",
            ])
            .args(["--log-format", "[%l][%n] %v"])
            .args(["--drain-strategy", "immediate"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("can't start Envoy")?;
        let log = Log::default();
        if let Some(stderr) = child.stderr.take() {
            log.follow(stderr);
        }
        let mut envoy = Self {
            child,
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
            listeners: BTreeMap::new(),
            log,
            _directory: directory,
        };
        match envoy.ready(&admin_path, bootstrap).await {
            Ok(()) => Ok(envoy),
            Err(error) => Err(error.context(format!("Envoy's log:\n{}", envoy.log().join("\n")))),
        }
    }

    /// Where the listener of that name listens.
    ///
    /// # Panics
    ///
    /// Where the bootstrap has none of that name.
    pub fn address(&self, listener: &str) -> SocketAddr {
        match self.listeners.get(listener) {
            Some(address) => *address,
            None => panic!("the bootstrap has no listener {listener:?}"),
        }
    }

    /// Where the admin interface listens.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// What Envoy and the module have logged so far, line by line: warnings, and what the module says at any level
    /// from info.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// Waits until the log has a line that `is_wanted`, and gives it.
    pub async fn log_line(&self, what: &str, is_wanted: impl Fn(&str) -> bool) -> Result<String> {
        wait::until(what, READY_WITHIN, async || {
            Ok(self.log().into_iter().find(|line| is_wanted(line)))
        })
        .await
    }

    fn is_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("Envoy ended with {status} instead of getting ready"),
            None => Ok(()),
        }
    }

    async fn ready(&mut self, admin_path: &Path, bootstrap: &Bootstrap) -> Result<()> {
        self.admin = wait::until("Envoy's admin address", READY_WITHIN, async || {
            self.is_running()?;
            let text = fs::read_to_string(admin_path).unwrap_or_default();
            Ok(text.trim().parse().ok())
        })
        .await?;
        let admin = self.admin;
        wait::until("Envoy to be live", READY_WITHIN, async || {
            self.is_running()?;
            let answer = Request::get("/ready").send(admin).await;
            Ok(answer.ok().filter(|answer| answer.status == 200))
        })
        .await?;
        self.listeners = listeners(admin).await?;
        for name in bootstrap.listener_names() {
            if !self.listeners.contains_key(name) {
                bail!("Envoy is live without its listener {name:?}");
            }
        }
        Ok(())
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- Envoy's log ---\n{}\n---", self.log().join("\n"));
        }
    }
}

/// The binary: what `cargo xtask test` names, else an `envoy` in `PATH`.
///
/// # Errors
///
/// Where there is none, with the next step.
pub fn binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os(BINARY) {
        return Ok(PathBuf::from(path));
    }
    let directories = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&directories)
        .map(|directory| directory.join("envoy"))
        .find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "there is no Envoy: run `cargo xtask test`, which fetches one, or name one in {BINARY}"
        )
    })
}

/// The listeners' addresses by name, with the ports Envoy took.
async fn listeners(admin: SocketAddr) -> Result<BTreeMap<String, SocketAddr>> {
    let answer = Request::get("/listeners?format=json").send(admin).await?;
    let answer: Value = answer.json()?;
    let statuses = answer["listener_statuses"].as_array();
    let listeners = statuses.into_iter().flatten().map(|status| {
        let socket = &status["local_address"]["socket_address"];
        let ip = socket["address"].as_str().unwrap_or_default().parse()?;
        let port = socket["port_value"].as_u64().unwrap_or_default();
        let name = status["name"].as_str().unwrap_or_default();
        Ok((name.to_owned(), SocketAddr::new(ip, u16::try_from(port)?)))
    });
    listeners.collect()
}

/// The lines a process has written, read by a thread of its own so that the process never blocks on a full pipe.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn follow(&self, output: impl Read + Send + 'static) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                log.0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
    }

    fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

const BINARY: &str = "EDGE_AUTH_ENVOY";
/// Long, for a machine that compiles beside the test; an Envoy alone is ready in under a second.
const READY_WITHIN: Duration = Duration::from_secs(30);
