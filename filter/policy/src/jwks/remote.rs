//! One worker's end of one remote key set.

use std::time::Duration;

use super::{FetchFailure, JwksSettings, Location, Source, cache_control, discovery};
use crate::jwk::KeySet;
use crate::store::document::Demand;
use crate::store::fetch::{Fetch, FetchId, FetchKind, Outcome, Poll, Response};
use crate::store::record::Record;
use crate::store::replica::{Published, Replica};
use crate::store::{SharedStore, backoff, jitter};
use crate::time::UnixTime;

/// One worker's end of one remote key set; the other workers' ends share its record in the store.
#[derive(Clone, Debug)]
pub struct RemoteKeys {
    settings: JwksSettings,
    keys: Replica<KeySet>,
    seed: u64,
}

/// What a key id that is in no loaded set means for the request that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownKeyId {
    /// Another worker fetched other keys meanwhile, and they are loaded: look again.
    KeysChanged,
    /// A fetch is under way or begins with the next poll: wait, and look again when it has settled.
    FetchPending,
    /// One was made for an unknown key id less than the cooldown ago: the key does not exist.
    CoolingDown {
        /// When an unknown key id will be heard again.
        until: UnixTime,
    },
}

impl RemoteKeys {
    /// The end of one worker. `seed` decides the jitter: [`Seed::jitter`](crate::store::seed::Seed::jitter).
    pub fn new(settings: JwksSettings, seed: u64) -> Self {
        let keys = Replica::new(
            &settings.store_key(),
            settings.lease(),
            settings.longest_freshness(),
        );
        Self {
            settings,
            keys,
            seed,
        }
    }

    /// To be called on every tick, and at once after configuration. Costs one small read where nothing is due.
    pub fn poll(&mut self, now: UnixTime, store: &mut impl SharedStore) -> Poll {
        let tick = self.keys.tick(now, parse, store);
        Poll {
            changed: tick.changed,
            settled: tick.settled,
            fetch: tick.attempt.map(|attempt| self.first_fetch(attempt)),
        }
    }

    /// The answer to the request `id`.
    pub fn on_response(
        &mut self,
        id: FetchId,
        now: UnixTime,
        response: &Response<'_>,
        store: &mut impl SharedStore,
    ) -> Outcome<FetchFailure> {
        if !self.keys.is_awaited(id) {
            return Outcome::Ignored;
        }
        match self.read(id, response) {
            Ok(Answer::Keys(keys)) => self.publish(keys, now, response, store),
            Ok(Answer::Location(location)) => {
                Outcome::Continue(self.fetch(FetchId(id.0, 1), FetchKind::Jwks, location))
            }
            Err(failure) => self.fail(failure, now, store),
        }
    }

    /// The request `id` got no answer, or could not be sent.
    pub fn on_failure(
        &mut self,
        id: FetchId,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> Outcome<FetchFailure> {
        if !self.keys.is_awaited(id) {
            return Outcome::Ignored;
        }
        self.fail(FetchFailure::NoAnswer, now, store)
    }

    /// A token names a key id that no loaded set has. Over all workers, at most one fetch per cooldown follows.
    pub fn on_unknown_key_id(
        &mut self,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> UnknownKeyId {
        if self.keys.synchronise(parse, store) {
            return UnknownKeyId::KeysChanged;
        }
        let cooldown = self.settings.unknown_kid_cooldown;
        match self.keys.demand(now, cooldown, store) {
            Demand::Pending => UnknownKeyId::FetchPending,
            Demand::Cooling { until } => UnknownKeyId::CoolingDown { until },
        }
    }

    /// The keys, if any were ever fetched and they are not older than `cache_duration` plus `max_stale`.
    ///
    /// `None` means 503 with `Retry-After`, never 401 and never forward.
    pub fn usable(&self, now: UnixTime) -> Option<&KeySet> {
        let age = self.keys.age(now)?;
        self.keys
            .value()
            .filter(|_| age <= self.settings.longest_use())
    }

    /// The keys as loaded, whether they are still used or not: for metrics.
    pub fn loaded(&self) -> Option<&KeySet> {
        self.keys.value()
    }

    /// How long ago the loaded keys were last fetched, whether they are still used or not: for metrics.
    pub fn key_age(&self, now: UnixTime) -> Option<Duration> {
        self.keys.age(now)
    }

    /// Failed attempts in a row, of all workers: for metrics.
    pub fn failures(&self) -> u32 {
        self.keys.record().failures
    }

    /// Whether the last attempt failed: waiting for the next one is the client's part, not a held request's.
    pub fn is_failing(&self) -> bool {
        self.keys.record().failures > 0
    }

    /// When the next attempt may be made: what to tell a client whose request needs keys that are not there.
    pub fn retry_after(&self, now: UnixTime) -> Duration {
        let next = self.keys.record().refresh_at.since(now);
        next.clamp(Duration::from_secs(1), LONGEST_PAUSE)
    }

    fn first_fetch(&mut self, attempt: u64) -> Fetch {
        let (kind, location) = match &self.settings.source {
            Source::Jwks(location) => (FetchKind::Jwks, location.clone()),
            Source::Discovery { metadata, .. } => (FetchKind::Discovery, metadata.clone()),
        };
        self.fetch(FetchId(attempt, 0), kind, location)
    }

    fn fetch(&mut self, id: FetchId, kind: FetchKind, location: Location) -> Fetch {
        self.keys.await_answer(id);
        Fetch {
            id,
            kind,
            cluster: self.settings.cluster.clone(),
            authority: location.authority,
            path: location.path,
            timeout: self.settings.timeout,
            max_body_bytes: self.settings.max_body_bytes,
        }
    }

    fn read(&self, id: FetchId, response: &Response<'_>) -> Result<Answer, FetchFailure> {
        if response.status != 200 {
            return Err(FetchFailure::Status(response.status));
        }
        if response.body.len() > self.settings.max_body_bytes {
            return Err(FetchFailure::TooLarge(self.settings.max_body_bytes));
        }
        match &self.settings.source {
            Source::Discovery {
                metadata,
                issuer,
                allowed_hosts,
            } if id.1 == 0 => {
                discovery::jwks_location(response.body, metadata, issuer, allowed_hosts)
                    .map(Answer::Location)
            }
            Source::Discovery { .. } | Source::Jwks(_) => {
                Ok(Answer::Keys(KeySet::parse(response.body)?))
            }
        }
    }

    fn publish(
        &mut self,
        keys: KeySet,
        now: UnixTime,
        response: &Response<'_>,
        store: &mut impl SharedStore,
    ) -> Outcome<FetchFailure> {
        let fresh = self
            .settings
            .freshness(cache_control::max_age(response.headers));
        // Ahead of its end, and not at the same moment as every other proxy.
        let early = jitter(self.seed ^ now.as_nanos(), fresh / REFRESH_AHEAD);
        let refresh_at = now.saturating_add(fresh.saturating_sub(early));
        match self
            .keys
            .publish(keys, response.body, now, refresh_at, store)
        {
            Published::Changed => Outcome::Changed,
            Published::Unchanged => Outcome::Unchanged,
            Published::Superseded => Outcome::Ignored,
        }
    }

    fn fail(
        &mut self,
        failure: FetchFailure,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> Outcome<FetchFailure> {
        let (seed, longest_use) = (self.seed, self.settings.longest_use());
        let pause = |record: &Record| {
            let has_keys = record.generation > 0 && now.since(record.fetched_at) <= longest_use;
            let longest = if has_keys {
                LONGEST_PAUSE
            } else {
                LONGEST_PAUSE_WITHOUT_KEYS
            };
            backoff(record.failures, FIRST_PAUSE, longest, seed)
        };
        if self.keys.fail(now, pause, store) {
            Outcome::Failed(failure)
        } else {
            Outcome::Ignored
        }
    }
}

/// What the workers share is what was accepted once; one that can't read it keeps what it has.
fn parse(body: &[u8]) -> Option<KeySet> {
    KeySet::parse(body).ok()
}

enum Answer {
    Location(Location),
    Keys(KeySet),
}

/// A refresh happens up to this part of the freshness ahead of its end.
const REFRESH_AHEAD: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Nothing can be decided without keys: the provider's return is to be noticed within seconds.
const LONGEST_PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(4);
