//! Debian's packages, for machines where we are root: said before it is done.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::command;

/// The largest set is about 350 MB.
const LIMIT: Duration = Duration::from_mins(15);

/// Installs packages.
///
/// # Errors
///
/// When there is no apt, we are not root, or apt fails.
pub fn install(packages: &[&str]) -> Result<()> {
    let line = install_line(packages);
    if command::output(Command::new("apt-get").arg("--version")).is_none() {
        bail!(
            "there is no apt-get here to install {}",
            packages.join(", ")
        );
    }
    if command::output(Command::new("id").arg("-u")).as_deref() != Some("0") {
        bail!("installing packages takes root; run `sudo {line}`");
    }
    command::announce(&line);
    // The lists of a fresh machine are empty or old; a mirror that can't be reached shows below anyway.
    let _ = command::run_quietly(LIMIT, &mut apt_get(&["update"]));
    command::run_quietly(
        LIMIT,
        apt_get(&["install", "-y", "--no-install-recommends"]).args(packages),
    )
}

/// What a person would type.
pub fn install_line(packages: &[&str]) -> String {
    format!("apt-get install {}", packages.join(" "))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut apt_get = Command::new("apt-get");
    apt_get
        .arg("-qq")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    apt_get
}
