//! What a configuration's decisions need to know of a connection: each fact is a host call per request.

use crate::config::{Config, Mode, Rule};
use crate::credentials::TokenSource;
use crate::rate_limit::KeyPart;

/// The facts of a connection that decisions look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionNeeds {
    /// The peer's address: for limits by client address, for blocked addresses, for audit lines, and for rules that
    /// are enforced for a part of their callers.
    pub source_address: bool,
    /// Whether the connection is TLS: for redirects, HSTS, and where a cookie's page comes from.
    pub tls: bool,
}

impl ConnectionNeeds {
    pub(super) fn of(config: &Config) -> Self {
        let by_service = config.rate_limit_service.iter();
        let by_service = by_service.flat_map(|service| &service.limits);
        let mut limit_keys = config
            .rate_limits
            .iter()
            .map(|limit| &limit.key)
            .chain(by_service.map(|limit| &limit.key));
        let by_caller = |rule: &Rule| matches!(rule.mode, Mode::Ramp { .. });
        let sources = config
            .providers
            .iter()
            .flat_map(|provider| &provider.sources);
        let by_cookie = |source: &TokenSource| matches!(source, TokenSource::Cookie(_));
        Self {
            source_address: config.revocations.is_some()
                || config.audit.is_some()
                || limit_keys.any(|key| key.contains(&KeyPart::ClientAddress))
                || config.rules.iter().any(by_caller),
            tls: config.https_redirect.is_some()
                || config.session.is_some()
                || config.security_headers.is_some()
                || sources.into_iter().any(by_cookie),
        }
    }
}
