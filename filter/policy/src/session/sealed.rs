//! Sealing and opening.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};

use super::SessionKeys;
use super::key::Derived;
use crate::base64url;
use crate::time::UnixTime;

/// What a value is sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The cookie of a browser session; the edge opens it.
    Session,
    /// The cookie of a login under way; only api-server opens it.
    Login,
    /// A token at rest in api-server's database.
    StoredToken,
}

impl Purpose {
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Session => "edge-auth session cookie",
            Self::Login => "edge-auth login cookie",
            Self::StoredToken => "edge-auth stored token",
        }
    }
}

/// The value can't be opened: another key, another purpose, changed, cut or expired. There is no telling which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value can't be opened")]
pub struct Unopenable;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 24;
/// Longer sealed values are refused unread; as many bytes as [`super::MAX_CHUNKS`] cookies hold.
pub const MAX_SEALED_BYTES: usize = super::MAX_CHUNKS * super::MAX_CHUNK_BYTES;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 4;
const EXPIRY_BYTES: usize = 8;

impl SessionKeys {
    /// Seals `payload` until `expires_at` with the first key. `context` is not sealed but must be the same when
    /// opening: what a stored token belongs to, empty for cookies. `nonce` must be fresh random bytes.
    ///
    /// # Errors
    /// The payload is longer than the cipher allows, 256 GiB.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        expires_at: UnixTime,
        payload: &[u8],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<String, Unopenable> {
        let Derived { key, id } = self.derive(purpose).next().ok_or(Unopenable)?;
        let mut plaintext = Vec::with_capacity(EXPIRY_BYTES.saturating_add(payload.len()));
        plaintext.extend_from_slice(&expires_at.as_secs().to_be_bytes());
        plaintext.extend_from_slice(payload);
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&id);
        let aad = associated_data(purpose, &sealed, context);
        let ciphertext = XChaCha20Poly1305::new(&Key::from(key))
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &plaintext,
                    aad: &aad,
                },
            )
            .map_err(|_| Unopenable)?;
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(base64url::encode(&sealed))
    }

    /// Opens what [`SessionKeys::seal`] made: the payload, and when it expires.
    ///
    /// # Errors
    /// [`Unopenable`], whatever is wrong.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &str,
        now: UnixTime,
    ) -> Result<(Vec<u8>, UnixTime), Unopenable> {
        self.opener(purpose).open(context, sealed, now)
    }

    /// Whoever opens much derives the keys once.
    pub fn opener(&self, purpose: Purpose) -> Opener {
        Opener {
            purpose,
            keys: self.derive(purpose).collect(),
        }
    }
}

/// The keys by which values sealed for one purpose are opened.
#[derive(Clone)]
pub struct Opener {
    purpose: Purpose,
    keys: Vec<Derived>,
}

/// Shows how many keys there are, and nothing of them.
impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opener({:?}, {})", self.purpose, self.keys.len())
    }
}

impl Opener {
    /// As [`SessionKeys::open`], for this purpose.
    ///
    /// # Errors
    /// [`Unopenable`], whatever is wrong.
    pub fn open(
        &self,
        context: &[u8],
        sealed: &str,
        now: UnixTime,
    ) -> Result<(Vec<u8>, UnixTime), Unopenable> {
        if sealed.len() > MAX_SEALED_BYTES {
            return Err(Unopenable);
        }
        let bytes = base64url::decode(sealed.as_bytes()).ok_or(Unopenable)?;
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES).ok_or(Unopenable)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES).ok_or(Unopenable)?;
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| Unopenable)?;
        let [VERSION, id @ ..] = head else {
            return Err(Unopenable);
        };
        let aad = associated_data(self.purpose, head, context);
        // Ids are short: two keys may share one, so each of that id is tried.
        let plaintext = self
            .keys
            .iter()
            .filter(|derived| derived.id == *id)
            .find_map(|derived| {
                XChaCha20Poly1305::new(&Key::from(derived.key))
                    .decrypt(
                        &XNonce::from(nonce),
                        Payload {
                            msg: ciphertext,
                            aad: &aad,
                        },
                    )
                    .ok()
            })
            .ok_or(Unopenable)?;
        let (expiry, payload) = plaintext.split_at_checked(EXPIRY_BYTES).ok_or(Unopenable)?;
        let expiry = <[u8; EXPIRY_BYTES]>::try_from(expiry).map_err(|_| Unopenable)?;
        let expires_at = UnixTime::from_secs(u64::from_be_bytes(expiry));
        if expires_at <= now {
            return Err(Unopenable);
        }
        Ok((payload.to_vec(), expires_at))
    }
}

/// Label, head and context, each with its length before it: no two triples give the same bytes.
fn associated_data(purpose: Purpose, head: &[u8], context: &[u8]) -> Vec<u8> {
    let parts = [purpose.label().as_bytes(), head, context];
    parts
        .iter()
        .flat_map(|part| {
            (part.len() as u64)
                .to_be_bytes()
                .into_iter()
                .chain(part.iter().copied())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const TWO: &str = "HxwdHh8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo";
    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const LATER: UnixTime = UnixTime::from_secs(1_800_000_060);

    fn keys(text: &str) -> SessionKeys {
        SessionKeys::parse(text).unwrap()
    }

    fn sealed() -> String {
        keys(ONE)
            .seal(Purpose::Session, b"", LATER, b"payload", [7; NONCE_BYTES])
            .unwrap()
    }

    #[test]
    fn what_was_sealed_opens_to_the_same() {
        let opened = keys(ONE).open(Purpose::Session, b"", &sealed(), NOW);
        assert_eq!(opened, Ok((b"payload".to_vec(), LATER)));
    }

    #[test]
    fn a_key_that_was_replaced_still_opens_and_seals_no_more() {
        let both = keys(&format!("{TWO} {ONE}"));
        assert!(both.open(Purpose::Session, b"", &sealed(), NOW).is_ok());
        let by_the_new = both
            .seal(Purpose::Session, b"", LATER, b"p", [1; NONCE_BYTES])
            .unwrap();
        assert!(
            keys(TWO)
                .open(Purpose::Session, b"", &by_the_new, NOW)
                .is_ok()
        );
        assert!(
            keys(ONE)
                .open(Purpose::Session, b"", &by_the_new, NOW)
                .is_err()
        );
    }

    /// The expiry is inside the ciphertext, whatever the cookie's own `Max-Age` says.
    #[test]
    fn cve_2025_46344_an_expired_value_does_not_open() {
        assert!(
            keys(ONE)
                .open(Purpose::Session, b"", &sealed(), LATER)
                .is_err()
        );
    }

    /// What is sealed for one purpose or context is nothing for another.
    #[test]
    fn cve_2023_35941_a_value_opens_for_its_purpose_and_context_only() {
        let keys = keys(ONE);
        for (purpose, context) in [
            (Purpose::Login, &b""[..]),
            (Purpose::StoredToken, b""),
            (Purpose::Session, b"x"),
        ] {
            assert!(keys.open(purpose, context, &sealed(), NOW).is_err());
        }
    }

    /// One error for every way to fail, and no byte that can be changed.
    #[test]
    fn cve_2026_47775_no_changed_value_opens_and_none_says_why() {
        let keys = keys(ONE);
        let sealed = sealed();
        for at in 0..sealed.len() {
            for replacement in ["A", "B", "_", "=", "é"] {
                let mut changed = sealed.clone();
                changed.replace_range(at..=at, replacement);
                if changed != sealed {
                    let opened = keys.open(Purpose::Session, b"", &changed, NOW);
                    assert_eq!(opened, Err(Unopenable), "{at} {replacement}");
                }
            }
            let cut = sealed.get(..at).unwrap();
            assert!(keys.open(Purpose::Session, b"", cut, NOW).is_err());
        }
        let long = "A".repeat(MAX_SEALED_BYTES + 1);
        assert!(keys.open(Purpose::Session, b"", &long, NOW).is_err());
    }

    #[test]
    fn the_format_does_not_change_by_accident() {
        assert_eq!(sealed(), include_str!("testdata/sealed.txt").trim_end());
    }
}
