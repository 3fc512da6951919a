//! Databases with many documents: made by api-server's own migrations, filled by a script.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bench, servers};
use crate::command;
use crate::service::Services;

/// A database file that no server has open.
#[derive(Clone, Debug)]
pub(super) struct Database {
    path: PathBuf,
    middles: Vec<Middle>,
}

/// The middle of one owner's list.
#[derive(Clone, Debug)]
pub(super) struct Middle {
    /// The document there.
    pub(super) id: String,
    /// A cursor to the page after it.
    pub(super) cursor: String,
}

impl Database {
    /// A new database with so many documents of each owner.
    ///
    /// # Errors
    ///
    /// When api-server does not start, or the script fails.
    pub(super) fn make(bench: &Bench<'_>, name: &str, owners: &[(String, usize)]) -> Result<Self> {
        let path = bench.folder.join(format!("{name}.db"));
        remove(&path)?;
        let mut empty = Self {
            path,
            middles: Vec::new(),
        };
        let mut services = Services::new()?;
        servers::api_server(bench, &mut services, &empty)?;
        services.end();
        let all: usize = owners.iter().map(|(_, count)| count).sum();
        eprintln!("    {all} documents are written …");
        let mut seed = servers::script(bench.python, "seed.py");
        seed.arg(&empty.path);
        for (subject, count) in owners {
            seed.args([subject, &count.to_string()]);
        }
        let printed = command::output(&mut seed).context("seed.py failed")?;
        let printed: Vec<Value> = serde_json::from_str(&printed)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        empty.middles = printed
            .iter()
            .filter_map(|middle| {
                Some(Middle {
                    id: text(&middle["id"])?,
                    cursor: text(&middle["cursor"])?,
                })
            })
            .collect();
        Ok(empty)
    }

    /// The same again in another file.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub(super) fn copy(&self, to: &Path) -> Result<Self> {
        remove(to)?;
        fs::copy(&self.path, to)?;
        Ok(Self {
            path: to.to_owned(),
            middles: self.middles.clone(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn display(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// In the order of the owners.
    pub(super) fn middles(&self) -> &[Middle] {
        &self.middles
    }
}

/// A database and what belongs to it, if it is there.
fn remove(path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm", ".migrate-lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
