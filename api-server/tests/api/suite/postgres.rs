//! A `PostgreSQL` of the suite's own, shared by all test processes and ended when none has used it for a while.
//!
//! The first test that asks starts it: `initdb` into Cargo's directory for test data, loopback only, no durability.
//! A small shell process watches over it and removes everything once nobody has been connected for some seconds.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A database that goes with the test.
pub(crate) struct Database {
    name: String,
    port: u16,
}

impl Database {
    /// An empty database; starts the server if it isn't running.
    pub(crate) fn create() -> Self {
        let port = running_port();
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        psql(port, &format!("CREATE DATABASE {name}")).expect("no database could be created");
        Self { name, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}", self.port, self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = psql(
            self.port,
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

/// The port of the running server; starts it under a lock that all test processes share.
fn running_port() -> u16 {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres");
    fs::create_dir_all(&directory).unwrap();
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let port_file = directory.join("port");
    if let Some(port) = read_port(&port_file)
        && psql(port, "SELECT 1").is_ok()
    {
        return port;
    }
    let port = start(&directory);
    fs::write(&port_file, port.to_string()).unwrap();
    port
}

fn read_port(path: &Path) -> Option<u16> {
    let mut text = String::new();
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    text.parse().ok()
}

#[expect(
    clippy::zombie_processes,
    reason = "the watch outlives this process, which is one of many that test"
)]
fn start(directory: &Path) -> u16 {
    let data = data_directory(directory);
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let initialised = unprivileged("initdb")
        .arg("--pgdata")
        .arg(&data)
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
        .args(["--locale=C.UTF-8", "--no-sync", "--no-instructions"])
        .output()
        .expect("initdb does not run");
    assert!(
        initialised.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&initialised.stderr)
    );
    let log = File::create(directory.join("log")).unwrap();
    let mut script = File::create(directory.join("watch.sh")).unwrap();
    script.write_all(WATCH.as_bytes()).unwrap();
    unprivileged_program(Path::new("/bin/sh"))
        .arg(directory.join("watch.sh"))
        .arg(program("postgres"))
        .arg(program("psql"))
        .arg(&data)
        .arg(port.to_string())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        // Ctrl-C in a terminal ends the tests; the watch outlives them for its few seconds.
        .process_group(0)
        .spawn()
        .expect("postgres does not start");
    let deadline = Instant::now() + Duration::from_secs(30);
    while psql(port, "SELECT 1").is_err() {
        assert!(Instant::now() < deadline, "postgres does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    port
}

/// A place the server's user can reach: below the target directory, or else the system's temporary directory.
fn data_directory(directory: &Path) -> PathBuf {
    let candidates = [directory.to_owned(), std::env::temp_dir()];
    for candidate in candidates {
        let data = candidate.join(format!("edge-auth-postgres-{}", uuid::Uuid::new_v4()));
        if fs::create_dir(&data).is_err() {
            continue;
        }
        if is_root() {
            let _ = Command::new("chown").arg("postgres:").arg(&data).status();
        }
        let reachable = unprivileged_program(Path::new("/usr/bin/test"))
            .arg("-w")
            .arg(&data)
            .status();
        if reachable.is_ok_and(|status| status.success()) {
            return data;
        }
        let _ = fs::remove_dir(&data);
    }
    panic!("the user postgres can write nowhere");
}

/// Runs the server; ends and removes it after about 30 s without a connection to a test's database.
const WATCH: &str = r#"
postgres=$1 psql=$2 data=$3 port=$4
"$postgres" -D "$data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 &
server=$!
idle=0
while kill -0 $server 2>/dev/null && [ $idle -lt 6 ]; do
    sleep 5
    users=$("$psql" -XAt -h 127.0.0.1 -p "$port" -U postgres -d postgres \
        -c "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'test_%'" 2>/dev/null)
    if [ "$users" = 0 ]; then idle=$((idle + 1)); else idle=0; fi
done
kill -INT $server 2>/dev/null
wait $server
rm -rf "$data"
"#;

fn psql(port: u16, statement: &str) -> Result<(), String> {
    // Cheaper than a process that can't connect.
    TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    let output = Command::new(program("psql"))
        .args([
            "-X",
            "-q",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-d",
            "postgres",
        ])
        .args(["-p", &port.to_string(), "-c", statement])
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// `PostgreSQL` refuses to run as root: then it runs as the user its package made.
fn unprivileged(name: &str) -> Command {
    unprivileged_program(&program(name))
}

fn unprivileged_program(path: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(path);
        command
    } else {
        Command::new(path)
    };
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// A program of `PostgreSQL`: Debian keeps them beside each other per version, others on the path.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<_> = versions
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}
