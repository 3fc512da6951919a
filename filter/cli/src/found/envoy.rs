//! Envoy's own configuration: a bootstrap, discovery resources, or the patch of an Istio `EnvoyFilter`.
//!
//! Wasm filters are found by their type, wherever they stand, so that listeners, filter chains, extension
//! discovery and patches need no code of their own.

use serde_json::Value;

use super::{
    Cluster, ConnectionManager, Findings, Found, Surroundings, at, is_ours, member, texts,
};

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
fn clusters(document: &Value) -> Option<Vec<Cluster>> {
    let resources = member(document, "static_resources")?;
    if at(document, &["dynamic_resources", "cds_config"]).is_some() {
        return None;
    }
    let clusters = member(resources, "clusters").and_then(Value::as_array);
    let clusters = clusters.into_iter().flatten().filter_map(|cluster| {
        Some(Cluster {
            name: member(cluster, "name")?.as_str()?.to_owned(),
            http2: speaks_http2(cluster),
        })
    });
    Some(clusters.collect())
}

/// Whether Envoy speaks HTTP/2 to a cluster: because it is told to, in either place there is for it, or because it
/// asks by ALPN.
fn speaks_http2(cluster: &Value) -> bool {
    let options = member(cluster, "typed_extension_protocol_options")
        .and_then(|options| options.get("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"));
    member(cluster, "http2_protocol_options").is_some()
        || options.is_some_and(|options| {
            let told = ["explicit_http_config", "use_downstream_protocol_config"];
            member(options, "auto_config").is_some()
                || told
                    .iter()
                    .any(|of| at(options, &[of, "http2_protocol_options"]).is_some())
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(cluster: &Value, http2: bool) {
        assert_eq!(speaks_http2(cluster), http2, "{cluster}");
    }

    #[test]
    fn a_cluster_speaks_http2_where_it_is_told_to_in_any_of_envoy_s_ways() {
        let with = |options: Value| {
            json!({"typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options,
            }})
        };
        let http2 = json!({"http2_protocol_options": {}});
        check(&with(json!({ "explicit_http_config": http2 })), true);
        check(
            &with(json!({ "use_downstream_protocol_config": http2 })),
            true,
        );
        check(
            &with(json!({"explicitHttpConfig": {"http2ProtocolOptions": {}}})),
            true,
        );
        check(&with(json!({"auto_config": {}})), true);
        check(&http2, true);

        let http1 = json!({"http_protocol_options": {}});
        check(&with(json!({ "explicit_http_config": http1 })), false);
        check(
            &with(json!({ "use_downstream_protocol_config": http1 })),
            false,
        );
        check(&with(json!({})), false);
        check(&json!({"name": "ratelimit"}), false);
    }
}
