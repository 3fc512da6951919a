//! The folder the app lies in: what of it is served, read once and within limits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::file::File;

/// Why the folder can't be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder can't be read.
    #[error("{path} can't be read: {source}")]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The page that everything starts from is missing.
    #[error("{0} has no index.html; name the folder of the browser app")]
    NoPage(PathBuf),
    /// It is no app: more than [`MAX_BYTES`] in its files.
    #[error("{0} has more than {MAX_BYTES} bytes of files; name the folder of the browser app")]
    TooLarge(PathBuf),
}

/// Bytes of all files at most: 8 MiB. They are kept in memory.
pub const MAX_BYTES: usize = 8 << 20;

/// The one page.
const PAGE: &str = "index.html";

/// Everything the app consists of.
#[derive(Debug)]
pub struct Folder {
    page: File,
    files: HashMap<String, File>,
}

impl Folder {
    /// Reads every file of a known kind in `folder` and below; names that begin with a dot are left out.
    ///
    /// # Errors
    /// [`Error`]: it can't be read, has no page, or is too large.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let mut contents = HashMap::new();
        let mut bytes = 0;
        // Names relative to the folder, each with `/` at its end.
        let mut folders = vec![String::new()];
        while let Some(name) = folders.pop() {
            let here = folder.join(&name);
            for entry in fs::read_dir(&here).map_err(unreadable(&here))? {
                let entry = entry.map_err(unreadable(&here))?;
                let path = entry.path();
                let Ok(part) = entry.file_name().into_string() else {
                    continue;
                };
                if part.starts_with('.') {
                    continue;
                }
                let name = format!("{name}{part}");
                // Follows links: a mounted folder often consists of them.
                let metadata = fs::metadata(&path).map_err(unreadable(&path))?;
                if metadata.is_dir() {
                    folders.push(name + "/");
                } else if let Some(content_type) = content_type(&part) {
                    let content = fs::read(&path).map_err(unreadable(&path))?;
                    bytes += content.len();
                    if bytes > MAX_BYTES {
                        return Err(Error::TooLarge(folder.to_owned()));
                    }
                    let file = File::new(&name, content_type, content);
                    contents.insert(name, file);
                }
            }
        }
        let page = contents.remove(PAGE);
        Ok(Self {
            page: page.ok_or_else(|| Error::NoPage(folder.to_owned()))?,
            files: contents,
        })
    }

    /// The page every place in the app begins with.
    pub(super) const fn page(&self) -> &File {
        &self.page
    }

    /// The file of this name.
    pub(super) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Unreadable { path, source }
}

/// The kinds of files an app has; a browser guesses none of them (`nosniff`).
fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}
