//! An Envoy bootstrap: one listener, the filter, the router, the application, the providers.

use anyhow::Result;
use serde_json::{Value, json};

use super::Parts;
use super::upstream::{cluster, host_and_port};

/// The bootstrap, and what to know about it.
pub(super) fn bootstrap(parts: &Parts) -> Result<(&'static str, Vec<Value>)> {
    let (host, port) = host_and_port(&parts.upstream, 80)?;
    let mut clusters = vec![cluster("upstream", &host, port)];
    clusters.extend(parts.hosts.iter().map(super::KeyHost::cluster));
    let mut manager = connection_manager(parts);
    let others = json!({
        "@type": CONNECTION_MANAGER,
        "stat_prefix": "public",
        "http_filters": [http_filter(parts), {
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }],
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}],
        }]},
    });
    if let (Value::Object(manager), Value::Object(others)) = (&mut manager, others) {
        manager.extend(others);
    }
    let bootstrap = json!({
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9901}}},
        "static_resources": {
            "listeners": [{
                "name": "public",
                "address": {"socket_address": {"address": "0.0.0.0", "port_value": 8080}},
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }]}],
            }],
            "clusters": clusters,
        },
    });
    Ok((COMMENT, vec![bootstrap]))
}

/// The fields of the connection manager that the filter relies on, or that keep slow and odd requests out.
pub(super) fn connection_manager(parts: &Parts) -> Value {
    json!({
        "use_remote_address": true,
        "xff_num_trusted_hops": parts.trusted_hops,
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "300s",
        "common_http_protocol_options": {
            "headers_with_underscores_action": "REJECT_REQUEST",
            "idle_timeout": "3600s",
        },
    })
}

/// The filter itself.
pub(super) fn http_filter(parts: &Parts) -> Value {
    let mut vm = json!({
        "vm_id": "edge_auth",
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": parts.module}},
    });
    if !parts.environment.is_empty() {
        vm["environment_variables"] = json!({"host_env_keys": parts.environment});
    }
    json!({
        "name": "edge_auth",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "edge_auth",
                "root_id": "edge_auth",
                "failure_policy": "FAIL_RELOAD",
                "reload_config": {"backoff": {"base_interval": "1s"}},
                "vm_config": vm,
                "configuration": {
                    // A Struct would reach the module as protobuf bytes.
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": parts.config.to_string(),
                },
            },
        },
    })
}

pub(super) const CONNECTION_MANAGER: &str = "type.googleapis.com/\
    envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

const COMMENT: &str = "\
Made by `edge-auth generate envoy`. The listener speaks plain HTTP on port 8080: give its filter chain a
DownstreamTlsContext where no load balancer in front ends TLS.";
