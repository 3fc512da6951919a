//! The identity provider of the house: the simulated Auth0, or npm's certified `oidc-provider` under Auth0's route
//! names (`tests/certified`). Both have the same users, login page and controls under `/sim/`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::node;
use crate::service::Services;
use crate::workspace;

/// Who logs users in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Provider {
    /// The simulated Auth0 of tests/auth0-sim
    #[default]
    Simulated,
    /// npm's certified oidc-provider, under Auth0's route names
    Certified,
}

impl Provider {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Simulated, Self::Certified];

    /// As the command line spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
            Self::Certified => "certified",
        }
    }

    /// What its process is called.
    pub(super) const fn process(self) -> &'static str {
        match self {
            Self::Simulated => "auth0-sim",
            Self::Certified => "certified",
        }
    }

    /// Starts it with these applications, each in the words of Auth0's own configuration.
    ///
    /// # Errors
    ///
    /// When it does not start, or Node.js or its packages can't be installed.
    pub(super) fn start(
        self,
        services: &mut Services,
        programs: &Path,
        address: SocketAddr,
        issuer: &str,
        clients: &[Value],
    ) -> Result<()> {
        let mut command = match self {
            Self::Simulated => Command::new(programs.join("auth0-sim")),
            Self::Certified => {
                let folder = workspace::root().join("tests/certified");
                let node = node::find_or_install()?;
                node.install_packages(&folder)?;
                let mut command = node.command();
                command.arg(folder.join("provider.js"));
                command
            }
        };
        command
            .args(["--listen", &address.to_string()])
            .args(["--issuer", issuer]);
        for client in clients {
            command.args(["--client", &client.to_string()]);
        }
        let ready = format!("{} ready", self.process());
        services.start(self.process(), 35, &mut command, |lines| {
            lines
                .iter()
                .any(|line| line.starts_with(&ready))
                .then_some(())
        })
    }
}
