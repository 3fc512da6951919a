//! Servers that run beside each other: started, heard, and ended together.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::paint;

/// How long a server may take to be ready.
const READY_LIMIT: Duration = Duration::from_mins(2);

/// How long it may take to end before it is killed.
const END_LIMIT: Duration = Duration::from_secs(5);

/// How many last lines are kept to explain a failure.
const LINES_KEPT: usize = 40;

const POLL: Duration = Duration::from_millis(25);

/// Servers in the order they were started; dropped, they end in the opposite order.
#[derive(Debug, Default)]
pub(crate) struct Services {
    running: Vec<Service>,
    stop: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Service {
    name: &'static str,
    child: Child,
    log: Arc<Log>,
}

/// What a server printed.
#[derive(Debug)]
struct Log {
    prefix: String,
    shown: AtomicBool,
    last: Mutex<VecDeque<String>>,
}

impl Services {
    /// No servers yet; Ctrl-C and SIGTERM end those to come.
    ///
    /// # Errors
    ///
    /// When signals can't be handled.
    pub(crate) fn new() -> Result<Self> {
        // One handler for all of a process's.
        static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
        if let Some(stop) = STOP.get() {
            return Ok(Self {
                running: Vec::new(),
                stop: Arc::clone(stop),
            });
        }
        let services = Self::default();
        let stop = Arc::clone(&services.stop);
        ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed))?;
        let _ = STOP.set(Arc::clone(&services.stop));
        Ok(services)
    }

    /// Starts a server and waits until `ready` finds what it looks for, in a line it printed or elsewhere.
    ///
    /// # Errors
    ///
    /// When it can't be started, ends, or is not ready in time; with its last lines.
    pub(crate) fn start<T>(
        &mut self,
        name: &'static str,
        sgr: u8,
        command: &mut Command,
        ready: impl Fn(&[String]) -> Option<T>,
    ) -> Result<T> {
        let start = Instant::now();
        eprint!("    {name} … ");
        let mut child = command
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C reaches us alone, and we end them in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("can't start {name}"))?;
        let log = Arc::new(Log::new(name, sgr));
        if let Some(stdout) = child.stdout.take() {
            Log::follow(&log, stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            Log::follow(&log, stderr);
        }
        self.running.push(Service { name, child, log });
        loop {
            self.check()?;
            let log = self.running.last().map(|service| service.log.lines());
            if let Some(found) = ready(&log.unwrap_or_default()) {
                eprintln!("ready ({:.1} s)", start.elapsed().as_secs_f32());
                return Ok(found);
            }
            if start.elapsed() > READY_LIMIT {
                bail!(
                    "{name} is not ready after {} s; {}",
                    READY_LIMIT.as_secs(),
                    self.last_lines(name)
                );
            }
            thread::sleep(POLL);
        }
    }

    /// The process of a server that runs.
    pub(crate) fn process(&self, name: &str) -> Option<u32> {
        let service = self.running.iter().find(|service| service.name == name)?;
        Some(service.child.id())
    }

    /// Ends all that run, in the opposite order of their start.
    pub(crate) fn end(&mut self) {
        while let Some(service) = self.running.pop() {
            service.end();
        }
    }

    /// Ends the one of this name, if it runs.
    pub(crate) fn end_one(&mut self, name: &str) {
        let at = self.running.iter().position(|service| service.name == name);
        if let Some(at) = at {
            self.running.remove(at).end();
        }
    }

    /// Shows what the servers print until one ends or Ctrl-C.
    ///
    /// # Errors
    ///
    /// When a server ended by itself: which, and its last lines.
    pub(crate) fn follow(&mut self) -> Result<()> {
        for service in &self.running {
            service.log.shown.store(true, Ordering::Relaxed);
        }
        while !self.stop.load(Ordering::Relaxed) {
            self.check()?;
            thread::sleep(POLL);
        }
        eprintln!("\nending {}", self.names().join(", "));
        Ok(())
    }

    /// Fails when one has ended or all are to end.
    fn check(&mut self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        for at in 0..self.running.len() {
            let service = &mut self.running[at];
            if let Some(status) = service.child.try_wait()? {
                let name = service.name;
                bail!(
                    "{name} ended by itself ({status}); {}",
                    self.last_lines(name)
                );
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<&str> {
        self.running.iter().map(|service| service.name).collect()
    }

    fn last_lines(&self, name: &str) -> String {
        // What the process wrote before it ended may still be on its way to us.
        thread::sleep(4 * POLL);
        let service = self.running.iter().find(|service| service.name == name);
        let lines = service.map(|service| service.log.lines());
        match lines.unwrap_or_default().as_slice() {
            [] => "it printed nothing".to_owned(),
            lines => format!("its last lines:\n  {}", lines.join("\n  ")),
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.end();
    }
}

impl Service {
    /// Asks it to end, and kills it where it does not.
    fn end(mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = i32::try_from(self.child.id()).map(Pid::from_raw);
        let asked = pid.is_ok_and(|pid| kill(pid, Signal::SIGTERM).is_ok());
        let start = Instant::now();
        while asked && start.elapsed() < END_LIMIT {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            thread::sleep(POLL);
        }
        // Of no effect on one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Log {
    fn new(name: &str, sgr: u8) -> Self {
        Self {
            prefix: paint::stderr().code(sgr, format_args!("{name:<10} |")),
            shown: AtomicBool::new(false),
            last: Mutex::default(),
        }
    }

    /// Reads lines to the end of `stream`, in a thread of its own.
    fn follow(log: &Arc<Self>, stream: impl Read + Send + 'static) {
        let log = Arc::clone(log);
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n') {
                let Ok(line) = line else { return };
                log.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        });
    }

    fn push(&self, line: String) {
        if self.shown.load(Ordering::Relaxed) {
            eprintln!("{} {line}", self.prefix);
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == LINES_KEPT {
            last.pop_front();
        }
        last.push_back(line);
    }

    fn lines(&self) -> Vec<String> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().cloned().collect()
    }
}

/// The first word with this beginning in what a server printed, without it unless it is a scheme.
pub(crate) fn word(lines: &[String], beginning: &str) -> Option<String> {
    let mut words = lines.iter().flat_map(|line| line.split(' '));
    let word = words.find(|word| word.starts_with(beginning))?;
    let is_scheme = beginning.ends_with("://");
    let rest = if is_scheme {
        word
    } else {
        word.strip_prefix(beginning)?
    };
    Some(rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn a_server_is_ready_when_it_says_so_and_ends_with_the_others() {
        let mut services = Services::default();
        let said = services
            .start(
                "first",
                35,
                &mut shell("echo ready on 1; sleep 60"),
                |lines| {
                    lines
                        .iter()
                        .find_map(|line| line.strip_prefix("ready on ").map(str::to_owned))
                },
            )
            .unwrap();
        assert_eq!(said, "1");
        let pid = Pid::from_raw(services.running[0].child.id().try_into().unwrap());
        assert!(kill(pid, None).is_ok());
        drop(services);
        assert!(kill(pid, None).is_err(), "still there");
    }

    #[test]
    fn a_server_that_ends_by_itself_is_named_with_its_last_lines() {
        let mut services = Services::default();
        let mut command = shell("echo cannot open the database >&2; exit 3");
        let never = |_: &[String]| None::<()>;
        let error = services
            .start("api-server", 32, &mut command, never)
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("api-server ended by itself (exit status: 3)"),
            "{text}"
        );
        assert!(text.contains("cannot open the database"), "{text}");
    }
}
