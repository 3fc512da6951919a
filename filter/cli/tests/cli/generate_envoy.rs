//! What `edge-auth generate envoy` makes, Envoy accepts.

use std::process::Command;

use gateway_tests::{envoy, module};

use crate::support::edge_auth_with;

/// Envoy's own words about a bootstrap, and whether it accepts it.
fn validated(bootstrap: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bootstrap.yaml");
    std::fs::write(&file, bootstrap).expect("it can be written");
    let output = Command::new(envoy::binary().expect("Envoy is there"))
        .args([
            "--mode",
            "validate",
            "--use-dynamic-base-id",
            "--config-path",
        ])
        .arg(&file)
        // The module finds its secrets in Envoy's environment, and does not start without.
        .env(
            "EDGE_SESSION_KEY",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        )
        .output()
        .expect("Envoy runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout) + &text(&output.stderr),
    )
}

fn generated(config: &str) -> String {
    let module = module::path().expect("the module is built");
    let module = module.to_str().expect("a path in UTF-8");
    let run = edge_auth_with(&["generate", "envoy", config, "--module-url", module]);
    assert_eq!(run.code, Some(0), "{run:?}");
    run.stdout
}

#[test]
fn envoy_accepts_the_bootstraps_that_are_generated() {
    for config in [
        "plain.yaml",
        "decisions-config.yaml",
        "../../../../../envoy/plugin-config.yaml",
    ] {
        let (accepted, words) = validated(&generated(config));
        assert!(accepted, "{config}: {words}");
    }
}

/// The test above would see it if Envoy did not.
#[test]
fn envoy_refuses_a_bootstrap_that_names_no_such_cluster() {
    let bootstrap = generated("plain.yaml").replace("cluster: upstream\n", "cluster: nowhere\n");
    let (accepted, words) = validated(&bootstrap);
    assert!(!accepted && words.contains("nowhere"), "{words}");
}
