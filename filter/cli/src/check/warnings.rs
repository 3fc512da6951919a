//! What is right for the filter alone and wrong, or surprising, where it stands.

use edge_auth_policy::authority::Authority;
use edge_auth_policy::config::{Config, Requirement};
use edge_auth_policy::route::{Matcher, PathMatch, RouteMatch};
use serde_json::Value;

use crate::found::{Cluster, Found, Surroundings, member};

/// All warnings about a configuration that is right in itself.
pub(super) fn of(config: &Config, found: &Found) -> Vec<String> {
    // It was read as a configuration already, so it is JSON.
    let raw: Value = serde_json::from_str(&found.text).unwrap_or_default();
    let mut warnings = of_surroundings(&found.surroundings);
    warnings.extend(hops(config, &found.surroundings));
    warnings.extend(clusters(&raw, &found.surroundings));
    warnings.extend(secrets(config, &found.surroundings));
    warnings.extend(twins(config, &raw));
    warnings
}

/// The warnings that need no configuration.
pub(super) fn of_surroundings(surroundings: &Surroundings) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(setting) = &surroundings.fails_open {
        warnings.push(format!(
            "{setting} lets every request through unchecked when the module fails; use FAIL_RELOAD, or leave \
             it out"
        ));
    }
    if let Some(manager) = &surroundings.connection_manager
        && !manager.use_remote_address
    {
        warnings.push(
            "the connection manager has use_remote_address: false (its default), so x-forwarded-for from any \
             client forges the client's address; set it to true, except behind another Envoy that sets it"
                .to_owned(),
        );
    }
    warnings
}

fn hops(config: &Config, surroundings: &Surroundings) -> Option<String> {
    let manager = surroundings.connection_manager?;
    let ours = u64::from(config.client_address.trusted_hops());
    let theirs = manager.xff_num_trusted_hops;
    (ours != theirs).then(|| {
        format!(
            "client_address.trusted_hops is {ours} and the connection manager's xff_num_trusted_hops is \
             {theirs}; both are the number of proxies in front, and must be equal"
        )
    })
}

/// Secrets that the module is told to find where it is given none.
fn secrets(config: &Config, surroundings: &Surroundings) -> Vec<String> {
    let Some(given) = &surroundings.environment else {
        return Vec::new();
    };
    config
        .secret_names()
        .filter(|name| !given.iter().any(|given| given == name))
        .map(|name| {
            format!(
                "the VM is not given the environment variable {name}, and the module will not start without it; \
                 name it in vm_config.environment_variables.host_env_keys (Istio: vmConfig.env with valueFrom: HOST, \
                 Envoy Gateway: env.hostKeys)"
            )
        })
        .collect()
}

/// Clusters that are named and not there. Every member called `cluster` names one, whatever section it is in.
fn clusters(raw: &Value, surroundings: &Surroundings) -> Vec<String> {
    let Some(known) = &surroundings.clusters else {
        return Vec::new();
    };
    let mut named = Vec::new();
    collect_clusters(raw, "", &mut named);
    let names: Vec<_> = known.iter().map(|cluster| &*cluster.name).collect();
    let defined = match names.join(", ") {
        none if none.is_empty() => "none".to_owned(),
        names => names,
    };
    named
        .into_iter()
        .filter_map(|(place, name)| match known.iter().find(|it| it.name == name) {
            None => Some(format!(
                "{place}: the bootstrap defines no cluster {name:?}; it defines {defined}"
            )),
            Some(Cluster { http2: false, .. }) if is_grpc(&place) => Some(format!(
                "{place}: the cluster {name:?} speaks HTTP/1.1, and gRPC needs HTTP/2, so no call would get through; \
                 give it explicit_http_config.http2_protocol_options in typed_extension_protocol_options"
            )),
            Some(_) => None,
        })
        .collect()
}

/// Whether the cluster named at `place` is called in gRPC.
fn is_grpc(place: &str) -> bool {
    matches!(
        place,
        "rate_limit_service.cluster" | "rateLimitService.cluster"
    )
}

/// The configuration's reader bounds the nesting.
fn collect_clusters<'v>(value: &'v Value, place: &str, named: &mut Vec<(String, &'v str)>) {
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                collect_clusters(element, &format!("{place}[{index}]"), named);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let dot = if place.is_empty() { "" } else { "." };
                let place = format!("{place}{dot}{name}");
                match member {
                    Value::String(cluster) if name == "cluster" => named.push((place, cluster)),
                    _ => collect_clusters(member, &place, named),
                }
            }
        }
        _ => {}
    }
}

/// Rules for exactly one path, where the same path with or without a slash at its end asks for something else.
fn twins(config: &Config, raw: &Value) -> Vec<String> {
    let matches: Vec<_> = config
        .rules
        .iter()
        .map(|rule| rule.matches.clone())
        .collect();
    let Ok(matcher) = Matcher::compile(&matches) else {
        return Vec::new();
    };
    let rules = config.rules.iter().enumerate();
    rules
        .filter(|(_, rule)| !matches!(rule.requires, Requirement::Public))
        .filter_map(|(index, rule)| {
            let twin = twin(&rule.matches.path)?;
            let decides = requests(&rule.matches)
                .map(|(host, method)| {
                    let host = Authority::parse(host.as_bytes()).ok();
                    matcher.find(host, method, &twin)
                })
                .find(|other| requires(raw, *other) != requires(raw, Some(index)))?;
            let decides = decides.and_then(|other| config.rules.get(other));
            let decides = decides.map_or("the default", |rule| &rule.name);
            let name = &rule.name;
            Some(format!(
                "{name}: is for exactly one path; {twin} is another, which {decides} decides; add a rule for \
                 it, or use prefix"
            ))
        })
        .collect()
}

/// The path that differs by a slash at its end.
fn twin(path: &PathMatch) -> Option<String> {
    let PathMatch::Exact(literal) = path else {
        return None;
    };
    match literal.as_str() {
        "/" => None,
        path => Some(match path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{path}/"),
        }),
    }
}

/// A host and a method of each kind that a rule is for.
fn requests(matches: &RouteMatch) -> impl Iterator<Item = (String, &'static str)> {
    let mut hosts: Vec<String> = matches
        .hosts
        .iter()
        .map(|host| host.to_string().replace('*', "any"))
        .collect();
    if hosts.is_empty() {
        hosts.push("any.invalid".to_owned());
    }
    let methods = METHODS
        .iter()
        .filter(|method| matches.methods.contains(method));
    let methods: Vec<_> = methods.copied().collect();
    hosts.into_iter().flat_map(move |host| {
        let pairs: Vec<_> = methods
            .iter()
            .map(|method| (host.clone(), *method))
            .collect();
        pairs
    })
}

/// What a rule, or the default, asks for, as it is written.
fn requires(raw: &Value, rule: Option<usize>) -> Option<&Value> {
    let section = match rule {
        Some(index) => member(raw, "rules")?.get(index)?,
        None => member(raw, "default")?,
    };
    member(section, "requires")
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
