//! The providers' keys: fetched on ticks, handed to whoever verifies.

use std::time::Duration;

use super::Gateway;
use crate::config::{KeySource, Provider};
use crate::jwk::KeySet;
use crate::jwks::{FetchFailure, RemoteKeys, UnknownKeyId};
use crate::store::SharedStore;
use crate::store::fetch::{Fetch, FetchId, Outcome, Response};
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

/// Names a fetch of one of the gateway's state machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchHandle {
    provider: usize,
    id: FetchId,
}

/// What a tick asks for.
#[derive(Debug, Default)]
pub struct Tick {
    /// Requests to send now.
    pub fetches: Vec<(FetchHandle, Fetch)>,
    /// Keys changed or a fetch ended: requests that wait for keys are to be decided again.
    pub decide_waiting: bool,
}

/// What an answer to a fetch brought.
#[derive(Debug)]
pub struct FetchAnswer {
    /// A further request to send now.
    pub next: Option<(FetchHandle, Fetch)>,
    /// Requests that wait for keys are to be decided again.
    pub decide_waiting: bool,
    /// What the operator is told.
    pub event: KeyEvent,
}

/// What happened to a provider's keys; `None` of these holds anything of a key or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// Other keys than before are loaded.
    Changed,
    /// The same keys are good for longer.
    Unchanged,
    /// The keys could not be fetched; those that are loaded stay.
    Failed(FetchFailure),
    /// Nothing worth telling.
    Nothing,
}

/// How a provider's keys stand, for gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// How long ago they were fetched; `None` where none are loaded or they are local.
    pub age: Option<Duration>,
    /// How many can be used.
    pub count: usize,
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

impl Gateway {
    /// To be called on every tick of a worker. Costs one small read of shared data per remote provider.
    pub fn on_tick(&mut self, now: UnixTime, store: &mut impl SharedStore) -> Tick {
        let mut tick = Tick::default();
        for (provider, keys) in self.keys.iter_mut().enumerate() {
            let ProviderKeys::Remote(remote) = keys else {
                continue;
            };
            let poll = remote.poll(now, store);
            tick.decide_waiting |= poll.changed || poll.settled;
            if let Some(fetch) = poll.fetch {
                tick.fetches.push((
                    FetchHandle {
                        provider,
                        id: fetch.id,
                    },
                    fetch,
                ));
            }
        }
        tick
    }

    /// The answer to a fetch; `None` where none came.
    pub fn on_fetch_answer(
        &mut self,
        handle: FetchHandle,
        response: Option<&Response<'_>>,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> FetchAnswer {
        let nothing = FetchAnswer {
            next: None,
            decide_waiting: false,
            event: KeyEvent::Nothing,
        };
        let Some(ProviderKeys::Remote(remote)) = self.keys.get_mut(handle.provider) else {
            return nothing;
        };
        let outcome = match response {
            Some(response) => remote.on_response(handle.id, now, response, store),
            None => remote.on_failure(handle.id, now, store),
        };
        let settled = |event| FetchAnswer {
            next: None,
            decide_waiting: true,
            event,
        };
        match outcome {
            Outcome::Changed => settled(KeyEvent::Changed),
            Outcome::Unchanged => settled(KeyEvent::Unchanged),
            Outcome::Failed(failure) => settled(KeyEvent::Failed(failure)),
            Outcome::Ignored => nothing,
            Outcome::Continue(fetch) => {
                let handle = FetchHandle {
                    provider: handle.provider,
                    id: fetch.id,
                };
                FetchAnswer {
                    next: Some((handle, fetch)),
                    ..nothing
                }
            }
        }
    }

    /// The provider a fetch is for, by its name in the configuration.
    pub fn provider_name(&self, handle: FetchHandle) -> &str {
        self.config
            .providers
            .get(handle.provider)
            .map_or("", |provider| &provider.name)
    }

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
                let count = keys.usable(now).map_or(0, |set| set.keys().len());
                (&*provider.name, KeyStatus { age, count })
            })
    }
}
