//! Where keys come from and how long they are good for.

use std::time::Duration;

use crate::jwk::MAX_SET_BYTES;
use crate::store::ContentHash;
use crate::store::fetch::Location;

/// One remote key set. The configuration checks the bounds that are stated here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksSettings {
    /// The Envoy cluster that is asked.
    pub cluster: String,
    /// The document that is asked for.
    pub source: Source,
    /// How long a fetched set is fresh, where the response does not say otherwise. 1 s to 24 h.
    pub cache_duration: Duration,
    /// `Cache-Control: max-age` below this counts as this, unless `cache_duration` is shorter still.
    pub min_refresh: Duration,
    /// `Cache-Control: max-age` above this counts as this, unless `cache_duration` is longer still.
    pub max_refresh: Duration,
    /// How long past `cache_duration` a set is used that can't be refreshed. Zero to 7 days.
    pub max_stale: Duration,
    /// The least time between two fetches for key ids that no fetched set has. 1 s to 1 h.
    pub unknown_kid_cooldown: Duration,
    /// How long one request may take. 100 ms to 60 s.
    pub timeout: Duration,
    /// A larger document is refused unread. At most [`MAX_SET_BYTES`].
    pub max_body_bytes: usize,
}

/// What is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The key set itself.
    Jwks(Location),
    /// The provider's metadata first (OpenID Connect Discovery 1.0 §4), then the key set it names.
    Discovery {
        /// Where the metadata is: usually `/.well-known/openid-configuration` of the issuer.
        metadata: Location,
        /// What `issuer` in the metadata must equal, byte for byte (§4.3).
        issuer: String,
        /// Hosts that `jwks_uri` may name beside the metadata's own.
        allowed_hosts: Vec<String>,
    },
}

impl JwksSettings {
    /// The defaults: those of Auth0's own libraries where they agree, else Envoy's.
    pub fn new(cluster: impl Into<String>, source: Source) -> Self {
        Self {
            cluster: cluster.into(),
            source,
            cache_duration: Duration::from_mins(5),
            min_refresh: Duration::from_mins(1),
            max_refresh: Duration::from_hours(1),
            max_stale: Duration::from_hours(24),
            unknown_kid_cooldown: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            max_body_bytes: MAX_SET_BYTES,
        }
    }

    /// The freshness of a response that says `max_age`, within the bounds.
    pub(super) fn freshness(&self, max_age: Option<Duration>) -> Duration {
        let shortest = self.min_refresh.min(self.cache_duration);
        max_age
            .unwrap_or(self.cache_duration)
            .clamp(shortest, self.longest_freshness())
            // However long the response says: a set is refreshed before it may not be used any more.
            .min(self.longest_use())
    }

    /// No set is ever fresh for longer.
    pub(super) fn longest_freshness(&self) -> Duration {
        self.max_refresh.max(self.cache_duration)
    }

    /// The age at which a set that can't be refreshed stops being used.
    pub(super) fn longest_use(&self) -> Duration {
        self.cache_duration.saturating_add(self.max_stale)
    }

    /// How long an attempt may take in all: its requests one after the other, and time to handle the answers.
    pub(super) fn lease(&self) -> Duration {
        let requests = match self.source {
            Source::Jwks(_) => 1,
            Source::Discovery { .. } => 2,
        };
        self.timeout
            .saturating_mul(requests)
            .saturating_add(LEASE_MARGIN)
    }

    /// The document's name in the store. Two configurations share fetched keys only if they would fetch the
    /// same document in the same way: a provider's name alone says nothing about whose keys are stored.
    pub(super) fn store_key(&self) -> String {
        let mut parts = vec![self.cluster.as_str()];
        let location = match &self.source {
            Source::Jwks(location) => location,
            Source::Discovery {
                metadata,
                issuer,
                allowed_hosts,
            } => {
                parts.extend(["discovery", issuer]);
                parts.extend(allowed_hosts.iter().map(String::as_str));
                metadata
            }
        };
        parts.extend([location.authority.as_str(), location.path.as_str()]);
        let name = ContentHash::of_parts(&parts);
        format!("edge-auth/1/jwks/{name}")
    }
}

const LEASE_MARGIN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(authority: &str, path: &str) -> JwksSettings {
        let location = Location {
            authority: authority.to_owned(),
            path: path.to_owned(),
        };
        JwksSettings::new("auth0", Source::Jwks(location))
    }

    #[test]
    fn max_age_counts_within_the_bounds() {
        let settings = settings("tenant.auth0.com", "/.well-known/jwks.json");
        let freshness = |max_age: Option<u64>| {
            settings
                .freshness(max_age.map(Duration::from_secs))
                .as_secs()
        };
        assert_eq!(freshness(None), 300);
        assert_eq!(freshness(Some(0)), 60);
        assert_eq!(freshness(Some(15)), 60);
        assert_eq!(freshness(Some(600)), 600);
        assert_eq!(freshness(Some(u64::MAX)), 3600);
    }

    #[test]
    fn keys_are_refreshed_before_they_may_not_be_used() {
        let mut settings = settings("tenant.auth0.com", "/");
        settings.max_stale = Duration::ZERO;
        assert_eq!(
            settings
                .freshness(Some(Duration::from_secs(3600)))
                .as_secs(),
            300
        );
    }

    #[test]
    fn a_short_cache_duration_lowers_the_bound() {
        let mut settings = settings("tenant.auth0.com", "/");
        settings.cache_duration = Duration::from_secs(5);
        assert_eq!(settings.freshness(Some(Duration::ZERO)).as_secs(), 5);
        assert_eq!(settings.freshness(None).as_secs(), 5);
        settings.cache_duration = Duration::from_hours(2);
        assert_eq!(settings.freshness(None).as_secs(), 7200);
    }

    #[test]
    fn keys_are_shared_only_where_the_same_document_is_fetched() {
        let one = settings("a.example", "/jwks");
        assert_eq!(one.store_key(), settings("a.example", "/jwks").store_key());
        assert_ne!(one.store_key(), settings("b.example", "/jwks").store_key());
        assert_ne!(one.store_key(), settings("a.example/", "jwks").store_key());
        let mut other = one.clone();
        other.cluster = "evil".to_owned();
        assert_ne!(one.store_key(), other.store_key());
    }
}
