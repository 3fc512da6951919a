//! `build-filter`: the release module for `wasm32-wasip1`, with whichever toolchain can be had.
//!
//! Each way builds in a target folder of its own, so that neither disturbs the other or what `cargo build`
//! leaves behind. The linked module then loses the exports the filter does not implement ([`exports`]).

pub mod debian;
pub mod exports;
pub mod rustup;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::{command, workspace};

/// The target of the module.
pub const TARGET: &str = "wasm32-wasip1";
const MODULE: &str = "edge_auth_filter.wasm";

/// How to build the module.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Whose standard library for wasm32-wasip1
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    pub toolchain: Choice,
}

/// The toolchain asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Choice {
    /// rustup's target where present or addable, else Debian's packages
    #[default]
    Auto,
    /// rustup's target, added if need be
    Rustup,
    /// Debian's rustc and the standard library built from Debian's source
    Debian,
}

/// A toolchain that is here and complete.
#[derive(Debug)]
pub enum Toolchain {
    /// The pinned toolchain with its own `wasm32-wasip1` standard library.
    Rustup,
    /// Debian's packages.
    Debian(debian::Parts),
}

/// A module as it left a toolchain, without unused exports.
#[derive(Debug)]
pub struct Module {
    /// Where it lies, apart from the other toolchain's.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// Builds the module, copies it to its promised place and prints that path.
pub fn run(arguments: &Arguments) -> Result<()> {
    let toolchain = find(arguments.toolchain)?;
    let module = build(&toolchain)?;
    let path = publish(&module)?;
    println!("{}", path.display());
    Ok(())
}

/// Finds the toolchain asked for, installing it where that is possible.
///
/// # Errors
///
/// When it can't be had; the text says what was tried and what to do next.
pub fn find(choice: Choice) -> Result<Toolchain> {
    match choice {
        Choice::Rustup => {
            rustup::find_or_add().context("rustup's wasm32-wasip1 target can't be had")?;
            Ok(Toolchain::Rustup)
        }
        Choice::Debian => {
            let parts = debian::find_or_install().context("Debian's packages can't be had")?;
            Ok(Toolchain::Debian(parts))
        }
        Choice::Auto => find_any(),
    }
}

/// What is here already comes before what would have to be downloaded.
fn find_any() -> Result<Toolchain> {
    if rustup::is_present() {
        return Ok(Toolchain::Rustup);
    }
    if let Some(parts) = debian::Parts::find() {
        return Ok(Toolchain::Debian(parts));
    }
    let rustup_error = match rustup::find_or_add() {
        Ok(()) => return Ok(Toolchain::Rustup),
        Err(error) => error,
    };
    match debian::find_or_install() {
        Ok(parts) => Ok(Toolchain::Debian(parts)),
        Err(debian_error) => bail!(
            "no standard library for {TARGET} can be had.\n  \
             rustup: {rustup_error:#}\n  \
             Debian: {debian_error:#}\n\
             Next step: where rustup reaches its server, run `rustup target add {TARGET}`; \
             on Debian 12 or later, run as root\n  {}",
            debian::install_line(),
        ),
    }
}

/// Builds the module with `toolchain`, in a target folder of its own.
///
/// # Errors
///
/// When the build fails, or the module lacks an export that Envoy needs.
pub fn build(toolchain: &Toolchain) -> Result<Module> {
    let (name, description, mut cargo) = match toolchain {
        Toolchain::Rustup => ("rustup", rustup::description(), rustup::cargo()),
        Toolchain::Debian(parts) => ("debian", parts.description(), parts.cargo()),
    };
    command::announce(&format!("building the filter with {description}"));
    let start = Instant::now();
    let folder = workspace::target().join("filter").join(name);
    cargo
        .args([
            "build",
            "--release",
            "--package",
            "edge-auth-filter",
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(&folder)
        .current_dir(workspace::root());
    command::run(&mut cargo)?;

    let linked = folder.join(TARGET).join("release").join(MODULE);
    let linked = fs::read(&linked).with_context(|| format!("can't read {}", linked.display()))?;
    let module = exports::keep_only(&linked, exports::KEPT)?;
    let path = folder.join(MODULE);
    write(&path, &module)?;
    eprintln!(
        "    {} bytes ({} KiB) in {:.0} s; {} of {} exports kept",
        module.len(),
        module.len() / 1024,
        start.elapsed().as_secs_f64(),
        exports::names(&module)?.len(),
        exports::names(&linked)?.len(),
    );
    Ok(Module {
        path,
        size_bytes: module.len() as u64,
    })
}

/// Copies `module` to the path that README and manifests name, whichever way it was built.
pub fn publish(module: &Module) -> Result<PathBuf> {
    let path = workspace::target()
        .join(TARGET)
        .join("release")
        .join(MODULE);
    write(&path, &fs::read(&module.path)?)?;
    Ok(path)
}

/// Writes beside and renames: a proxy reading the old file never sees half of the new one, and a hard
/// link Cargo made to the same file keeps its content.
fn write(path: &Path, content: &[u8]) -> Result<()> {
    let beside = path.with_extension("wasm.new");
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs::write(&beside, content)?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("can't write {}", path.display()))
}

/// Keeps paths of the building machine out of the module's panic messages, and the module the same
/// wherever it is built.
fn remap_paths() -> String {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_default();
    format!(
        "--remap-path-prefix={}=cargo --remap-path-prefix={}=edge-auth",
        cargo_home.display(),
        workspace::root().display(),
    )
}

/// Cargo's variable for flags of this target alone: build scripts and macros keep theirs.
const RUSTFLAGS: &str = "CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS";

/// A Cargo command without flags that were meant for the machine's own programs.
fn without_flags(mut cargo: Command) -> Command {
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(variable);
    }
    cargo
}
