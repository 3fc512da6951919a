//! What a worker fetches on ticks: the providers' keys and the revocation feed, each one for all workers.

use std::fmt;

use super::Gateway;
use super::keys::ProviderKeys;
use crate::jwks::FetchFailure;
use crate::revocation::{FeedFailure, RevocationFeed};
use crate::store::SharedStore;
use crate::store::fetch::{Fetch, FetchId, Outcome, Poll, Response};
use crate::time::UnixTime;

/// Names a fetch of one of the gateway's state machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FetchHandle {
    purpose: Purpose,
    id: FetchId,
}

/// Which state machine asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Purpose {
    Keys { provider: usize, document: usize },
    Revocations,
}

/// What a tick asks for.
#[derive(Debug, Default)]
pub struct Tick {
    /// Requests to send now.
    pub fetches: Vec<(FetchHandle, Fetch)>,
    /// Something arrived or a fetch ended: requests that wait are to be decided again.
    pub decide_waiting: bool,
}

impl Tick {
    fn add(&mut self, purpose: Purpose, poll: Poll) {
        self.decide_waiting |= poll.changed || poll.settled;
        if let Some(fetch) = poll.fetch {
            let id = fetch.id;
            self.fetches.push((FetchHandle { purpose, id }, fetch));
        }
    }
}

/// What an answer to a fetch brought.
#[derive(Debug)]
pub struct FetchAnswer {
    /// A further request to send now.
    pub next: Option<(FetchHandle, Fetch)>,
    /// Requests that wait are to be decided again.
    pub decide_waiting: bool,
    /// What the operator is told.
    pub event: FetchEvent,
}

/// What became of a fetch; nothing in it is of a key or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchEvent {
    /// Something else than before is loaded.
    Changed,
    /// The same is good for longer.
    Unchanged,
    /// Nothing was loaded; what is there stays.
    Failed(Failure),
    /// Nothing worth telling.
    Nothing,
}

/// Why a fetch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Of a key set.
    Keys(FetchFailure),
    /// Of the revocation feed.
    Revocations(FeedFailure),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(failure) => failure.fmt(f),
            Self::Revocations(failure) => failure.fmt(f),
        }
    }
}

impl Gateway {
    /// To be called on every tick of a worker. Costs one small read of shared data per remote document.
    pub fn on_tick(&mut self, now: UnixTime, store: &mut impl SharedStore) -> Tick {
        let mut tick = Tick::default();
        for (provider, keys) in self.keys.iter_mut().enumerate() {
            for (document, remote) in keys.remotes() {
                let purpose = Purpose::Keys { provider, document };
                tick.add(purpose, remote.poll(now, store));
            }
        }
        if let Some(feed) = &mut self.revocations {
            tick.add(Purpose::Revocations, feed.poll(now, store));
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
        match handle.purpose {
            Purpose::Keys { provider, document } => {
                let keys = self.keys.get_mut(provider);
                let mut remotes = keys.into_iter().flat_map(ProviderKeys::remotes);
                let Some((_, remote)) = remotes.find(|(place, _)| *place == document) else {
                    return answer(handle, Outcome::Ignored, Failure::Keys);
                };
                let outcome = match response {
                    Some(response) => remote.on_response(handle.id, now, response, store),
                    None => remote.on_failure(handle.id, now, store),
                };
                answer(handle, outcome, Failure::Keys)
            }
            Purpose::Revocations => {
                let Some(feed) = &mut self.revocations else {
                    return answer(handle, Outcome::Ignored, Failure::Revocations);
                };
                let outcome = match response {
                    Some(response) => feed.on_response(handle.id, now, response, store),
                    None => feed.on_failure(handle.id, now, store),
                };
                answer(handle, outcome, Failure::Revocations)
            }
        }
    }

    /// What is loaded now of what a fetch was for, for the operator's log.
    pub fn loaded(&self, handle: FetchHandle, now: UnixTime) -> String {
        match handle.purpose {
            Purpose::Keys { provider, document } => self
                .keys
                .get(provider)
                .map_or_else(String::new, |keys| keys.summary(document, now)),
            Purpose::Revocations => {
                let count = self.revocations.as_ref().map_or(0, RevocationFeed::len);
                format!("{count} revocations")
            }
        }
    }

    /// What a fetch is for, as its place in the configuration.
    pub fn purpose(&self, handle: FetchHandle) -> String {
        match handle.purpose {
            Purpose::Keys { provider, document } => {
                let provider = self.config.providers.get(provider);
                let name = provider.map_or("", |found| &found.name);
                match provider.map_or(0, |found| found.keys.len()) {
                    0 | 1 => format!("providers.{name}"),
                    _ => format!("providers.{name}.remote_jwks[{document}]"),
                }
            }
            Purpose::Revocations => "revocations".to_owned(),
        }
    }
}

fn answer<F>(
    handle: FetchHandle,
    outcome: Outcome<F>,
    failure: impl FnOnce(F) -> Failure,
) -> FetchAnswer {
    let (next, event) = match outcome {
        Outcome::Changed => (None, FetchEvent::Changed),
        Outcome::Unchanged => (None, FetchEvent::Unchanged),
        Outcome::Failed(why) => (None, FetchEvent::Failed(failure(why))),
        Outcome::Ignored => (None, FetchEvent::Nothing),
        Outcome::Continue(fetch) => {
            let handle = FetchHandle {
                id: fetch.id,
                ..handle
            };
            (Some((handle, fetch)), FetchEvent::Nothing)
        }
    };
    FetchAnswer {
        next,
        decide_waiting: event != FetchEvent::Nothing,
        event,
    }
}
