//! `manifests`: the policy of `envoy/plugin-config.yaml`, written into each file that carries it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace;

/// A file that carries the policy.
#[derive(Clone, Copy, Debug)]
pub struct Manifest {
    /// Its path in the clone.
    pub path: &'static str,
    /// The line under which the policy stands, indented.
    pub key: &'static str,
    /// The cluster the keys are fetched from, as this kind of proxy names it.
    pub cluster: &'static str,
}

/// All of them.
pub const ALL: [Manifest; 4] = [
    Manifest {
        path: "envoy/envoy.yaml",
        key: "value:",
        cluster: CLUSTER,
    },
    Manifest {
        path: "envoy/istio/wasm-plugin.yaml",
        key: "pluginConfig:",
        cluster: ISTIO_CLUSTER,
    },
    Manifest {
        path: "envoy/istio/traffic-extension.yaml",
        key: "pluginConfig:",
        cluster: ISTIO_CLUSTER,
    },
    Manifest {
        path: "envoy/envoy-gateway/extension-policy.yaml",
        key: "config:",
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

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
