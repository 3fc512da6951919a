//! One worker's end of one remote key set.

use std::time::Duration;

use super::{FetchFailure, JwksSettings, Location, Source, cache_control, discovery};
use crate::store::document::{Commit, Demand, Document};
use crate::store::fetch::{Fetch, FetchId, FetchKind, Response};
use crate::store::record::Record;
use crate::store::{ContentHash, SharedStore, backoff, jitter};
use crate::time::UnixTime;

/// What a fetched document is parsed into.
pub trait KeyDocument: Sized {
    /// The keys of `document` that can be used.
    ///
    /// # Errors
    /// [`FetchFailure::Malformed`] or [`FetchFailure::NoUsableKey`].
    fn parse(document: &[u8]) -> Result<Self, FetchFailure>;
}

/// One worker's end of one remote key set; the other workers' ends share its record in the store.
#[derive(Clone, Debug)]
pub struct RemoteKeys<K> {
    settings: JwksSettings,
    document: Document,
    seed: u64,
    loaded: Option<Loaded<K>>,
    /// The record as last read: how old the keys are, when they are due.
    record: Record,
    /// The newest attempt whose end this worker has told its adapter of.
    settled: u64,
    /// The request whose answer is waited for; any other answer is ignored.
    awaited: Option<FetchId>,
}

#[derive(Clone, Debug)]
struct Loaded<K> {
    content: ContentHash,
    fetched_at: UnixTime,
    keys: K,
}

/// What a tick brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Poll {
    /// Another worker fetched other keys, and they are loaded here: drop what depends on the old ones.
    pub keys_changed: bool,
    /// A fetch ended since the last poll, well or badly: decide the requests that wait for it again.
    pub settled: bool,
    /// Send this request.
    pub fetch: Option<Fetch>,
}

/// What an answer brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Other keys are loaded: drop what depends on the old ones, decide waiting requests again.
    KeysChanged,
    /// The same keys, good for longer.
    Unchanged,
    /// Send the next request of this attempt.
    Continue(Fetch),
    /// No new keys; the loaded ones stay. To be logged, and waiting requests decided again.
    Failed(FetchFailure),
    /// The answer to a request that was given up; nothing was done with it.
    Ignored,
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

impl<K: KeyDocument> RemoteKeys<K> {
    /// The end of one worker. `seed` decides the jitter: [`Seed::jitter`](crate::store::seed::Seed::jitter).
    pub fn new(settings: JwksSettings, seed: u64) -> Self {
        let document = Document::new(
            &settings.store_key(),
            settings.lease(),
            settings.longest_freshness(),
        );
        Self {
            settings,
            document,
            seed,
            loaded: None,
            record: Record::default(),
            settled: 0,
            awaited: None,
        }
    }

    /// To be called on every tick, and at once after configuration. Costs one small read where nothing is due.
    pub fn poll(&mut self, now: UnixTime, store: &mut impl SharedStore) -> Poll {
        let (keys_changed, missing) = self.synchronise(store);
        let attempt = self.document.begin(now, self.record, missing, store);
        let ended = attempt.is_none() && !self.document.is_leased(now, &self.record);
        let settled = ended && self.settled != self.record.attempts;
        if ended {
            self.settled = self.record.attempts;
        }
        Poll {
            keys_changed,
            settled,
            fetch: attempt.map(|attempt| self.first_fetch(attempt)),
        }
    }

    /// The answer to the request `id`.
    pub fn on_response(
        &mut self,
        id: FetchId,
        now: UnixTime,
        response: &Response<'_>,
        store: &mut impl SharedStore,
    ) -> Outcome {
        if self.awaited.take_if(|awaited| *awaited == id).is_none() {
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
    ) -> Outcome {
        if self.awaited.take_if(|awaited| *awaited == id).is_none() {
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
        if self.synchronise(store).0 {
            return UnknownKeyId::KeysChanged;
        }
        let cooldown = self.settings.unknown_kid_cooldown;
        match self.document.demand(now, cooldown, store) {
            Demand::Pending => UnknownKeyId::FetchPending,
            Demand::Cooling { until } => UnknownKeyId::CoolingDown { until },
        }
    }

    /// The keys, if any were ever fetched and they are not older than `cache_duration` plus `max_stale`.
    ///
    /// `None` means 503 with `Retry-After`, never 401 and never forward.
    pub fn usable(&self, now: UnixTime) -> Option<&K> {
        let loaded = self.loaded.as_ref()?;
        (now.since(loaded.fetched_at) <= self.settings.longest_use()).then_some(&loaded.keys)
    }

    /// How long ago the loaded keys were last fetched; for the gauge, whether they are still used or not.
    pub fn key_age(&self, now: UnixTime) -> Option<Duration> {
        Some(now.since(self.loaded.as_ref()?.fetched_at))
    }

    /// When the next attempt may be made: what to tell a client whose request needs keys that are not there.
    pub fn retry_after(&self, now: UnixTime) -> Duration {
        self.record
            .refresh_at
            .since(now)
            .max(Duration::from_secs(1))
    }

    /// Loads what the record names, if it is not loaded yet. Answers whether other keys are loaded now, and
    /// whether the document the record names is not to be had.
    fn synchronise(&mut self, store: &impl SharedStore) -> (bool, bool) {
        self.record = self.document.record(store);
        if self.record.generation == 0 {
            // Nothing fetched, or a record that can't be read: what is loaded stays good for its time.
            return (false, false);
        }
        if let Some(loaded) = self.loaded.as_mut()
            && loaded.content == self.record.content
        {
            loaded.fetched_at = self.record.fetched_at;
            return (false, false);
        }
        let Some((content, body)) = self.document.body(&self.record, store) else {
            // Once, not while the provider is down: then the record's own time to retry counts.
            return (false, self.record.failures == 0);
        };
        if self
            .loaded
            .as_ref()
            .is_some_and(|loaded| loaded.content == content)
        {
            return (false, false);
        }
        let Ok(keys) = K::parse(&body) else {
            return (false, false);
        };
        self.loaded = Some(Loaded {
            content,
            fetched_at: self.record.fetched_at,
            keys,
        });
        (true, false)
    }

    fn first_fetch(&mut self, attempt: u64) -> Fetch {
        let (kind, location) = match &self.settings.source {
            Source::Jwks(location) => (FetchKind::Jwks, location.clone()),
            Source::Discovery { metadata, .. } => (FetchKind::Discovery, metadata.clone()),
        };
        self.fetch(FetchId(attempt, 0), kind, location)
    }

    fn fetch(&mut self, id: FetchId, kind: FetchKind, location: Location) -> Fetch {
        self.awaited = Some(id);
        Fetch {
            id,
            kind,
            cluster: self.settings.cluster.clone(),
            authority: location.authority,
            path: location.path,
            timeout: self.settings.timeout,
        }
    }

    fn read(&self, id: FetchId, response: &Response<'_>) -> Result<Answer<K>, FetchFailure> {
        if response.status != 200 {
            return Err(FetchFailure::Status(response.status));
        }
        if response.body.len() > self.settings.max_body_bytes {
            return Err(FetchFailure::TooLarge(response.body.len()));
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
            Source::Discovery { .. } | Source::Jwks(_) => K::parse(response.body).map(Answer::Keys),
        }
    }

    fn publish(
        &mut self,
        keys: K,
        now: UnixTime,
        response: &Response<'_>,
        store: &mut impl SharedStore,
    ) -> Outcome {
        let fresh = self
            .settings
            .freshness(cache_control::max_age(response.headers));
        // Ahead of its end, and not at the same moment as every other proxy.
        let early = jitter(self.seed ^ now.as_nanos(), fresh / REFRESH_AHEAD);
        let refresh_at = now.saturating_add(fresh.saturating_sub(early));
        match self.document.publish(response.body, now, refresh_at, store) {
            Commit::Superseded => Outcome::Ignored,
            Commit::Done(record) => {
                let before = self.loaded.as_ref().map(|loaded| loaded.content);
                self.record = record;
                self.loaded = Some(Loaded {
                    content: record.content,
                    fetched_at: record.fetched_at,
                    keys,
                });
                if before == Some(record.content) {
                    Outcome::Unchanged
                } else {
                    Outcome::KeysChanged
                }
            }
        }
    }

    fn fail(
        &mut self,
        failure: FetchFailure,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> Outcome {
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
        match self.document.fail(now, pause, store) {
            Commit::Superseded => Outcome::Ignored,
            Commit::Done(record) => {
                self.record = record;
                Outcome::Failed(failure)
            }
        }
    }
}

enum Answer<K> {
    Location(Location),
    Keys(K),
}

/// A refresh happens up to this part of the freshness ahead of its end.
const REFRESH_AHEAD: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Nothing can be decided without keys: the provider's return is to be noticed within seconds.
const LONGEST_PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(4);
