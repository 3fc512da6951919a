//! The curl lines a person can paste, each with the status it gives; `--check` runs them itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Addresses;
use crate::{apt, command, http, paint, workspace};

/// How long the tokens in `target/dev` are good for: a day's work, within the policy's `max_lifetime`.
const TOKEN_LIFETIME: Duration = Duration::from_hours(12);

/// A request and what comes back.
#[derive(Clone, Debug)]
pub(super) struct Example {
    /// What the line shows.
    pub about: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The line for a shell in the folder it was printed in.
    pub line: String,
}

/// Has the tokens made, lays them down as header files beside `certificate`, and gives the lines that use them.
///
/// # Errors
///
/// When the simulated Auth0 makes no token or a file can't be written.
pub(super) fn examples(
    folder: &Path,
    certificate: &Path,
    addresses: &Addresses,
) -> Result<Vec<Example>> {
    let later = SystemTime::now() + TOKEN_LIFETIME;
    let exp = later.duration_since(UNIX_EPOCH)?.as_secs();
    let scopes = "openid profile email read:documents write:documents delete:documents";
    let header = |name: &str, asked: &Value| -> Result<String> {
        let answer = http::post_json(addresses.auth0, "/sim/token", &asked.to_string())?;
        let answer: Value = serde_json::from_str(&answer)?;
        let token = answer["access_token"].as_str().context("no access_token")?;
        let path = folder.join(name);
        fs::write(&path, format!("authorization: Bearer {token}\n"))?;
        Ok(format!("-H @{}", typed(&path)))
    };
    let user = header(
        "user.header",
        &json!({"scope": scopes, "claims": {"exp": exp}}),
    )?;
    let reader = header(
        "reader.header",
        &json!({"scope": "openid read:documents", "claims": {"exp": exp}}),
    )?;
    let expired = header("expired.header", &json!({"expired_by": 3600}))?;

    let curl = format!("curl -i --cacert {}", typed(certificate));
    let documents = format!("https://localhost:{}/api/v1/documents", addresses.https);
    let draft = r##"-d '{"title": "Hello", "content": "# Hello"}'"##;
    let post = format!("-H 'content-type: application/json' {draft}");
    let example = |about, status, line| Example {
        about,
        status,
        line,
    };
    Ok(vec![
        example(
            "with a token of the test user",
            200,
            format!("{curl} {user} {documents}"),
        ),
        example(
            "write a document",
            201,
            format!("{curl} {user} {post} {documents}"),
        ),
        example("without a token", 401, format!("{curl} {documents}")),
        example(
            "with a token that has expired",
            401,
            format!("{curl} {expired} {documents}"),
        ),
        example(
            // No body: a curl older than 8 calls an answer that comes before the body was sent, which HTTP/2 allows
            // (RFC 9113 section 8.1) and every filter of Envoy gives, a framing error.
            "with a token that may only read",
            403,
            format!("{curl} {reader} -X DELETE {documents}/any"),
        ),
        example(
            "a path that can be read in two ways",
            400,
            format!("{curl} {user} {documents}/..%2fprofile"),
        ),
        example(
            "over plain HTTP",
            301,
            format!(
                "curl -i http://localhost:{}/api/v1/documents",
                addresses.http
            ),
        ),
    ])
}

/// Runs each line and compares the status; gives how many were as said and how many were not.
///
/// # Errors
///
/// When there is no curl.
pub(super) fn check(examples: &[Example]) -> Result<(usize, usize)> {
    if command::output(Command::new("curl").arg("--version")).is_none() {
        apt::install(&["curl"]).context("there is no curl.\nNext step: install curl")?;
    }
    let paint = paint::stderr();
    let mut failed = 0;
    for Example {
        about,
        status,
        line,
    } in examples
    {
        let output = Command::new("sh").args(["-c", line]).output()?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let given = answer.split(' ').nth(1).unwrap_or("no answer");
        if given == status.to_string() {
            eprintln!("    {} {status}  {about}", paint.green("ok"));
        } else {
            failed += 1;
            let errors = String::from_utf8_lossy(&output.stderr);
            eprintln!(
                "    {} {about}: {given} instead of {status}",
                paint.red("FAILED")
            );
            eprintln!("      {line}\n{answer}\n{errors}");
        }
    }
    Ok((examples.len() - failed, failed))
}

/// A path as it is shortest for the folder we were called in.
fn typed(path: &Path) -> String {
    let here: Option<PathBuf> = std::env::current_dir().ok();
    let path = if here.as_deref() == Some(workspace::root()) {
        workspace::relative(path).to_string()
    } else {
        path.display().to_string()
    };
    if path.contains(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c))) {
        format!("'{path}'")
    } else {
        path
    }
}
