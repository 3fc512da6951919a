//! From the text of a token to an identity: the one place of this server where trust is made.

use std::sync::Arc;
use std::time::Duration;

use edge_auth_policy::jwks::{FetchFailure, KeyDocument};
use edge_auth_policy::rejection::Reason;
use edge_auth_policy::time::UnixTime;
use jwt_compact::alg::{Rsa, RsaPublicKey};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{AlgorithmExt as _, UntrustedToken};
use serde::Deserialize;

use super::Keys;
use crate::clock::Clock;
use crate::config::Settings;

/// Judges tokens of one issuer for one audience.
#[derive(Debug)]
pub struct Verifier {
    keys: Arc<Keys<KeySet>>,
    issuer: String,
    audience: String,
    clock_skew: Duration,
}

/// What a verified token says about who asks. Made by [`Verifier::verify`] only.
#[derive(Clone)]
pub struct Identity {
    subject: String,
    scope: String,
}

/// Shows no claim.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl Identity {
    /// `sub`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `sub`, owned.
    pub fn into_subject(self) -> String {
        self.subject
    }

    /// Whether `scope` (RFC 8693 §4.2) has this scope token.
    pub fn grants(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }
}

/// The RSA keys of a key set, by `kid`.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<(String, RsaPublicKey)>);

impl KeyDocument for KeySet {
    fn parse(document: &[u8]) -> Result<Self, FetchFailure> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<serde_json::Value>,
        }
        let document: Document =
            serde_json::from_slice(document).map_err(|_| FetchFailure::Malformed)?;
        let keys: Vec<_> = document
            .keys
            .iter()
            .filter_map(|key| {
                let kid = key.get("kid")?.as_str()?.to_owned();
                let key = JsonWebKey::deserialize(key).ok()?;
                Some((kid, RsaPublicKey::try_from(&key).ok()?))
            })
            .collect();
        if keys.is_empty() {
            return Err(FetchFailure::NoUsableKey);
        }
        Ok(Self(keys))
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    scope: String,
    exp: u64,
    #[serde(default)]
    nbf: u64,
    #[serde(default)]
    iat: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Verifier {
    /// A verifier that looks keys up in `keys`.
    pub fn new(keys: Arc<Keys<KeySet>>, settings: &Settings) -> Self {
        Self {
            keys,
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            clock_skew: settings.clock_skew,
        }
    }

    /// The keys, for readiness.
    pub fn has_keys(&self, now: UnixTime) -> bool {
        self.keys.usable(now).is_some()
    }

    /// Judges one token.
    ///
    /// # Errors
    /// The policy's reason.
    pub async fn verify(&self, token: &str, clock: &dyn Clock) -> Result<Identity, Reason> {
        match self.judge(token, clock.now()) {
            Err(Reason::UnknownKeyId) if self.keys.await_unknown(clock.now()).await => {
                self.judge(token, clock.now())
            }
            judged => judged,
        }
    }

    fn judge(&self, token: &str, now: UnixTime) -> Result<Identity, Reason> {
        let token = UntrustedToken::new(token).map_err(|_| Reason::MalformedToken)?;
        if token.algorithm() != "RS256" {
            return Err(Reason::AlgorithmNotAllowed);
        }
        let KeySet(keys) = self.keys.usable(now).ok_or(Reason::KeysUnavailable)?;
        let kid = token.header().key_id.as_deref();
        let (_, key) = keys
            .iter()
            .find(|(candidate, _)| Some(candidate.as_str()) == kid)
            .ok_or(Reason::UnknownKeyId)?;
        let verified = Rsa::rs256()
            .validator::<serde_json::Value>(key)
            .validate(&token)
            .map_err(|_| Reason::BadSignature)?;
        drop(verified);
        let claims = token
            .deserialize_claims_unchecked::<serde_json::Value>()
            .map_err(|_| Reason::InvalidClaims)?;
        let mut members = claims.custom;
        if let Some(members) = members.as_object_mut() {
            for (name, time) in [
                ("exp", claims.expiration),
                ("nbf", claims.not_before),
                ("iat", claims.issued_at),
            ] {
                if let Some(time) = time {
                    members.insert(name.to_owned(), time.timestamp().into());
                }
            }
        }
        let claims = Claims::deserialize(members).map_err(|_| Reason::InvalidClaims)?;
        self.accept(claims, now)
    }

    fn accept(&self, claims: Claims, now: UnixTime) -> Result<Identity, Reason> {
        let (now, skew) = (now.as_secs(), self.clock_skew.as_secs());
        if claims.iss != self.issuer {
            return Err(Reason::WrongIssuer);
        }
        let for_us = match &claims.aud {
            Audience::One(audience) => *audience == self.audience,
            Audience::Several(audiences) => audiences.contains(&self.audience),
        };
        if !for_us {
            return Err(Reason::WrongAudience);
        }
        if claims.exp.saturating_add(skew) <= now {
            return Err(Reason::Expired);
        }
        if claims.nbf.max(claims.iat) > now.saturating_add(skew) {
            return Err(Reason::NotYetValid);
        }
        if claims.sub.is_empty() || claims.sub.len() > 255 || claims.sub.contains('\0') {
            return Err(Reason::InvalidClaims);
        }
        Ok(Identity {
            subject: claims.sub,
            scope: claims.scope,
        })
    }
}
