//! The wasm module under test.
//!
//! `cargo xtask test` builds it once and names it in `EDGE_AUTH_MODULE`. A test started by hand builds it through
//! `cargo xtask build-filter`, which does nothing where it is up to date, so that no test ever loads a stale module.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context, Result, anyhow, ensure};

/// The path of the module, built if need be; once per process.
pub fn path() -> Result<&'static Path> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = PATH.get_or_init(|| find().map_err(|error| format!("{error:#}")));
    found.as_deref().map_err(|error| anyhow!("{error}"))
}

fn find() -> Result<PathBuf> {
    let path = match std::env::var_os(MODULE) {
        Some(path) => PathBuf::from(path),
        None => build()?,
    };
    ensure!(path.is_file(), "there is no module at {}", path.display());
    Ok(path)
}

fn build() -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new("cargo")
        .args(["xtask", "build-filter"])
        .current_dir(workspace)
        .output()
        .context("can't run cargo to build the module")?;
    ensure!(
        output.status.success(),
        "cargo xtask build-filter failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let stdout = String::from_utf8(output.stdout)?;
    let path = stdout
        .lines()
        .last()
        .context("cargo xtask build-filter named no module")?;
    Ok(PathBuf::from(path))
}

const MODULE: &str = "EDGE_AUTH_MODULE";
