//! An Envoy bootstrap made for one test: listeners on free ports, clusters where the test's servers are.
//!
//! Envoy reads JSON where it reads YAML, so the whole is one `serde_json::Value`. The HTTP connection manager is left
//! as lax as Envoy allows, with no path normalisation of its own: what the filter does not refuse, nobody does.

use std::{net::SocketAddr, path::Path};

use serde_json::{Map, Value, json};

/// A bootstrap in the making.
#[derive(Clone, Debug, Default)]
pub struct Bootstrap {
    clusters: Vec<Value>,
    listeners: Vec<Listener>,
}

impl Bootstrap {
    /// Adds a cluster with one endpoint, spoken to in HTTP/1.1 without TLS.
    #[must_use]
    pub fn cluster(mut self, name: &str, address: SocketAddr) -> Self {
        self.clusters.push(cluster(name, address));
        self
    }

    /// Adds a cluster with one endpoint, spoken to in HTTP/2 without TLS, as gRPC needs it.
    #[must_use]
    pub fn http2_cluster(mut self, name: &str, address: SocketAddr) -> Self {
        let mut cluster = cluster(name, address);
        cluster["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            },
        });
        self.clusters.push(cluster);
        self
    }

    /// Adds a listener.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// The names of the listeners.
    pub(super) fn listener_names(&self) -> impl Iterator<Item = &str> {
        self.listeners.iter().map(|listener| listener.name.as_str())
    }

    /// The bootstrap, with the admin interface on a free loopback port.
    pub fn to_json(&self) -> Value {
        json!({
            "node": {"id": "gateway-tests", "cluster": "gateway-tests"},
            "admin": {"address": socket_address(loopback())},
            "static_resources": {
                "listeners": self.listeners.iter().map(Listener::to_json).collect::<Vec<_>>(),
                "clusters": self.clusters,
            },
        })
    }
}

/// A listener on a free loopback port, with HTTP filters in order and one route for everything.
#[derive(Clone, Debug)]
pub struct Listener {
    name: String,
    filters: Vec<Value>,
    route: Value,
    connection_manager: Map<String, Value>,
}

impl Listener {
    /// A listener that forwards everything to a cluster.
    pub fn forwarding_to(name: &str, cluster: &str) -> Self {
        Self {
            name: name.into(),
            filters: Vec::new(),
            route: json!({"match": {"prefix": "/"}, "route": {"cluster": cluster}}),
            connection_manager: Map::new(),
        }
    }

    /// Adds the wasm filter behind the filters added before.
    #[must_use]
    pub fn wasm(self, filter: &WasmFilter) -> Self {
        self.filter(filter.to_json())
    }

    /// Adds any HTTP filter, for instance a native one beside which ours is judged.
    #[must_use]
    pub fn filter(mut self, filter: Value) -> Self {
        self.filters.push(filter);
        self
    }

    /// Sets a field of the HTTP connection manager, by its name in Envoy's proto.
    #[must_use]
    pub fn connection_manager(mut self, field: &str, value: Value) -> Self {
        self.connection_manager.insert(field.into(), value);
        self
    }

    fn to_json(&self) -> Value {
        let router = json!({
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            },
        });
        let mut filters = self.filters.clone();
        filters.push(router);
        let mut connection_manager = json!({
            "@type": HTTP_CONNECTION_MANAGER,
            "stat_prefix": self.name,
            "use_remote_address": true,
            "http_filters": filters,
            "route_config": {
                "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [self.route]}],
            },
        });
        for (field, value) in &self.connection_manager {
            connection_manager[field] = value.clone();
        }
        json!({
            "name": self.name,
            "address": socket_address(loopback()),
            "filter_chains": [{
                "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": connection_manager,
                }],
            }],
        })
    }
}

/// A wasm module as an HTTP filter, with its plugin configuration.
#[derive(Clone, Debug)]
pub struct WasmFilter {
    module: String,
    /// A `google.protobuf.Any`.
    configuration: Value,
    environment: Map<String, Value>,
}

impl WasmFilter {
    /// The module at `path` with this plugin configuration.
    pub fn new(path: &Path, configuration: &Value) -> Self {
        Self::with_text(path, configuration.to_string())
    }

    /// The module at `path` with a plugin configuration in any syntax, such as YAML or none at all.
    pub fn with_text(path: &Path, configuration: impl Into<String>) -> Self {
        let text: String = configuration.into();
        Self::with(path, "StringValue", &text.into())
    }

    /// The module at `path` with this plugin configuration as a `Struct`, which YAML in a bootstrap is.
    pub fn with_struct(path: &Path, configuration: &Value) -> Self {
        Self::with(path, "Struct", configuration)
    }

    fn with(path: &Path, kind: &str, value: &Value) -> Self {
        let kind = format!("type.googleapis.com/google.protobuf.{kind}");
        Self {
            module: path.to_string_lossy().into_owned(),
            configuration: json!({"@type": kind, "value": value}),
            environment: Map::new(),
        }
    }

    /// Gives the module an environment variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// The HTTP filter: `FAIL_RELOAD`, so that a panic costs one request and not the worker.
    pub fn to_json(&self) -> Value {
        json!({
            "name": "edge_auth",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {
                    "name": "edge_auth",
                    "root_id": "edge_auth",
                    "vm_config": {
                        "vm_id": "edge_auth",
                        "runtime": "envoy.wasm.runtime.v8",
                        "code": {"local": {"filename": self.module}},
                        "environment_variables": {"key_values": self.environment},
                    },
                    "configuration": self.configuration,
                    "failure_policy": "FAIL_RELOAD",
                    "reload_config": {"backoff": {"base_interval": "1s"}},
                },
            },
        })
    }
}

fn cluster(name: &str, address: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(address)}}]}],
        },
    })
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn socket_address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

const HTTP_CONNECTION_MANAGER: &str = "type.googleapis.com/\
    envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
