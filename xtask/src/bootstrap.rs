//! `envoy/envoy.yaml` with this machine's addresses filled in: there is one bootstrap, and everyone runs it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::workspace;

/// Envoy's configuration, being filled in.
#[derive(Clone, Debug)]
pub struct Bootstrap(Value);

impl Bootstrap {
    /// Reads `envoy/envoy.yaml`.
    ///
    /// # Errors
    ///
    /// When it can't be read or is no YAML.
    pub fn read() -> Result<Self> {
        let path = workspace::root().join("envoy/envoy.yaml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
        Ok(Self(serde_yaml_ng::from_str(&text)?))
    }

    /// The module to load.
    ///
    /// # Errors
    ///
    /// When the file no longer has what is to be filled in; so for all of these.
    pub fn module(mut self, path: &Path) -> Result<Self> {
        for plugin in self.plugins()? {
            *at(plugin, "/vm_config/code/local/filename")? = path_value(path)?;
        }
        Ok(self)
    }

    /// Where the admin interface listens, on loopback.
    ///
    /// # Errors
    ///
    /// As [`Self::module`].
    pub fn admin_port(mut self, port: u16) -> Result<Self> {
        *at(&mut self.0, "/admin/address/socket_address/port_value")? = port.into();
        Ok(self)
    }

    /// Where the listener of this name listens, on loopback.
    ///
    /// # Errors
    ///
    /// As [`Self::module`].
    pub fn listener_port(mut self, name: &str, port: u16) -> Result<Self> {
        let listener = named(&mut self.0, "/static_resources/listeners", name)?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        *at(listener, "/address")? = socket_address(loopback);
        Ok(self)
    }

    /// The certificate of the listener `https`.
    ///
    /// # Errors
    ///
    /// As [`Self::module`].
    pub fn certificate(mut self, certificate: &Path, key: &Path) -> Result<Self> {
        let listener = named(&mut self.0, "/static_resources/listeners", "https")?;
        let tls =
            "/filter_chains/0/transport_socket/typed_config/common_tls_context/tls_certificates/0";
        let tls = at(listener, tls)?;
        *at(tls, "/certificate_chain/filename")? = path_value(certificate)?;
        *at(tls, "/private_key/filename")? = path_value(key)?;
        Ok(self)
    }

    /// The one endpoint of a cluster, reached without TLS.
    ///
    /// # Errors
    ///
    /// As [`Self::module`].
    pub fn plain_endpoint(mut self, cluster: &str, address: SocketAddr) -> Result<Self> {
        let cluster = named(&mut self.0, "/static_resources/clusters", cluster)?;
        let endpoint = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address";
        *at(cluster, endpoint)? = socket_address(address);
        if let Some(cluster) = cluster.as_object_mut() {
            cluster.remove("transport_socket");
        }
        Ok(self)
    }

    /// The root certificates by which a cluster's certificate is judged.
    ///
    /// # Errors
    ///
    /// As [`Self::module`].
    pub fn trusted_ca(mut self, cluster: &str, certificates: &Path) -> Result<Self> {
        let cluster = named(&mut self.0, "/static_resources/clusters", cluster)?;
        let context = "/transport_socket/typed_config/common_tls_context/validation_context";
        *at(at(cluster, context)?, "/trusted_ca/filename")? = path_value(certificates)?;
        Ok(self)
    }

    /// A further cluster with one endpoint, reached without TLS.
    ///
    /// # Errors
    ///
    /// As [`Self::module`].
    pub fn plain_cluster(mut self, name: &str, address: SocketAddr) -> Result<Self> {
        let endpoint = json!({"endpoint": {"address": socket_address(address)}});
        list(&mut self.0, "/static_resources/clusters")?.push(json!({
            "name": name,
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        }));
        Ok(self)
    }

    /// Changes the policy of every listener.
    ///
    /// # Errors
    ///
    /// As [`Self::module`].
    pub fn policy(mut self, change: impl Fn(&mut Value)) -> Result<Self> {
        for plugin in self.plugins()? {
            let mut policy = policy(plugin)?;
            change(&mut policy);
            *at(plugin, POLICY)? = policy.to_string().into();
        }
        Ok(self)
    }

    /// The policy as the module gets it, of every listener.
    ///
    /// # Errors
    ///
    /// As [`Self::module`].
    pub fn policies(&self) -> Result<Vec<Value>> {
        let mut bootstrap = self.clone();
        bootstrap.plugins()?.into_iter().map(policy).collect()
    }

    /// Writes what Envoy reads, as JSON.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        fs::write(path, serde_json::to_vec_pretty(&self.0)?)
            .with_context(|| format!("can't write {}", path.display()))
    }

    /// The module's entry in each listener's chain of HTTP filters.
    fn plugins(&mut self) -> Result<Vec<&mut Value>> {
        let listeners = list(&mut self.0, "/static_resources/listeners")?;
        let chain = "/filter_chains/0/filters/0/typed_config/http_filters";
        listeners
            .iter_mut()
            .map(|listener| at(named(listener, chain, "edge_auth")?, "/typed_config/config"))
            .collect()
    }
}

/// Where a plugin's entry has the policy, as JSON text.
const POLICY: &str = "/configuration/value";

fn policy(plugin: &mut Value) -> Result<Value> {
    let text = at(plugin, POLICY)?
        .as_str()
        .context("envoy/envoy.yaml: the policy is no text")?;
    serde_json::from_str(text).context("envoy/envoy.yaml: the policy is no JSON")
}

fn at<'a>(value: &'a mut Value, pointer: &str) -> Result<&'a mut Value> {
    value
        .pointer_mut(pointer)
        .with_context(|| format!("envoy/envoy.yaml has nothing at {pointer}"))
}

fn list<'a>(value: &'a mut Value, pointer: &str) -> Result<&'a mut Vec<Value>> {
    at(value, pointer)?
        .as_array_mut()
        .with_context(|| format!("envoy/envoy.yaml has no list at {pointer}"))
}

fn named<'a>(value: &'a mut Value, pointer: &str, name: &str) -> Result<&'a mut Value> {
    list(value, pointer)?
        .iter_mut()
        .find(|entry| entry["name"] == name)
        .with_context(|| format!("envoy/envoy.yaml has no `{name}` at {pointer}"))
}

fn socket_address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip(), "port_value": address.port()}})
}

fn path_value(path: &Path) -> Result<Value> {
    let text = path.to_str();
    Ok(text
        .with_context(|| format!("{} is no UTF-8", path.display()))?
        .into())
}
