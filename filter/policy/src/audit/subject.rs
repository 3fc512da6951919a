//! Whose request it was: plain, or as a keyed hash that only whoever has the key can match with a person.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::line::printable;
use crate::session::{KeyError, read_secret};
use crate::store::seed::Seed;

/// How a subject is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectForm {
    /// As a keyed hash.
    Hashed,
    /// As the token says it.
    Plain,
    /// Not at all.
    Omitted,
}

/// The key under which subjects are hashed.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey([u8; 32]);

/// Shows nothing of the key.
impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}

impl SubjectKey {
    /// Reads 32 bytes in base64url without padding.
    ///
    /// # Errors
    /// [`KeyError::Encoding`], [`KeyError::Weak`]
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        read_secret(text.trim()).map(Self)
    }

    /// A key that lives as long as the proxy does.
    pub(super) fn of_seed(seed: &Seed) -> Self {
        let half = |name: &[u8]| seed.hash(name).finish().to_be_bytes();
        let mut key = [0; 32];
        let halves = [half(b"audit subject 1"), half(b"audit subject 2")];
        key.iter_mut()
            .zip(halves.as_flattened())
            .for_each(|(to, from)| *to = *from);
        Self(key)
    }
}

/// A subject as it may be shown, at most [`MAX_BYTES`] of printable ASCII without `"` and `\`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownSubject {
    /// The audit line's member.
    pub(crate) member: &'static str,
    pub(crate) text: String,
}

impl ShownSubject {
    /// `None` where it is not to be shown.
    pub(super) fn new(
        form: SubjectForm,
        key: &SubjectKey,
        issuer: &str,
        subject: &str,
    ) -> Option<Self> {
        match form {
            SubjectForm::Omitted => None,
            SubjectForm::Plain => Some(Self {
                member: "subject",
                text: plain(subject),
            }),
            SubjectForm::Hashed => Some(Self {
                member: "subject_hash",
                text: hashed(key, issuer, subject)?,
            }),
        }
    }
}

/// HMAC-SHA-256 (RFC 2104) of the issuer, a line end and the subject, its first 16 bytes in hexadecimal. An issuer is
/// the configuration's and has no line end, so no two pairs read alike.
fn hashed(key: &SubjectKey, issuer: &str, subject: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).ok()?;
    mac.update(issuer.as_bytes());
    mac.update(b"\n");
    mac.update(subject.as_bytes());
    let digest = mac.finalize().into_bytes();
    let digits = digest
        .iter()
        .take(16)
        .flat_map(|byte| [byte >> 4, byte & 15]);
    Some(
        digits
            .filter_map(|digit| char::from_digit(u32::from(digit), 16))
            .collect(),
    )
}

/// A subject that wrote into the log would be CVE-2024-45808 again.
fn plain(subject: &str) -> String {
    let cut: String = subject.chars().take(MAX_BYTES).collect();
    printable(&cut).into_owned()
}

/// Auth0's longest are `auth0|` and 24 digits.
const MAX_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const ISSUER: &str = "https://tenant.auth0.com/";

    fn shown(form: SubjectForm, subject: &str) -> Option<String> {
        let key = SubjectKey::parse(KEY).unwrap();
        ShownSubject::new(form, &key, ISSUER, subject).map(|shown| shown.text)
    }

    /// The digits `printf '%s\n%s' "$iss" "$sub" | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f` begins with.
    #[test]
    fn a_hash_is_what_openssl_makes_of_issuer_and_subject() {
        assert_eq!(
            shown(SubjectForm::Hashed, "auth0|1").as_deref(),
            Some("e775080310631854927a685aaec3abe0")
        );
        assert_ne!(
            shown(SubjectForm::Hashed, "auth0|1"),
            shown(SubjectForm::Hashed, "auth0|2")
        );
        assert_eq!(shown(SubjectForm::Omitted, "auth0|1"), None);
    }

    #[test]
    fn cve_2024_45808_a_subject_cannot_write_into_the_log() {
        let hostile = "a\"b\\c\r\nd\u{1b}[31m\u{202e}é";
        assert_eq!(
            shown(SubjectForm::Plain, hostile).as_deref(),
            Some("a?b?c??d?[31m??")
        );
        let long = "x".repeat(10_000);
        assert_eq!(shown(SubjectForm::Plain, &long).unwrap().len(), MAX_BYTES);
    }

    #[test]
    fn the_proxy_s_own_key_is_another_for_another_seed_and_is_never_shown() {
        let [one, other] = [1, 2].map(|n| SubjectKey::of_seed(&Seed::new([n; 16])));
        assert_ne!(one, other);
        assert_ne!(one.0[..16], one.0[16..]);
        assert_eq!(format!("{one:?}"), "SubjectKey(..)");
    }
}
