//! Where a provider's keys come from: `remote_jwks`, `discovery` or `local_jwks`.

use std::time::Duration;

use super::reader::{
    Boolean, Integer, Lines, List, Object, OneOrMore, Parsed, Seconds, Section, Text,
};
use crate::jwk::KeySet;
use crate::jwks::{JwksSettings, Location, Source};

/// Where a provider's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The configuration itself.
    Local(KeySet),
    /// A document fetched through an Envoy cluster.
    Remote(JwksSettings),
}

/// Reads what a provider has: remote documents, a local one, or both.
pub(super) fn key_sources(o: &mut Object<'_>) -> Option<Vec<KeySource>> {
    let remote = o.optional(
        "remote_jwks",
        OneOrMore {
            of: Section(remote_jwks),
            max: MAX_REMOTE_DOCUMENTS,
        },
        "The keys are fetched, refreshed, and kept through an outage of the provider. Of several documents each has \
         its own refresh, cooldown and max_stale, and all their keys count: a `kid` that two of them give to \
         different keys is tried with each, 4 keys at most.",
    );
    let local = o.optional(
        "local_jwks",
        Section(local_jwks),
        "The keys are part of this configuration and change with it only. Beside remote_jwks they count as one more \
         document.",
    );
    let mut sources = Vec::new();
    if o.has("remote_jwks") {
        let remote = remote?;
        refuse_same_document(o, &remote)?;
        sources.extend(remote.into_iter().map(KeySource::Remote));
    }
    if o.has("local_jwks") {
        sources.push(KeySource::Local(local?));
    }
    if sources.is_empty() {
        o.fail_here("needs remote_jwks or local_jwks");
        return None;
    }
    Some(sources)
}

fn refuse_same_document(o: &mut Object<'_>, documents: &[JwksSettings]) -> Option<()> {
    for (index, document) in documents.iter().enumerate() {
        let mut earlier = documents.iter().take(index);
        if earlier.any(|other| other.source == document.source && other.cluster == document.cluster)
        {
            o.fail("remote_jwks", "names one document twice");
            return None;
        }
    }
    Some(())
}

/// With a local one, as many as candidates for one `kid`: so each document's key is tried.
const MAX_REMOTE_DOCUMENTS: usize = crate::jwk::MAX_CANDIDATES - 1;

fn local_jwks(o: &mut Object<'_>) -> Option<KeySet> {
    o.required(
        "inline_string",
        Parsed {
            of: Lines {
                max: crate::jwk::MAX_SET_BYTES,
            },
            with: |text: Box<str>| {
                KeySet::parse(text.as_bytes()).map_err(|error| format!("is no key set: {error}"))
            },
        },
        "A JWK Set (RFC 7517 §5) as JSON text.",
    )
}

fn remote_jwks(o: &mut Object<'_>) -> Option<JwksSettings> {
    let http_uri = o.required("http_uri", Section(http_uri), "Where the document is.");
    let discovery = o.default(
        "discovery",
        Boolean,
        ("false", false),
        "Whether the URI is that of the provider's metadata (OpenID Connect Discovery 1.0 §4), which names \
         the key set.",
    );
    let issuer = o.optional(
        "discovery_issuer",
        Text { max: 2048 },
        "With `discovery`: what `issuer` in the metadata must equal; the URI without \
         `.well-known/openid-configuration` where it is left out.",
    );
    let allowed_hosts = o.optional(
        "discovery_hosts",
        List {
            of: Text { max: 255 },
            min: 0,
            max: 8,
        },
        "With `discovery`: hosts that `jwks_uri` may name beside the URI's own.",
    );
    let cache_duration = o.default(
        "cache_duration",
        Seconds::range(1, 24 * 3600),
        ("300s", Duration::from_secs(300)),
        "How long fetched keys are fresh where the response's Cache-Control does not say, 1s to 24h.",
    );
    let max_stale = o.default(
        "max_stale",
        Seconds::range(0, 7 * 24 * 3600),
        ("24h", Duration::from_secs(24 * 3600)),
        "How long past their freshness keys are used while the provider is down, 0s to 168h.",
    );
    let cooldown = o.default(
        "unknown_kid_cooldown",
        Seconds::range(1, 3600),
        ("30s", Duration::from_secs(30)),
        "The least time between two fetches for key ids nobody has seen, over all workers, 1s to 1h.",
    );
    let max_bytes = o.default(
        "max_bytes",
        Integer {
            min: 1024,
            max: 256 * 1024,
        },
        ("262144", 256 * 1024),
        "A larger document is refused, 1024 to 262144.",
    );
    let uri = http_uri?;
    let source = if discovery {
        let issuer = issuer.or_else(|| uri.issuer.clone()).or_else(|| {
            o.fail(
                "discovery_issuer",
                "is required where http_uri.uri does not end in .well-known/openid-configuration",
            );
            None
        });
        Source::Discovery {
            metadata: uri.location,
            issuer: issuer?.into(),
            allowed_hosts: allowed_hosts
                .unwrap_or_default()
                .into_iter()
                .map(String::from)
                .collect(),
        }
    } else {
        for name in ["discovery_issuer", "discovery_hosts"] {
            if o.has(name) {
                o.fail(name, "means something only with `discovery: true`");
            }
        }
        Source::Jwks(uri.location)
    };
    let mut settings = JwksSettings::new(uri.cluster, source);
    settings.cache_duration = cache_duration;
    settings.max_stale = max_stale;
    settings.unknown_kid_cooldown = cooldown;
    settings.timeout = uri.timeout;
    settings.max_body_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    Some(settings)
}

/// `http_uri`, as Envoy's proto of that name.
pub(super) struct HttpUri {
    pub(super) cluster: String,
    pub(super) location: Location,
    pub(super) timeout: Duration,
    /// The issuer whose metadata this URI is by convention.
    issuer: Option<Box<str>>,
}

pub(super) fn http_uri(o: &mut Object<'_>) -> Option<HttpUri> {
    let uri = o.required(
        "uri",
        Parsed {
            of: Text { max: 2048 },
            with: |uri: Box<str>| https_location(&uri),
        },
        "The document's https URL; http only for a host on loopback.",
    );
    let cluster = o.required(
        "cluster",
        Text { max: 256 },
        "The Envoy cluster the request goes to. It decides the address and the TLS, not the URL.",
    );
    let timeout = o.default(
        "timeout",
        Seconds::millis(100, 60_000),
        ("5s", Duration::from_secs(5)),
        "How long one request may take, 100ms to 60s.",
    );
    let (location, issuer) = uri?;
    Some(HttpUri {
        cluster: cluster?.into(),
        location,
        timeout,
        issuer,
    })
}

/// Host and path of a URL that is https, or http to this very machine.
fn https_location(uri: &str) -> Result<(Location, Option<Box<str>>), String> {
    let (rest, is_plain) = match (uri.strip_prefix("https://"), uri.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return Err("is no https URL".to_owned()),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.is_empty() || !authority.bytes().all(plain) {
        return Err("has no plain host name".to_owned());
    }
    if is_plain && !matches!(host, "localhost" | "127.0.0.1" | "::1") {
        return Err("is plain http to another machine; use https".to_owned());
    }
    let visible = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b'#';
    if !path.bytes().all(visible) {
        return Err("has a fragment, a space or a character that is not ASCII".to_owned());
    }
    let path = if path.is_empty() { "/" } else { path };
    let location = Location {
        authority: authority.to_owned(),
        path: path.to_owned(),
    };
    let issuer = uri
        .strip_suffix(".well-known/openid-configuration")
        .map(Box::from);
    Ok((location, issuer))
}
