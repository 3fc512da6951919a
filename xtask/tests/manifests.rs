//! The files an operator takes: one policy in all of them, and every YAML file can be read.

use std::fs;
use std::path::{Path, PathBuf};

use edge_auth_policy::config::Config;
use serde::Deserialize as _;
use serde_json::Value;
use xtask::bootstrap::Bootstrap;
use xtask::manifests::{ALL, CLUSTER, ISTIO_CLUSTER};
use xtask::workspace;

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    serde_yaml_ng::Deserializer::from_str(&text)
        .map(|document| {
            Value::deserialize(document).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        })
        .collect()
}

fn policy() -> Value {
    documents(&workspace::root().join("envoy/plugin-config.yaml")).remove(0)
}

/// The policy with the name Istio gives to the cluster; no other difference is allowed.
fn istio_policy() -> Value {
    let mut policy = policy();
    let cluster = "/providers/auth0/remote_jwks/http_uri/cluster";
    let cluster = policy.pointer_mut(cluster).unwrap();
    assert_eq!(cluster, CLUSTER);
    *cluster = ISTIO_CLUSTER.into();
    policy
}

#[test]
fn the_policy_is_a_configuration_in_which_nothing_is_wrong() {
    if let Err(errors) = Config::from_json(policy().to_string().as_bytes()) {
        panic!("envoy/plugin-config.yaml: {errors:#?}");
    }
}

#[test]
fn every_listener_of_the_bootstrap_carries_the_policy() {
    let policies = Bootstrap::read().unwrap().policies().unwrap();
    assert_eq!(policies.len(), 2);
    for carried in policies {
        assert_eq!(carried, policy(), "run `cargo xtask manifests`");
    }
}

#[test]
fn the_manifests_of_istio_carry_the_policy() {
    let istio = workspace::root().join("envoy/istio");
    let plugin = documents(&istio.join("wasm-plugin.yaml")).remove(0);
    assert_eq!(
        plugin["spec"]["pluginConfig"],
        istio_policy(),
        "run `cargo xtask manifests`"
    );
    let extension = documents(&istio.join("traffic-extension.yaml")).remove(0);
    let carried = &extension["spec"]["wasm"]["pluginConfig"];
    assert_eq!(*carried, istio_policy(), "run `cargo xtask manifests`");
}

#[test]
fn the_manifest_of_envoy_gateway_carries_the_policy() {
    let path = workspace::root().join("envoy/envoy-gateway/extension-policy.yaml");
    let manifest = documents(&path).remove(0);
    let carried = &manifest["spec"]["wasm"][0]["config"];
    assert_eq!(*carried, policy(), "run `cargo xtask manifests`");
}

/// Comments too: they explain the policy to whoever reads the file.
#[test]
fn writing_the_policy_into_the_manifests_changes_nothing() {
    for manifest in ALL {
        let text = fs::read_to_string(manifest.file()).unwrap();
        let written = manifest.with_policy(&text).unwrap();
        assert_eq!(written, text, "run `cargo xtask manifests`");
    }
}

#[test]
fn no_manifest_lets_requests_through_when_the_module_fails() {
    let root = workspace::root().join("envoy");
    let plugin = documents(&root.join("istio/wasm-plugin.yaml")).remove(0);
    assert_eq!(plugin["spec"]["failStrategy"], "FAIL_RELOAD");
    let extension = documents(&root.join("istio/traffic-extension.yaml")).remove(0);
    assert_eq!(extension["spec"]["wasm"]["failStrategy"], "FAIL_RELOAD");
    let gateway = documents(&root.join("envoy-gateway/extension-policy.yaml")).remove(0);
    assert_eq!(gateway["spec"]["wasm"][0]["failOpen"], false);
    let bootstrap = fs::read_to_string(root.join("envoy.yaml")).unwrap();
    assert_eq!(bootstrap.matches("failure_policy: FAIL_RELOAD").count(), 1);
}

/// A page whose module was answered 503 stayed empty: api-server had closed the connection Envoy was sending on.
#[test]
fn envoy_closes_resting_connections_before_api_server_does() {
    let bootstrap = documents(&workspace::root().join("envoy/envoy.yaml")).remove(0);
    let clusters = bootstrap["static_resources"]["clusters"]
        .as_array()
        .unwrap();
    let cluster = clusters.iter().find(|it| it["name"] == "api_server");
    let options = &cluster.unwrap()["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    let ours = options["common_http_protocol_options"]["idle_timeout"].as_str();
    let ours: u32 = ours.unwrap().strip_suffix('s').unwrap().parse().unwrap();

    let server = workspace::root().join("api-server/src/server.rs");
    let server = fs::read_to_string(server).unwrap();
    let (_, rest) = server
        .split_once("HEADER_TIMEOUT: Duration = Duration::from_secs(")
        .unwrap();
    let theirs: u32 = rest.split_once(')').unwrap().0.parse().unwrap();
    assert!(ours < theirs, "{ours} s, {theirs} s");
}

#[test]
fn every_yaml_file_under_envoy_can_be_read() {
    let mut folders = vec![workspace::root().join("envoy")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                files.push(path);
            }
        }
    }
    assert!(files.len() >= 9, "{files:?}");
    for file in files {
        assert!(
            documents(&file).iter().all(Value::is_object),
            "{}",
            file.display()
        );
    }
}
