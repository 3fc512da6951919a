//! Envoy's own configuration: a bootstrap, discovery resources, or the patch of an Istio `EnvoyFilter`.
//!
//! Wasm filters are found by their type, wherever they stand, so that listeners, filter chains, extension
//! discovery and patches need no code of their own.

use serde_json::Value;

use super::{ConnectionManager, Findings, Found, Surroundings, at, is_ours, member, texts};

/// Finds the wasm filters of a bootstrap or of discovery resources.
pub(super) fn find(document: &Value, findings: &mut Findings) {
    let surroundings = Surroundings {
        clusters: clusters(document),
        ..Surroundings::default()
    };
    walk(document, "", &surroundings, findings);
}

/// Finds the wasm filters below `value`, which stands at `place`.
pub(super) fn walk(
    value: &Value,
    place: &str,
    surroundings: &Surroundings,
    findings: &mut Findings,
) {
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                walk(
                    element,
                    &format!("{place}[{index}]"),
                    surroundings,
                    findings,
                );
            }
        }
        Value::Object(members) => {
            let mut inner = surroundings.clone();
            if let Some((kind, body, below)) = typed(value) {
                if kind.ends_with("filters.http.wasm.v3.Wasm") {
                    return wasm(body, &format!("{place}{below}"), inner, findings);
                }
                if kind.ends_with(".HttpConnectionManager") {
                    inner.connection_manager = Some(connection_manager(body));
                }
            }
            for (name, member) in members {
                let dot = if place.is_empty() { "" } else { "." };
                walk(member, &format!("{place}{dot}{name}"), &inner, findings);
            }
        }
        _ => {}
    }
}

/// The type of a `google.protobuf.Any`, what it holds, and where below it that stands.
fn typed(value: &Value) -> Option<(&str, &Value, &'static str)> {
    let kind = value.get("@type")?.as_str()?;
    if kind.ends_with(".TypedStruct") {
        let kind = member(value, "type_url")?.as_str()?;
        return Some((kind, value.get("value")?, ".value"));
    }
    Some((kind, value, ""))
}

fn wasm(body: &Value, place: &str, mut surroundings: Surroundings, findings: &mut Findings) {
    let configuration = at(body, &["config", "configuration"]);
    let text = configuration.and_then(|any| match any.get("@type").and_then(Value::as_str) {
        Some(kind) if kind.ends_with("google.protobuf.StringValue") => any.get("value"),
        Some(kind) if kind.ends_with("google.protobuf.Struct") => any.get("value"),
        _ => Some(any),
    });
    let null = Value::Null;
    let names = [
        at(body, &["config", "name"]),
        at(body, &["config", "root_id"]),
        at(body, &["config", "vm_config", "vm_id"]),
        at(body, &["config", "vm_config", "code", "local", "filename"]),
        at(
            body,
            &["config", "vm_config", "code", "remote", "http_uri", "uri"],
        ),
    ];
    if !is_ours(text.unwrap_or(&null), &names) {
        findings.others.push(place.to_owned());
        return;
    }
    let policy = at(body, &["config", "failure_policy"]).and_then(Value::as_str);
    if policy == Some("FAIL_OPEN") {
        surroundings.fails_open = Some("failure_policy: FAIL_OPEN".to_owned());
    }
    if at(body, &["config", "fail_open"]).and_then(Value::as_bool) == Some(true) {
        surroundings.fails_open = Some("fail_open: true".to_owned());
    }
    surroundings.environment = Some(environment(body));
    findings.found.push(Found {
        place: format!("{place}.config.configuration"),
        text: match text {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        },
        surroundings,
    });
}

/// The names of the variables the VM is given, from the configuration and from the proxy's own environment.
fn environment(body: &Value) -> Vec<String> {
    let variables = at(body, &["config", "vm_config", "environment_variables"]);
    let mut names = texts(variables.and_then(|v| member(v, "host_env_keys")), None);
    let values = variables.and_then(|v| member(v, "key_values")?.as_object());
    names.extend(values.into_iter().flat_map(|values| values.keys().cloned()));
    names
}

fn connection_manager(body: &Value) -> ConnectionManager {
    ConnectionManager {
        use_remote_address: member(body, "use_remote_address")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        xff_num_trusted_hops: member(body, "xff_num_trusted_hops")
            .and_then(Value::as_u64)
            .unwrap_or(0),
    }
}

/// The clusters a bootstrap defines; `None` where there are others besides.
fn clusters(document: &Value) -> Option<Vec<String>> {
    let resources = member(document, "static_resources")?;
    if at(document, &["dynamic_resources", "cds_config"]).is_some() {
        return None;
    }
    let clusters = member(resources, "clusters").and_then(Value::as_array);
    let names = clusters.into_iter().flatten().filter_map(|cluster| {
        let name = member(cluster, "name")?.as_str()?;
        Some(name.to_owned())
    });
    Some(names.collect())
}
