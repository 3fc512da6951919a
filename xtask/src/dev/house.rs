//! The whole house on loopback: provider, api-server on `SQLite`, and a real Envoy with the module in front, run from
//! `envoy/envoy.yaml`. What differs from the shipped policy is here, and nowhere else.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Certificate, Parts, Provider, ports, session_key};
use crate::bootstrap::Bootstrap;
use crate::service::Services;
use crate::{command, http, web};

/// The application that browsers log in to, as api-server and the provider know it.
const CLIENT_ID: &str = "edge-auth-dev";

/// The application of pages on other origins.
pub const SPA_CLIENT_ID: &str = "edge-auth-spa";

/// What to run where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who logs users in.
    pub provider: Provider,
    /// Where certificate, key, database and Envoy's configuration lie.
    pub folder: PathBuf,
    /// The ports that somebody asked for.
    pub ports: Ports,
    /// Envoy's worker threads.
    pub concurrency: u16,
    /// Other origins whose pages log in by themselves and call the API.
    pub origins: Vec<String>,
    /// Whether browser tests come: see `for_tests`.
    pub for_tests: bool,
}

/// Ports that were asked for; the others are the usual ones, or free ones.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Ports {
    /// Envoy's port for HTTPS [default: 8443, or a free one]
    #[arg(long = "https-port", visible_alias = "port", value_name = "PORT")]
    https: Option<u16>,
    /// Envoy's port for plain HTTP, which redirects [default: 8080, or a free one]
    #[arg(long = "http-port", value_name = "PORT")]
    http: Option<u16>,
    /// Envoy's admin port [default: a free one]
    #[arg(long = "admin-port", value_name = "PORT")]
    admin: Option<u16>,
    /// api-server's port [default: a free one]
    #[arg(long = "api-port", value_name = "PORT")]
    api: Option<u16>,
    /// The identity provider's port [default: a free one]
    #[arg(long = "auth0-port", value_name = "PORT")]
    auth0: Option<u16>,
}

/// A house that runs.
#[derive(Clone, Debug)]
pub struct House {
    /// Who logs users in.
    pub provider: Provider,
    /// The port of HTTPS.
    pub https: u16,
    /// The port of plain HTTP.
    pub http: u16,
    /// Envoy's admin interface.
    pub admin: SocketAddr,
    /// api-server's public listener.
    pub api: SocketAddr,
    /// The provider.
    pub auth0: SocketAddr,
    /// Where its files lie.
    pub folder: PathBuf,
    /// What a client is told to trust.
    pub certificate: PathBuf,
}

impl House {
    /// The site, as a browser names its origin.
    pub fn origin(&self) -> String {
        origin(self.https)
    }

    /// Whom the tokens name as their issuer; also where a browser is sent to log in.
    pub fn issuer(&self) -> String {
        issuer(self.auth0)
    }

    /// Starts everything; it ends with `services`.
    ///
    /// # Errors
    ///
    /// When a part is missing, a port is taken or a server does not start.
    pub(crate) fn start(services: &mut Services, plan: &Plan, parts: &Parts) -> Result<Self> {
        let folder = &plan.folder;
        let certificate = Certificate::in_folder(folder)?;
        let session_key = session_key::in_folder(folder)?;
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let any = |purpose, option, asked| {
            ports::choose(purpose, option, asked, ports::ANY).map(loopback)
        };
        let asked = &plan.ports;
        let house = Self {
            provider: plan.provider,
            https: ports::choose("HTTPS", "--https-port", asked.https, 8443)?,
            http: ports::choose("HTTP", "--http-port", asked.http, 8080)?,
            admin: any("Envoy's admin interface", "--admin-port", asked.admin)?,
            api: any("api-server", "--api-port", asked.api)?,
            auth0: any("the identity provider", "--auth0-port", asked.auth0)?,
            folder: folder.clone(),
            certificate: certificate.certificate.clone(),
        };
        let internal = any("api-server's internal listener", "--api-port", None)?;

        command::announce("starting");
        let clients = clients(&house.origin(), &plan.origins);
        let issuer = house.issuer();
        plan.provider
            .start(services, &parts.programs, house.auth0, &issuer, &clients)?;

        let mut api_server = api_server(&house, &parts.programs, internal);
        api_server.env("API_SESSION_KEYS", &session_key);
        if plan.for_tests {
            api_server.env("API_CLOCK_SKEW", "0s");
        }
        services.start("api-server", 32, &mut api_server, |_| {
            answers(house.api, "/readyz")
        })?;

        let configuration = folder.join("envoy.json");
        let mut bootstrap = Bootstrap::read()?
            .module(&parts.module)?
            .certificate(&certificate.certificate, &certificate.key)?
            .admin_port(house.admin.port())?
            .listener_port("https", house.https)?
            .listener_port("http", house.http)?
            .plain_endpoint("api_server", house.api)?
            .plain_endpoint("auth0", house.auth0)?
            .plain_cluster(FEED, internal)?
            .policy(|policy| fit(policy, &house, &plan.origins))?;
        if plan.for_tests {
            bootstrap = bootstrap.policy(for_tests)?;
        }
        bootstrap.write(&configuration)?;
        let mut envoy = envoy(parts, &configuration, plan.concurrency);
        envoy.env(session_key::VARIABLE, &session_key);
        services.start("envoy", 36, &mut envoy, |_| {
            // Ready means serving: the listeners are open, the module has its keys, api-server counts as healthy.
            answers(house.admin, "/ready")?;
            answers(loopback(house.http), "/healthz")
        })?;
        Ok(house)
    }
}

/// The cluster of api-server's internal listener.
const FEED: &str = "api_server_internal";

/// The provider is another site than the app, as Auth0 is: an address, where the app has a name.
fn issuer(auth0: SocketAddr) -> String {
    format!("http://{auth0}/")
}

fn origin(https: u16) -> String {
    format!("https://localhost:{https}")
}

/// The shipped policy on this machine: our addresses for those of the internet, and api-server's own feed.
fn fit(policy: &mut Value, house: &House, origins: &[String]) {
    policy["https_redirect"]["port"] = house.https.into();
    policy["providers"]["auth0"]["issuer"] = house.issuer().into();
    if let Some(allowed) = policy["cors"]["allow_origins"].as_array_mut() {
        allowed.extend(origins.iter().map(|origin| origin.as_str().into()));
    }
    policy["revocations"] = json!({
        "http_uri": {"uri": "http://127.0.0.1/internal/edge/feed", "cluster": FEED, "timeout": "5s"},
        "poll_interval": "2s",
    });
}

/// What browser tests need besides: tokens that expire when they say, so that none has to wait a minute for it; room
/// for all of them at one address; and a route that is limited after one request.
fn for_tests(policy: &mut Value) {
    policy["providers"]["auth0"]["clock_skew_seconds"] = 0.into();
    for limit in ["auth_per_ip", "sessions_per_ip"] {
        policy["rate_limits"][limit]["requests"] = 10_000.into();
    }
    policy["rate_limits"]["once"] =
        json!({"key": [{"claim": "sub"}], "requests": 1, "per": "3600s"});
    let limited = json!({
        "match": {"path": "/api/v1/limited"},
        "requires": {"provider": "auth0"},
        "rate_limits": ["once"],
    });
    if let Some(rules) = policy["rules"].as_array_mut() {
        rules.insert(0, limited);
    }
}

/// The applications, as the tenant has them.
fn clients(site: &str, origins: &[String]) -> Vec<Value> {
    let app = json!({
        "client_id": CLIENT_ID,
        "callbacks": [format!("{site}/api/v1/auth/callback")],
        "allowed_logout_urls": [format!("{site}/")],
    });
    let spa = json!({
        "client_id": SPA_CLIENT_ID,
        "callbacks": origins,
        "allowed_logout_urls": origins,
        "web_origins": origins,
    });
    if origins.is_empty() {
        vec![app]
    } else {
        vec![app, spa]
    }
}

fn api_server(house: &House, programs: &Path, internal: SocketAddr) -> Command {
    let mut api_server = Command::new(programs.join("api-server"));
    let database = house.folder.join("api-server.db");
    api_server
        .env("API_LISTEN", house.api.to_string())
        .env("API_INTERNAL_LISTEN", internal.to_string())
        .env(
            "API_DATABASE_URL",
            format!("sqlite://{}", database.display()),
        )
        .env("API_ISSUER", house.issuer())
        .env("API_CLIENT_ID", CLIENT_ID)
        .env("API_PUBLIC_URL", house.origin())
        .env("API_WEB_FOLDER", web::public())
        .env("API_SHUTDOWN_TIMEOUT", "2s");
    if house.provider == Provider::Simulated {
        // Only the simulation has a Management API.
        api_server
            .env("API_MANAGEMENT_CLIENT_ID", "test-m2m-client")
            .env("API_MANAGEMENT_CLIENT_SECRET", "test-only-m2m-secret");
    }
    api_server
}

fn envoy(parts: &Parts, configuration: &Path, concurrency: u16) -> Command {
    let mut envoy = Command::new(&parts.envoy.path);
    envoy
        .arg("--config-path")
        .arg(configuration)
        .args(["--concurrency", &concurrency.to_string()])
        // Several Envoys can run on one machine.
        .arg("--use-dynamic-base-id")
        .args([
            "--log-level",
            "warning",
            "--component-log-level",
            "wasm:info",
        ])
        .args(["--log-format", "%l %v"]);
    envoy
}

/// `Some` once a GET gives 200.
fn answers(address: SocketAddr, path: &str) -> Option<()> {
    (http::status(address, path).ok()? == 200).then_some(())
}
