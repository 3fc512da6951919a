//! A name for each decision: in the reply, in the audit line and upstream, so that what a user reports, what the log
//! says and what the application did can be put together.
//!
//! It is Envoy's `x-request-id` where the operator says that Envoy makes it, else a keyed hash of a count: nobody can
//! guess another's, or tell from it how many requests there were. No randomness is drawn per request.

use crate::request::RequestHead;
use crate::store::KeyedHash;

/// The header field of replies and of what goes upstream. A client's own is removed first.
pub const HEADER: &str = "x-decision-id";

/// The name of one decision: 8 to 64 letters, digits and dashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionId {
    text: [u8; MAX_BYTES],
    length: usize,
}

impl DecisionId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..self.length).unwrap_or_default();
        // ASCII from the start.
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// `text` as a name, if it can be one: nothing that could be mistaken for something else in a log.
    fn parse(text: &[u8]) -> Option<Self> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        if !(MIN_BYTES..=MAX_BYTES).contains(&text.len()) || !text.iter().all(plain) {
            return None;
        }
        let mut own = [0; MAX_BYTES];
        own.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        Some(Self {
            text: own,
            length: text.len(),
        })
    }
}

/// Where a decision's name comes from and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionIdSettings {
    /// Whether the upstream sees it.
    pub forward: bool,
    /// Whether `x-request-id` is Envoy's own and never a client's.
    pub trust_request_id: bool,
}

/// Names the decisions of one worker.
#[derive(Clone)]
pub(crate) struct DecisionIds {
    settings: DecisionIdSettings,
    secret: [u8; 16],
    count: u64,
}

/// Shows no secret.
impl std::fmt::Debug for DecisionIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecisionIds")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl DecisionIds {
    /// `secret` is this worker's alone: 16 random bytes.
    pub(crate) const fn new(settings: DecisionIdSettings, secret: [u8; 16]) -> Self {
        Self {
            settings,
            secret,
            count: 0,
        }
    }

    pub(crate) const fn settings(&self) -> DecisionIdSettings {
        self.settings
    }

    /// The name for the decision about a request with this head; without a head, one of our own.
    pub(crate) fn next(&mut self, head: Option<&RequestHead<'_>>) -> DecisionId {
        let theirs = || {
            let head = head.filter(|_| self.settings.trust_request_id)?;
            DecisionId::parse(head.only("x-request-id").ok()??)
        };
        theirs().unwrap_or_else(|| self.own())
    }

    fn own(&mut self) -> DecisionId {
        self.count = self.count.wrapping_add(1);
        let hash = KeyedHash::new(&self.secret)
            .part(b"decision id")
            .part(&self.count.to_le_bytes())
            .finish()
            .to_be_bytes();
        let mut text = [0; MAX_BYTES];
        let digits = hash
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(u32::from(digit), 16));
        let mut length = 0;
        for (to, digit) in text.iter_mut().zip(digits) {
            *to = u8::try_from(digit).unwrap_or(b'0');
            length += 1;
        }
        DecisionId { text, length }
    }
}

/// Shorter is no name that tells two requests apart.
const MIN_BYTES: usize = 8;
/// A UUID has 36.
const MAX_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(trust_request_id: bool, secret: u8) -> DecisionIds {
        let settings = DecisionIdSettings {
            forward: true,
            trust_request_id,
        };
        DecisionIds::new(settings, [secret; 16])
    }

    fn named(ids: &mut DecisionIds, request_ids: &[&str]) -> String {
        let headers: Vec<(&[u8], &[u8])> = request_ids
            .iter()
            .map(|id| (&b"x-request-id"[..], id.as_bytes()))
            .collect();
        let head = RequestHead {
            headers: &headers,
            source_address: None,
            tls: true,
        };
        ids.next(Some(&head)).as_str().to_owned()
    }

    const UUID: &str = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

    #[test]
    fn a_name_of_our_own_has_32_digits_and_none_is_like_another() {
        let (mut one, mut other) = (ids(false, 1), ids(false, 2));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..100 {
            for ids in [&mut one, &mut other] {
                let id = ids.next(None);
                assert_eq!(id.as_str().len(), 32);
                assert!(id.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
                assert!(seen.insert(id.as_str().to_owned()));
            }
        }
    }

    #[test]
    fn envoys_request_id_counts_only_where_the_operator_says_so() {
        assert_eq!(named(&mut ids(true, 1), &[UUID]), UUID);
        assert_ne!(named(&mut ids(false, 1), &[UUID]), UUID);
    }

    #[test]
    fn a_request_id_that_could_be_mistaken_for_something_else_is_replaced() {
        let long = "a".repeat(65);
        for hostile in [
            &[""][..],
            &["short"],
            &[long.as_str()],
            &["id\" decision=allow"],
            &["12345678\n"],
            &["12345678,87654321"],
            &[UUID, UUID],
            &[],
        ] {
            let id = named(&mut ids(true, 1), hostile);
            assert_eq!(id.len(), 32, "{hostile:?}");
            assert!(!hostile.contains(&id.as_str()));
        }
    }

    #[test]
    fn debug_output_does_not_show_the_secret() {
        assert!(!format!("{:?}", ids(true, 42)).contains("42"));
    }
}
