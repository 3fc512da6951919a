//! Envoy Gateway: the filter as `EnvoyExtensionPolicy`; the providers' clusters by `EnvoyPatchPolicy`, because
//! no other resource gives a wasm filter a cluster to call.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Parts;

/// The policies, and what to know about them.
pub(super) fn policies(parts: &Parts) -> Result<(&'static str, Vec<Value>)> {
    let code = if parts.module.starts_with("https://") {
        let Some(sha256) = &parts.sha256 else {
            bail!("Envoy Gateway pins what it loads by URL: add --module-sha256");
        };
        json!({"type": "HTTP", "http": {"url": parts.module, "sha256": sha256}})
    } else {
        let url = parts.module.trim_start_matches("oci://");
        let mut image = json!({"url": url});
        if let Some(sha256) = &parts.sha256 {
            image["sha256"] = json!(sha256);
        }
        json!({"type": "Image", "image": image})
    };
    let target = json!({
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": parts.gateway,
    });
    let mut wasm = json!({
        "name": "edge_auth",
        "rootID": "edge_auth",
        "failOpen": false,
        "code": code,
        "config": parts.config,
    });
    if !parts.environment.is_empty() {
        wasm["env"] = json!({"hostKeys": parts.environment});
    }
    let spec = json!({"targetRefs": [target], "wasm": [wasm]});
    let mut documents = vec![resource(parts, "EnvoyExtensionPolicy", spec)];
    if !parts.hosts.is_empty() {
        let patches = parts.hosts.iter().map(|host| {
            json!({
                "type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
                "name": host.cluster,
                "operation": {"op": "add", "path": "", "value": host.cluster()},
            })
        });
        let spec = json!({
            "targetRef": target,
            "type": "JSONPatch",
            "jsonPatches": patches.collect::<Vec<_>>(),
        });
        documents.push(resource(parts, "EnvoyPatchPolicy", spec));
    }
    if parts.trusted_hops > 0 {
        let spec = json!({
            "targetRefs": [target],
            "clientIPDetection": {"xForwardedFor": {"numTrustedHops": parts.trusted_hops}},
        });
        documents.push(resource(parts, "ClientTrafficPolicy", spec));
    }
    Ok((COMMENT, documents))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the specification is written where it is used"
)]
fn resource(parts: &Parts, kind: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": "edge-auth", "namespace": parts.namespace},
        "spec": spec,
    })
}

const COMMENT: &str = "\
Made by `edge-auth generate envoy-gateway`. EnvoyPatchPolicy must be enabled in the EnvoyGateway configuration
(extensionApis.enableEnvoyPatchPolicy: true).";
