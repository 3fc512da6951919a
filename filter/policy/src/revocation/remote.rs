//! One worker's end of the feed.

use std::net::IpAddr;
use std::time::Duration;

use super::feed::{self, MAX_PAGE_BYTES, Page, Unreadable};
use super::set::{Credential, RevokedSet};
use super::{OnUnavailable, RevocationSettings};
use crate::store::fetch::{Fetch, FetchId, FetchKind, Location, Outcome, Poll, Response};
use crate::store::replica::{Published, Replica};
use crate::store::seed::Seed;
use crate::store::{SharedStore, backoff};
use crate::time::UnixTime;

/// One worker's end of the feed; the other workers' ends share its record in the store.
#[derive(Clone, Debug)]
pub struct RevocationFeed {
    settings: RevocationSettings,
    seed: Seed,
    set: Replica<RevokedSet>,
    /// The pages of the attempt under way, merged so far.
    building: Option<RevokedSet>,
}

/// Why a token or a client is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// This token was revoked.
    TokenRevoked,
    /// Its session ended.
    SessionRevoked,
    /// Its subject's sessions of that time ended.
    SubjectRevoked,
    /// Its client was shut out.
    ClientRevoked,
    /// The client's address is blocked.
    AddressBlocked,
    /// Whether anything is revoked is not known, and not knowing denies: 503.
    Unavailable,
}

/// Why a poll did not give revocations. The set in force stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedFailure {
    /// No answer: timeout, no healthy host, connection lost.
    #[error("the revocation feed did not answer")]
    NoAnswer,
    /// An answer with another status than 200.
    #[error("the revocation feed answered with status {0}")]
    Status(u16),
    /// A page with more than this many bytes.
    #[error("a page of the revocation feed has more than {0} bytes")]
    TooLarge(usize),
    /// A page that can't be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// News where nothing is known yet: the first answer has to be a snapshot.
    #[error("the revocation feed's first answer is not a snapshot")]
    NotASnapshot,
    /// More revocations than `max_entries`. None is left out: the set in force stays, and grows stale.
    #[error("the revocation feed has more than {0} entries in force")]
    TooManyEntries(usize),
    /// More pages than a feed of `max_entries` can have.
    #[error("the revocation feed does not end")]
    Endless,
}

impl FeedFailure {
    /// The bounded form, for metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Status(_) => "status",
            Self::TooLarge(_) => "too_large",
            Self::Unreadable(_) => "unreadable",
            Self::NotASnapshot => "not_a_snapshot",
            Self::TooManyEntries(_) => "too_many_entries",
            Self::Endless => "endless",
        }
    }
}

impl RevocationFeed {
    /// The end of one worker; all workers agreed on `seed`.
    pub fn new(settings: RevocationSettings, seed: Seed) -> Self {
        // A page at a time: the lease is renewed with each.
        let lease = settings.timeout.saturating_add(LEASE_MARGIN);
        let longest = settings.poll_interval.max(LONGEST_PAUSE);
        Self {
            set: Replica::new(&settings.store_key(), lease, longest),
            settings,
            seed,
            building: None,
        }
    }

    /// To be called on every tick, and at once after configuration. Costs one small read where nothing is due.
    pub fn poll(&mut self, now: UnixTime, store: &mut impl SharedStore) -> Poll {
        let max_entries = self.settings.max_entries;
        let tick = self
            .set
            .tick(now, |body| RevokedSet::decode(body, max_entries), store);
        let fetch = tick.attempt.map(|attempt| {
            self.building = None;
            let cursor = self.set.value().and_then(|set| set.cursor.clone());
            self.fetch(FetchId(attempt, 0), cursor.as_deref())
        });
        Poll {
            changed: tick.changed,
            settled: tick.settled,
            fetch,
        }
    }

    /// The answer to the request `id`.
    pub fn on_response(
        &mut self,
        id: FetchId,
        now: UnixTime,
        response: &Response<'_>,
        store: &mut impl SharedStore,
    ) -> Outcome<FeedFailure> {
        if !self.set.is_awaited(id) {
            return Outcome::Ignored;
        }
        match read(response) {
            Ok(page) if is_news_of_nothing(&page) && self.is_at(&page.cursor) => {
                let published = self.set.confirm(now, self.refresh_at(now), store);
                outcome(published)
            }
            Ok(page) => self.merge(id, &page, now, store),
            Err(failure) => self.fail(failure, now, store),
        }
    }

    /// The request `id` got no answer, or could not be sent.
    pub fn on_failure(
        &mut self,
        id: FetchId,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> Outcome<FeedFailure> {
        if !self.set.is_awaited(id) {
            return Outcome::Ignored;
        }
        self.fail(FeedFailure::NoAnswer, now, store)
    }

    /// Whether a verified token is refused all the same.
    pub fn check(&self, credential: &Credential<'_>, now: UnixTime) -> Result<(), Refusal> {
        let set = self.set.value();
        // What is known to be revoked is refused as such, however old the knowledge.
        match set.and_then(|set| set.revokes(credential, &self.seed, now)) {
            Some(refusal) => Err(refusal),
            None if self.is_unavailable(now) => Err(Refusal::Unavailable),
            None => Ok(()),
        }
    }

    /// Whether a client is refused for its address. A feed that is down blocks nobody it did not name: for
    /// tokens, [`check`](Self::check) says what its absence means.
    pub fn check_address(&self, address: IpAddr, now: UnixTime) -> Result<(), Refusal> {
        let blocks = |set: &RevokedSet| set.blocks(address, &self.seed, now);
        if self.set.value().is_some_and(blocks) {
            Err(Refusal::AddressBlocked)
        } else {
            Ok(())
        }
    }

    /// How long ago the feed last answered; `None`: never. For metrics.
    pub fn age(&self, now: UnixTime) -> Option<Duration> {
        self.set.age(now)
    }

    /// How many revocations are in force. For metrics.
    pub fn len(&self) -> usize {
        self.set.value().map_or(0, RevokedSet::len)
    }

    /// Whether no revocation is in force.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Failed polls in a row, of all workers. For metrics.
    pub fn failures(&self) -> u32 {
        self.set.record().failures
    }

    fn is_unavailable(&self, now: UnixTime) -> bool {
        let is_young = |age: Duration| age <= self.settings.max_stale;
        self.settings.on_unavailable == OnUnavailable::Deny && !self.age(now).is_some_and(is_young)
    }

    fn is_at(&self, cursor: &str) -> bool {
        let set = self
            .set
            .value()
            .filter(|_| self.building.is_none() && self.set.is_current());
        set.is_some_and(|set| set.cursor.as_deref() == Some(cursor))
    }

    fn merge(
        &mut self,
        id: FetchId,
        page: &Page,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> Outcome<FeedFailure> {
        let before = self.building.take();
        let before = if page.snapshot {
            Some(RevokedSet::default())
        } else {
            before.or_else(|| self.set.value().cloned())
        };
        let Some(mut set) = before else {
            return self.fail(FeedFailure::NotASnapshot, now, store);
        };
        for entry in &page.entries {
            set.merge(entry, &self.seed);
        }
        set.cursor = Some(page.cursor.clone());
        set.prune(now);
        let max_entries = self.settings.max_entries;
        if set.len() > max_entries {
            return self.fail(FeedFailure::TooManyEntries(max_entries), now, store);
        }
        if page.more {
            return self.next_page(id, set, now, store);
        }
        let body = set.encode();
        outcome(
            self.set
                .publish(set, &body, now, self.refresh_at(now), store),
        )
    }

    fn next_page(
        &mut self,
        id: FetchId,
        set: RevokedSet,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> Outcome<FeedFailure> {
        let Some(page) = id.1.checked_add(1) else {
            return self.fail(FeedFailure::Endless, now, store);
        };
        if !self.set.renew(now, store) {
            return Outcome::Ignored;
        }
        let fetch = self.fetch(FetchId(id.0, page), set.cursor.as_deref());
        self.building = Some(set);
        Outcome::Continue(fetch)
    }

    fn fail(
        &mut self,
        failure: FeedFailure,
        now: UnixTime,
        store: &mut impl SharedStore,
    ) -> Outcome<FeedFailure> {
        self.building = None;
        let (first, jitter) = (self.settings.poll_interval, self.seed.jitter());
        let pause = |failures| backoff(failures, first, LONGEST_PAUSE.max(first), jitter);
        if self.set.fail(now, |record| pause(record.failures), store) {
            Outcome::Failed(failure)
        } else {
            Outcome::Ignored
        }
    }

    fn fetch(&mut self, id: FetchId, cursor: Option<&str>) -> Fetch {
        self.set.await_answer(id);
        let Location { authority, path } = &self.settings.location;
        let path = match cursor {
            None => path.clone(),
            // A cursor is unreserved characters only, so it needs no escape.
            Some(cursor) if path.contains('?') => format!("{path}&cursor={cursor}"),
            Some(cursor) => format!("{path}?cursor={cursor}"),
        };
        Fetch {
            id,
            kind: FetchKind::Revocations,
            cluster: self.settings.cluster.clone(),
            authority: authority.clone(),
            path,
            timeout: self.settings.timeout,
            max_body_bytes: MAX_PAGE_BYTES,
        }
    }

    fn refresh_at(&self, now: UnixTime) -> UnixTime {
        now.saturating_add(self.settings.poll_interval)
    }
}

fn read(response: &Response<'_>) -> Result<Page, FeedFailure> {
    if response.status != 200 {
        return Err(FeedFailure::Status(response.status));
    }
    if response.body.len() > MAX_PAGE_BYTES {
        return Err(FeedFailure::TooLarge(MAX_PAGE_BYTES));
    }
    Ok(feed::parse(response.body)?)
}

fn is_news_of_nothing(page: &Page) -> bool {
    !page.snapshot && !page.more && page.entries.is_empty()
}

fn outcome(published: Published) -> Outcome<FeedFailure> {
    match published {
        Published::Changed => Outcome::Changed,
        Published::Unchanged => Outcome::Unchanged,
        Published::Superseded => Outcome::Ignored,
    }
}

const LEASE_MARGIN: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
