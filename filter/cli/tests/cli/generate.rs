//! `edge-auth generate`: what it makes, `check` accepts, and nothing is missing in it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{edge_auth, edge_auth_with};

/// What is made for `target` of `plain.yaml`, after `check` found nothing wrong with it.
#[track_caller]
fn generate(target: &str) -> String {
    let run = edge_auth_with(&["generate", target, "plain.yaml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let mut check = Command::new(env!("CARGO_BIN_EXE_edge-auth"))
        .args(["check", "--deny-warnings", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = check.stdin.take().expect("piped");
    stdin.write_all(run.stdout.as_bytes()).expect("it reads");
    drop(stdin);
    let checked = check.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{target}: {text}");
    assert!(
        text.contains("1 configuration, 0 errors, 0 warnings"),
        "{target}: {text}"
    );
    run.stdout
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
                "cluster: outbound|80||tenant.auth0.com",
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

#[test]
fn a_configuration_with_mistakes_generates_nothing() {
    let run = edge_auth("generate envoy mistakes.yaml");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
}
