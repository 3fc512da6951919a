//! `dev`: the whole house on loopback. A simulated Auth0, api-server on `SQLite`, and a real Envoy with the module
//! in front, run from `envoy/envoy.yaml` and ended together.

mod certificate;
mod ports;
mod requests;
pub mod session_key;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

pub use certificate::Certificate;
use requests::Example;

use crate::bootstrap::Bootstrap;
use crate::envoy::{self, Envoy};
use crate::service::Services;
use crate::{command, filter, http, paint, web, workspace};

/// What to run where.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Arguments {
    /// Envoy's port for HTTPS [default: 8443, or a free one]
    #[arg(long, visible_alias = "port", value_name = "PORT")]
    https_port: Option<u16>,
    /// Envoy's port for plain HTTP, which redirects [default: 8080, or a free one]
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// Envoy's admin port [default: a free one]
    #[arg(long, value_name = "PORT")]
    admin_port: Option<u16>,
    /// api-server's port [default: a free one]
    #[arg(long, value_name = "PORT")]
    api_port: Option<u16>,
    /// The simulated Auth0's port [default: a free one]
    #[arg(long, value_name = "PORT")]
    auth0_port: Option<u16>,
    /// Envoy's worker threads
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// Whose standard library to build the module with
    #[arg(long, value_enum, default_value_t = filter::Choice::Auto)]
    toolchain: filter::Choice,
    /// Run every printed line, compare its status, and end
    #[arg(long)]
    check: bool,
}

/// What is built and found before anything starts.
#[derive(Debug)]
pub struct Parts {
    /// The proxy.
    pub envoy: Envoy,
    /// The module it loads.
    pub module: PathBuf,
    /// The folder with the programs `api-server` and `auth0-sim`.
    pub programs: PathBuf,
}

/// Where everything listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    https: u16,
    http: u16,
    admin: SocketAddr,
    api: SocketAddr,
    auth0: SocketAddr,
}

/// Builds, starts, and runs until Ctrl-C or until one of the servers ends.
///
/// # Errors
///
/// When a part is missing, a port is taken, a server does not start or ends by itself, or a line checked gives
/// another status than it says.
pub fn run(arguments: &Arguments) -> Result<()> {
    let envoy = envoy::find_or_install()?;
    let module = filter::publish(&filter::build(&filter::find(arguments.toolchain)?)?)?;
    web::install()?;
    command::announce("building api-server and the simulated Auth0");
    command::run(command::cargo().args([
        "build",
        "--package",
        "api-server",
        "--package",
        "auth0-sim",
        "--bins",
    ]))?;
    let parts = Parts {
        envoy,
        module,
        programs: workspace::target().join("debug"),
    };
    if arguments.check {
        let (passed, failed) = check(&parts)?;
        println!("{passed} passed, {failed} failed");
        if failed > 0 {
            bail!("{failed} of the printed lines give another status than they say");
        }
        return Ok(());
    }
    let mut services = Services::new()?;
    let (addresses, examples) = start(&mut services, arguments, &parts)?;
    print(&addresses, &examples, &parts.envoy);
    services.follow()
}

/// Starts everything on free ports, runs every line that `dev` prints, and gives how many gave the status they say
/// and how many did not.
///
/// # Errors
///
/// When a server does not start, or there is no curl.
pub fn check(parts: &Parts) -> Result<(usize, usize)> {
    let mut services = Services::new()?;
    let (_, examples) = start(&mut services, &Arguments::default(), parts)?;
    command::announce("running the lines that `cargo xtask dev` prints");
    requests::check(&examples)
}

fn start(
    services: &mut Services,
    arguments: &Arguments,
    parts: &Parts,
) -> Result<(Addresses, Vec<Example>)> {
    let folder = workspace::target().join("dev");
    let certificate = Certificate::in_folder(&folder)?;
    let session_key = session_key::in_folder(&folder)?;
    let bootstrap = Bootstrap::read()?;
    let issuer = issuer(&bootstrap)?;
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let any =
        |purpose, option, asked| ports::choose(purpose, option, asked, ports::ANY).map(loopback);
    let addresses = Addresses {
        https: ports::choose("HTTPS", "--https-port", arguments.https_port, 8443)?,
        http: ports::choose("HTTP", "--http-port", arguments.http_port, 8080)?,
        admin: any(
            "Envoy's admin interface",
            "--admin-port",
            arguments.admin_port,
        )?,
        api: any("api-server", "--api-port", arguments.api_port)?,
        auth0: any("the simulated Auth0", "--auth0-port", arguments.auth0_port)?,
    };

    command::announce("starting");
    let mut auth0 = Command::new(parts.programs.join("auth0-sim"));
    auth0.args([
        "--listen",
        &addresses.auth0.to_string(),
        "--issuer",
        &issuer,
    ]);
    services.start("auth0-sim", 35, &mut auth0, |lines| {
        lines
            .iter()
            .any(|line| line.starts_with("auth0-sim ready"))
            .then_some(())
    })?;
    let mut api_server = api_server(parts, &folder, &addresses, &issuer);
    api_server
        .env("API_SESSION_KEYS", &session_key)
        .env("API_CLIENT_ID", "edge-auth-dev")
        .env(
            "API_PUBLIC_URL",
            format!("https://localhost:{}", addresses.https),
        );
    services.start("api-server", 32, &mut api_server, |_| {
        answers(addresses.api, "/readyz")
    })?;
    let configuration = folder.join("envoy.json");
    bootstrap
        .module(&parts.module)?
        .certificate(&certificate.certificate, &certificate.key)?
        .admin_port(addresses.admin.port())?
        .listener_port("https", addresses.https)?
        .listener_port("http", addresses.http)?
        .redirect_port(addresses.https)?
        .plain_endpoint("api_server", addresses.api)?
        .plain_endpoint("auth0", addresses.auth0)?
        .write(&configuration)?;
    let mut envoy = envoy_command(parts, &configuration, arguments.concurrency.max(1));
    envoy.env(session_key::VARIABLE, &session_key);
    services.start("envoy", 36, &mut envoy, |_| {
        // Ready means serving: the listeners are open, the module has its keys, api-server counts as healthy.
        answers(addresses.admin, "/ready")?;
        answers(loopback(addresses.http), "/healthz")
    })?;
    let examples = requests::examples(&folder, &certificate.certificate, &addresses)?;
    Ok((addresses, examples))
}

/// `Some` once a GET gives 200.
fn answers(address: SocketAddr, path: &str) -> Option<()> {
    (http::status(address, path).ok()? == 200).then_some(())
}

/// The issuer the policy names: the simulation signs as that tenant, so the policy runs as it is.
fn issuer(bootstrap: &Bootstrap) -> Result<String> {
    let policies = bootstrap.policies()?;
    let issuer = policies
        .first()
        .and_then(|policy| policy["providers"]["auth0"]["issuer"].as_str());
    Ok(issuer
        .context("envoy/envoy.yaml: the policy names no providers.auth0.issuer")?
        .to_owned())
}

fn api_server(parts: &Parts, folder: &Path, addresses: &Addresses, issuer: &str) -> Command {
    let mut api_server = Command::new(parts.programs.join("api-server"));
    let database = folder.join("api-server.db");
    api_server
        .env("API_LISTEN", addresses.api.to_string())
        .env("API_INTERNAL_LISTEN", "127.0.0.1:0")
        .env(
            "API_DATABASE_URL",
            format!("sqlite://{}", database.display()),
        )
        .env("API_ISSUER", issuer)
        .env(
            "API_JWKS_URI",
            format!("http://{}/.well-known/jwks.json", addresses.auth0),
        )
        .env("API_WEB_FOLDER", web::public())
        .env("API_SHUTDOWN_TIMEOUT", "2s");
    api_server
}

fn envoy_command(parts: &Parts, configuration: &Path, concurrency: u16) -> Command {
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

fn print(addresses: &Addresses, examples: &[Example], envoy: &Envoy) {
    let paint = paint::stdout();
    let title = |text: &str| println!("\n{}", paint.bold(text));
    let row = |name: &str, url: String, what: &str| {
        println!("  {name:<11} {url:<28} {}", paint.dim(what));
    };
    title("What runs where");
    row(
        "edge",
        format!("https://localhost:{}", addresses.https),
        &format!("Envoy {} with the module", envoy.version),
    );
    row(
        "edge",
        format!("http://localhost:{}", addresses.http),
        "the redirect",
    );
    row(
        "admin",
        format!("http://{}", addresses.admin),
        "Envoy's statistics",
    );
    row(
        "api-server",
        format!("http://{}", addresses.api),
        "behind the edge; data in target/dev/api-server.db",
    );
    row(
        "auth0-sim",
        format!("http://{}", addresses.auth0),
        "the tenant that signs",
    );

    title("Ask it");
    for Example {
        about,
        status,
        line,
    } in examples
    {
        let status = match status {
            200..300 => paint.green(status),
            300..400 => paint.code(36, status),
            _ => paint.code(33, status),
        };
        println!("  {status} {}\n    {line}", paint.dim(about));
    }

    title("What to try next");
    let auth0 = addresses.auth0;
    for (line, what) in [
        (
            format!("curl -X POST http://{auth0}/sim/rotate"),
            "rotate the signing key: tokens of the old one stay good",
        ),
        (
            format!("curl -s http://{}/stats?filter=edge_auth", addresses.admin),
            "what the module counted",
        ),
        (
            "cargo xtask test".to_owned(),
            "every test there is; envoy/plugin-config.yaml is the policy",
        ),
    ] {
        println!("  {line}\n    {}", paint.dim(what));
    }
    println!("\nCtrl-C ends all of them. Their logs:");
}
