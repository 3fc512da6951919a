//! Istio: the filter as `WasmPlugin`, `TrafficExtension` or `EnvoyFilter`, and the way to the providers.
//!
//! The module speaks plain HTTP to port 80 of a provider, which the proxy turns into TLS to port 443: so the
//! `DestinationRule` touches nobody who speaks TLS to port 443 himself.

use serde_json::{Value, json};

use super::Parts;
use super::envoy::{CONNECTION_MANAGER, connection_manager, http_filter};
use super::upstream::KeyHost;

/// `WasmPlugin`.
pub(super) fn wasm_plugin(parts: &Parts) -> (&'static str, Vec<Value>) {
    let mut spec = wasm(parts);
    spec["selector"] = selector();
    spec["phase"] = json!("AUTHN");
    spec["pluginName"] = json!("edge_auth");
    spec["failStrategy"] = json!("FAIL_RELOAD");
    let plugin = resource(
        "extensions.istio.io/v1alpha1",
        "WasmPlugin",
        parts,
        "edge-auth",
        &spec,
    );
    (COMMENT, with_egress(plugin, parts))
}

/// `TrafficExtension`.
pub(super) fn traffic_extension(parts: &Parts) -> (&'static str, Vec<Value>) {
    let spec = json!({"selector": selector(), "phase": "AUTHN", "wasm": wasm(parts)});
    let extension = resource(
        "extensions.istio.io/v1alpha1",
        "TrafficExtension",
        parts,
        "edge-auth",
        &spec,
    );
    (COMMENT, with_egress(extension, parts))
}

/// `EnvoyFilter`, for a module that is a file in the gateway's image.
pub(super) fn envoy_filter(parts: &Parts) -> (&'static str, Vec<Value>) {
    let manager = json!({"filter": {"name": "envoy.filters.network.http_connection_manager"}});
    let mut router = manager.clone();
    router["filter"]["subFilter"] = json!({"name": "envoy.filters.http.router"});
    let at = |chain: &Value| json!({"context": "GATEWAY", "listener": {"filterChain": chain}});
    let mut settings = connection_manager(parts);
    settings["@type"] = json!(CONNECTION_MANAGER);
    let spec = json!({
        "workloadSelector": {"labels": labels()},
        "configPatches": [
            {
                "applyTo": "NETWORK_FILTER",
                "match": at(&manager),
                "patch": {"operation": "MERGE", "value": {"typed_config": settings}},
            },
            {
                "applyTo": "HTTP_FILTER",
                "match": at(&router),
                "patch": {"operation": "INSERT_BEFORE", "value": http_filter(&on_port_80(parts))},
            },
        ],
    });
    let filter = resource(
        "networking.istio.io/v1alpha3",
        "EnvoyFilter",
        parts,
        "edge-auth",
        &spec,
    );
    (COMMENT, with_egress(filter, parts))
}

/// The fields that `WasmPlugin` and `TrafficExtension` share.
fn wasm(parts: &Parts) -> Value {
    let mut wasm = json!({
        "url": parts.module,
        "imagePullPolicy": "IfNotPresent",
        "pluginConfig": on_port_80(parts).config,
    });
    if !parts.environment.is_empty() {
        let variables = parts.environment.iter();
        let variables: Vec<_> = variables
            .map(|name| json!({"name": name, "valueFrom": "HOST"}))
            .collect();
        wasm["vmConfig"] = json!({"env": variables});
    }
    if let Some(sha256) = &parts.sha256 {
        wasm["sha256"] = json!(sha256);
    }
    wasm
}

/// The same with the clusters' names as Istio gives them.
fn on_port_80(parts: &Parts) -> Parts {
    let mut config = parts.config.clone();
    for host in &parts.hosts {
        rename(&mut config, &host.cluster, &istio_cluster(host));
    }
    Parts {
        config,
        ..parts.clone()
    }
}

/// `outbound|80||tenant.auth0.com`.
fn istio_cluster(host: &KeyHost) -> String {
    format!("outbound|80||{}", host.host)
}

/// Replaces a cluster's name wherever one is named. The configuration's reader bounds the nesting.
fn rename(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .for_each(|element| rename(element, from, to)),
        Value::Object(members) => {
            for (name, member) in members {
                if name == "cluster" && member == from {
                    *member = json!(to);
                } else {
                    rename(member, from, to);
                }
            }
        }
        _ => {}
    }
}

fn with_egress(first: Value, parts: &Parts) -> Vec<Value> {
    let mut documents = vec![first];
    for host in &parts.hosts {
        let name = host.host.replace(['.', ':', '[', ']'], "-");
        let entry = json!({
            "hosts": [host.host],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
            "exportTo": ["."],
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": host.port}],
        });
        let mode = if host.tls {
            json!({"mode": "SIMPLE", "sni": host.host})
        } else {
            json!({"mode": "DISABLE"})
        };
        let rule = json!({
            "host": host.host,
            "exportTo": ["."],
            "trafficPolicy": {"portLevelSettings": [{"port": {"number": 80}, "tls": mode}]},
        });
        let api = "networking.istio.io/v1";
        documents.push(resource(api, "ServiceEntry", parts, &name, &entry));
        documents.push(resource(api, "DestinationRule", parts, &name, &rule));
    }
    documents
}

fn resource(api: &str, kind: &str, parts: &Parts, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": parts.namespace},
        "spec": spec,
    })
}

fn selector() -> Value {
    json!({"matchLabels": labels()})
}

fn labels() -> Value {
    json!({"istio": "ingressgateway"})
}

const COMMENT: &str = "\
Made by `edge-auth generate`. Istio's gateways use the remote address already. Where proxies stand in front,
client_address.trusted_hops and gatewayTopology.numTrustedProxies of the mesh configuration must be equal.";
