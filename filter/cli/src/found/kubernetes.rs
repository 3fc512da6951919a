//! Manifests: Istio's `WasmPlugin`, `TrafficExtension` and `EnvoyFilter`, Envoy Gateway's
//! `EnvoyExtensionPolicy`.

use serde_json::Value;

use super::{Findings, Found, Surroundings, at, envoy, is_ours, member, texts};

/// Finds what a manifest of this kind holds; a kind that can hold nothing is passed over.
pub(super) fn find(kind: &str, document: &Value, findings: &mut Findings) {
    let Some(spec) = member(document, "spec") else {
        return;
    };
    let resource = name(kind, document);
    match kind {
        "WasmPlugin" => istio(spec, &resource, "spec.pluginConfig", findings),
        "TrafficExtension" => {
            if let Some(wasm) = member(spec, "wasm") {
                istio(wasm, &resource, "spec.wasm.pluginConfig", findings);
            }
        }
        "EnvoyFilter" => {
            let place = format!("{resource}, spec");
            envoy::walk(spec, &place, &Surroundings::default(), findings);
        }
        "EnvoyExtensionPolicy" => {
            let wasm = member(spec, "wasm").and_then(Value::as_array);
            for (index, wasm) in wasm.into_iter().flatten().enumerate() {
                let place = format!("{resource}, spec.wasm[{index}].config");
                let open = member(wasm, "fail_open").and_then(Value::as_bool) == Some(true);
                let fails_open = open.then(|| "failOpen: true".to_owned());
                let code = [&["code", "http", "url"], &["code", "image", "url"]];
                let url = code.iter().find_map(|path| at(wasm, *path));
                let names = [member(wasm, "name"), wasm.get("rootID"), url];
                let environment = texts(at(wasm, &["env", "host_keys"]), None);
                let surroundings = Surroundings {
                    fails_open,
                    environment: Some(environment),
                    ..Surroundings::default()
                };
                add(
                    member(wasm, "config"),
                    &names,
                    place,
                    surroundings,
                    findings,
                );
            }
        }
        _ => {}
    }
}

/// The part that `WasmPlugin` and `TrafficExtension` share.
fn istio(wasm: &Value, resource: &str, at: &str, findings: &mut Findings) {
    let strategy = member(wasm, "fail_strategy").and_then(Value::as_str);
    let fails_open = (strategy == Some("FAIL_OPEN")).then(|| "failStrategy: FAIL_OPEN".to_owned());
    let names = [member(wasm, "url"), member(wasm, "plugin_name")];
    let place = format!("{resource}, {at}");
    let environment = texts(super::at(wasm, &["vm_config", "env"]), Some("name"));
    let surroundings = Surroundings {
        fails_open,
        environment: Some(environment),
        ..Surroundings::default()
    };
    add(
        member(wasm, "plugin_config"),
        &names,
        place,
        surroundings,
        findings,
    );
}

fn add(
    config: Option<&Value>,
    names: &[Option<&Value>],
    place: String,
    surroundings: Surroundings,
    findings: &mut Findings,
) {
    if is_ours(config.unwrap_or(&Value::Null), names) {
        findings.found.push(Found {
            place,
            text: config.map(Value::to_string).unwrap_or_default(),
            surroundings,
        });
    } else {
        findings.others.push(place);
    }
}

/// `WasmPlugin istio-system/edge-auth`.
fn name(kind: &str, document: &Value) -> String {
    let text = |name| at(document, &["metadata", name]).and_then(Value::as_str);
    match (text("namespace"), text("name")) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        _ => kind.to_owned(),
    }
}
