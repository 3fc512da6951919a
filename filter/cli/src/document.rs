//! Files as documents: JSON, or YAML with any number of documents, read strictly.
//!
//! Duplicate names are refused in both: Envoy, Kubernetes and we might each pick another one.

use std::io::Read as _;

use anyhow::{Context as _, Result};
use edge_auth_policy::json;
use serde::Deserialize as _;
use serde_json::Value;
use serde_yaml_ng as yaml;

/// The documents of one file, and the mistake after which nothing could be read.
#[derive(Debug)]
pub(crate) struct File {
    /// As the operator named it.
    pub(crate) name: String,
    /// What could be read, in order.
    pub(crate) documents: Vec<Value>,
    /// Why the rest could not, with line and column.
    pub(crate) error: Option<String>,
}

/// Reads a file; `-` is standard input.
///
/// # Errors
/// The file cannot be read. What is wrong inside is [`File::error`].
pub(crate) fn read(name: &str) -> Result<File> {
    let text = read_text(name)?;
    let (documents, error) = parse(&text);
    let name = if name == "-" { "standard input" } else { name };
    Ok(File {
        name: name.to_owned(),
        documents,
        error,
    })
}

/// The text of a file; `-` is standard input.
pub(crate) fn read_text(name: &str) -> Result<String> {
    if name == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(name).with_context(|| format!("cannot read {name}"))
}

fn parse(text: &str) -> (Vec<Value>, Option<String>) {
    // JSON first: YAML forbids the tabs that JSON files are indented with.
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return match json::parse(text.as_bytes(), JSON_LIMITS) {
            Ok(_) => (vec![value], None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
    }
    let mut documents = Vec::new();
    for document in yaml::Deserializer::from_str(text) {
        let read = yaml::Value::deserialize(document)
            .map_err(|error| error.to_string())
            .and_then(json);
        match read {
            Ok(Value::Null) => {}
            Ok(value) => documents.push(value),
            Err(error) => return (documents, Some(error)),
        }
    }
    (documents, None)
}

/// YAML as the JSON that Envoy and Kubernetes make of it. The YAML reader bounds the nesting.
fn json(value: yaml::Value) -> Result<Value, String> {
    Ok(match value {
        yaml::Value::Null => Value::Null,
        yaml::Value::Bool(boolean) => boolean.into(),
        yaml::Value::Number(number) => {
            let integer = number.as_u64().map(Value::from);
            let signed = || number.as_i64().map(Value::from);
            let float = || {
                let float = serde_json::Number::from_f64(number.as_f64()?);
                float.map(Value::Number)
            };
            integer
                .or_else(signed)
                .or_else(float)
                .ok_or_else(|| format!("{number} is a number that JSON does not have"))?
        }
        yaml::Value::String(text) => text.into(),
        yaml::Value::Sequence(elements) => {
            Value::Array(elements.into_iter().map(json).collect::<Result<_, _>>()?)
        }
        yaml::Value::Mapping(members) => {
            let member = |(name, value)| Ok::<_, String>((member_name(name)?, json(value)?));
            Value::Object(members.into_iter().map(member).collect::<Result<_, _>>()?)
        }
        yaml::Value::Tagged(tagged) => return Err(format!("has the YAML tag {}", tagged.tag)),
    })
}

fn member_name(name: yaml::Value) -> Result<String, String> {
    match name {
        yaml::Value::String(text) => Ok(text),
        yaml::Value::Bool(boolean) => Ok(boolean.to_string()),
        yaml::Value::Number(number) => Ok(number.to_string()),
        _ => Err("has a name that is no text".to_owned()),
    }
}

const JSON_LIMITS: json::Limits = json::Limits {
    depth: 128,
    values: 4_000_000,
};
