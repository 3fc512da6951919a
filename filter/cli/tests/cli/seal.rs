//! `edge-auth seal-session`: what it prints is what the filter opens.

use std::io::Write as _;
use std::process::{Command, Stdio};

use edge_auth_policy::session::{Purpose, Session, SessionKeys};
use edge_auth_policy::time::UnixTime;

const KEY: &str = "dGVzdC10ZXN0LXRlc3QtdGVzdC10ZXN0LXRlc3QtMTI";

/// Standard output, standard error and the exit code.
fn seal(key: Option<&str>, tokens: &str) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-auth"));
    command
        .args(["seal-session", "--session-id", "s1"])
        .env_remove("EDGE_SESSION_KEY");
    if let Some(key) = key {
        command.env("EDGE_SESSION_KEY", key);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may have ended before it reads anything.
    let _ = stdin.write_all(tokens.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

#[test]
fn a_sealed_session_opens_with_the_same_key_and_holds_the_token() {
    let (cookies, _, code) = seal(Some(KEY), "a.b.c\n\nd.e.f\n");
    assert_eq!(code, Some(0));
    let keys = SessionKeys::parse(KEY).unwrap();
    let tokens: Vec<_> = cookies
        .lines()
        .map(|line| {
            let sealed = line.strip_prefix("__Host-edge-session=").unwrap();
            let (payload, _) = keys
                .open(Purpose::Session, &[], sealed, UnixTime::from_secs(1))
                .unwrap();
            let session = Session::from_bytes(&payload).unwrap();
            assert_eq!(&*session.session_id, "s1");
            session.access_token
        })
        .collect();
    assert_eq!(tokens, ["a.b.c".into(), "d.e.f".into()]);
}

#[test]
fn a_key_that_is_missing_or_wrong_is_named_and_not_shown() {
    let (_, error, code) = seal(None, "a.b.c\n");
    assert!(error.contains("EDGE_SESSION_KEY is not set"), "{error}");
    assert_eq!(code, Some(2));
    let (_, error, code) = seal(Some("too-short-secret"), "a.b.c\n");
    assert!(
        error.contains("EDGE_SESSION_KEY") && !error.contains("too-short"),
        "{error}"
    );
    assert_eq!(code, Some(2));
}
