//! The providers' keys: fetched on ticks, handed to whoever verifies.

use std::time::Duration;

use super::Gateway;
use crate::audit::printable;
use crate::config::{KeySource, Provider};
use crate::jwk::KeySet;
use crate::jwks::{RemoteKeys, UnknownKeyId};
use crate::store::SharedStore;
use crate::store::seed::Seed;
use crate::time::UnixTime;

/// One provider's keys on this worker.
#[derive(Debug)]
pub(super) enum ProviderKeys {
    /// Part of the configuration; never change.
    Local(KeySet),
    /// Fetched from the provider.
    Remote(Box<RemoteKeys>),
}

/// How a provider's keys stand, for gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// How long ago they were fetched; `None` where none are loaded or they are local.
    pub age: Option<Duration>,
    /// How many can be used.
    pub count: usize,
    /// How many of the set were left out, because they can't be used.
    pub skipped: usize,
}

impl ProviderKeys {
    pub(super) fn new(provider: &Provider, seed: &Seed) -> Self {
        match &provider.keys {
            KeySource::Local(keys) => Self::Local(keys.clone()),
            KeySource::Remote(settings) => {
                Self::Remote(Box::new(RemoteKeys::new(settings.clone(), seed.jitter())))
            }
        }
    }

    pub(super) fn usable(&self, now: UnixTime) -> Option<&KeySet> {
        match self {
            Self::Local(keys) => Some(keys),
            Self::Remote(remote) => remote.usable(now),
        }
    }

    /// The keys for the operator's log: how many, the first of their ids, and how many were left out.
    pub(super) fn summary(&self, now: UnixTime) -> String {
        let Some(set) = self.usable(now) else {
            return "no keys".to_owned();
        };
        let keys = set.keys();
        let shown = keys.iter().take(SHOWN_KEYS);
        let ids: Vec<_> = shown.map(|key| shown_id(key.key_id())).collect();
        let more = if keys.len() > SHOWN_KEYS { ", …" } else { "" };
        let (count, skipped) = (keys.len(), set.skipped().len());
        format!(
            "{count} keys ({}{more}), {skipped} that can't be used",
            ids.join(", ")
        )
    }

    pub(super) fn is_failing(&self) -> bool {
        match self {
            Self::Local(_) => false,
            Self::Remote(remote) => remote.is_failing(),
        }
    }

    pub(super) fn retry_after(&self, now: UnixTime) -> Duration {
        match self {
            Self::Local(_) => Duration::from_secs(1),
            Self::Remote(remote) => remote.retry_after(now),
        }
    }

    pub(super) fn on_unknown_key_id(
        &mut self,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> UnknownKeyId {
        match self {
            // Local keys never change: there is nothing to wait for.
            Self::Local(_) => UnknownKeyId::CoolingDown { until: now },
            Self::Remote(remote) => remote.on_unknown_key_id(now, store),
        }
    }
}

/// A `kid` as it may stand in a log: a provider chose it.
fn shown_id(key_id: Option<&str>) -> String {
    key_id.map_or_else(
        || "without id".to_owned(),
        |id| {
            let cut: String = id.chars().take(SHOWN_CHARACTERS).collect();
            printable(&cut).into_owned()
        },
    )
}

/// Key ids that one line of the log shows.
const SHOWN_KEYS: usize = 8;
/// Characters of each that it shows.
const SHOWN_CHARACTERS: usize = 40;

impl Gateway {
    /// How the keys of each provider stand, by its name.
    pub fn key_status(&self, now: UnixTime) -> impl Iterator<Item = (&str, KeyStatus)> {
        self.config
            .providers
            .iter()
            .zip(&self.keys)
            .map(move |(provider, keys)| {
                let age = match keys {
                    ProviderKeys::Local(_) => None,
                    ProviderKeys::Remote(remote) => remote.key_age(now),
                };
                let usable = keys.usable(now);
                let status = KeyStatus {
                    age,
                    count: usable.map_or(0, |set| set.keys().len()),
                    skipped: usable.map_or(0, |set| set.skipped().len()),
                };
                (&*provider.name, status)
            })
    }
}
