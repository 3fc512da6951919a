//! Which keys the tenant publishes, and which one signs: two independent facts.
//!
//! A rotation at Auth0 publishes the next key before it is used and keeps the previous one until it is revoked. Both
//! can also come in the other order as a resource server sees it: a cached key set is older than the first token of
//! a new key. So each step can be taken alone here.

use serde_json::{Map, Value};

use crate::{Algorithm, Key};

/// A key together with the `kid` and `alg` it is used under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// The key pair.
    pub key: Key,
    /// What a token's header and the published key are named with.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
}

impl SigningKey {
    /// The same key under another `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = kid.into();
        self
    }

    /// The same key for another algorithm.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The public JWK under this `kid` and `alg`.
    pub fn jwk(&self) -> Map<String, Value> {
        let mut jwk = self.key.jwk();
        jwk.insert("kid".into(), self.kid.clone().into());
        jwk.insert("alg".into(), self.algorithm.name().into());
        jwk
    }
}

impl From<Key> for SigningKey {
    fn from(key: Key) -> Self {
        Self {
            key,
            kid: key.kid().into(),
            algorithm: key.algorithm(),
        }
    }
}

/// The tenant's keys.
#[derive(Debug)]
pub(crate) struct KeyRing {
    published: Vec<SigningKey>,
    signing: SigningKey,
    rotations: usize,
}

impl KeyRing {
    pub(crate) fn published(&self) -> &[SigningKey] {
        &self.published
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// Publishes the next key first in the set, signs with it, and keeps the old ones.
    ///
    /// After five rotations key material comes round again, under a `kid` that was never used before.
    pub(crate) fn rotate(&mut self) -> SigningKey {
        self.rotations += 1;
        let key = ROTATION[self.rotations % ROTATION.len()];
        let next = match self.rotations / ROTATION.len() {
            0 => SigningKey::from(key),
            round => SigningKey::from(key).with_kid(format!("{}-round-{}", key.kid(), round + 1)),
        };
        self.publish(next.clone());
        self.signing = next.clone();
        next
    }

    /// Publishes `key` first in the set, in place of one of the same `kid`; what signs stays.
    pub(crate) fn publish(&mut self, key: SigningKey) {
        self.withdraw(&key.kid);
        self.published.insert(0, key);
    }

    /// Takes the key of that `kid` out of the set, and says whether it was there; what signs stays.
    pub(crate) fn withdraw(&mut self, kid: &str) -> bool {
        let before = self.published.len();
        self.published.retain(|key| key.kid != kid);
        self.published.len() < before
    }

    /// Signs with `key` from now on; what is published stays.
    pub(crate) fn sign_with(&mut self, key: SigningKey) {
        self.signing = key;
    }
}

impl Default for KeyRing {
    fn default() -> Self {
        let first = SigningKey::from(ROTATION[0]);
        Self {
            published: vec![first.clone()],
            signing: first,
            rotations: 0,
        }
    }
}

const ROTATION: [Key; 5] = [Key::Rsa1, Key::Rsa2, Key::Rsa3, Key::Rsa4, Key::Rsa5];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn rotation_publishes_the_new_key_first_and_keeps_the_old() {
        let mut ring = KeyRing::default();
        let new = ring.rotate();
        let published: Vec<_> = ring.published().iter().map(|key| key.key).collect();
        assert_eq!(published, [Key::Rsa2, Key::Rsa1]);
        assert_eq!(ring.signing(), &new);
    }

    #[test]
    fn no_kid_comes_twice_in_many_rotations() {
        let mut ring = KeyRing::default();
        let mut seen = HashSet::from([ring.signing().kid.clone()]);
        for _ in 0..23 {
            assert!(seen.insert(ring.rotate().kid));
        }
        assert_eq!(ring.published().len(), 24);
    }

    #[test]
    fn a_new_key_can_sign_before_it_is_published() {
        let mut ring = KeyRing::default();
        ring.sign_with(Key::Rsa2.into());
        assert_eq!(ring.signing().key, Key::Rsa2);
        assert!(ring.published().iter().all(|key| key.key == Key::Rsa1));
    }

    #[test]
    fn a_withdrawn_key_may_go_on_signing() {
        let mut ring = KeyRing::default();
        assert!(ring.withdraw(Key::Rsa1.kid()));
        assert!(!ring.withdraw(Key::Rsa1.kid()));
        assert!(ring.published().is_empty());
        assert_eq!(ring.signing().key, Key::Rsa1);
    }
}
