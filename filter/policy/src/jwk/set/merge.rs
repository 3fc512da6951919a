//! Several key sets of one provider as one.

use super::{KeySet, KeySetId};
use crate::jwk::VerifyingKey;
use crate::sort::sort_by;

impl KeySet {
    /// All keys of `sets`, a key that several have under the same name once; `None` of no sets at all.
    ///
    /// Where sets have different keys under one `kid`, a token that names it may be signed with any of them: each
    /// set is the provider's word, and none can take another's keys away. They take turns, the first key of each
    /// set before the second of any, so that [`MAX_CANDIDATES`](crate::jwk::MAX_CANDIDATES) sets with whatever
    /// in them leave every set's first key among the candidates.
    pub fn merged<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Option<Self> {
        let mut turns: Vec<(usize, VerifyingKey)> = Vec::new();
        for set in sets {
            let mut turn = 0;
            let mut previous = None;
            for key in &set.keys {
                turn = if previous == Some(key.key_id()) {
                    turn + 1
                } else {
                    0
                };
                previous = Some(key.key_id());
                if !turns.iter().any(|(_, known)| is_same(known, key)) {
                    turns.push((turn, key.clone()));
                }
            }
        }
        if turns.is_empty() {
            return None;
        }
        sort_by(&mut turns, |(a_turn, a), (b_turn, b)| {
            (a.key_id(), a_turn).cmp(&(b.key_id(), b_turn))
        });
        let keys: Vec<_> = turns.into_iter().map(|(_, key)| key).collect();
        let id = KeySetId::of(&keys);
        Some(Self {
            keys,
            skipped: Vec::new(),
            id,
        })
    }
}

fn is_same(a: &VerifyingKey, b: &VerifyingKey) -> bool {
    a.key_id() == b.key_id() && a.algorithm() == b.algorithm() && a.fingerprint() == b.fingerprint()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use serde_json::json;

    use super::*;
    use crate::base64url;
    use crate::signature::Algorithm;

    /// A set of Ed25519 keys, each of its own seed.
    fn set(keys: &[(Option<&str>, u8)]) -> KeySet {
        let keys: Vec<_> = keys
            .iter()
            .map(|(kid, seed)| {
                let key = SigningKey::from_bytes(&[*seed; 32]).verifying_key();
                let mut jwk =
                    json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(key.to_bytes())});
                if let Some(kid) = kid {
                    jwk["kid"] = json!(kid);
                }
                jwk
            })
            .collect();
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    #[track_caller]
    fn check(sets: &[&KeySet], key_id: Option<&str>, expected: &[&KeySet]) {
        let merged = KeySet::merged(sets.iter().copied()).unwrap();
        let candidates: Vec<_> = merged
            .candidates(key_id, Algorithm::EdDsa)
            .map(VerifyingKey::fingerprint)
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|set| set.keys()[0].fingerprint())
            .collect();
        assert_eq!(candidates, expected);
    }

    #[test]
    fn a_kid_of_either_set_is_found() {
        let (one, two) = (set(&[(Some("a"), 1)]), set(&[(Some("b"), 2)]));
        check(&[&one, &two], Some("a"), &[&one]);
        check(&[&one, &two], Some("b"), &[&two]);
        check(&[&one, &two], Some("c"), &[]);
        assert!(KeySet::merged([]).is_none());
    }

    #[test]
    fn a_kid_of_both_sets_may_be_either_key() {
        let (one, two) = (set(&[(Some("a"), 1)]), set(&[(Some("a"), 2)]));
        check(&[&one, &two], Some("a"), &[&one, &two]);
        let again = set(&[(Some("a"), 1)]);
        check(&[&one, &again], Some("a"), &[&one]);
    }

    #[test]
    fn no_set_hides_the_keys_of_another() {
        let crowd: Vec<_> = (1..=8).map(|seed| (Some("a"), seed)).collect();
        let crowd = set(&crowd);
        let first = set(&[(Some("a"), 1)]);
        let second = set(&[(Some("a"), 2)]);
        let third = set(&[(Some("a"), 3)]);
        let own = set(&[(Some("a"), 9)]);
        check(&[&crowd, &own], Some("a"), &[&first, &own, &second, &third]);
        check(&[&own, &crowd], Some("a"), &[&own, &first, &second, &third]);
    }

    #[test]
    fn the_id_tells_one_content_from_another() {
        let (one, two) = (set(&[(Some("a"), 1)]), set(&[(Some("a"), 2)]));
        let id = |sets: &[&KeySet]| KeySet::merged(sets.iter().copied()).unwrap().id();
        assert_eq!(id(&[&one, &two]), id(&[&one, &two]));
        assert_ne!(id(&[&one]), id(&[&one, &two]));
        assert_eq!(id(&[&one]), one.id());
    }
}
