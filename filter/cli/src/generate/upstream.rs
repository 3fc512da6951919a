//! The hosts that keys and revocations come from, and the clusters by which a proxy reaches them.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::found::member;

/// A host and the cluster that the configuration reaches it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyHost {
    pub(super) cluster: String,
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether it is spoken to by TLS; plain HTTP is for loopback only.
    pub(super) tls: bool,
}

/// The hosts of every `http_uri` of a configuration that was read, each once.
///
/// # Errors
/// Two hosts share a cluster, which can lead to one of them only.
pub(super) fn key_hosts(raw: &Value) -> Result<Vec<KeyHost>> {
    let mut hosts: Vec<KeyHost> = Vec::new();
    let mut left = vec![raw];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(elements) => left.extend(elements.iter().rev()),
            Value::Object(members) => left.extend(members.values().rev()),
            _ => {}
        }
        let Some(uri) = member(value, "http_uri") else {
            continue;
        };
        let text = |name| member(uri, name).and_then(Value::as_str);
        let (Some(cluster), Some(uri)) = (text("cluster"), text("uri")) else {
            continue;
        };
        let host = key_host(cluster, uri)?;
        match hosts.iter().find(|known| known.cluster == host.cluster) {
            Some(known) if *known != host => bail!(
                "cluster {:?} stands for {} and for {}; give each its own",
                host.cluster,
                known.host,
                host.host
            ),
            Some(_) => {}
            None => hosts.push(host),
        }
    }
    Ok(hosts)
}

fn key_host(cluster: &str, uri: &str) -> Result<KeyHost> {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
    let tls = scheme == "https";
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = host_and_port(authority, if tls { 443 } else { 80 })?;
    Ok(KeyHost {
        cluster: cluster.to_owned(),
        host,
        port,
        tls,
    })
}

/// `host:port`, or a host alone.
pub(super) fn host_and_port(authority: &str, default: u16) -> Result<(String, u16)> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let port = port
                .parse()
                .with_context(|| format!("{authority:?} has no port number"))?;
            Ok((host.to_owned(), port))
        }
        _ => Ok((authority.to_owned(), default)),
    }
}

impl KeyHost {
    /// The cluster, with the certificate's name checked against the host.
    pub(super) fn cluster(&self) -> Value {
        let mut cluster = cluster(&self.cluster, &self.host, self.port);
        if self.tls {
            cluster["transport_socket"] = json!({
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                    "sni": self.host,
                    "common_tls_context": {
                        "validation_context": {
                            "trusted_ca": {"filename": "/etc/ssl/certs/ca-certificates.crt"},
                            "match_typed_subject_alt_names": [
                                {"san_type": "DNS", "matcher": {"exact": self.host}},
                            ],
                        },
                    },
                },
            });
        }
        cluster
    }
}

/// A cluster of one host, found by DNS.
pub(super) fn cluster(name: &str, host: &str, port: u16) -> Value {
    json!({
        "name": name,
        "type": "LOGICAL_DNS",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {
                "socket_address": {"address": host, "port_value": port},
            }}}]}],
        },
    })
}
