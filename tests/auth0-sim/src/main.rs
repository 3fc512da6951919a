//! `auth0-sim`: the simulated Auth0 alone, for `cargo xtask auth0-sim` and `cargo xtask dev`.
//!
//! Prints one line once it answers, and ends on Ctrl-C.

use std::net::SocketAddr;

use anyhow::Context;
use auth0_sim::{Auth0Sim, Client, Options, User};
use clap::Parser;

/// A simulated Auth0 tenant with test-only keys.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The issuer of its tokens, with the trailing slash Auth0 issues [default: `http://<address>/`].
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// An application that logs users in, as JSON in Auth0's words: `{"client_id": "app", "callbacks": ["https://…"],
    /// "allowed_logout_urls": […], "web_origins": […]}`.
    #[arg(long = "client", value_name = "JSON", value_parser = client)]
    clients: Vec<Client>,
}

fn client(text: &str) -> serde_json::Result<Client> {
    serde_json::from_str(text)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let sim = Auth0Sim::start(Options {
        listen: arguments.listen,
        issuer: arguments.issuer,
        clients: arguments.clients,
        ..Options::default()
    })
    .await
    .with_context(|| format!("can't listen on {}", arguments.listen))?;
    for user in User::all() {
        sim.add_user(&user.user_id, &user.profile());
    }
    println!(
        "auth0-sim ready on http://{} issuer {}",
        sim.address(),
        sim.issuer()
    );
    tokio::signal::ctrl_c()
        .await
        .context("can't wait for Ctrl-C")
}
