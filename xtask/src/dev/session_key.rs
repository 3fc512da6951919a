//! The key of session cookies: api-server seals with it, Envoy's module opens with it. Drawn once and kept, so that
//! a login outlives a restart.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command;

/// The environment variable in which `envoy/envoy.yaml` hands the key to the module.
pub const VARIABLE: &str = "EDGE_SESSION_KEY";

/// 32 random bytes in base64url without padding.
const LENGTH: usize = 43;

/// The key in `folder`, drawn when it is missing.
///
/// # Errors
///
/// When openssl can't draw one, or the file can't be written.
pub fn in_folder(folder: &Path) -> Result<String> {
    let path = folder.join("session.key");
    if let Ok(kept) = fs::read_to_string(&path)
        && kept.trim().len() == LENGTH
    {
        return Ok(kept.trim().to_owned());
    }
    let drawn = command::output(Command::new("openssl").args(["rand", "-base64", "32"]));
    let drawn = drawn.context("openssl gives no random bytes")?;
    let key: String = drawn
        .trim()
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_");
    ensure!(
        key.len() == LENGTH,
        "openssl gave something else than 32 bytes"
    );
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("can't write {}", path.display()))?;
    writeln!(file, "{key}")?;
    Ok(key)
}
