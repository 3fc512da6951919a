//! `generate`: everything a proxy needs around a plugin configuration, as manifests that can be applied.

mod envoy;
mod envoy_gateway;
mod istio;
mod upstream;

use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::Report;
use crate::edge;
use upstream::KeyHost;

/// What `generate` is given
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to make
    target: Target,
    /// The plugin configuration, alone or in a bootstrap or manifest
    config: String,
    /// Where the module is: a file for envoy and envoyfilter, `oci://` or `https://` for the others
    #[arg(long, value_name = "URL")]
    module_url: Option<String>,
    /// The module's SHA-256, in hexadecimal
    #[arg(long, value_name = "DIGEST")]
    module_sha256: Option<String>,
    /// The manifests' namespace
    #[arg(long, default_value = "istio-system")]
    namespace: String,
    /// The Gateway that Envoy Gateway's policies are for
    #[arg(long, default_value = "edge")]
    gateway: String,
    /// Host and port of the application, for a bootstrap
    #[arg(long, default_value = "127.0.0.1:3000")]
    upstream: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    /// An Envoy bootstrap
    Envoy,
    /// Istio's `WasmPlugin`, with `ServiceEntry` and `DestinationRule`
    IstioWasmplugin,
    /// Istio's `TrafficExtension` (1.30 and later), with `ServiceEntry` and `DestinationRule`
    IstioTrafficextension,
    /// Istio's `EnvoyFilter`, with `ServiceEntry` and `DestinationRule`
    Envoyfilter,
    /// Envoy Gateway's `EnvoyExtensionPolicy`, with the provider's clusters
    EnvoyGateway,
}

/// What all targets are made of.
#[derive(Clone, Debug)]
struct Parts {
    /// The plugin configuration, as it is written.
    config: Value,
    /// Where keys are fetched from.
    hosts: Vec<KeyHost>,
    /// The number of proxies in front.
    trusted_hops: u8,
    /// The environment variables that hold the configuration's secrets.
    environment: Vec<String>,
    module: String,
    sha256: Option<String>,
    namespace: String,
    gateway: String,
    upstream: String,
}

/// Makes manifests.
///
/// # Errors
/// The configuration has mistakes, or the target cannot load a module from the place named.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let (config, raw) = edge::load(&arguments.config)?;
    let local = matches!(arguments.target, Target::Envoy | Target::Envoyfilter);
    let module = arguments.module_url.clone().unwrap_or_else(|| {
        let default = if local { MODULE_FILE } else { MODULE_IMAGE };
        default.to_owned()
    });
    if local == module.contains("://") {
        bail!(
            "{module} does not fit: envoy and envoyfilter load a file of the proxy's machine, the others an \
             oci:// image or an https:// URL"
        );
    }
    let parts = Parts {
        hosts: upstream::key_hosts(&raw)?,
        config: raw,
        trusted_hops: config.client_address.trusted_hops(),
        environment: config.secret_names().map(ToOwned::to_owned).collect(),
        module,
        sha256: arguments.module_sha256.clone(),
        namespace: arguments.namespace.clone(),
        gateway: arguments.gateway.clone(),
        upstream: arguments.upstream.clone(),
    };
    let (comment, documents) = match arguments.target {
        Target::Envoy => envoy::bootstrap(&parts)?,
        Target::IstioWasmplugin => istio::wasm_plugin(&parts),
        Target::IstioTrafficextension => istio::traffic_extension(&parts),
        Target::Envoyfilter => istio::envoy_filter(&parts),
        Target::EnvoyGateway => envoy_gateway::policies(&parts)?,
    };
    let mut text = String::new();
    for line in comment.lines() {
        let _ = writeln!(text, "# {line}");
    }
    if let Some(service) = &config.rate_limit_service {
        let cluster = &service.cluster;
        let _ = writeln!(
            text,
            "# The rate limit service's cluster, {cluster}, is not in here: add one that speaks HTTP/2."
        );
    }
    for (index, document) in documents.iter().enumerate() {
        if index > 0 {
            text.push_str("---\n");
        }
        text.push_str(&serde_yaml_ng::to_string(document)?);
    }
    Ok(Report::right(text))
}

const MODULE_FILE: &str = "/etc/envoy/edge_auth_filter.wasm";
const MODULE_IMAGE: &str = "oci://registry.example/edge-auth:0.1.0";
