//! The bootstrap as the real Envoy sees it.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use xtask::bootstrap::Bootstrap;
use xtask::dev::{Certificate, session_key};
use xtask::{envoy, filter, workspace};

/// Only what has to be a file on this machine is filled in; everything else is as an operator finds it.
#[test]
fn envoy_accepts_the_bootstrap_as_an_operator_finds_it() {
    let envoy = envoy::find_or_install().unwrap();
    let build = || {
        let toolchain = filter::find(filter::Choice::Auto).unwrap();
        filter::build(&toolchain).unwrap().path
    };
    let module = env::var_os("EDGE_AUTH_MODULE").map_or_else(build, PathBuf::from);
    let folder = workspace::target().join("xtask-test-validate");
    let certificate = Certificate::in_folder(&folder).unwrap();
    let path = folder.join("envoy.json");
    let bootstrap = Bootstrap::read()
        .and_then(|it| it.module(&module))
        .and_then(|it| it.certificate(&certificate.certificate, &certificate.key))
        .and_then(|it| it.trusted_ca("auth0", &certificate.certificate))
        .unwrap();
    bootstrap.write(&path).unwrap();
    let key = session_key::in_folder(&folder).unwrap();

    let validate = |path: &PathBuf| {
        let output = Command::new(&envoy.path)
            .args([
                "--mode",
                "validate",
                "--use-dynamic-base-id",
                "--log-level",
                "warning",
            ])
            .arg("--config-path")
            .arg(path)
            .env(session_key::VARIABLE, &key)
            .output()
            .unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text.into_owned())
    };
    let (accepted, text) = validate(&path);
    assert!(accepted, "{text}");
    assert!(!text.contains("deprecated"), "{text}");

    // And it is no test if it accepts anything.
    let broken = folder.join("broken.json");
    let good = fs::read_to_string(&path).unwrap();
    fs::write(
        &broken,
        good.replace("stream_idle_timeout", "stream_idle_timeuot"),
    )
    .unwrap();
    assert!(!validate(&broken).0);
}
