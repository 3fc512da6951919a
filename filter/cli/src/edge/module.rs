//! The same proxy with the real module: a proxy-wasm host in wasmtime, which must decide as the policy does natively.

use std::time::Duration;

use anyhow::{Context as _, Result};
use edge_auth_policy::base64url;
use edge_auth_policy::config::Config;
use edge_auth_policy::protobuf::Message;
use proxy_wasm_host::{Builder, Headers, Outcome, Proxy, StartError};
use serde_json::{Value, json};

use super::{Account, Decided, Request};

/// A module, as a proxy would load it.
#[derive(Debug)]
pub(crate) struct Module {
    wasm: Vec<u8>,
}

/// A proxy with one worker that runs the module.
#[derive(Debug)]
pub(crate) struct ModuleEdge {
    proxy: Proxy,
}

/// Keys that stand in for a provider's own.
#[derive(Clone, Debug)]
pub(crate) struct StandIn {
    pub(crate) provider: Box<str>,
    pub(crate) jwks: String,
    /// The algorithm that stands in for the provider's own, where one does.
    pub(crate) algorithm: Option<&'static str>,
}

impl Module {
    /// Reads a module.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read(file: &str) -> Result<Self> {
        let wasm = std::fs::read(file).with_context(|| format!("{file} cannot be read"))?;
        Ok(Self { wasm })
    }

    /// A proxy with this module and configuration at `now`, in seconds since the epoch.
    ///
    /// # Errors
    /// The module does not start, or refuses the configuration: with what it logged.
    pub(crate) fn start(
        &self,
        configuration: &Value,
        config: &Config,
        keys: &[StandIn],
        now: u64,
    ) -> Result<ModuleEdge> {
        let configuration = with_keys(configuration, keys);
        let proxy = self
            .builder(&configuration, configuration.to_string(), Some(config))
            .trusted_hops(config.client_address.trusted_hops().into())
            .now(Duration::from_secs(now))
            .start()
            .context("the module does not start")?;
        Ok(ModuleEdge { proxy })
    }

    /// Whether a worker of this module starts with a configuration, which may have mistakes; else what it logged.
    /// `config` is the configuration as read here, where it could be.
    ///
    /// # Errors
    /// The module does not start before it is asked.
    pub(crate) fn accepts(
        &self,
        text: &str,
        config: Option<&Config>,
    ) -> Result<Result<(), String>> {
        let value = serde_json::from_str(text).unwrap_or_default();
        match self.builder(&value, text.to_owned(), config).start() {
            Ok(_) => Ok(Ok(())),
            Err(StartError::ConfigureRefused { logs }) => {
                let lines: Vec<_> = logs.into_iter().map(|entry| entry.message).collect();
                Ok(Err(lines.join("; ")))
            }
            Err(error) => Err(error).context("the module does not start"),
        }
    }

    /// A proxy with this module and what a configuration of this `text` needs around it.
    fn builder(&self, configuration: &Value, text: String, config: Option<&Config>) -> Builder {
        let mut builder = Proxy::builder(self.wasm.clone())
            .name("edge_auth")
            .root_id("edge_auth")
            .configuration(text);
        for cluster in clusters(configuration) {
            builder = builder.cluster(cluster);
        }
        for name in config.into_iter().flat_map(Config::secret_names) {
            // Without the secret nothing opens here: with a key nobody knows nothing opens there either.
            let throw_away = || base64url::encode(rand::random::<[u8; 32]>());
            builder = builder.env(name, std::env::var(name).unwrap_or_else(|_| throw_away()));
        }
        builder
    }
}

impl ModuleEdge {
    /// Decides one request.
    pub(crate) fn ask(&self, request: &Request) -> Outcome {
        let stream = self.proxy.worker(0).request(request.received());
        for question in self.proxy.pending_grpc_calls() {
            question.respond(within_limits());
        }
        let outcome = stream.outcome();
        stream.finish();
        outcome
    }
}

/// What stands in for the rate limit service's answer: a `RateLimitResponse` whose code is `OK`.
pub(super) fn within_limits() -> Vec<u8> {
    Message::default().varint(1, 1).finish()
}

/// How the module's decision differs from the policy's own, one line for each difference.
pub(super) fn differences(
    request: &Request,
    head: Headers,
    account: &Account,
    outcome: &Outcome,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut compare = |what: &str, native: String, module: String| {
        if native != module {
            lines.push(format!(
                "in the module: {what}: expected {native}, got {module}"
            ));
        }
    };
    match (&account.decided, outcome) {
        (Decided::Forward { set, removed }, Outcome::Continued { headers, .. }) => {
            let mut expected = head;
            for name in removed {
                expected.remove(name);
            }
            for (name, value) in set {
                expected.set(name, value);
            }
            compare("headers", fields(&expected), fields(headers));
        }
        (
            Decided::Reply {
                status,
                reason,
                headers,
                body,
            },
            Outcome::LocalReply(reply),
        ) => {
            compare("status", status.to_string(), reply.status.to_string());
            compare(
                "details",
                format!("edge_auth_{reason}"),
                reply.details.clone(),
            );
            for (name, value) in headers {
                let all: Vec<_> = reply
                    .headers
                    .get_all(name)
                    .map(String::from_utf8_lossy)
                    .collect();
                compare(&format!("header {name}"), value.clone(), all.join(", "));
            }
            if request.method() != "HEAD" {
                compare("body", body.clone(), reply.text());
            }
        }
        (Decided::Wait { .. }, Outcome::Paused) => {}
        (decided, outcome) => {
            let native = match decided {
                Decided::Forward { .. } => "forward".to_owned(),
                Decided::Wait { reason } => format!("wait ({reason})"),
                Decided::Reply { status, reason, .. } => format!("reply {status} {reason}"),
            };
            let module = match outcome {
                Outcome::Continued { .. } => "forward".to_owned(),
                Outcome::Paused => "wait".to_owned(),
                Outcome::LocalReply(reply) => format!("reply {} {}", reply.status, reply.details),
                Outcome::Reset => "reset".to_owned(),
            };
            compare("decision", native, module);
        }
    }
    lines
}

/// The configuration with stand-in keys, and without what is not known here, as the native edge has it.
fn with_keys(configuration: &Value, keys: &[StandIn]) -> Value {
    let mut configuration = configuration.clone();
    if let Some(members) = configuration.as_object_mut() {
        members.remove("revocations");
    }
    for keys in keys {
        let providers = configuration.get_mut("providers");
        let provider = providers.and_then(|all| all.get_mut(&*keys.provider)?.as_object_mut());
        let Some(provider) = provider else {
            continue;
        };
        for name in ["remote_jwks", "remoteJwks", "localJwks"] {
            provider.remove(name);
        }
        provider.insert("local_jwks".to_owned(), json!({"inline_string": keys.jwks}));
        if let Some(algorithm) = keys.algorithm {
            provider.insert("algorithms".to_owned(), json!([algorithm]));
        }
    }
    configuration
}

/// Every cluster a configuration names: the host knows no other.
fn clusters(configuration: &Value) -> Vec<String> {
    match configuration {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| match member {
                Value::String(cluster) if name == "cluster" => vec![cluster.clone()],
                _ => clusters(member),
            })
            .collect(),
        Value::Array(elements) => elements.iter().flat_map(clusters).collect(),
        _ => Vec::new(),
    }
}

/// Header fields as text that does not depend on their order; the request's own id is another each time.
fn fields(headers: &Headers) -> String {
    let mut fields: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name != b"x-request-id")
        .map(|(name, value)| {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            format!("{}: {}", text(name), text(value))
        })
        .collect();
    fields.sort();
    fields.join("; ")
}
