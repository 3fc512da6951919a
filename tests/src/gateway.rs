//! The edge as a whole: Envoy with the module under test, and the echo as the application behind it.
//!
//! The identity provider is the test's own ([`auth0`]): some tests take it down, have it late, or have several.

use std::net::SocketAddr;

use anyhow::Result;
use auth0_sim::{Auth0Sim, Options};
use serde_json::{Value, json};

use crate::{
    client::{Request, Response},
    envoy::{Bootstrap, Envoy, Listener, WasmFilter},
    module,
    upstream::Echo,
};

/// What is running; everything ends when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    /// Envoy, with a listener called `edge`.
    pub envoy: Envoy,
    /// The application: cluster `api_server`.
    pub upstream: Echo,
}

impl Gateway {
    /// Starts Envoy with `workers` worker threads, the filter with this plugin configuration, and the identity
    /// providers' addresses as clusters.
    pub async fn start(
        configuration: &Value,
        workers: u32,
        providers: &[(&str, SocketAddr)],
    ) -> Result<Self> {
        let upstream = Echo::start().await?;
        let filter = WasmFilter::new(module::path()?, configuration);
        let mut bootstrap = Bootstrap::default()
            .cluster("api_server", upstream.address())
            .listener(Listener::forwarding_to("edge", "api_server").wasm(&filter));
        for (cluster, address) in providers {
            bootstrap = bootstrap.cluster(cluster, *address);
        }
        let envoy = Envoy::start(&bootstrap, workers).await?;
        Ok(Self { envoy, upstream })
    }

    /// Where the edge listens.
    pub fn address(&self) -> SocketAddr {
        self.envoy.address("edge")
    }

    /// Sends a request to the edge, on a connection of its own.
    pub async fn send(&self, request: &Request) -> Result<Response> {
        request.send(self.address()).await
    }

    /// How many requests Envoy sent to the application, whether that understood them or not.
    pub async fn forwarded(&self) -> Result<u64> {
        self.envoy
            .stat("cluster.api_server.upstream_rq_total")
            .await
    }
}

/// A simulated tenant that issues as [`ISSUER`].
pub async fn auth0() -> Result<Auth0Sim> {
    tenant(ISSUER).await
}

/// A simulated tenant that issues as `issuer`.
///
/// Its key set has no `Cache-Control`, so that the plugin configuration's `cache_duration` counts.
pub async fn tenant(issuer: &str) -> Result<Auth0Sim> {
    let options = Options {
        issuer: Some(issuer.into()),
        jwks_cache_control: None,
        ..Options::default()
    };
    Ok(Auth0Sim::start(options).await?)
}

/// A plugin configuration that trusts the tenant [`auth0`] through a cluster of that name, has these rules, and
/// asks for a token wherever no rule matches.
///
/// Its replies name their reason ([`reason`]).
pub fn configuration(rules: &Value) -> Value {
    json!({
        "version": 1,
        "providers": {"auth0": provider(ISSUER, "auth0")},
        "rules": rules,
        "default": {"requires": {"provider": "auth0"}},
        "errors": {"error_uri_base": ERROR_URI_BASE},
    })
}

/// A provider of the plugin configuration, its keys fetched through `cluster`.
pub fn provider(issuer: &str, cluster: &str) -> Value {
    json!({
        "issuer": issuer,
        "audiences": [auth0_sim::DEFAULT_AUDIENCE],
        "remote_jwks": {
            "http_uri": {
                "uri": format!("{issuer}.well-known/jwks.json"),
                "cluster": cluster,
                "timeout": "5s",
            },
        },
    })
}

/// The reason code of a reply the filter made, `None` of any other answer.
pub fn reason(answer: &Response) -> Option<String> {
    let body: Value = answer.json().ok()?;
    let uri = body["error_uri"].as_str()?;
    uri.strip_prefix(ERROR_URI_BASE).map(Into::into)
}

/// The simulated tenant's issuer; https as the configuration demands, though Envoy's cluster leads to loopback.
pub const ISSUER: &str = "https://tenant.auth0.com/";
const ERROR_URI_BASE: &str = "https://docs.pymd.io/errors#";
