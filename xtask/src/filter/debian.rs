//! Debian's toolchain, for machines that reach a package mirror but not rustup's server.
//!
//! Debian ships no standard library for `wasm32-wasip1`, but its source, wasm-ld and a WASI libc: enough for
//! Cargo's `-Zbuild-std`. That flag is unstable, so `RUSTC_BOOTSTRAP=1` is set for this build alone; the filter
//! itself uses stable Rust only.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{RUSTFLAGS, remap_paths};
use crate::{apt, command};

const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";

/// The oldest `rustc` the workspace builds with, as (major, minor); see `rust-version` in `Cargo.toml`.
const MINIMUM_RUSTC: (u32, u32) = (1, 95);

/// Everything but the linker, whose version follows from rustc's LLVM.
const PACKAGES: [&str; 5] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "libstd-rust-web-dev",
    "wasi-libc",
];

/// Where wasi-libc keeps `libc.a`, by age of the package.
const LIBC_FOLDERS: [&str; 2] = ["/usr/lib/wasm32-wasip1", "/usr/lib/wasm32-wasi"];

/// A complete set of Debian's parts.
#[derive(Debug)]
pub struct Parts {
    version: String,
    linker: PathBuf,
    libc_folder: &'static str,
}

impl Parts {
    /// Finds all parts, or `None` when one is missing or too old.
    pub fn find() -> Option<Self> {
        let verbose = command::output(Command::new(RUSTC).arg("-vV"))?;
        let version = field(&verbose, "release")?;
        let (major, rest) = version.split_once('.')?;
        let minor = rest.split('.').next()?;
        if (major.parse().ok()?, minor.parse().ok()?) < MINIMUM_RUSTC {
            return None;
        }
        let sysroot = command::output(Command::new(RUSTC).args(["--print", "sysroot"]))?;
        let source = Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock");
        let linker = PathBuf::from(format!("/usr/bin/wasm-ld-{}", llvm_major(&verbose)?));
        let libc_folder = LIBC_FOLDERS
            .into_iter()
            .find(|folder| Path::new(folder).join("libc.a").exists())?;
        let complete = Path::new(CARGO).exists() && source.exists() && linker.exists();
        complete.then(|| Self {
            version: version.to_owned(),
            linker,
            libc_folder,
        })
    }

    /// What the build says it uses.
    pub fn description(&self) -> String {
        format!(
            "Debian's rustc {} and -Zbuild-std (RUSTC_BOOTSTRAP=1)",
            self.version
        )
    }

    /// Debian's Cargo, set up to build its own standard library for the target.
    pub fn cargo(&self) -> Command {
        let mut cargo = super::without_flags(Command::new(CARGO));
        cargo
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("RUSTC_WRAPPER")
            .env("RUSTC", RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_WASIP1_LINKER", &self.linker)
            .env(RUSTFLAGS, self.rustflags())
            .arg("-Zbuild-std=std,panic_abort");
        cargo
    }

    fn rustflags(&self) -> String {
        format!(
            "-C linker-flavor=wasm-ld -C link-self-contained=no -L native={} {} \
             --remap-path-prefix=/usr/lib/rustlib/src/rust=rust",
            self.libc_folder,
            remap_paths(),
        )
    }
}

/// Finds the parts, installing the packages when we are root and apt is there.
///
/// # Errors
///
/// When they are missing and can't be installed.
pub fn find_or_install() -> Result<Parts> {
    if let Some(parts) = Parts::find() {
        return Ok(parts);
    }
    apt::install(&PACKAGES)?;
    let verbose = command::output(Command::new(RUSTC).arg("-vV")).context("no /usr/bin/rustc")?;
    let llvm = llvm_major(&verbose).context("rustc -vV names no LLVM version")?;
    apt::install(&[&format!("lld-{llvm}")])?;
    Parts::find().context("the packages are installed, but a part is missing or too old")
}

/// The command a person would run.
pub fn install_line() -> String {
    apt::install_line(&[&PACKAGES[..], &["lld-<LLVM version of rustc-web>"]].concat())
}

/// The LLVM that rustc was built with: wasm-ld must read its bitcode.
fn llvm_major(verbose_version: &str) -> Option<&str> {
    field(verbose_version, "LLVM version")?.split('.').next()
}

/// A line `name: value` of `rustc -vV`.
fn field<'a>(verbose_version: &'a str, name: &str) -> Option<&'a str> {
    verbose_version
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linker_version_follows_from_rustc() {
        let verbose =
            "rustc 1.96.0 (ac68faa20 2026-05-25)\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        assert_eq!(llvm_major(verbose), Some("22"));
        assert_eq!(field(verbose, "release"), Some("1.96.0"));
        assert_eq!(field(verbose, "host"), None);
    }
}
