//! `edge-auth check`.

use crate::support::{check, edge_auth, package};

#[test]
fn a_configuration_in_which_nothing_is_wrong() {
    let stdout = "plain.yaml: ok\n1 configuration, 0 errors, 0 warnings\n";
    check("check plain.yaml", 0, stdout);
}

#[test]
fn every_mistake_is_told_with_its_place() {
    check(
        "check mistakes.yaml",
        1,
        "\
mistakes.yaml
  error: providers.auth0.audiences: is required
  error: providers.auth0.remote_jwks.cache_duration: is no duration; write a number and a unit, 1s to 24h, as in \
\"300s\", \"500ms\", \"24h\"
  error: providers.auth0.audience: is not known; did you mean `audiences`?
  error: rules[0].requires.provider: is not among providers: auth0
  error: default.requires: must be a token that is not optional: what no rule matches is denied
1 configuration, 5 errors, 0 warnings
",
    );
}

#[test]
fn a_bootstrap_is_searched_for_what_the_filter_cannot_see() {
    let place = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[1].\
                 typed_config.config.configuration";
    let other = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].\
                 typed_config";
    check(
        "check bootstrap.yaml",
        0,
        &format!(
            "\
bootstrap.yaml: {other}: another wasm filter, not checked
bootstrap.yaml: {place}
  warning: failure_policy: FAIL_OPEN lets every request through unchecked when the module fails; use FAIL_RELOAD, \
or leave it out
  warning: the connection manager has use_remote_address: false (its default), so x-forwarded-for from any client \
forges the client's address; set it to true, except behind another Envoy that sets it
  warning: client_address.trusted_hops is 0 and the connection manager's xff_num_trusted_hops is 1; both are the \
number of proxies in front, and must be equal
  warning: providers.auth0.remote_jwks.http_uri.cluster: the bootstrap defines no cluster \"auth0\"; it defines \
upstream
  warning: rules[0]: is for exactly one path; /admin/ is another, which the default decides; add a rule for it, or \
use prefix
1 configuration, 0 errors, 5 warnings
"
        ),
    );
}

/// A fetch goes nowhere without its cluster; a gRPC call over HTTP/1.1 fails each time.
#[test]
fn clusters_that_cannot_do_what_they_are_for_are_told() {
    check(
        "check bootstrap-clusters.yaml",
        0,
        "\
bootstrap-clusters.yaml: static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].\
typed_config.config.configuration
  warning: rate_limit_service.cluster: the cluster \"ratelimit\" speaks HTTP/1.1, and gRPC needs HTTP/2, so no call \
would get through; give it explicit_http_config.http2_protocol_options in typed_extension_protocol_options
  warning: revocations.http_uri.cluster: the bootstrap defines no cluster \"api_internal\"; it defines auth0, ratelimit
1 configuration, 0 errors, 2 warnings
",
    );
}

#[test]
fn warnings_fail_only_where_asked() {
    assert_eq!(edge_auth("check bootstrap.yaml").code, Some(0));
    assert_eq!(
        edge_auth("check --deny-warnings bootstrap.yaml").code,
        Some(1)
    );
    assert_eq!(edge_auth("check --deny-warnings plain.yaml").code, Some(0));
}

#[test]
fn manifests_of_all_kinds_in_one_file() {
    check(
        "check manifests.yaml",
        1,
        "\
manifests.yaml: document 2: WasmPlugin istio-system/edge-auth, spec.pluginConfig
  warning: failStrategy: FAIL_OPEN lets every request through unchecked when the module fails; use FAIL_RELOAD, or \
leave it out
manifests.yaml: document 3: TrafficExtension edge-auth, spec.wasm.pluginConfig
  error: version: is required
  error: default: is required
manifests.yaml: document 4: EnvoyFilter edge-auth, spec.configPatches[0].patch.value.typed_config.value.config.\
configuration
  error: configuration: is no JSON that can be read: not valid JSON
manifests.yaml: document 5: EnvoyExtensionPolicy edge-auth, spec.wasm[0].config
  error: configuration: is empty; at least version, providers and default are needed
4 configurations, 4 errors, 1 warning
",
    );
}

#[test]
fn a_document_that_cannot_be_read_does_not_hide_the_ones_before() {
    let run = edge_auth("check broken.yaml");
    assert_eq!(run.code, Some(1));
    assert!(
        run.stdout
            .starts_with("broken.yaml: document 1: WasmPlugin edge-auth"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("broken.yaml: document 2\n  error: cannot be read: "),
        "{}",
        run.stdout
    );
}

#[test]
fn names_that_are_there_twice_are_refused_in_json_and_in_yaml() {
    for file in ["twice.json", "twice.yaml"] {
        let run = edge_auth(&format!("check {file}"));
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stdout.contains("duplicate"), "{run:?}");
    }
}

#[test]
fn nothing_to_check_is_no_success() {
    let run = edge_auth("check service-entry.yaml");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(
        run.stderr
            .contains("no edge-auth configuration in service-entry.yaml"),
        "{run:?}"
    );
    let run = edge_auth("check nowhere.yaml");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("cannot read nowhere.yaml"), "{run:?}");
}

#[test]
fn the_example_that_ships_is_right() {
    let example = package().join("../../envoy/plugin-config.yaml");
    let run = edge_auth(&format!("check {}", example.display()));
    assert_eq!(run.code, Some(0), "{run:?}");
}
