//! The tokens that the load carries: made by the simulated Auth0, kept for the next run.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::service::{Services, word};
use crate::{command, http, workspace};

/// Who issues them; both policies name it.
pub(super) const ISSUER: &str = "https://bench.example/";
/// Whom they are for.
pub(super) const AUDIENCE: &str = "https://api.pymd.io";
/// As many clients as come back within the life of a token.
pub(super) const COUNT: usize = 2_000;
/// Large ones: permissions, groups.
const LARGE_COUNT: usize = 200;
/// What makes a token of about 8 KB.
const LARGE_CLAIM_BYTES: usize = 5_400;
const LIFETIME: Duration = Duration::from_hours(20);
/// What must be left of a token's life for a run.
const NEEDED: Duration = Duration::from_hours(2);

/// Files of one token per line, and the keys they are signed with.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    /// Of the usual size, about 900 bytes.
    pub(super) usual: PathBuf,
    /// Of about 8 KB.
    pub(super) large: PathBuf,
    /// The usual ones, signed with ES256.
    pub(super) es256: PathBuf,
    /// Session cookies with the usual ones inside.
    pub(super) sessions: PathBuf,
    /// A JWK Set.
    pub(super) jwks: Value,
    /// The same with the key of the ES256 tokens.
    pub(super) jwks_es256: Value,
    /// One that lacks the scope.
    pub(super) without_scope: String,
}

/// Takes those of an earlier run, or has them made.
///
/// # Errors
///
/// When the simulation does not start or makes none.
pub(super) fn prepare(folder: &Path, programs: &Path, services: &mut Services) -> Result<Tokens> {
    let path = folder.join("tokens.json");
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let kept = fs::read_to_string(&path).ok();
    let kept: Option<Value> = kept.and_then(|text| serde_json::from_str(&text).ok());
    let made = match kept {
        Some(kept)
            if kept["exp"].as_u64() > Some((now + NEEDED).as_secs())
                && kept["jwks_es256"].is_object() =>
        {
            kept
        }
        _ => {
            let made = make(programs, services, (now + LIFETIME).as_secs())?;
            fs::write(&path, made.to_string())?;
            made
        }
    };
    let lines = |name: &str| -> Result<PathBuf> {
        let path = folder.join(format!("{name}.txt"));
        let tokens = made[name].as_array().context("no tokens")?;
        let lines: Vec<_> = tokens.iter().filter_map(Value::as_str).collect();
        fs::write(&path, lines.join("\n") + "\n")?;
        Ok(path)
    };
    Ok(Tokens {
        sessions: sessions(folder, programs, &lines("usual")?)?,
        usual: lines("usual")?,
        large: lines("large")?,
        es256: lines("es256")?,
        jwks: made["jwks"].clone(),
        jwks_es256: made["jwks_es256"].clone(),
        without_scope: made["without_scope"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Builds the simulated Auth0 and the command that seals sessions; answers where they lie.
///
/// # Errors
///
/// When they do not build.
pub(super) fn programs() -> Result<PathBuf> {
    command::run(command::cargo().args([
        "build",
        "--package",
        "auth0-sim",
        "--package",
        "edge-auth",
        "--bins",
    ]))?;
    Ok(workspace::target().join("debug"))
}

/// Starts the simulated Auth0 as the issuer of these tokens; answers where it listens.
///
/// # Errors
///
/// When it does not start.
pub(super) fn issuer(programs: &Path, services: &mut Services) -> Result<SocketAddr> {
    let mut auth0 = Command::new(programs.join("auth0-sim"));
    auth0.args(["--listen", "127.0.0.1:0", "--issuer", ISSUER]);
    services.start("auth0-sim", 35, &mut auth0, |lines| {
        http::address(&word(lines, "http://")?)
    })
}

fn make(programs: &Path, services: &mut Services, exp: u64) -> Result<Value> {
    let address = issuer(programs, services)?;
    eprintln!("    {COUNT} tokens are signed …");
    let token = |number: usize, scope: &str, filler: usize, key: &str| -> Result<Value> {
        let claims = json!({
            "exp": exp,
            "jti": format!("{number:032}"),
            "https://pymd.io/roles": ["editor", "reviewer"],
            "https://pymd.io/tenant": "acme-documents-and-more",
            "permissions": ["read:documents", "write:documents"],
            "filler": "x".repeat(filler),
        });
        let subject = subject(number);
        let asked = json!({"subject": subject, "scope": scope, "claims": claims, "key": key});
        let answer = http::post_json(address, "/sim/token", &asked.to_string())?;
        let answer: Value = serde_json::from_str(&answer)?;
        Ok(answer["access_token"].clone())
    };
    let scope = "openid profile email read:documents write:documents";
    let many = |count, filler, key| -> Result<Vec<Value>> {
        (0..count)
            .map(|number| token(number, scope, filler, key))
            .collect()
    };
    let published = || -> Result<Value> {
        let jwks = http::get(address, "/.well-known/jwks.json")?;
        Ok(serde_json::from_str(&jwks)?)
    };
    let jwks = published()?;
    http::post_json(address, "/sim/publish", r#"{"key": "p256"}"#)?;
    Ok(json!({
        "exp": exp,
        "usual": many(COUNT, 100, "rsa1")?,
        "large": many(LARGE_COUNT, LARGE_CLAIM_BYTES, "rsa1")?,
        "es256": many(COUNT, 100, "p256")?,
        "without_scope": token(0, "openid", 100, "rsa1")?,
        "jwks": jwks,
        "jwks_es256": published()?,
    }))
}

/// Who token number `number` is about.
pub(super) fn subject(number: usize) -> String {
    format!("auth0|{number:024x}")
}

/// The key that seals and opens the sessions of a bench. It protects nothing.
pub(super) const SESSION_KEY: &str = "YmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtMTI";
/// The environment variable with it.
pub(super) const SESSION_KEY_ENV: &str = "EDGE_SESSION_KEY";

fn sessions(folder: &Path, programs: &Path, tokens: &Path) -> Result<PathBuf> {
    let path = folder.join("sessions.txt");
    let mut seal = Command::new(programs.join("edge-auth"));
    seal.args(["seal-session", "--lifetime"])
        .arg(LIFETIME.as_secs().to_string())
        .env(SESSION_KEY_ENV, SESSION_KEY)
        .stdin(File::open(tokens)?)
        .stdout(File::create(&path)?);
    let status = seal.status().context("can't start edge-auth")?;
    ensure!(status.success(), "edge-auth seal-session failed");
    Ok(path)
}

/// Where `bench` keeps its files.
pub(super) fn folder() -> Result<PathBuf> {
    let folder = workspace::target().join("bench");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
