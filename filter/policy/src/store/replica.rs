//! A worker's own copy of a shared document, kept in step with the record in the store.
//!
//! What two state machines have in common: looking at the record on every tick, loading what it names,
//! beginning an attempt that is due, and ending it well or badly. What is fetched, what is accepted and how
//! long it is good for is theirs.

use std::time::Duration;

use super::document::{Commit, Demand, Document};
use super::fetch::FetchId;
use super::record::Record;
use super::{ContentHash, SharedStore};
use crate::time::UnixTime;

/// A worker's copy of one shared document, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Replica<T> {
    document: Document,
    loaded: Option<Loaded<T>>,
    /// The content that could be read but not parsed: another version's, and not to be tried on every tick.
    unreadable: Option<ContentHash>,
    /// The record as last read.
    record: Record,
    /// The newest attempt whose end was told.
    settled: u64,
    /// The request whose answer is waited for; any other answer is ignored.
    awaited: Option<FetchId>,
}

#[derive(Clone, Debug)]
struct Loaded<T> {
    content: ContentHash,
    fetched_at: UnixTime,
    value: T,
}

/// What a look at the record brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    /// Another content is loaded than before.
    pub(crate) changed: bool,
    /// An attempt of any worker ended since the last tick.
    pub(crate) settled: bool,
    /// An attempt began, and it is this worker's to make.
    pub(crate) attempt: Option<u64>,
}

/// What became of a body this worker fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// It is everyone's now, and another one than before.
    Changed,
    /// It is what everyone had.
    Unchanged,
    /// Another worker took over in the meantime; nothing was done with it.
    Superseded,
}

impl<T> Replica<T> {
    /// See [`Document::new`].
    pub(crate) fn new(key: &str, lease: Duration, interval: Duration) -> Self {
        Self {
            document: Document::new(key, lease, interval),
            loaded: None,
            unreadable: None,
            record: Record::default(),
            settled: 0,
            awaited: None,
        }
    }

    /// One small read where nothing changed and nothing is due.
    pub(crate) fn tick(
        &mut self,
        now: UnixTime,
        parse: impl FnOnce(&[u8]) -> Option<T>,
        store: &mut impl SharedStore,
    ) -> Tick {
        let (changed, missing) = self.load(parse, store);
        let attempt = self.document.begin(now, self.record, missing, store);
        let ended = attempt.is_none() && !self.document.is_leased(now, &self.record);
        let settled = ended && self.settled != self.record.attempts;
        if ended {
            self.settled = self.record.attempts;
        }
        Tick {
            changed,
            settled,
            attempt,
        }
    }

    /// Loads what the record names, and answers whether that is another content than before.
    pub(crate) fn synchronise(
        &mut self,
        parse: impl FnOnce(&[u8]) -> Option<T>,
        store: &impl SharedStore,
    ) -> bool {
        self.load(parse, store).0
    }

    /// From now on the answer to `id` is waited for, and to no other request.
    pub(crate) fn await_answer(&mut self, id: FetchId) {
        self.awaited = Some(id);
    }

    /// Whether `id` was waited for; it is no more.
    pub(crate) fn is_awaited(&mut self, id: FetchId) -> bool {
        self.awaited.take_if(|awaited| *awaited == id).is_some()
    }

    /// Prolongs the attempt for one more request. False: another worker took over.
    pub(crate) fn renew(&mut self, now: UnixTime, store: &mut impl SharedStore) -> bool {
        self.document.renew(now, store)
    }

    /// The attempt succeeded with `body`, which is `value` when parsed.
    pub(crate) fn publish(
        &mut self,
        value: T,
        body: &[u8],
        now: UnixTime,
        refresh_at: UnixTime,
        store: &mut impl SharedStore,
    ) -> Published {
        let Commit::Done(record) = self.document.publish(body, now, refresh_at, store) else {
            return Published::Superseded;
        };
        let before = self.loaded.as_ref().map(|loaded| loaded.content);
        self.record = record;
        self.loaded = Some(Loaded {
            content: record.content,
            fetched_at: record.fetched_at,
            value,
        });
        if before == Some(record.content) {
            Published::Unchanged
        } else {
            Published::Changed
        }
    }

    /// The attempt found what is loaded to be what there is. Only for what [`is_current`](Self::is_current).
    pub(crate) fn confirm(
        &mut self,
        now: UnixTime,
        refresh_at: UnixTime,
        store: &mut impl SharedStore,
    ) -> Published {
        let Commit::Done(record) = self.document.confirm(now, refresh_at, store) else {
            return Published::Superseded;
        };
        self.record = record;
        if let Some(loaded) = self.loaded.as_mut() {
            loaded.fetched_at = record.fetched_at;
        }
        Published::Unchanged
    }

    /// Whether what is loaded is what the record names.
    pub(crate) fn is_current(&self) -> bool {
        let loaded = self.loaded.as_ref();
        loaded.is_some_and(|loaded| loaded.content == self.record.content)
    }

    /// The attempt failed; the next one is made after what `backoff` makes of the record. False: another
    /// worker took over.
    pub(crate) fn fail(
        &mut self,
        now: UnixTime,
        backoff: impl Fn(&Record) -> Duration,
        store: &mut impl SharedStore,
    ) -> bool {
        match self.document.fail(now, backoff, store) {
            Commit::Done(record) => {
                self.record = record;
                true
            }
            Commit::Superseded => false,
        }
    }

    /// See [`Document::demand`].
    pub(crate) fn demand(
        &mut self,
        now: UnixTime,
        cooldown: Duration,
        store: &mut impl SharedStore,
    ) -> Demand {
        self.document.demand(now, cooldown, store)
    }

    /// What is loaded, however old.
    pub(crate) fn value(&self) -> Option<&T> {
        self.loaded.as_ref().map(|loaded| &loaded.value)
    }

    /// How long ago what is loaded was last fetched.
    pub(crate) fn age(&self, now: UnixTime) -> Option<Duration> {
        Some(now.since(self.loaded.as_ref()?.fetched_at))
    }

    /// The record as last read.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Answers whether another content is loaded now, and whether the one the record names is not to be had.
    fn load(
        &mut self,
        parse: impl FnOnce(&[u8]) -> Option<T>,
        store: &impl SharedStore,
    ) -> (bool, bool) {
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
        if self.unreadable == Some(self.record.content) {
            return (false, false);
        }
        let Some((content, body)) = self.document.body(&self.record, store) else {
            // Once, not while the source is down: then the record's own time to retry counts.
            return (false, self.record.failures == 0);
        };
        let is_loaded = |loaded: &Loaded<T>| loaded.content == content;
        if self.loaded.as_ref().is_some_and(is_loaded) {
            return (false, false);
        }
        let Some(value) = parse(&body) else {
            self.unreadable = Some(content);
            return (false, false);
        };
        self.loaded = Some(Loaded {
            content,
            fetched_at: self.record.fetched_at,
            value,
        });
        (true, false)
    }
}
