//! Two servers that answer differently can't be compared.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::NOTE;
use super::servers::Server;
use crate::bench::load::PATH;
use crate::bench::tokens::Tokens;
use crate::http;

/// Tries every route on all servers: the same statuses, the same bodies.
///
/// # Errors
///
/// When they differ, or one is not what the route promises.
pub(super) fn compare(servers: &[Server], tokens: &Tokens, paths: &Path) -> Result<()> {
    let lines = fs::read_to_string(paths)?;
    let first = lines.lines().next().context("no documents")?;
    let (document, good) = first.split_once('\t').context("no path")?;
    let forged = format!("{}AAAA", &good[..good.len().saturating_sub(4)]);
    let cases = [
        ("a list", PATH, good, None, 200),
        ("a document", document, good, None, 200),
        ("a new document", PATH, good, Some(NOTE), 201),
        ("a forged token", PATH, forged.as_str(), None, 401),
        (
            "no scope",
            document,
            tokens.without_scope.as_str(),
            None,
            403,
        ),
        (
            "no scope to write",
            PATH,
            tokens.without_scope.as_str(),
            Some(NOTE),
            403,
        ),
    ];
    for (what, path, token, body, expected) in cases {
        let mut answers = Vec::new();
        for server in servers {
            let (status, text) = http::ask(server.address, path, token, body)?;
            ensure!(
                status == expected,
                "{}: {what} was answered with {status}: {text}",
                server.name
            );
            if status < 300 {
                answers.push(lasting(&text, body.is_some())?);
            }
        }
        ensure!(
            answers.windows(2).all(|two| two[0] == two[1]),
            "{what}: the answers differ: {answers:#?}"
        );
    }
    Ok(())
}

/// An answer without what is another each time: a new document's id and times.
fn lasting(text: &str, is_new: bool) -> Result<Value> {
    let mut value: Value = serde_json::from_str(text)?;
    for name in ["id", "createdAt", "updatedAt"] {
        if is_new {
            ensure!(value[name].is_string(), "no {name} in {text}");
            value[name] = Value::Null;
        }
    }
    Ok(value)
}
