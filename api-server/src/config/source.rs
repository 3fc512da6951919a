//! Where settings come from: the process's environment and one file, or a map in a test.

use std::collections::BTreeMap;
use std::path::Path;

use super::reader::{Mistake, Mistakes};

/// Looks settings up by their full name in the environment (`API_LISTEN`).
pub trait Source {
    /// The value of `name`, if it is set.
    fn value(&self, name: &str) -> Option<String>;

    /// All names that are set, as far as this source refuses unknown ones.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Source for BTreeMap<String, String> {
    fn value(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

/// The environment, and under it the file that `API_CONFIG_FILE` names.
#[derive(Debug, Default)]
pub struct Environment {
    file: BTreeMap<String, String>,
}

impl Environment {
    /// Reads the settings file, if one is named.
    ///
    /// # Errors
    /// The file can't be read, or isn't a YAML mapping of names to plain values.
    pub fn read() -> Result<Self, Mistakes> {
        match std::env::var("API_CONFIG_FILE") {
            Ok(path) => Ok(Self {
                file: read_file(Path::new(&path)).map_err(|problem| {
                    Mistakes::from(vec![Mistake {
                        name: "API_CONFIG_FILE".to_owned(),
                        problem,
                    }])
                })?,
            }),
            Err(_) => Ok(Self::default()),
        }
    }
}

impl Source for Environment {
    fn value(&self, name: &str) -> Option<String> {
        std::env::var(name)
            .ok()
            .or_else(|| self.file.get(name).cloned())
    }

    /// Only the file's: other programs put names of their own into an environment.
    fn names(&self) -> Vec<String> {
        self.file.keys().cloned().collect()
    }
}

/// `name: value` lines of YAML, as the environment would spell them.
fn read_file(path: &Path) -> Result<BTreeMap<String, String>, String> {
    use serde_yaml_ng::Value;
    let text = std::fs::read_to_string(path).map_err(|error| format!("can't be read: {error}"))?;
    // The parser's message may quote a line, and a line may hold a secret: only the place is told.
    let mapping: BTreeMap<String, Value> = serde_yaml_ng::from_str(&text).map_err(|error| {
        let place = error.location().map_or(String::new(), |at| {
            format!(" (line {}, column {})", at.line(), at.column())
        });
        format!("isn't a YAML mapping of names to values{place}")
    })?;
    mapping
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                _ => return Err(format!("`{name}` is neither text, number nor true/false")),
            };
            Ok((format!("API_{}", name.to_uppercase()), value))
        })
        .collect()
}
