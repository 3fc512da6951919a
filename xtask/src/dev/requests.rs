//! The curl lines a person can paste, each with the status it gives; `--check` runs them itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{House, Provider};
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

/// The lines for a house: a login by hand, and where the provider is the simulation, tokens of every kind.
///
/// # Errors
///
/// When the simulated Auth0 makes no token or a file can't be written.
pub(super) fn examples(house: &House) -> Result<Vec<Example>> {
    let mut examples = match house.provider {
        Provider::Simulated => with_tokens(house)?,
        Provider::Certified => Vec::new(),
    };
    examples.extend(login(house));
    Ok(examples)
}

/// Has the tokens made, lays them down as header files beside the certificate, and gives the lines that use them.
fn with_tokens(house: &House) -> Result<Vec<Example>> {
    let later = SystemTime::now() + TOKEN_LIFETIME;
    let exp = later.duration_since(UNIX_EPOCH)?.as_secs();
    let scopes = "openid profile email read:documents write:documents delete:documents";
    let header = |name: &str, asked: &Value| -> Result<String> {
        let answer = http::post_json(house.auth0, "/sim/token", &asked.to_string())?;
        let answer: Value = serde_json::from_str(&answer)?;
        let token = answer["access_token"].as_str().context("no access_token")?;
        let path = house.folder.join(name);
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

    let curl = format!("curl -i --cacert {}", typed(&house.certificate));
    let documents = format!("{}/api/v1/documents", house.origin());
    let draft = r##"-d '{"title": "Hello", "content": "# Hello"}'"##;
    let post = format!("-H 'content-type: application/json' {draft}");
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
            "the page of the browser app",
            200,
            format!("{curl} {}/app/", house.origin()),
        ),
        example(
            "a path that can be read in two ways",
            400,
            format!("{curl} {user} {documents}/..%2fprofile"),
        ),
        example(
            "over plain HTTP",
            301,
            format!("curl -i http://localhost:{}/api/v1/documents", house.http),
        ),
    ])
}

/// A login as a browser does it, with curl and a cookie jar: to the provider's page, back with a code, in with the
/// session's cookie, and out again.
fn login(house: &House) -> Vec<Example> {
    let jar = typed(&house.folder.join("cookies.txt"));
    let curl = format!(
        "curl --cacert {} -b {jar} -c {jar}",
        typed(&house.certificate)
    );
    let auth = format!("{}/api/v1/auth", house.origin());
    let page = format!(
        "$(rm -f {jar}; {curl} -sL -o /dev/null -w '%{{url_effective}}' '{auth}/login?return_to=/healthz')"
    );
    let typed_in = "-d username=ada@example.com -d password=test-only-password";
    // After the form, the one goes straight to the callback, the other by way of /authorize.
    let submitted = match house.provider {
        Provider::Simulated => 302,
        Provider::Certified => 303,
    };
    vec![
        example(
            "log in: the provider's page is filled in, and leads back with a code",
            submitted,
            format!("{curl} -isL {typed_in} \"{page}\""),
        ),
        example(
            "whose session that is",
            200,
            format!("{curl} -i {auth}/session"),
        ),
        example(
            "with the session in place of a token",
            200,
            format!("{curl} -i {}/api/v1/documents", house.origin()),
        ),
        example(
            "new tokens for the session",
            200,
            format!("{curl} -i -X POST {auth}/refresh"),
        ),
        example("log out", 200, format!("{curl} -i -X POST {auth}/logout")),
        example(
            "there is no session any more",
            401,
            format!("{curl} -i {auth}/session"),
        ),
    ]
}

fn example(about: &'static str, status: u16, line: String) -> Example {
    Example {
        about,
        status,
        line,
    }
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
