//! A Chromium: the one at hand, else Debian's, else the build that Playwright's own servers carry.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::node::Node;
use crate::{apt, command, workspace};

/// Names a Chromium to use instead of the one on PATH.
const VARIABLE: &str = "EDGE_AUTH_CHROMIUM";

/// What distributions call it.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The download is about 180 MB.
const INSTALL_LIMIT: Duration = Duration::from_mins(10);

/// Finds Chromium: `EDGE_AUTH_CHROMIUM`, PATH; installs it otherwise, with `playwright-core` of the folder `tests`
/// where apt can't.
///
/// # Errors
///
/// When none can be installed; the text names the next step.
pub(super) fn find_or_install(node: &Node, tests: &Path) -> Result<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE) {
        let path = PathBuf::from(named);
        return answers(&path).with_context(|| {
            format!(
                "{VARIABLE} names {}, which does not answer to --version.\n\
                 Next step: name a program that runs here, or unset {VARIABLE}",
                path.display()
            )
        });
    }
    let on_path = || NAMES.iter().find_map(|name| answers(Path::new(name)));
    if let Some(path) = on_path() {
        return Ok(path);
    }
    if apt::install(&["chromium"]).is_ok()
        && let Some(path) = on_path()
    {
        return Ok(path);
    }
    from_playwright(node, tests).with_context(|| {
        format!(
            "no Chromium: none on PATH, none in {VARIABLE}, and neither Debian's nor Playwright's can be installed.\n\
             Next step: install Chromium and put it on PATH, or name it in {VARIABLE}"
        )
    })
}

/// The program at `path`, if it runs.
fn answers(path: &Path) -> Option<PathBuf> {
    let version = command::output(Command::new(path).arg("--version"))?;
    version.contains("Chrom").then(|| absolute(path))
}

/// Playwright starts a program by its path, not by its name.
fn absolute(path: &Path) -> PathBuf {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        .map(|folder| folder.join(path))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| path.to_owned())
}

fn from_playwright(node: &Node, tests: &Path) -> Result<PathBuf> {
    let browsers = workspace::target().join("playwright");
    let playwright = || {
        let mut command = node.command();
        command
            .current_dir(tests)
            .env("PLAYWRIGHT_BROWSERS_PATH", &browsers);
        command
    };
    command::announce("installing Playwright's Chromium into target/playwright");
    let mut install = playwright();
    install.args(["node_modules/playwright-core/cli.js", "install", "chromium"]);
    command::run_quietly(INSTALL_LIMIT, &mut install)?;
    let script = "console.log(require('playwright-core').chromium.executablePath())";
    let path = command::output(playwright().args(["--eval", script]));
    let path = path.context("playwright-core names no program")?;
    answers(Path::new(&path)).context("Playwright's Chromium does not run on this machine")
}
