//! Access tokens, good and hostile: a valid one that each call bends in one way.
//!
//! ```
//! use auth0_sim::{Key, TokenBuilder};
//!
//! let now = 1_800_000_000; // seconds since the epoch: the test's own clock
//! let good = TokenBuilder::valid("https://tenant.auth0.com/", now).build();
//! let expired = TokenBuilder::valid("https://tenant.auth0.com/", now).expired_by(61).build();
//! let forged = TokenBuilder::valid("https://tenant.auth0.com/", now).signed_with(Key::RsaUnknown).build();
//! # assert_eq!([good, expired, forged].map(|token| token.split('.').count()), [3, 3, 3]);
//! ```
//!
//! The builder does no check of its own: what it is told to write, it writes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jwt_compact::{
    Algorithm as _, AlgorithmSignature,
    alg::{Hs256, Hs256Key},
};
use serde_json::{Map, Value, json};

use crate::{Key, KeyError, SigningKey};

/// Builds one token in compact serialization (RFC 7515 §3.1).
#[derive(Clone, Debug)]
pub struct TokenBuilder {
    now: u64,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    raw_header: Option<Vec<u8>>,
    raw_payload: Option<Vec<u8>>,
    signing: Signing,
}

impl TokenBuilder {
    /// An access token as Auth0 issues it to a browser app at `now` (seconds since the epoch), valid for an hour.
    ///
    /// `issuer` is written as it is given; Auth0's ends in a slash. Signed RS256 with [`Key::Rsa1`].
    pub fn valid(issuer: &str, now: u64) -> Self {
        let claims = json!({
            "iss": issuer,
            "sub": DEFAULT_SUBJECT,
            "aud": DEFAULT_AUDIENCE,
            "iat": now,
            "exp": now.saturating_add(LIFETIME_SECONDS),
            "azp": CLIENT_ID,
            "scope": DEFAULT_SCOPE,
            ROLES_CLAIM: ["editor"],
        });
        let Value::Object(claims) = claims else {
            unreachable!("json! was given an object")
        };
        Self {
            now,
            header: Map::from_iter([("typ".into(), "JWT".into())]),
            claims,
            raw_header: None,
            raw_payload: None,
            signing: Signing::Key(Key::Rsa1.into()),
        }
    }

    /// Sets `sub`.
    #[must_use]
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Sets `scope`, a space-separated list (RFC 8693 §4.2).
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// Sets `aud`, a string or an array.
    #[must_use]
    pub fn audience(self, audience: impl Into<Value>) -> Self {
        self.claim("aud", audience)
    }

    /// Moves the token into the past so that it expired `seconds` ago.
    #[must_use]
    pub fn expired_by(self, seconds: u64) -> Self {
        let expiration_time = self.now.saturating_sub(seconds);
        self.claim("iat", expiration_time.saturating_sub(LIFETIME_SECONDS))
            .claim("exp", expiration_time)
    }

    /// Sets a claim of any type, in place of the one of that name.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without(mut self, claim: &str) -> Self {
        self.claims.remove(claim);
        self
    }

    /// Sets a header parameter, also one that signing sets (`alg`, `kid`); JSON null leaves it out.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Writes these bytes as the header instead, JSON or not.
    #[must_use]
    pub fn raw_header(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_header = Some(bytes.into());
        self
    }

    /// Writes these bytes as the payload instead, JSON or not: duplicate members, deep nesting, no UTF-8.
    #[must_use]
    pub fn raw_payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_payload = Some(bytes.into());
        self
    }

    /// Signs with this key, under its `kid` and `alg`.
    #[must_use]
    pub fn signed_with(mut self, key: impl Into<SigningKey>) -> Self {
        self.signing = Signing::Key(key.into());
        self
    }

    /// Leaves the signature empty under the `alg` of that name, such as `none` or `nOnE`.
    #[must_use]
    pub fn unsigned(mut self, algorithm: &str) -> Self {
        self.signing = Signing::None(algorithm.into());
        self
    }

    /// Signs HS256 with `secret`, under the `kid` of `key`: the confusion attack, when the secret is
    /// [`Key::public_key_pem`].
    #[must_use]
    pub fn hs256(mut self, key: Key, secret: impl Into<Vec<u8>>) -> Self {
        self.signing = Signing::Hs256 {
            kid: key.kid(),
            secret: secret.into(),
        };
        self
    }

    /// Ends the token in these bytes instead of a signature; much cheaper than signing where a test needs
    /// thousands of tokens that are refused before their signature is looked at.
    #[must_use]
    pub fn signature(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let key = match self.signing {
            Signing::Key(key) | Signing::Literal(key, _) => key,
            _ => Key::Rsa1.into(),
        };
        self.signing = Signing::Literal(key, bytes.into());
        self
    }

    /// The token.
    ///
    /// # Panics
    ///
    /// Where the key can't sign with the algorithm it was given; see [`Self::try_build`].
    pub fn build(self) -> String {
        match self.try_build() {
            Ok(token) => token,
            Err(error) => panic!("{error}"),
        }
    }

    /// The token.
    ///
    /// # Errors
    ///
    /// [`KeyError::Mismatch`] where the key can't sign with the algorithm it was given.
    pub fn try_build(self) -> Result<String, KeyError> {
        let header = self
            .raw_header
            .clone()
            .unwrap_or_else(|| self.jose_header());
        let payload = self
            .raw_payload
            .unwrap_or_else(|| Value::Object(self.claims).to_string().into_bytes());
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let signing_input = format!("{}.{}", encode(&header), encode(&payload));
        let signature = self.signing.sign(signing_input.as_bytes())?;
        Ok(format!("{signing_input}.{}", encode(&signature)))
    }

    fn jose_header(&self) -> Vec<u8> {
        let (algorithm, kid) = match &self.signing {
            Signing::Key(key) | Signing::Literal(key, _) => {
                (key.algorithm.name(), Some(key.kid.as_str()))
            }
            Signing::Hs256 { kid, .. } => ("HS256", Some(*kid)),
            Signing::None(algorithm) => (algorithm.as_str(), None),
        };
        let mut header = Map::from_iter([("alg".into(), algorithm.into())]);
        if let Some(kid) = kid {
            header.insert("kid".into(), kid.into());
        }
        header.extend(self.header.clone());
        header.retain(|_, value| !value.is_null());
        Value::Object(header).to_string().into_bytes()
    }
}

/// How a token ends.
#[derive(Clone, Debug)]
enum Signing {
    Key(SigningKey),
    Hs256 { kid: &'static str, secret: Vec<u8> },
    None(String),
    Literal(SigningKey, Vec<u8>),
}

impl Signing {
    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(match self {
            Self::Key(key) => key.key.sign(key.algorithm, input)?,
            Self::Hs256 { secret, .. } => Hs256
                .sign(&Hs256Key::new(secret), input)
                .as_bytes()
                .into_owned(),
            Self::None(_) => Vec::new(),
            Self::Literal(_, bytes) => bytes.clone(),
        })
    }
}

/// The API's identifier, the `aud` of every valid token.
pub const DEFAULT_AUDIENCE: &str = "https://api.pymd.io";
/// The test user, the `sub` of every valid token.
pub const DEFAULT_SUBJECT: &str = "auth0|user-1";
/// What the test user may do.
pub const DEFAULT_SCOPE: &str = "openid profile email read:documents write:documents";
/// The namespaced claim with the user's roles: one literal name with dots and slashes in it.
pub const ROLES_CLAIM: &str = "https://pymd.io/roles";
/// How long a token of the browser app lives.
pub(crate) const LIFETIME_SECONDS: u64 = 3600;
const CLIENT_ID: &str = "test-spa-client";

#[cfg(test)]
mod tests {
    use jwt_compact::{AlgorithmExt, UntrustedToken, alg::Rsa, jwk::JsonWebKey};

    use super::*;

    const NOW: u64 = 1_800_000_000;
    const ISSUER: &str = "https://tenant.auth0.com/";

    fn valid() -> TokenBuilder {
        TokenBuilder::valid(ISSUER, NOW)
    }

    fn part(token: &str, index: usize) -> Value {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[track_caller]
    fn check(builder: TokenBuilder, header: &Value, changed_claims: &Value) {
        let token = builder.build();
        assert_eq!(&part(&token, 0), header);
        let mut expected = part(&valid().build(), 1);
        for (name, value) in changed_claims.as_object().unwrap() {
            expected[name] = value.clone();
        }
        expected
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        assert_eq!(part(&token, 1), expected);
    }

    #[test]
    fn each_call_bends_one_thing() {
        let header = json!({"alg": "RS256", "kid": "test-rsa-2048-1", "typ": "JWT"});
        check(valid(), &header, &json!({}));
        check(
            valid().subject("auth0|2"),
            &header,
            &json!({"sub": "auth0|2"}),
        );
        check(valid().scope("a b"), &header, &json!({"scope": "a b"}));
        check(
            valid().audience(vec!["a", "b"]),
            &header,
            &json!({"aud": ["a", "b"]}),
        );
        check(valid().without("aud"), &header, &json!({"aud": null}));
        check(
            valid().claim("exp", "soon"),
            &header,
            &json!({"exp": "soon"}),
        );
        let past = json!({"exp": NOW - 61, "iat": NOW - 61 - 3600});
        check(valid().expired_by(61), &header, &past);
    }

    #[test]
    fn header_follows_the_key_unless_told_otherwise() {
        check(
            valid().signed_with(Key::P256),
            &json!({"alg": "ES256", "kid": "test-p256-1", "typ": "JWT"}),
            &json!({}),
        );
        check(
            valid().header("kid", Value::Null).header("typ", "at+jwt"),
            &json!({"alg": "RS256", "typ": "at+jwt"}),
            &json!({}),
        );
        check(
            valid().unsigned("none"),
            &json!({"alg": "none", "typ": "JWT"}),
            &json!({}),
        );
        check(
            valid().hs256(Key::Rsa1, Key::Rsa1.public_key_pem().unwrap()),
            &json!({"alg": "HS256", "kid": "test-rsa-2048-1", "typ": "JWT"}),
            &json!({}),
        );
    }

    #[test]
    fn a_valid_token_verifies_with_the_published_key_and_no_other() {
        let token = valid().build();
        let token = UntrustedToken::new(&token).unwrap();
        let verifies_with = |key: Key| {
            let jwk: JsonWebKey<'_> = serde_json::from_value(Value::Object(key.jwk())).unwrap();
            let key = rsa::RsaPublicKey::try_from(&jwk).unwrap();
            Rsa::rs256()
                .validator::<Value>(&key)
                .validate(&token)
                .is_ok()
        };
        assert!(verifies_with(Key::Rsa1));
        assert!(!verifies_with(Key::Rsa2));
    }

    #[test]
    fn raw_bytes_are_signed_as_they_are() {
        let token = valid().raw_payload(*b"{\"sub\":1,\"sub\":\xff}").build();
        let payload = token.split('.').nth(1).unwrap();
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap(),
            b"{\"sub\":1,\"sub\":\xff}"
        );
    }

    #[test]
    fn unsigned_and_literal_signatures_are_written_as_told() {
        assert!(valid().unsigned("none").build().ends_with('.'));
        assert!(
            valid()
                .signature([0xff, 0xff, 0xff])
                .build()
                .ends_with(".____")
        );
    }
}
