//! `edge-auth generate`: what it makes, `check` accepts, and nothing is missing in it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{edge_auth, edge_auth_with};

/// What is made for `target` of `plain.yaml`, after `check` found nothing wrong with it.
#[track_caller]
fn generate(target: &str) -> String {
    generate_of(target, "plain.yaml")
}

#[track_caller]
fn generate_of(target: &str, file: &str) -> String {
    let run = edge_auth_with(&["generate", target, file]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let (success, text) = checked(&run.stdout);
    assert!(success, "{target}: {text}");
    assert!(
        text.contains("1 configuration, 0 errors, 0 warnings"),
        "{target}: {text}"
    );
    run.stdout
}

/// Whether `check --deny-warnings` finds nothing in `manifest`, and what it says.
fn checked(manifest: &str) -> (bool, String) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_edge-auth"))
        .args(["check", "--deny-warnings", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = check.stdin.take().expect("piped");
    stdin.write_all(manifest.as_bytes()).expect("it reads");
    drop(stdin);
    let checked = check.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    (checked.status.success(), text)
}

#[track_caller]
fn contains(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

#[test]
fn an_envoy_bootstrap() {
    contains(
        &generate("envoy"),
        &[
            "use_remote_address: true",
            "xff_num_trusted_hops: 0",
            "failure_policy: FAIL_RELOAD",
            "headers_with_underscores_action: REJECT_REQUEST",
            "name: auth0",
            "sni: tenant.auth0.com",
            "exact: tenant.auth0.com",
            "name: upstream",
        ],
    );
}

#[test]
fn istio_with_a_way_to_the_provider() {
    for target in ["istio-wasmplugin", "istio-trafficextension", "envoyfilter"] {
        contains(
            &generate(target),
            &[
                "kind: ServiceEntry",
                "targetPort: 443",
                "kind: DestinationRule",
                "mode: SIMPLE",
                "outbound|80||tenant.auth0.com",
            ],
        );
    }
    contains(
        &generate("istio-wasmplugin"),
        &[
            "kind: WasmPlugin",
            "failStrategy: FAIL_RELOAD",
            "phase: AUTHN",
        ],
    );
    contains(
        &generate("istio-trafficextension"),
        &["kind: TrafficExtension", "phase: AUTHN"],
    );
    contains(
        &generate("envoyfilter"),
        &[
            "kind: EnvoyFilter",
            "operation: INSERT_BEFORE",
            "use_remote_address: true",
        ],
    );
}

#[test]
fn envoy_gateway_with_a_cluster_for_the_provider() {
    contains(
        &generate("envoy-gateway"),
        &[
            "kind: EnvoyExtensionPolicy",
            "failOpen: false",
            "kind: EnvoyPatchPolicy",
            "name: auth0",
        ],
    );
}

#[test]
fn the_module_is_given_the_variables_that_hold_its_keys() {
    let from_host = &["- name: EDGE_SESSION_KEY", "valueFrom: HOST"][..];
    let by_name = &["- EDGE_SESSION_KEY"][..];
    for (target, place, lines) in [
        ("envoy", "host_env_keys:", by_name),
        ("envoyfilter", "host_env_keys:", by_name),
        ("istio-wasmplugin", "vmConfig:", from_host),
        ("istio-trafficextension", "vmConfig:", from_host),
        ("envoy-gateway", "hostKeys:", by_name),
    ] {
        let made = generate_of(target, "session.yaml");
        contains(&made, &[place]);
        contains(&made, lines);
    }
    let bootstrap = generate_of("envoy", "session.yaml");
    let without = bootstrap.replace("- EDGE_SESSION_KEY", "- ANOTHER");
    let (success, text) = checked(&without);
    assert!(!success && without != bootstrap);
    let warning = "warning: the VM is not given the environment variable EDGE_SESSION_KEY";
    contains(&text, &[warning]);
}

#[test]
fn a_module_that_the_target_cannot_load_is_refused() {
    for arguments in [
        "generate envoy plain.yaml --module-url oci://registry.example/edge-auth:1",
        "generate istio-wasmplugin plain.yaml --module-url /etc/edge_auth.wasm",
        "generate envoy-gateway plain.yaml --module-url https://example.com/edge_auth.wasm",
    ] {
        let run = edge_auth(arguments);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(2), ""),
            "{arguments}"
        );
    }
}

/// A registry that is led elsewhere cannot bring another module.
#[test]
fn istio_security_2026_001_a_module_is_named_by_its_digest() {
    let digest = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
    for (target, line) in [
        ("istio-wasmplugin", format!("sha256: {digest}")),
        ("istio-trafficextension", format!("sha256: {digest}")),
        ("envoy-gateway", format!("sha256: {digest}")),
    ] {
        let run = edge_auth(&format!(
            "generate {target} plain.yaml --module-sha256 {digest}"
        ));
        assert_eq!(run.code, Some(0), "{run:?}");
        contains(&run.stdout, &[&line]);
    }
}

#[test]
fn a_configuration_with_mistakes_generates_nothing() {
    let run = edge_auth("generate envoy mistakes.yaml");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
}

#[test]
fn the_cluster_of_the_rate_limit_service_is_asked_for() {
    let run = edge_auth("generate envoy service.yaml");
    let comment = "# The rate limit service's cluster, ratelimit, is not in here: add one that speaks HTTP/2.\n";
    assert!(run.stdout.contains(comment), "{}{}", run.stdout, run.stderr);
}
