//! A certificate for `localhost`, made on the spot by openssl: HTTPS, redirect and secure cookies are real.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{apt, command};

/// Where the certificate and its key lie.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Self-signed, so also what a client is told to trust.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Certificate {
    /// The certificate in `folder`, made anew when it is missing or ends within a week.
    ///
    /// # Errors
    ///
    /// When there is no openssl and it can't be installed.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let pair = Self {
            certificate: folder.join("localhost.crt"),
            key: folder.join("localhost.key"),
        };
        if pair.key.exists() && valid_for_a_week(&pair.certificate) {
            return Ok(pair);
        }
        if command::output(Command::new("openssl").arg("version")).is_none() {
            apt::install(&["openssl"]).context(
                "there is no openssl to make a certificate for localhost.\n\
                 Next step: install openssl",
            )?;
        }
        let mut openssl = Command::new("openssl");
        openssl
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "90"])
            .args(["-subj", "/CN=edge-auth development"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args([
                "-keyout".as_ref(),
                pair.key.as_os_str(),
                "-out".as_ref(),
                pair.certificate.as_os_str(),
            ]);
        command::run_quietly(Duration::from_secs(30), &mut openssl)?;
        Ok(pair)
    }
}

fn valid_for_a_week(certificate: &Path) -> bool {
    let week = Duration::from_hours(7 * 24).as_secs().to_string();
    let mut openssl = Command::new("openssl");
    openssl
        .args(["x509", "-noout", "-checkend", &week, "-in"])
        .arg(certificate);
    command::output(&mut openssl).is_some()
}
