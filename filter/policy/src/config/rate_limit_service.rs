//! `rate_limit_service`: what is counted over many proxies, and who counts it.

use std::time::Duration;

use super::Names;
use super::limits::key_parts;
use super::provider::Provider;
use super::reader::{Choice, Map, Object, Seconds, Section, Text};
use crate::credentials::TokenSource;
use crate::rate_limit::KeyPart;
use crate::rate_limit::service::{FailureMode, RateLimitService, ServiceLimit};

pub(super) fn rate_limit_service(o: &mut Object<'_>, names: &Names) -> Option<RateLimitService> {
    let cluster = o.required(
        "cluster",
        Text { max: 120 },
        "The Envoy cluster of the service, which must speak HTTP/2.",
    );
    let domain = o.required(
        "domain",
        Text { max: 128 },
        "The domain that the service's rules are in.",
    );
    let timeout = o.default(
        "timeout",
        Seconds::millis(1, 5000),
        ("20ms", Duration::from_millis(20)),
        "How long a request may wait for the service, 1ms to 5s.",
    );
    let failure_mode = o.default(
        "failure_mode",
        Choice(&[("deny", FailureMode::Deny), ("allow", FailureMode::Allow)]),
        ("deny", FailureMode::Deny),
        "What happens to requests that the service does not answer for: `deny` answers them with 503, `allow` lets \
         them go on uncounted.",
    );
    let limits = o.required(
        "limits",
        Map {
            of: Section(limit),
            min: 1,
            max: 256,
        },
        "The limits that the service counts, by a name of one's own; rules name them under rate_limits, as they name \
         those of this proxy. How many are allowed is the service's own rule for the descriptor (limit: the name; \
         client_address, claim.<path>, header.<name>, route, host: the request's values, readable).",
    );
    let limits = limits?.into_iter().map(|(name, limit)| ServiceLimit {
        name,
        key: limit.key,
    });
    let limits: Vec<_> = limits.collect();
    for limit in &limits {
        if names.rate_limits.contains(&limit.name) {
            let name = &limit.name;
            o.fail(
                "limits",
                format!("has {name}, which rate_limits has too; rules could not tell them apart"),
            );
        }
    }
    Some(RateLimitService {
        cluster: cluster?,
        domain: domain?,
        timeout,
        failure_mode,
        limits,
    })
}

/// Refuses keys that would send credentials to the service, whose rules and logs have them readable.
pub(super) fn refuse_credentials(
    o: &mut Object<'_>,
    service: &RateLimitService,
    providers: &[Provider],
) {
    let carries_tokens = |name: &str| {
        let mut sources = providers.iter().flat_map(|provider| &provider.sources);
        CREDENTIALS.contains(&name)
            || sources.any(|source| match source {
                TokenSource::Header { name: of, .. } => **of == *name,
                _ => false,
            })
    };
    for limit in &service.limits {
        let headers = limit.key.iter().filter_map(|part| match part {
            KeyPart::Header(name) => Some(name),
            _ => None,
        });
        for header in headers.filter(|name| carries_tokens(name)) {
            let name = &limit.name;
            o.fail(
                "rate_limit_service",
                format!(
                    "would send the service the credentials in header {header}, which is in the key of limit {name}; \
                     count by a claim"
                ),
            );
        }
    }
}

/// Fields that are credentials whatever a provider says.
const CREDENTIALS: [&str; 4] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "sec-websocket-protocol",
];

fn limit(o: &mut Object<'_>) -> Option<ServiceLimit> {
    let key = key_parts(o)?;
    Some(ServiceLimit {
        name: Box::default(),
        key,
    })
}
