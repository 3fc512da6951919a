//! Reads settings one by one and keeps every mistake, so that an operator mends all of them at once.

use std::collections::BTreeSet;
use std::fmt;

use super::Source;

/// One setting that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The setting, as the environment spells it.
    pub name: String,
    /// What is wrong and what would be right. Never quotes a secret.
    pub problem: String,
}

/// All mistakes of one configuration.
#[derive(Debug, Default, thiserror::Error)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// The mistakes, in the order the settings are read.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl From<Vec<Mistake>> for Mistakes {
    fn from(mistakes: Vec<Mistake>) -> Self {
        Self(mistakes)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the settings have {} mistake(s):", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|Mistake { name, problem }| writeln!(f, "  {name} {problem}"))
    }
}

/// Looks names up in a source and collects what is wrong.
pub(super) struct Reader<'a> {
    source: &'a dyn Source,
    known: BTreeSet<String>,
    settings: Vec<Setting>,
    mistakes: Vec<Mistake>,
}

/// A setting there is, for documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// As the environment spells it.
    pub name: String,
    /// What counts where it is not given, if anything does.
    pub default: Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            known: BTreeSet::from(["API_CONFIG_FILE".to_owned()]),
            settings: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// Every setting that was looked for.
    pub(super) fn into_settings(self) -> Vec<Setting> {
        self.settings
    }

    /// A setting that must be given.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.look_up(name)? {
            Some(text) => self.parse(name, &text, true, parse),
            None => self.mistake(name, "is required"),
        }
    }

    /// A setting with a default.
    pub(super) fn or<T>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.look_up_or(name, default)?;
        self.parse(name, &text, true, parse)
    }

    /// A setting with a default whose given value is not to be shown.
    pub(super) fn secret_or<T>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.look_up_or(name, default)?;
        self.parse(name, &text, false, parse)
    }

    /// A setting that may be left out and whose value is not to be shown.
    #[expect(
        clippy::option_option,
        reason = "wrong and left out are different things"
    )]
    pub(super) fn optional_secret<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.look_up(name)? {
            Some(text) => self.parse(name, &text, false, parse).map(Some),
            None => Some(None),
        }
    }

    /// A setting that may be left out: `Some(None)` then, `None` where it is wrong.
    #[expect(
        clippy::option_option,
        reason = "wrong and left out are different things"
    )]
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.look_up(name)? {
            Some(text) => self.parse(name, &text, true, parse).map(Some),
            None => Some(None),
        }
    }

    /// All mistakes, if there was one; names no setting has are among them.
    pub(super) fn finish(mut self) -> Result<(), Mistakes> {
        let unknown = self
            .source
            .names()
            .into_iter()
            .filter(|name| !self.known.contains(name));
        self.mistakes.extend(unknown.map(|name| Mistake {
            name,
            problem: "is not a setting".to_owned(),
        }));
        if self.mistakes.is_empty() {
            Ok(())
        } else {
            Err(Mistakes(self.mistakes))
        }
    }

    fn look_up_or(&mut self, name: &str, default: &str) -> Option<String> {
        let text = self.look_up(name)?;
        if let Some(setting) = self.settings.last_mut() {
            setting.default = Some(default.to_owned());
        }
        Some(text.unwrap_or_else(|| default.to_owned()))
    }

    /// The text of a setting, from itself or from the file that `NAME_FILE` names; `None` after a mistake.
    #[expect(
        clippy::option_option,
        reason = "a mistake and left out are different things"
    )]
    fn look_up(&mut self, name: &str) -> Option<Option<String>> {
        let name = full_name(name);
        let file_name = format!("{name}_FILE");
        self.known.insert(name.clone());
        self.known.insert(file_name.clone());
        self.settings.push(Setting {
            name: name.clone(),
            default: None,
        });
        match (self.source.value(&name), self.source.value(&file_name)) {
            (Some(_), Some(_)) => {
                self.mistakes.push(Mistake {
                    name,
                    problem: format!("is given twice: {file_name} is set too"),
                });
                None
            }
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(text) => Some(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
                Err(error) => {
                    self.mistakes.push(Mistake {
                        name: file_name,
                        problem: format!("names a file that can't be read: {error}"),
                    });
                    None
                }
            },
            (value, None) => Some(value),
        }
    }

    fn parse<T>(
        &mut self,
        name: &str,
        text: &str,
        show: bool,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(text) {
            Ok(value) => Some(value),
            Err(problem) if show => self.mistake(name, &format!("`{text}` {problem}")),
            Err(problem) => self.mistake(name, &problem),
        }
    }

    pub(super) fn mistake<T>(&mut self, name: &str, problem: &str) -> Option<T> {
        self.mistakes.push(Mistake {
            name: full_name(name),
            problem: problem.to_owned(),
        });
        None
    }
}

fn full_name(name: &str) -> String {
    format!("API_{}", name.to_uppercase())
}
