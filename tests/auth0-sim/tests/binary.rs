//! The simulation as a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[tokio::test]
async fn prints_one_line_with_its_address_and_answers_there() {
    let mut process = Process(
        Command::new(env!("CARGO_BIN_EXE_auth0-sim"))
            .args(["--issuer", "https://tenant.auth0.com/"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    let stdout = process.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    let [
        "auth0-sim",
        "ready",
        "on",
        base,
        "issuer",
        "https://tenant.auth0.com/",
    ] = words[..]
    else {
        panic!("{line:?}");
    };
    let answer = reqwest::get(format!("{base}{}", auth0_sim::JWKS_PATH))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[test]
fn a_taken_port_is_named_in_the_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_auth0-sim"))
        .args(["--listen", &address])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains(&format!("can't listen on {address}")),
        "{error}"
    );
}
