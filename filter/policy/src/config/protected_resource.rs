//! `protected_resources`: the metadata of RFC 9728.

use std::time::Duration;

use super::reader::{List, Object, Parsed, Seconds, Text};
use super::{Names, Provider};
use crate::credentials::TokenSource;
use crate::protected_resource::{Description, ProtectedResource, ResourceIdentifier};
use crate::scope::ScopeToken;

/// One resource, as it is written: what is left out comes from the providers.
pub(super) struct Written {
    resource: ResourceIdentifier,
    providers: Vec<usize>,
    authorization_servers: Option<Vec<Box<str>>>,
    scopes_supported: Vec<Box<str>>,
    texts: Vec<(&'static str, Box<str>)>,
    cache_duration: Duration,
}

pub(super) fn protected_resource(o: &mut Object<'_>, names: &Names) -> Option<Written> {
    let resource = o.required(
        "resource",
        Parsed {
            of: Text { max: 2048 },
            with: |url: Box<str>| {
                ResourceIdentifier::parse(&url).map_err(|error| error.to_string())
            },
        },
        "The resource's identifier: an https URL without query. Its metadata is served at \
         `/.well-known/oauth-protected-resource`, followed by the URL's path, on the URL's host.",
    );
    let providers = o.optional(
        "providers",
        List {
            of: Parsed {
                of: Text { max: 64 },
                with: |name: Box<str>| names.provider(&name),
            },
            min: 1,
            max: 16,
        },
        "The providers whose tokens open it; all of them where left out.",
    );
    let authorization_servers = o.optional(
        "authorization_servers",
        List {
            of: Text { max: 2048 },
            min: 1,
            max: 16,
        },
        "The issuers to ask for a token; those of its providers where left out.",
    );
    let scopes_supported = o.optional(
        "scopes_supported",
        List {
            of: Parsed {
                of: Text {
                    max: crate::scope::MAX_SCOPE_TOKEN_BYTES,
                },
                with: |text: Box<str>| {
                    let scope = text.parse::<ScopeToken>();
                    scope.map(|_| text).map_err(|error| error.to_string())
                },
            },
            min: 1,
            max: 128,
        },
        "Scopes a client may ask for. Some clients ask for all of these, so name what a usual one needs; nothing is \
         said of scopes where left out.",
    );
    let mut texts = Vec::new();
    for (name, description) in TEXTS {
        if let Some(text) = o.optional(name, Text { max: 2048 }, description) {
            texts.push((name, text));
        }
    }
    let cache_duration = o.default(
        "cache_duration",
        Seconds::range(0, 24 * 3600),
        ("3600s", Duration::from_secs(3600)),
        "How long the metadata may be kept by clients and caches, 0s to 24h.",
    );
    Some(Written {
        resource: resource?,
        providers: providers.unwrap_or_default(),
        authorization_servers,
        scopes_supported: scopes_supported.unwrap_or_default(),
        texts,
        cache_duration,
    })
}

impl Written {
    pub(super) fn complete(self, all: &[Provider]) -> ProtectedResource {
        let providers: Vec<_> = if self.providers.is_empty() {
            all.iter().collect()
        } else {
            let named = self.providers.iter();
            named.filter_map(|index| all.get(*index)).collect()
        };
        let issuers = || {
            let mut issuers: Vec<Box<str>> = Vec::new();
            for issuer in providers.iter().filter_map(|p| p.profile.issuers.first()) {
                if !issuers.contains(issuer) {
                    issuers.push(issuer.clone());
                }
            }
            issuers
        };
        let sources = || providers.iter().flat_map(|provider| &provider.sources);
        let mut bearer_methods_supported = Vec::new();
        if sources().any(is_header) {
            bearer_methods_supported.push("header");
        }
        if sources().any(is_query) {
            bearer_methods_supported.push("query");
        }
        ProtectedResource::new(Description {
            authorization_servers: self.authorization_servers.unwrap_or_else(issuers),
            bearer_methods_supported,
            resource: self.resource,
            scopes_supported: self.scopes_supported,
            texts: self.texts,
            cache_duration: self.cache_duration,
        })
    }
}

/// RFC 6750 §2.1. A token in any other field is not what the RFC's `header` means.
fn is_header(source: &TokenSource) -> bool {
    *source == TokenSource::authorization()
        || matches!(source, TokenSource::Header { name, value_prefix }
            if &**name == "authorization" && value_prefix.eq_ignore_ascii_case("Bearer "))
}

/// RFC 6750 §2.3.
fn is_query(source: &TokenSource) -> bool {
    matches!(source, TokenSource::Query(name) if &**name == "access_token")
}

const TEXTS: [(&str, &str); 4] = [
    ("resource_name", "A name of the resource, for people."),
    (
        "resource_documentation",
        "The URL of its documentation, for developers.",
    ),
    (
        "resource_policy_uri",
        "The URL of its policy on how clients may use its data.",
    ),
    ("resource_tos_uri", "The URL of its terms of service."),
];
