//! `web`: the libraries of the browser app, fetched by npm and laid where the app's modules name them. The app itself
//! needs no building.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{command, node, workspace};

/// A library: its package, and the one file of it that browsers load.
const LIBRARIES: [(&str, &str); 3] = [
    ("dompurify", "dist/purify.min.js"),
    ("idb", "build/index.js"),
    ("marked", "lib/marked.esm.js"),
];

/// The folder api-server serves: `API_WEB_FOLDER`.
pub fn public() -> PathBuf {
    folder().join("public")
}

/// Puts the libraries that `package.json` names into `lib/` of the app, each below its name and version, with its
/// licence; does nothing where they are there.
///
/// # Errors
///
/// When npm can't fetch them, or a package does not have the file.
pub fn install() -> Result<()> {
    let files = files()?;
    if files.iter().all(|file| file.to.is_file()) {
        return Ok(());
    }
    node::find_or_install()?.install_packages(&folder())?;
    command::announce("laying down the libraries of the browser app");
    let lib = public().join("lib");
    if lib.exists() {
        fs::remove_dir_all(&lib).context("can't remove the libraries of before")?;
    }
    for File { from, to } in files {
        let parent = to.parent().unwrap_or(&lib);
        fs::create_dir_all(parent)?;
        fs::copy(&from, &to).with_context(|| format!("can't copy {}", from.display()))?;
    }
    Ok(())
}

/// A file of a package, and where the app has it.
struct File {
    from: PathBuf,
    to: PathBuf,
}

fn files() -> Result<Vec<File>> {
    let mut files = Vec::new();
    for (name, path) in LIBRARIES {
        let package = folder().join("node_modules").join(name);
        let to = public().join("lib").join(versioned(name)?);
        let file_name = Path::new(path).file_name().unwrap_or_default();
        files.push(File {
            from: package.join(path),
            to: to.join(file_name),
        });
        files.push(File {
            from: package.join("LICENSE"),
            to: to.join("LICENSE.txt"),
        });
    }
    Ok(files)
}

/// `marked-1.2.3`: a browser may keep what lies there for ever.
fn versioned(name: &str) -> Result<String> {
    let path = folder().join("package.json");
    let text = fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
    let package: Value = serde_json::from_slice(&text)?;
    let version = package["dependencies"][name].as_str();
    let version = version.with_context(|| format!("{} does not name {name}", path.display()))?;
    Ok(format!("{name}-{version}"))
}

fn folder() -> PathBuf {
    workspace::root().join("api-server/web")
}
