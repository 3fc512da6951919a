//! `dev`: the whole house on loopback, with what to ask it, until Ctrl-C.

mod certificate;
mod house;
mod ports;
mod provider;
mod requests;
pub mod session_key;

use std::path::PathBuf;

use anyhow::{Result, bail};

pub use certificate::Certificate;
pub use house::{House, Plan, Ports, SPA_CLIENT_ID};
pub(crate) use ports::free_port;
pub use provider::Provider;
use requests::Example;

use crate::envoy::{self, Envoy};
use crate::service::Services;
use crate::{command, filter, paint, web, workspace};

/// What to run where.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    ports: Ports,
    /// Who logs users in
    #[arg(long, value_enum, default_value_t)]
    provider: Provider,
    /// An origin whose pages may log in by themselves (client `edge-auth-spa`) and call the API; as often as needed
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    origins: Vec<String>,
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

impl Parts {
    /// Builds what has to be built, and finds or installs Envoy.
    ///
    /// # Errors
    ///
    /// When a toolchain or Envoy is missing and can't be installed, or something does not build.
    pub fn build(toolchain: filter::Choice) -> Result<Self> {
        let envoy = envoy::find_or_install()?;
        let module = filter::publish(&filter::build(&filter::find(toolchain)?)?)?;
        web::install()?;
        command::announce("building api-server and the simulated Auth0");
        // With the rest of the workspace, so that nothing is built again with other features.
        command::run(command::cargo().args(["build", "--workspace", "--bins"]))?;
        Ok(Self {
            envoy,
            module,
            programs: workspace::target().join("debug"),
        })
    }
}

/// Builds, starts, and runs until Ctrl-C or until one of the servers ends.
///
/// # Errors
///
/// When a part is missing, a port is taken, a server does not start or ends by itself, or a line checked gives
/// another status than it says.
pub fn run(arguments: &Arguments) -> Result<()> {
    let parts = Parts::build(arguments.toolchain)?;
    let mut services = Services::new()?;
    let plan = Plan {
        provider: arguments.provider,
        folder: workspace::target().join("dev"),
        ports: arguments.ports.clone(),
        concurrency: arguments.concurrency,
        origins: arguments.origins.clone(),
        for_tests: false,
    };
    let house = House::start(&mut services, &plan, &parts)?;
    let examples = requests::examples(&house)?;
    if arguments.check {
        let (passed, failed) = requests::check(&examples)?;
        println!("{passed} passed, {failed} failed");
        if failed > 0 {
            bail!("{failed} of the printed lines give another status than they say");
        }
        return Ok(());
    }
    print(&house, &examples, &parts.envoy);
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
    let plan = Plan {
        provider: Provider::default(),
        folder: workspace::target().join("dev"),
        ports: Ports::default(),
        concurrency: 2,
        origins: Vec::new(),
        for_tests: false,
    };
    let house = House::start(&mut services, &plan, parts)?;
    command::announce("running the lines that `cargo xtask dev` prints");
    requests::check(&requests::examples(&house)?)
}

fn print(house: &House, examples: &[Example], envoy: &Envoy) {
    let paint = paint::stdout();
    let title = |text: &str| println!("\n{}", paint.bold(text));
    let row = |name: &str, url: String, what: &str| {
        println!("  {name:<11} {url:<28} {}", paint.dim(what));
    };
    title("What runs where");
    row(
        "edge",
        house.origin(),
        &format!("Envoy {} with the module", envoy.version),
    );
    row(
        "edge",
        format!("http://localhost:{}", house.http),
        "the redirect",
    );
    row(
        "app",
        format!("{}/app/", house.origin()),
        "documents in a browser, which must trust target/dev/localhost.crt",
    );
    row(
        "admin",
        format!("http://{}", house.admin),
        "Envoy's statistics",
    );
    row(
        "api-server",
        format!("http://{}", house.api),
        "behind the edge; data in target/dev/api-server.db",
    );
    row(
        house.provider.process(),
        format!("http://{}", house.auth0),
        "the tenant that signs; its login page names the users",
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
    let auth0 = house.auth0;
    let rotate = (
        format!("curl -X POST http://{auth0}/sim/rotate"),
        "rotate the signing key: tokens of the old one stay good",
    );
    let others = [
        (
            format!("curl -s http://{}/stats?filter=edge_auth", house.admin),
            "what the module counted",
        ),
        (
            "cargo xtask test".to_owned(),
            "every test there is; envoy/plugin-config.yaml is the policy",
        ),
    ];
    let simulated = (house.provider == Provider::Simulated).then_some(rotate);
    for (line, what) in simulated.into_iter().chain(others) {
        println!("  {line}\n    {}", paint.dim(what));
    }
    println!("\nCtrl-C ends all of them. Their logs:");
}
