//! The plugin configuration: raw input, its errors, typed values.
//!
//! [`Config::from_json`] either returns values that cannot be wrong, or every mistake with its place and what
//! would be right. No switch here turns verification off.

mod audit;
mod browser;
mod condition;
mod edge;
mod keys;
mod limits;
mod organization;
mod protected_resource;
mod provider;
mod rate_limit_service;
mod reader;
mod requirement;
mod revocations;
mod rule;
mod session;

pub use edge::{Config, RateLimitHeaders};
pub use keys::KeySource;
pub use provider::{ClaimToHeader, Provider};
pub use reader::{ConfigError, FieldDescription};
pub use requirement::{Requirement, TokenRequirement};
pub use rule::{Mode, Rule};
pub use session::SessionSettings;

use crate::json::{self, Value};
use reader::{Kind as _, Path, Report, Section};

/// The longest configuration accepted, in bytes: 10,000 rules fit several times over.
pub const MAX_CONFIG_BYTES: usize = 16 * 1024 * 1024;

impl Config {
    /// Reads a configuration from JSON text.
    ///
    /// # Errors
    /// All mistakes at once, each with the place it stands at.
    pub fn from_json(text: &[u8]) -> Result<Self, Vec<ConfigError>> {
        let whole = |message: String| {
            vec![ConfigError {
                path: "configuration".to_owned(),
                message,
            }]
        };
        if text.len() > MAX_CONFIG_BYTES {
            return Err(whole(format!(
                "has {} bytes; {MAX_CONFIG_BYTES} are allowed",
                text.len()
            )));
        }
        if text.trim_ascii().is_empty() {
            return Err(whole(
                "is empty; at least version, providers and default are needed".into(),
            ));
        }
        let value = json::parse(text, JSON_LIMITS)
            .map_err(|error| whole(format!("is no JSON that can be read: {error}")))?;
        Self::from_value(&value)
    }

    /// Reads what a proxy hands over: JSON text, or a `google.protobuf.Struct` as Envoy encodes it, which is what
    /// YAML in a bootstrap becomes.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_plugin(bytes: &[u8]) -> Result<Self, Vec<ConfigError>> {
        // The tag of a Struct's first field is a line feed, which JSON may begin with too: what is JSON wins.
        let is_struct = bytes.first() == Some(&STRUCT_TAG) && bytes.len() <= MAX_CONFIG_BYTES;
        if is_struct && let Ok(value) = json::parse_struct(bytes, JSON_LIMITS) {
            return Self::from_value(&value);
        }
        Self::from_json(bytes)
    }

    /// Reads a configuration that is already parsed.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_value(value: &Value) -> Result<Self, Vec<ConfigError>> {
        let names = Names::of(value);
        let mut report = Report::default();
        let config = Section(|o: &mut reader::Object<'_>| edge::config(o, &names)).read(
            value,
            &Path::ROOT,
            &mut report,
        );
        let errors = report.into_errors();
        match config {
            Some(config) if errors.is_empty() => Ok(config),
            _ if errors.is_empty() => Err(vec![ConfigError {
                path: "configuration".to_owned(),
                message: "is refused".to_owned(),
            }]),
            _ => Err(errors),
        }
    }
}

/// The JSON Schema (draft 2020-12) of the configuration, as the reader describes itself.
pub fn schema() -> serde_json::Value {
    let names = Names::default();
    let mut schema = Section(|o: &mut reader::Object<'_>| edge::config(o, &names)).schema();
    if let Some(object) = schema.as_object_mut() {
        object.insert(
            "$schema".to_owned(),
            serde_json::json!("https://json-schema.org/draft/2020-12/schema"),
        );
        object.insert(
            "title".to_owned(),
            serde_json::json!("edge-auth plugin configuration"),
        );
        object.insert(
            "$defs".to_owned(),
            serde_json::json!({ "condition": condition::schema(&names) }),
        );
    }
    schema
}

/// The names that other parts of the configuration may use, found before anything is read.
#[derive(Debug, Default)]
pub(crate) struct Names {
    providers: Vec<Box<str>>,
    rate_limits: Vec<Box<str>>,
    service_limits: Vec<Box<str>>,
}

/// Where a limit that a rule names is counted, and its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LimitPlace {
    Here(usize),
    ByService(usize),
}

impl Names {
    fn of(value: &Value) -> Self {
        let members = |of: &Value, name: &str, camel: &str| {
            let object = of.as_object()?;
            let members = object
                .get(name)
                .or_else(|| object.get(camel))?
                .as_object()?;
            Some(members.iter().map(|(name, _)| name.into()).collect())
        };
        let service = value.as_object().and_then(|object| {
            let service = object.get("rate_limit_service");
            service.or_else(|| object.get("rateLimitService"))
        });
        Self {
            providers: members(value, "providers", "providers").unwrap_or_default(),
            rate_limits: members(value, "rate_limits", "rateLimits").unwrap_or_default(),
            service_limits: service
                .and_then(|service| members(service, "limits", "limits"))
                .unwrap_or_default(),
        }
    }

    fn provider(&self, name: &str) -> Result<usize, String> {
        index(&self.providers, name, "providers")
    }

    fn rate_limit(&self, name: &str) -> Result<LimitPlace, String> {
        let by_service = self.service_limits.iter().position(|it| **it == *name);
        if let Some(index) = by_service {
            return Ok(LimitPlace::ByService(index));
        }
        if self.service_limits.is_empty() {
            return index(&self.rate_limits, name, "rate_limits").map(LimitPlace::Here);
        }
        let names = [&*self.rate_limits, &*self.service_limits].concat();
        let what = "rate_limits and rate_limit_service.limits";
        index(&names, name, what).map(LimitPlace::Here)
    }
}

/// Where `name` stands in `names`, which is sorted as the reader's maps are.
fn index(names: &[Box<str>], name: &str, what: &str) -> Result<usize, String> {
    names
        .iter()
        .position(|known| **known == *name)
        .ok_or_else(|| {
            if names.is_empty() {
                format!("names nothing: there are no {what}")
            } else {
                format!("is not among {what}: {}", names.join(", "))
            }
        })
}

/// Field 1, length-delimited.
const STRUCT_TAG: u8 = 0x0a;

const JSON_LIMITS: json::Limits = json::Limits {
    depth: 32,
    values: 1_000_000,
};

#[cfg(test)]
mod tests;
