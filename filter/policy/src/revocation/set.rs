//! The revocations in force, compiled: keyed hashes, found in constant time, merged in any order.
//!
//! Neither the store nor a worker keeps the revoked values themselves; an entry is a hash under the proxy's
//! seed and two times.

use std::collections::HashMap;
use std::net::IpAddr;

use super::feed::{Entry, MAX_CURSOR_BYTES, Revoked};
use super::remote::Refusal;
use crate::jwt::VerifiedClaims;
use crate::rate_limit::KeyValue;
use crate::store::seed::Seed;
use crate::store::{Reader, Writer};
use crate::time::UnixTime;

/// What of a verified token can be revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Credential<'c> {
    /// `iss`
    pub issuer: &'c str,
    /// `jti`
    pub token_id: Option<&'c str>,
    /// `sid`
    pub session_id: Option<&'c str>,
    /// `sub`
    pub subject: Option<&'c str>,
    /// `client_id` or `azp`
    pub client_id: Option<&'c str>,
    /// `iat`
    pub issued_at: Option<UnixTime>,
}

impl<'c> From<&'c VerifiedClaims> for Credential<'c> {
    fn from(claims: &'c VerifiedClaims) -> Self {
        Self {
            issuer: claims.issuer(),
            token_id: claims.token_id(),
            session_id: claims.session_id(),
            subject: claims.subject(),
            client_id: claims.client_id(),
            issued_at: claims.issued_at(),
        }
    }
}

/// The revocations in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RevokedSet {
    /// What to ask the feed with; `None` before its first answer.
    pub(super) cursor: Option<Box<str>>,
    entries: HashMap<u128, Terms>,
    /// One bit for each tag that appears: what nobody revoked by is not looked up.
    tags: u16,
}

/// What a revocation says beside what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    tag: u8,
    /// Only tokens issued before; the end of time: all.
    issued_before: UnixTime,
    expires_at: UnixTime,
}

impl Terms {
    /// Whether a token issued at this time is among those meant; one that names no time is.
    fn concern(&self, issued_at: Option<UnixTime>) -> bool {
        self.issued_before == ALL || issued_at.is_none_or(|at| at < self.issued_before)
    }
}

impl RevokedSet {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds a revocation; of two about the same, the later times hold.
    pub(super) fn merge(&mut self, entry: &Entry, seed: &Seed) {
        let kind = Kind::of(&entry.subject);
        let issuer = entry.issuer.as_deref();
        let hash = match &entry.subject {
            Revoked::TokenId(value)
            | Revoked::Session(value)
            | Revoked::Subject(value)
            | Revoked::Client(value) => hash(seed, kind, issuer, KeyValue::Bytes(value.as_bytes())),
            Revoked::Address(address) => hash(seed, kind, issuer, KeyValue::Address(*address)),
        };
        let new = Terms {
            tag: tag(kind, issuer.is_some()),
            issued_before: entry.issued_before.unwrap_or(ALL),
            expires_at: entry.expires_at,
        };
        self.insert(hash, new);
    }

    /// Forgets what has expired.
    pub(super) fn prune(&mut self, now: UnixTime) {
        self.entries.retain(|_, terms| now < terms.expires_at);
        self.tags = self
            .entries
            .values()
            .fold(0, |tags, terms| tags | bit(terms.tag));
    }

    /// Why `credential` is refused, if it is.
    pub(super) fn revokes(
        &self,
        credential: &Credential<'_>,
        seed: &Seed,
        now: UnixTime,
    ) -> Option<Refusal> {
        let named = [
            (Kind::TokenId, credential.token_id, Refusal::TokenRevoked),
            (
                Kind::Session,
                credential.session_id,
                Refusal::SessionRevoked,
            ),
            (Kind::Subject, credential.subject, Refusal::SubjectRevoked),
            (Kind::Client, credential.client_id, Refusal::ClientRevoked),
        ];
        let is_revoked = |kind, value: &str| {
            let value = KeyValue::Bytes(value.as_bytes());
            [None, Some(credential.issuer)].into_iter().any(|issuer| {
                self.terms(kind, issuer, value, seed, now)
                    .is_some_and(|terms| terms.concern(credential.issued_at))
            })
        };
        named
            .into_iter()
            .find_map(|(kind, value, refusal)| is_revoked(kind, value?).then_some(refusal))
    }

    /// Whether `address` is blocked.
    pub(super) fn blocks(&self, address: IpAddr, seed: &Seed, now: UnixTime) -> bool {
        let value = KeyValue::Address(address);
        self.terms(Kind::Address, None, value, seed, now).is_some()
    }

    /// The bytes all workers share: the same for the same set, whatever order it was merged in.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_unstable_by_key(|&(hash, _)| *hash);
        let cursor = self.cursor.as_deref().unwrap_or_default();
        let head =
            Writer::with_capacity(2 + cursor.len() + entries.len().saturating_mul(ENTRY_BYTES))
                .u8(VERSION)
                .u8(u8::try_from(cursor.len()).unwrap_or(0))
                .bytes(cursor.as_bytes());
        entries
            .into_iter()
            .fold(head, |body, (hash, terms)| {
                body.bytes(&hash.to_le_bytes())
                    .u8(terms.tag)
                    .u64(terms.issued_before.as_nanos())
                    .u64(terms.expires_at.as_nanos())
            })
            .finish()
    }

    /// `None` for anything [`encode`](Self::encode) did not write, and for more than `max_entries`.
    pub(super) fn decode(body: &[u8], max_entries: usize) -> Option<Self> {
        let mut reader = Reader::new(body);
        if reader.u8()? != VERSION {
            return None;
        }
        let length = usize::from(reader.u8()?);
        let (cursor, entries) = reader.rest().split_at_checked(length)?;
        let cursor = str::from_utf8(cursor)
            .ok()
            .filter(|cursor| cursor.len() <= MAX_CURSOR_BYTES)?;
        let (entries, []) = entries.as_chunks::<ENTRY_BYTES>() else {
            return None;
        };
        if entries.len() > max_entries {
            return None;
        }
        let mut set = Self {
            cursor: Some(cursor)
                .filter(|cursor| !cursor.is_empty())
                .map(Into::into),
            entries: HashMap::with_capacity(entries.len()),
            tags: 0,
        };
        for entry in entries {
            let mut reader = Reader::new(entry);
            let hash = u128::from_le_bytes(reader.array()?);
            let terms = Terms {
                tag: reader.u8().filter(|&tag| tag < TAGS)?,
                issued_before: UnixTime::from_nanos(reader.u64()?),
                expires_at: UnixTime::from_nanos(reader.u64()?),
            };
            set.insert(hash, terms);
        }
        Some(set)
    }

    fn insert(&mut self, hash: u128, new: Terms) {
        self.tags |= bit(new.tag);
        let terms = self.entries.entry(hash).or_insert(new);
        terms.issued_before = terms.issued_before.max(new.issued_before);
        terms.expires_at = terms.expires_at.max(new.expires_at);
    }

    fn terms(
        &self,
        kind: Kind,
        issuer: Option<&str>,
        value: KeyValue<'_>,
        seed: &Seed,
        now: UnixTime,
    ) -> Option<&Terms> {
        if self.tags & bit(tag(kind, issuer.is_some())) == 0 {
            return None;
        }
        let terms = self.entries.get(&hash(seed, kind, issuer, value))?;
        (now < terms.expires_at).then_some(terms)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    TokenId = 0,
    Session = 1,
    Subject = 2,
    Client = 3,
    Address = 4,
}

impl Kind {
    fn of(subject: &Revoked) -> Self {
        match subject {
            Revoked::TokenId(_) => Self::TokenId,
            Revoked::Session(_) => Self::Session,
            Revoked::Subject(_) => Self::Subject,
            Revoked::Client(_) => Self::Client,
            Revoked::Address(_) => Self::Address,
        }
    }
}

/// A kind, and whether an issuer belongs to it: what sets of entries are apart.
fn tag(kind: Kind, has_issuer: bool) -> u8 {
    (kind as u8) << 1 | u8::from(has_issuer)
}

fn bit(tag: u8) -> u16 {
    1_u16.checked_shl(tag.into()).unwrap_or(0)
}

fn hash(seed: &Seed, kind: Kind, issuer: Option<&str>, value: KeyValue<'_>) -> u128 {
    let tag = tag(kind, issuer.is_some());
    let hash = seed
        .hash(b"revocation")
        .part(&[tag])
        .part(issuer.unwrap_or_default().as_bytes());
    value.feed(hash).finish()
}

/// `issued_before` of a revocation about all tokens.
const ALL: UnixTime = UnixTime::from_nanos(u64::MAX);
const VERSION: u8 = 1;
const ENTRY_BYTES: usize = 33;
const TAGS: u8 = 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEED: Seed = Seed::new([5; 16]);

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn entry(subject: Revoked, issuer: Option<&str>, issued_before: Option<u64>) -> Entry {
        Entry {
            subject,
            issuer: issuer.map(Into::into),
            issued_before: issued_before.map(at),
            expires_at: at(1_000),
        }
    }

    fn set(entries: &[Entry]) -> RevokedSet {
        let mut set = RevokedSet::default();
        for entry in entries {
            set.merge(entry, &SEED);
        }
        set
    }

    const TOKEN: Credential<'_> = Credential {
        issuer: "https://a.example/",
        token_id: Some("id"),
        session_id: Some("session"),
        subject: Some("user"),
        client_id: Some("app"),
        issued_at: Some(UnixTime::from_secs(100)),
    };

    #[track_caller]
    fn check(revoked: &Entry, expected: Option<Refusal>) {
        let set = set(std::slice::from_ref(revoked));
        assert_eq!(set.revokes(&TOKEN, &SEED, at(999)), expected, "{revoked:?}");
        assert_eq!(set.revokes(&TOKEN, &SEED, at(1_000)), None, "after its end");
    }

    #[test]
    fn tokens_are_revoked_by_what_they_say_of_themselves() {
        let revoked = |subject| entry(subject, None, None);
        check(
            &revoked(Revoked::TokenId("id".into())),
            Some(Refusal::TokenRevoked),
        );
        check(
            &revoked(Revoked::Session("session".into())),
            Some(Refusal::SessionRevoked),
        );
        check(
            &revoked(Revoked::Client("app".into())),
            Some(Refusal::ClientRevoked),
        );
        check(&revoked(Revoked::TokenId("session".into())), None);
        check(&revoked(Revoked::Session("id".into())), None);
        check(&revoked(Revoked::Session("Session".into())), None);
    }

    #[test]
    fn a_subject_is_revoked_up_to_a_time() {
        let revoked = |before| entry(Revoked::Subject("user".into()), None, Some(before));
        check(&revoked(101), Some(Refusal::SubjectRevoked));
        check(&revoked(100), None);
        let undated = Credential {
            issued_at: None,
            ..TOKEN
        };
        let set = set(&[revoked(1)]);
        assert_eq!(
            set.revokes(&undated, &SEED, at(999)),
            Some(Refusal::SubjectRevoked)
        );
    }

    #[test]
    fn a_revocation_may_be_about_one_issuer() {
        let revoked = |issuer| entry(Revoked::Session("session".into()), Some(issuer), None);
        check(
            &revoked("https://a.example/"),
            Some(Refusal::SessionRevoked),
        );
        check(&revoked("https://b.example/"), None);
    }

    #[test]
    fn addresses_are_blocked_as_they_are_counted() {
        let blocked = |address: &str| entry(Revoked::Address(address.parse().unwrap()), None, None);
        let set = set(&[blocked("203.0.113.7"), blocked("2001:db8::1")]);
        let blocks = |address: &str| set.blocks(address.parse().unwrap(), &SEED, at(1));
        assert!(blocks("203.0.113.7") && blocks("::ffff:203.0.113.7") && blocks("2001:db8::9"));
        assert!(!blocks("203.0.113.8") && !blocks("2001:db8:0:1::1"));
        assert_eq!(set.revokes(&TOKEN, &SEED, at(1)), None);
    }

    #[test]
    fn nothing_is_forgotten_before_its_end_and_everything_after() {
        let mut set = set(&[entry(Revoked::TokenId("id".into()), None, None)]);
        set.prune(at(999));
        assert_eq!(set.len(), 1);
        set.prune(at(1_000));
        assert_eq!((set.len(), set.tags), (0, 0));
    }

    #[test]
    fn a_set_survives_the_store_whatever_order_it_was_merged_in() {
        let mut entries: Vec<_> = (0..100)
            .map(|number| {
                entry(
                    Revoked::Subject(number.to_string().into()),
                    None,
                    Some(number),
                )
            })
            .collect();
        let mut one = set(&entries);
        entries.reverse();
        let mut other = set(&entries);
        (one.cursor, other.cursor) = (Some("c".into()), Some("c".into()));
        assert_eq!(one.encode(), other.encode());
        assert_eq!(RevokedSet::decode(&one.encode(), 100), Some(one.clone()));
        assert_eq!(RevokedSet::decode(&one.encode(), 99), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_set_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut body = vec![VERSION, 0];
            body.extend_from_slice(&bytes);
            for body in [&bytes, &body] {
                if let Some(set) = RevokedSet::decode(body, 3) {
                    prop_assert!(set.len() <= 3);
                    let again = RevokedSet::decode(&set.encode(), 3);
                    prop_assert_eq!(again.map(|again| again.len()), Some(set.len()));
                }
            }
        }

        #[test]
        fn merging_is_the_same_in_any_order(times in prop::collection::vec((0_u64..5, 0_u64..5), 1..10)) {
            let entries: Vec<_> = times
                .iter()
                .map(|&(before, end)| Entry {
                    expires_at: at(end),
                    ..entry(Revoked::Client("app".into()), None, Some(before).filter(|&before| before > 0))
                })
                .collect();
            let reversed: Vec<_> = entries.iter().rev().cloned().collect();
            prop_assert_eq!(set(&entries), set(&reversed));
        }
    }
}
