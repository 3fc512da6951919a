//! The providers' keys: fetched on ticks, handed to whoever verifies.
//!
//! A provider may have several documents. Each is fetched, refreshed, cooled down and given up for itself; what can
//! be used of them at a time is one key set, put together anew when one of them changes.

use std::time::Duration;

use super::Gateway;
use crate::audit::printable;
use crate::config::{KeySource, Provider};
use crate::jwk::{KeySet, KeySetId};
use crate::jwks::{RemoteKeys, UnknownKeyId};
use crate::store::SharedStore;
use crate::store::seed::Seed;
use crate::time::UnixTime;

/// One provider's keys on this worker.
#[derive(Debug)]
pub(super) struct ProviderKeys {
    documents: Vec<Document>,
    merged: Merged,
}

/// One document with keys.
#[derive(Debug)]
enum Document {
    /// Part of the configuration; never changes.
    Local(KeySet),
    /// Fetched from the provider.
    Remote(Box<RemoteKeys>),
}

/// The keys of several documents, and which contents they were put together of.
#[derive(Debug, Default)]
struct Merged {
    of: Vec<Option<KeySetId>>,
    keys: Option<KeySet>,
}

/// How a provider's keys stand, for gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// How long ago they were fetched, the oldest of its documents; `None` where none are loaded or they are local.
    pub age: Option<Duration>,
    /// How many can be used.
    pub count: usize,
    /// How many of the set were left out, because they can't be used.
    pub skipped: usize,
}

impl Document {
    fn usable(&self, now: UnixTime) -> Option<&KeySet> {
        match self {
            Self::Local(keys) => Some(keys),
            Self::Remote(remote) => remote.usable(now),
        }
    }

    fn remote(&self) -> Option<&RemoteKeys> {
        match self {
            Self::Local(_) => None,
            Self::Remote(remote) => Some(remote),
        }
    }
}

impl ProviderKeys {
    pub(super) fn new(provider: &Provider, seed: &Seed) -> Self {
        let document = |source: &KeySource| match source {
            KeySource::Local(keys) => Document::Local(keys.clone()),
            KeySource::Remote(settings) => {
                let remote = RemoteKeys::new(settings.clone(), seed.jitter());
                Document::Remote(Box::new(remote))
            }
        };
        Self {
            documents: provider.keys.iter().map(document).collect(),
            merged: Merged::default(),
        }
    }

    /// The keys that can be used now, of all documents that have any.
    pub(super) fn usable(&mut self, now: UnixTime) -> Option<&KeySet> {
        if let [only] = &self.documents[..] {
            return only.usable(now);
        }
        let usable = || self.documents.iter().map(|document| document.usable(now));
        if !usable()
            .map(|set| set.map(KeySet::id))
            .eq(self.merged.of.iter().copied())
        {
            self.merged = Merged {
                of: usable().map(|set| set.map(KeySet::id)).collect(),
                keys: KeySet::merged(usable().flatten()),
            };
        }
        self.merged.keys.as_ref()
    }

    /// Whether a document is missing, so that a key nobody has seen may be in it.
    pub(super) fn is_incomplete(&self, now: UnixTime) -> bool {
        let is_missing = |document: &Document| document.usable(now).is_none();
        self.documents.iter().any(is_missing)
    }

    /// Whether waiting does not help: the last fetch of every document failed.
    pub(super) fn is_failing(&self) -> bool {
        let is_failing =
            |document: &Document| document.remote().is_some_and(RemoteKeys::is_failing);
        self.documents.iter().all(is_failing)
    }

    /// When the next document may be there.
    pub(super) fn retry_after(&self, now: UnixTime) -> Duration {
        let remotes = self.documents.iter().filter_map(Document::remote);
        let missing = remotes.filter(|remote| remote.usable(now).is_none());
        let soonest = missing.map(|remote| remote.retry_after(now)).min();
        soonest.unwrap_or(Duration::from_secs(1))
    }

    /// The keys of one document for the operator's log: how many, the first of their ids, and how many were left out.
    pub(super) fn summary(&self, document: usize, now: UnixTime) -> String {
        let document = self.documents.get(document);
        let Some(set) = document.and_then(|document| document.usable(now)) else {
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

    /// Each remote document is asked for in its own cooldown.
    pub(super) fn on_unknown_key_id(
        &mut self,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> UnknownKeyId {
        // Local keys never change: there is nothing to wait for.
        let mut outcome = UnknownKeyId::CoolingDown { until: now };
        for document in &mut self.documents {
            let Document::Remote(remote) = document else {
                continue;
            };
            match (remote.on_unknown_key_id(now, store), outcome) {
                (UnknownKeyId::KeysChanged, _) => return UnknownKeyId::KeysChanged,
                (UnknownKeyId::FetchPending, _) => outcome = UnknownKeyId::FetchPending,
                (cooling @ UnknownKeyId::CoolingDown { .. }, UnknownKeyId::CoolingDown { .. }) => {
                    outcome = cooling;
                }
                _ => {}
            }
        }
        outcome
    }

    /// The remote documents and their places among all.
    pub(super) fn remotes(&mut self) -> impl Iterator<Item = (usize, &mut RemoteKeys)> {
        let documents = self.documents.iter_mut().enumerate();
        documents.filter_map(|(place, document)| match document {
            Document::Local(_) => None,
            Document::Remote(remote) => Some((place, &mut **remote)),
        })
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
                let remotes = keys.documents.iter().filter_map(Document::remote);
                let usable = || keys.documents.iter().filter_map(|own| own.usable(now));
                let status = KeyStatus {
                    age: remotes.filter_map(|remote| remote.key_age(now)).max(),
                    count: usable().map(|set| set.keys().len()).sum(),
                    skipped: usable().map(|set| set.skipped().len()).sum(),
                };
                (&*provider.name, status)
            })
    }
}
