//! The session cookies this worker has opened: decrypting one costs ten times what the rest of a decision does, and a
//! browser sends the same one for minutes.
//!
//! What is remembered grants nothing more than opening again would: the whole cookie is compared and its expiry checked
//! on every use, its token is verified and its session looked up among the revocations like any other's. Keys never
//! change while a worker lives. Only cookies that opened are remembered, so nobody without the key fills the cache.

use std::fmt;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::unsync::{Cache, DefaultLifecycle};

use super::hash::Tail;
use super::key::{Candidate, Token};
use super::size::{SLOT_BYTES, block};
use crate::session::{Opener, Session, Unopenable};
use crate::store::seed::Seed;
use crate::time::UnixTime;

/// The sessions one worker remembers.
pub(crate) struct OpenedSessions(Cache<Token, Opened, Bytes, Tail>);

/// A session, and when its cookie ends.
#[derive(Clone)]
struct Opened {
    session: Arc<Session>,
    expires_at: UnixTime,
}

/// Weighs entries in bytes.
#[derive(Clone, Copy)]
struct Bytes;

impl Weighter<Token, Opened> for Bytes {
    fn weight(&self, cookie: &Token, opened: &Opened) -> u64 {
        let session = &opened.session;
        SLOT_BYTES
            + block(cookie.0.len())
            + block(size_of::<Session>() + 2 * size_of::<usize>())
            + block(session.session_id.len())
            + block(session.access_token.len())
    }
}

impl OpenedSessions {
    /// Remembers sessions in at most `max_bytes` of memory; zero remembers none.
    pub(crate) fn new(max_bytes: u64, seed: Seed) -> Self {
        Self(Cache::with(
            usize::try_from(max_bytes / EXPECTED_BYTES).unwrap_or(usize::MAX),
            max_bytes,
            Bytes,
            Tail(seed.key(b"session cache")),
            DefaultLifecycle::default(),
        ))
    }

    /// The session in a sealed cookie, opened now or before.
    ///
    /// # Errors
    /// [`Unopenable`], whatever is wrong.
    pub(crate) fn open(
        &mut self,
        opener: &Opener,
        sealed: &str,
        now: UnixTime,
    ) -> Result<Arc<Session>, Unopenable> {
        if let Some(opened) = self.0.get(&Candidate(sealed.as_bytes())) {
            if now < opened.expires_at {
                return Ok(Arc::clone(&opened.session));
            }
            self.0.remove(&Candidate(sealed.as_bytes()));
            return Err(Unopenable);
        }
        let (payload, expires_at) = opener.open(b"", sealed, now)?;
        let session = Arc::new(Session::from_bytes(&payload).ok_or(Unopenable)?);
        let opened = Opened {
            session: Arc::clone(&session),
            expires_at,
        };
        self.0.insert(Token(sealed.as_bytes().into()), opened);
        Ok(session)
    }
}

/// Shows how many there are, and nothing of them.
impl fmt::Debug for OpenedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenedSessions")
            .field(&self.0.len())
            .finish()
    }
}

/// What an entry is expected to take, in bytes; only decides what is reserved at the start.
const EXPECTED_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{NONCE_BYTES, Purpose, SessionKeys};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const END: UnixTime = UnixTime::from_secs(1_800_000_060);

    fn keys() -> SessionKeys {
        SessionKeys::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap()
    }

    fn sealed(id: &str, nonce: u8) -> String {
        let session = Session {
            session_id: id.into(),
            generation: 1,
            access_token: "t".repeat(1000).into(),
        };
        let payload = session.to_bytes();
        keys()
            .seal(Purpose::Session, b"", END, &payload, [nonce; NONCE_BYTES])
            .unwrap()
    }

    fn opened(max_bytes: u64) -> OpenedSessions {
        OpenedSessions::new(max_bytes, Seed::new([1; 16]))
    }

    #[test]
    fn a_cookie_is_opened_once_and_the_next_one_is_another() {
        let (opener, mut sessions) = (keys().opener(Purpose::Session), opened(1 << 20));
        let (one, other) = (sealed("one", 1), sealed("other", 2));
        let first = sessions.open(&opener, &one, NOW).unwrap();
        let again = sessions.open(&opener, &one, NOW).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(
            &*sessions.open(&opener, &other, NOW).unwrap().session_id,
            "other"
        );
        assert_eq!(&*again.session_id, "one");
        assert_eq!(format!("{sessions:?}"), "OpenedSessions(2)");
    }

    /// CVE-2025-46344 once more: what is remembered ends when its cookie does.
    #[test]
    fn cve_2025_46344_a_session_that_was_opened_before_ends_all_the_same() {
        let (opener, mut sessions) = (keys().opener(Purpose::Session), opened(1 << 20));
        let cookie = sealed("one", 1);
        assert!(sessions.open(&opener, &cookie, NOW).is_ok());
        assert_eq!(sessions.open(&opener, &cookie, END), Err(Unopenable));
        assert_eq!(format!("{sessions:?}"), "OpenedSessions(0)");
    }

    #[test]
    fn a_cookie_with_another_beginning_is_not_taken_for_one_that_was_opened() {
        let (opener, mut sessions) = (keys().opener(Purpose::Session), opened(1 << 20));
        let cookie = sealed("one", 1);
        assert!(sessions.open(&opener, &cookie, NOW).is_ok());
        for at in [0, 20, 60, 500] {
            let mut changed = cookie.clone();
            let with = if &changed[at..=at] == "A" { "B" } else { "A" };
            changed.replace_range(at..=at, with);
            assert_eq!(
                sessions.open(&opener, &changed, NOW),
                Err(Unopenable),
                "{at}"
            );
        }
    }

    #[test]
    fn what_is_remembered_stays_within_its_bytes() {
        let opener = keys().opener(Purpose::Session);
        let (mut few, mut none) = (opened(10_000), opened(0));
        for n in 0..50 {
            let cookie = sealed(&format!("s{n}"), n);
            assert!(few.open(&opener, &cookie, NOW).is_ok());
            assert!(none.open(&opener, &cookie, NOW).is_ok());
        }
        assert!((1..=4).contains(&few.0.len()) && few.0.weight() <= 10_000);
        assert_eq!(none.0.len(), 0);
    }
}
