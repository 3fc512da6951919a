//! Plugin configurations, wherever they stand: alone, in Envoy's configuration, in a manifest.
//!
//! Beside the configuration itself it notes what the filter cannot see for itself: the connection manager
//! around it, what happens when it fails, and which clusters there are.

mod envoy;
mod kubernetes;

use serde_json::Value;

/// One plugin configuration.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where it stands in its document; empty where it is the document.
    pub(crate) place: String,
    /// The JSON text the module would be given.
    pub(crate) text: String,
    /// What is around it.
    pub(crate) surroundings: Surroundings,
}

/// What the filter cannot see for itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// The HTTP connection manager the filter runs in, where it is in the document.
    pub(crate) connection_manager: Option<ConnectionManager>,
    /// The setting by which requests pass when the module fails.
    pub(crate) fails_open: Option<String>,
    /// The clusters there are; `None` where they come from elsewhere.
    pub(crate) clusters: Option<Vec<Cluster>>,
    /// The names of the VM's environment variables; `None` where no VM is in the document.
    pub(crate) environment: Option<Vec<String>>,
}

/// What matters of an upstream cluster.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// Its name.
    pub(crate) name: String,
    /// Whether it can be spoken to in HTTP/2, as gRPC needs.
    pub(crate) http2: bool,
}

/// The fields of Envoy's `HttpConnectionManager` that decide whose address a request has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionManager {
    /// Whether the address of the connection counts, not a header.
    pub(crate) use_remote_address: bool,
    /// How many entries of `x-forwarded-for` are believed.
    pub(crate) xff_num_trusted_hops: u64,
}

/// What a document holds.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// The configurations of this filter.
    pub(crate) found: Vec<Found>,
    /// Places of wasm filters that are not this one.
    pub(crate) others: Vec<String>,
}

/// Finds what stands in one document.
pub(crate) fn find(document: &Value) -> Findings {
    let mut findings = Findings::default();
    if let Some(kind) = member(document, "kind").and_then(Value::as_str) {
        kubernetes::find(kind, document, &mut findings);
    } else if [
        "static_resources",
        "dynamic_resources",
        "resources",
        "@type",
    ]
    .iter()
    .any(|name| member(document, name).is_some())
    {
        envoy::find(document, &mut findings);
    } else if ["version", "providers", "rules", "default"]
        .iter()
        .any(|name| member(document, name).is_some())
    {
        findings.found.push(Found {
            place: String::new(),
            text: document.to_string(),
            surroundings: Surroundings::default(),
        });
    }
    findings
}

/// The member `name` (`snake_case`) of an object, in either spelling that protobuf reads.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    object.get(name).or_else(|| object.get(&camel_case(name)))
}

/// The texts of a list, or of the members `name` of its elements.
fn texts(list: Option<&Value>, name: Option<&str>) -> Vec<String> {
    let elements = list.and_then(Value::as_array).into_iter().flatten();
    elements
        .filter_map(|element| match name {
            Some(name) => member(element, name)?.as_str(),
            None => element.as_str(),
        })
        .map(ToOwned::to_owned)
        .collect()
}

/// The member at the end of `path`.
fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter()
        .try_fold(value, |value, name| member(value, name))
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        all.push_str(&initial.to_ascii_uppercase());
        all.push_str(rest);
        all
    })
}

/// Whether a wasm filter is this one: its configuration says so, or one of its names does.
fn is_ours(configuration: &Value, names: &[Option<&Value>]) -> bool {
    let by_text = |text: &str| text.contains("edge_auth") || text.contains("edge-auth");
    let providers = match configuration {
        Value::String(text) => text.contains("\"providers\""),
        other => member(other, "providers").is_some(),
    };
    providers
        || names
            .iter()
            .flatten()
            .any(|name| name.as_str().is_some_and(by_text))
}
