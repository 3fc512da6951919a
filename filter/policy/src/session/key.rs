//! The secrets: a list, of which the first seals and all open.

use sha2::{Digest as _, Sha256};

use super::sealed::Purpose;
use crate::base64url;

/// Secrets in force, newest first.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKeys(Vec<[u8; 32]>);

/// Shows how many there are, and nothing of them.
impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionKeys({})", self.0.len())
    }
}

/// Why a text is no list of secrets. Quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is none, or there are more than `MAX_KEYS`.
    #[error("must hold 1 to {MAX_KEYS} keys")]
    Count,
    /// One is not canonical base64url of 32 bytes.
    #[error("must hold keys of 32 bytes each, in base64url without padding (43 characters)")]
    Encoding,
    /// One consists of one byte repeated: nobody draws such a key.
    #[error("holds a key that is not random")]
    Weak,
}

/// Secrets in force at most: the one in use, and those it replaces.
const MAX_KEYS: usize = 8;

impl SessionKeys {
    /// Reads secrets separated by spaces, commas or line ends, each 32 bytes in base64url; the first one seals.
    ///
    /// # Errors
    /// Any of [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let keys = text
            .split(|c: char| c == ',' || c.is_ascii_whitespace())
            .filter(|key| !key.is_empty())
            .map(read_secret)
            .collect::<Result<Vec<_>, _>>()?;
        if (1..=MAX_KEYS).contains(&keys.len()) {
            Ok(Self(keys))
        } else {
            Err(KeyError::Count)
        }
    }

    /// The secrets of several lists as one, in their order.
    ///
    /// # Errors
    /// [`KeyError::Count`]
    pub fn concat(lists: impl IntoIterator<Item = Self>) -> Result<Self, KeyError> {
        let keys: Vec<_> = lists.into_iter().flat_map(|list| list.0).collect();
        if (1..=MAX_KEYS).contains(&keys.len()) {
            Ok(Self(keys))
        } else {
            Err(KeyError::Count)
        }
    }

    /// The keys for `purpose`, the one that seals first.
    pub(super) fn derive(&self, purpose: Purpose) -> impl Iterator<Item = Derived> {
        self.0
            .iter()
            .map(move |secret| Derived::new(secret, purpose))
    }
}

/// Reads one secret: 32 bytes in base64url without padding.
///
/// # Errors
/// [`KeyError::Encoding`], [`KeyError::Weak`]
pub(crate) fn read_secret(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = base64url::decode(text.as_bytes()).ok_or(KeyError::Encoding)?;
    let secret = <[u8; 32]>::try_from(bytes).map_err(|_| KeyError::Encoding)?;
    let [first, ..] = secret;
    if secret.iter().all(|byte| *byte == first) {
        return Err(KeyError::Weak);
    }
    Ok(secret)
}

/// A secret's key for one purpose, and its name.
#[derive(Clone)]
pub(super) struct Derived {
    pub(super) key: [u8; 32],
    pub(super) id: [u8; 4],
}

impl Derived {
    /// The secret is uniformly random and of fixed length, so one hash over it and a length-prefixed label is a key
    /// derivation (NIST SP 800-56C Rev. 2 §4, one-step with SHA-256).
    fn new(secret: &[u8; 32], purpose: Purpose) -> Self {
        let label = purpose.label().as_bytes();
        let hash = |step: u8| -> [u8; 32] {
            Sha256::new()
                .chain_update([0, 0, 0, step])
                .chain_update(secret)
                .chain_update((label.len() as u64).to_be_bytes())
                .chain_update(label)
                .finalize()
                .into()
        };
        let [a, b, c, d, ..] = hash(2);
        Self {
            key: hash(1),
            id: [a, b, c, d],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const TWO: &str = "HxwdHh8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo";

    #[test]
    fn a_list_of_keys_is_read_in_its_order() {
        let keys = SessionKeys::parse(&format!("{ONE},{TWO}\n")).unwrap();
        assert_eq!(format!("{keys:?}"), "SessionKeys(2)");
        assert_eq!(keys.0[0][1], 1);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let weak = "A".repeat(43);
        let nine = [ONE; 9].join(" ");
        for (text, error) in [
            ("", KeyError::Count),
            (" , ", KeyError::Count),
            (nine.as_str(), KeyError::Count),
            ("AAECAw", KeyError::Encoding),
            (
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                KeyError::Encoding,
            ),
            (
                "not base64url at all, not base64url at all!",
                KeyError::Encoding,
            ),
            (weak.as_str(), KeyError::Weak),
        ] {
            assert_eq!(SessionKeys::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn every_purpose_has_a_key_of_its_own() {
        let keys = SessionKeys::parse(ONE).unwrap();
        let of = |purpose| keys.derive(purpose).next().unwrap();
        let [session, login, stored] =
            [Purpose::Session, Purpose::Login, Purpose::StoredToken].map(of);
        assert!(session.key != login.key && login.key != stored.key && stored.key != session.key);
        assert!(session.id != login.id && session.id != session.key[..4]);
    }
}
