//! A Redis of the test's own: no port, nothing kept on disk, gone with the test.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::wait;

/// A running Redis. Dropped, it is killed.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    socket: PathBuf,
    _directory: TempDir,
}

impl Redis {
    /// Starts `redis-server`, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When there is none, with the next step; when it ends instead of answering.
    pub async fn start() -> Result<Self> {
        let directory = TempDir::new()?;
        let socket = directory.path().join("redis");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(directory.path())
            .arg("--unixsocket")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .context("there is no redis-server: run `cargo xtask test`, which installs one")?;
        let mut redis = Self {
            child,
            socket,
            _directory: directory,
        };
        wait::until("Redis", Duration::from_secs(30), async || {
            if let Some(status) = redis.child.try_wait()? {
                bail!("redis-server ended with {status} instead of answering");
            }
            let answers = |mut it: RedisConnection| it.integer(&["EXISTS", "nothing"]).is_ok();
            Ok(redis.connect().is_ok_and(answers).then_some(()))
        })
        .await?;
        Ok(redis)
    }

    /// Opens a connection, which blocks while it waits for an answer.
    ///
    /// # Errors
    ///
    /// When Redis does not listen.
    pub fn connect(&self) -> Result<RedisConnection> {
        let stream = UnixStream::connect(&self.socket)?;
        Ok(RedisConnection(BufReader::new(stream)))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A connection in the protocol of Redis (RESP).
#[derive(Debug)]
pub struct RedisConnection(BufReader<UnixStream>);

impl RedisConnection {
    /// Sends a command whose answer is a number.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or Redis answers anything else.
    pub fn integer(&mut self, command: &[&str]) -> Result<i64> {
        self.send(command)?;
        self.number(':')
    }

    /// Sends a command whose answer is a list of numbers.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or Redis answers anything else.
    pub fn integers(&mut self, command: &[&str]) -> Result<Vec<i64>> {
        self.send(command)?;
        (0..self.number('*')?).map(|_| self.number(':')).collect()
    }

    fn send(&mut self, command: &[&str]) -> Result<()> {
        let mut request = format!("*{}\r\n", command.len());
        for part in command {
            // Writing to a string does not fail.
            let _ = write!(request, "${}\r\n{part}\r\n", part.len());
        }
        Ok(self.0.get_mut().write_all(request.as_bytes())?)
    }

    fn number(&mut self, kind: char) -> Result<i64> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let number = line.strip_prefix(kind).map(str::trim_end);
        let number = number.with_context(|| format!("Redis answered {line:?}"))?;
        Ok(number.parse()?)
    }
}
