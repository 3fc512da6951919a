//! The pinned toolchain's own standard library for `wasm32-wasip1`.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{RUSTFLAGS, TARGET, remap_paths};
use crate::{command, workspace};

/// The download is about 20 MB; some networks drop what they do not allow instead of refusing it.
const ADD_LIMIT: Duration = Duration::from_mins(2);

/// Whether the active `rustc` has a standard library for the target.
///
/// Asks `rustc` and not `rustup`: a toolchain from elsewhere that brings the library is as good.
pub fn is_present() -> bool {
    let print = ["--print", "target-libdir", "--target", TARGET];
    let mut rustc = Command::new("rustc");
    rustc.args(print).current_dir(workspace::root());
    command::output(&mut rustc)
        .and_then(|folder| fs::read_dir(folder).ok())
        .is_some_and(|entries| {
            entries.flatten().any(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with("libstd-") && name.ends_with(".rlib")
            })
        })
}

/// Makes the target present, with `rustup target add` where need be.
///
/// # Errors
///
/// When there is no rustup, or it can't reach its server within the time limit.
pub fn find_or_add() -> Result<()> {
    if is_present() {
        return Ok(());
    }
    let has_rustup = command::output(Command::new("rustup").arg("--version")).is_some();
    if !has_rustup {
        bail!("rustup is not installed (https://rustup.rs)");
    }
    command::announce(&format!(
        "adding rustup's target {TARGET} (given up after {} s)",
        ADD_LIMIT.as_secs()
    ));
    let mut rustup = Command::new("rustup");
    rustup
        .args(["target", "add", TARGET])
        .current_dir(workspace::root());
    command::run_within(ADD_LIMIT, &mut rustup).context("rustup does not reach its server")?;
    if !is_present() {
        bail!("`rustup target add {TARGET}` succeeded, but rustc does not find the library");
    }
    Ok(())
}

/// What the build says it uses.
pub fn description() -> String {
    let version = command::output(
        Command::new("rustc")
            .arg("-V")
            .current_dir(workspace::root()),
    );
    format!(
        "rustup's {TARGET} ({})",
        version.as_deref().unwrap_or("rustc")
    )
}

/// The Cargo that runs us, else the one on PATH.
pub fn cargo() -> Command {
    let mut cargo = super::without_flags(command::cargo());
    cargo.env(RUSTFLAGS, remap_paths());
    cargo
}
