//! One proxy with one worker, natively: the policy, its keys and its counters, asked one request at a time.

mod account;
pub(crate) mod module;
mod request;
mod signer;

use std::cell::RefCell;

use anyhow::{Context as _, Result, bail};
use edge_auth_policy::config::{Config, KeySource};
use edge_auth_policy::jwk::KeySet;
use edge_auth_policy::pipeline::{Gateway, Host, Patience};
use edge_auth_policy::signature::InModule;
use edge_auth_policy::store::MemoryStore;
use edge_auth_policy::time::UnixTime;
use serde_json::{Map, Value};

pub(crate) use account::{Account, Decided, Told};
pub(crate) use request::Request;

use crate::document;
use crate::found;
use account::Steps;
use module::StandIn;
use signer::Signer;

/// What stands in for a bearer token.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// No token.
    Absent,
    /// A token as a client would send it.
    Token(String),
    /// Claims to sign with a throw-away key.
    Claims(Map<String, Value>),
}

/// What was changed to present a credential.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    /// For the operator to know what the decision is worth.
    pub(crate) notes: Vec<String>,
    /// The keys of the token that was signed here.
    pub(crate) stand_in: Option<StandIn>,
}

/// A proxy with one worker.
#[derive(Debug)]
pub(crate) struct Edge {
    gateway: Gateway,
    store: MemoryStore,
    now: u64,
}

impl Edge {
    /// A proxy with this configuration at `now`, in seconds since the epoch.
    ///
    /// # Errors
    /// The configuration is right part by part and wrong as a whole.
    pub(crate) fn new(config: Config, now: u64) -> Result<Self> {
        let mut store = MemoryStore::default();
        let gateway =
            Gateway::new(config, [0; 16], &mut store).map_err(|errors| listed(&errors))?;
        Ok(Self {
            gateway,
            store,
            now,
        })
    }

    /// In what a module's decision about `request` differs from this `account`, one line for each difference.
    pub(crate) fn differences(
        &self,
        request: &Request,
        account: &Account,
        outcome: &proxy_wasm_host::Outcome,
    ) -> Vec<String> {
        let head = request.head(self.gateway.config().client_address.trusted_hops());
        module::differences(request, head, account, outcome)
    }

    /// Decides one request, and tells how.
    pub(crate) fn ask(&mut self, request: &Request) -> Account {
        let steps = RefCell::new(Steps::default());
        let hops = self.gateway.config().client_address.trusted_hops();
        let head = request.head(hops);
        let fields: Vec<_> = head.iter().collect();
        let mut host = Host {
            now: UnixTime::from_secs(self.now),
            store: &mut self.store,
            verifier: &mut InModule,
        };
        let head = request.given(&fields);
        let mut judgement = self
            .gateway
            .explain(&head, Patience::MayWait, &mut host, &|event| {
                steps.borrow_mut().hear(event);
            });
        if let Some(held) = judgement.held.take() {
            let within_limits = held.read(&module::within_limits());
            let now = UnixTime::from_secs(self.now);
            judgement = self
                .gateway
                .on_rate_limit_answer(&head, *held, within_limits, now);
        }
        Account::new(&steps.into_inner(), &judgement, self.gateway.config())
    }
}

/// Puts the credential into the request, and a key that verifies it into the configuration. Says what it
/// changed, for the operator to know what the decision is worth.
///
/// # Errors
/// The claims cannot be signed for any provider of the configuration.
pub(crate) fn present(
    credential: &Credential,
    request: &mut Request,
    config: &mut Config,
    now: u64,
) -> Result<Presented> {
    let mut notes = Vec::new();
    let mut stand_in = None;
    match credential {
        Credential::Absent => {}
        Credential::Token(token) => {
            let first = config
                .default
                .providers
                .first()
                .copied()
                .unwrap_or_default();
            if let Some(provider) = config.providers.get(first) {
                request.carry(token, &provider.sources);
            }
        }
        Credential::Claims(claims) => {
            let provider = signer::provider_of(claims, config)
                .and_then(|index| config.providers.get_mut(index))
                .context("the configuration has no provider")?;
            let signer = Signer::random();
            let token = signer.token(claims, provider, now);
            let jwks = signer.replace_keys(provider)?;
            stand_in = Some(StandIn {
                provider: provider.name.clone(),
                jwks,
                algorithm: Some(signer::ALGORITHM.name()),
            });
            notes.push(format!(
                "the token was signed here with a throw-away EdDSA key, which stands in for the keys and \
                 algorithms of provider {}; claims not given were filled in",
                provider.name
            ));
            request.carry(&token, &provider.sources);
        }
    }
    if config
        .session
        .as_ref()
        .is_some_and(|session| session.keys.is_none())
    {
        notes.push(
            "session cookies can't be opened: their keys are not in this command's environment"
                .to_owned(),
        );
    }
    if config.revocations.take().is_some() {
        notes
            .push("no revocations are known here: nothing counts as revoked or blocked".to_owned());
    }
    if config.rate_limit_service.is_some() {
        notes.push(
            "the rate limit service is not asked here: requests count as within its limits"
                .to_owned(),
        );
    }
    Ok(Presented { notes, stand_in })
}

/// Gives a provider the keys of a file: `provider=file`, or a file where there is one provider only. Gives them back
/// for the module, which is configured apart.
///
/// # Errors
/// There is no such provider, or the file holds no key set.
pub(crate) fn use_keys(config: &mut Config, keys: &str) -> Result<StandIn> {
    let (name, file) = match keys.split_once('=') {
        Some((name, file)) => (Some(name), file),
        None => (None, keys),
    };
    let jwks = document::read_text(file)?;
    let set = KeySet::parse(jwks.as_bytes()).with_context(|| format!("{file} is no key set"))?;
    let several = config.providers.len() > 1;
    let provider = match name {
        Some(name) => config.providers.iter_mut().find(|p| &*p.name == name),
        None if several => bail!("there are several providers: say --jwks <provider>={file}"),
        None => config.providers.first_mut(),
    };
    let name = name.unwrap_or_default();
    let provider = provider.with_context(|| format!("there is no provider {name:?}"))?;
    provider.keys = vec![KeySource::Local(set)];
    Ok(StandIn {
        provider: provider.name.clone(),
        // On one line, as a configuration has it.
        jwks: serde_json::from_str::<Value>(&jwks)?.to_string(),
        algorithm: None,
    })
}

/// The one configuration of a file, wherever it stands in it.
///
/// # Errors
/// There is none, there are several that differ, or it has mistakes, all of which are told.
pub(crate) fn load(name: &str) -> Result<(Config, Value)> {
    let file = document::read(name)?;
    if let Some(error) = file.error {
        bail!("{name} cannot be read: {error}");
    }
    let mut found = file
        .documents
        .iter()
        .flat_map(|document| found::find(document).found);
    let Some(first) = found.next() else {
        bail!("{name} holds no edge-auth configuration");
    };
    if found.any(|other| other.text != first.text) {
        bail!("{name} holds several configurations that differ; give one of them alone");
    }
    let mut config = Config::from_json(first.text.as_bytes())
        .map_err(|errors| listed(&errors))
        .with_context(|| format!("{name} has mistakes"))?;
    let lookup = |name: &str| std::env::var(name).ok();
    // Whoever has the secrets may use them here; most have not, and need none.
    if config.secret_names().any(|name| lookup(name).is_some()) {
        config = config
            .with_secrets(&lookup)
            .map_err(|errors| listed(&errors))
            .context("the environment of this command")?;
    }
    Ok((config, serde_json::from_str(&first.text)?))
}

fn listed(errors: &[impl std::fmt::Display]) -> anyhow::Error {
    let lines: Vec<_> = errors.iter().map(|error| format!("\n  {error}")).collect();
    anyhow::Error::msg(lines.concat())
}
