//! Where the feed is, how often it is asked, and what its absence means.

use std::time::Duration;

use crate::store::ContentHash;
use crate::store::fetch::Location;

/// The feed of revocations. The configuration checks the bounds that are stated here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationSettings {
    /// The Envoy cluster that is asked.
    pub cluster: String,
    /// The feed, without its cursor.
    pub location: Location,
    /// How often it is asked: within this time a revocation is in force. 500 ms to 5 min.
    pub poll_interval: Duration,
    /// How long one request may take. 100 ms to 60 s.
    pub timeout: Duration,
    /// How many revocations there may be at once. 100 to 100,000; each takes 33 bytes in the store and about
    /// 60 in each worker. A feed with more is refused whole, never cut.
    pub max_entries: usize,
    /// How old the set may be that requests are decided by. 1 s to 24 h.
    pub max_stale: Duration,
    /// What an older set means.
    pub on_unavailable: OnUnavailable,
}

/// What happens while no set is younger than `max_stale`, or none was ever fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnavailable {
    /// Tokens are refused with 503: a revoked one might be among them.
    #[default]
    Deny,
    /// The last set stays in force, however old.
    Allow,
}

impl RevocationSettings {
    /// The defaults.
    pub fn new(cluster: impl Into<String>, location: Location) -> Self {
        Self {
            cluster: cluster.into(),
            location,
            poll_interval: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            max_entries: 10_000,
            max_stale: Duration::from_mins(5),
            on_unavailable: OnUnavailable::Deny,
        }
    }

    pub(super) fn store_key(&self) -> String {
        let Location { authority, path } = &self.location;
        let name = ContentHash::of_parts(&[&self.cluster, authority, path]);
        format!("edge-auth/1/revocations/{name}")
    }
}
