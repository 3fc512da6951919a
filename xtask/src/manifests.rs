//! `manifests`: the policy of `envoy/plugin-config.yaml`, written into each file that carries it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_yaml_ng::Value;

use crate::workspace;

/// A file that carries the policy.
#[derive(Clone, Copy, Debug)]
pub struct Manifest {
    /// Its path in the clone.
    pub path: &'static str,
    /// The line under which the policy stands, indented.
    pub key: &'static str,
    /// How the policy is written there.
    pub form: Form,
    /// The cluster the keys are fetched from, as this kind of proxy names it.
    pub cluster: &'static str,
}

/// How a policy is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// As it stands in `envoy/plugin-config.yaml`, comments too.
    Yaml,
    /// As JSON in a block of text: Envoy hands a `Struct` to the module as protobuf, not as JSON.
    Json,
}

/// All of them.
pub const ALL: [Manifest; 4] = [
    Manifest {
        path: "envoy/envoy.yaml",
        key: "value: |",
        form: Form::Json,
        cluster: CLUSTER,
    },
    Manifest {
        path: "envoy/istio/wasm-plugin.yaml",
        key: "pluginConfig:",
        form: Form::Yaml,
        cluster: ISTIO_CLUSTER,
    },
    Manifest {
        path: "envoy/istio/traffic-extension.yaml",
        key: "pluginConfig:",
        form: Form::Yaml,
        cluster: ISTIO_CLUSTER,
    },
    Manifest {
        path: "envoy/envoy-gateway/extension-policy.yaml",
        key: "config:",
        form: Form::Yaml,
        cluster: CLUSTER,
    },
];

/// The cluster's name in `envoy/plugin-config.yaml`.
pub const CLUSTER: &str = "auth0";

/// Istio names clusters itself: direction, port, subset, host.
pub const ISTIO_CLUSTER: &str = "outbound|443||tenant.auth0.com";

/// Writes the policy into every file that carries it.
///
/// # Errors
///
/// When a file can't be read or written, or has no place for the policy.
pub fn run() -> Result<()> {
    for manifest in ALL {
        let path = manifest.file();
        let old =
            fs::read_to_string(&path).with_context(|| format!("can't read {}", manifest.path))?;
        let new = manifest.with_policy(&old)?;
        if new != old {
            fs::write(&path, new).with_context(|| format!("can't write {}", manifest.path))?;
            eprintln!("wrote {}", manifest.path);
        }
    }
    Ok(())
}

impl Manifest {
    /// Where the file lies.
    pub fn file(&self) -> PathBuf {
        workspace::root().join(self.path)
    }

    /// The file's text with today's policy in it.
    ///
    /// # Errors
    ///
    /// When the policy can't be read, or `text` has no place for it.
    pub fn with_policy(&self, text: &str) -> Result<String> {
        let policy = fs::read_to_string(workspace::root().join("envoy/plugin-config.yaml"))?;
        let start = policy
            .find("version:")
            .context("envoy/plugin-config.yaml has no `version`")?;
        let policy = policy[start..].replace(
            &format!("cluster: {CLUSTER},"),
            &format!("cluster: {},", self.cluster),
        );
        let policy = match self.form {
            Form::Yaml => policy,
            Form::Json => {
                let mut json = String::new();
                write_json(&serde_yaml_ng::from_str(&policy)?, 0, &mut json)?;
                json
            }
        };

        let lines: Vec<&str> = text.lines().collect();
        let key = lines
            .iter()
            .position(|line| line.trim_start() == self.key)
            .with_context(|| format!("{} has no line `{}`", self.path, self.key))?;
        let depth = indent(lines[key]);
        let rest = lines[key + 1..]
            .iter()
            .position(|line| !line.trim().is_empty() && indent(line) <= depth)
            .map_or(lines.len(), |at| key + 1 + at);

        let mut new: Vec<String> = lines[..=key].iter().map(ToString::to_string).collect();
        new.extend(policy.lines().map(|line| match line {
            "" => String::new(),
            line => format!("{:1$}{line}", "", depth + 2),
        }));
        new.extend(lines[rest..].iter().map(ToString::to_string));
        Ok(new.join("\n") + "\n")
    }
}

/// Writes JSON with what is short on one line.
fn write_json(value: &Value, depth: usize, json: &mut String) -> Result<()> {
    let line = serde_json::to_string(value)?;
    let (open, close, members): (_, _, Vec<(String, &Value)>) = match value {
        Value::Mapping(members) if depth == 0 || line.len() > WIDTH => {
            let members = members.iter().map(|(key, value)| {
                let name = serde_json::to_string(key)?;
                Ok((format!("{name}: "), value))
            });
            ('{', '}', members.collect::<Result<_>>()?)
        }
        Value::Sequence(items) if line.len() > WIDTH => {
            let items = items.iter().map(|item| (String::new(), item));
            ('[', ']', items.collect())
        }
        _ => {
            json.push_str(&line);
            return Ok(());
        }
    };
    json.push(open);
    for (at, (name, value)) in members.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(json, "{comma}\n{:1$}{name}", "", 2 * depth + 2);
        write_json(value, depth + 1, json)?;
    }
    let _ = write!(json, "\n{:1$}{close}", "", 2 * depth);
    Ok(())
}

/// Beyond this many characters an object or a list is broken into lines.
const WIDTH: usize = 100;

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
