//! From an unverified token to verified claims: the only way there is.
//!
//! The order is algorithm, type, issuer, key, signature, claims (RFC 8725 §3). What a signature protects is judged
//! only after it holds, so a forger learns nothing about audiences or clocks.

use std::fmt;

use super::numeric_date::numeric_date;
use super::{Error, TokenProfile, UnverifiedToken};
use crate::claims::ClaimPath;
use crate::json::{Object, Value};
use crate::jwk::{KeyFingerprint, KeySet};
use crate::scope::ScopeSet;
use crate::signature::{Algorithm, SignatureVerifier};
use crate::time::UnixTime;
use crate::token_cache::block;

/// Claims that a trusted issuer made about a token meant for us, and that hold now.
///
/// Only [`verify`] makes one.
#[derive(Clone)]
pub struct VerifiedClaims {
    issuer: Box<str>,
    claims: Object,
    times: Times,
    scopes: ScopeSet,
    algorithm: Algorithm,
    key_id: Option<Box<str>>,
    key_fingerprint: KeyFingerprint,
}

/// Verifies `token` by `profile` with `keys`, at the time `now`.
///
/// # Errors
/// The first check that fails, as [`Error`]. [`Error::UnknownKeyId`] may be cured by a newer key set; nothing else
/// is cured by trying again.
pub fn verify(
    token: UnverifiedToken<'_>,
    profile: &TokenProfile,
    keys: &KeySet,
    verifier: &mut dyn SignatureVerifier,
    now: UnixTime,
) -> Result<VerifiedClaims, Error> {
    let UnverifiedToken { jws, claims } = token;
    let algorithm = jws.header.algorithm;
    if !profile.algorithms.contains(algorithm) {
        return Err(Error::AlgorithmNotAllowed(algorithm));
    }
    if !profile.allows_type(jws.header.media_type()) {
        return Err(Error::TypeNotAllowed);
    }
    let issuer = check_issuer(&claims, profile)?;
    let key = jws.signer(keys, verifier)?;
    check_audience(&claims, profile)?;
    check_texts(&claims)?;
    check_confirmation(&claims, profile)?;
    let times = Times::of(&claims)?;
    times.check(profile, now)?;
    Ok(VerifiedClaims {
        issuer: issuer.into(),
        scopes: ScopeSet::from_claims(&claims, profile.scope_claims.iter().map(|name| &**name)),
        claims,
        times,
        algorithm,
        key_id: key.key_id().map(Into::into),
        key_fingerprint: key.fingerprint(),
    })
}

fn check_issuer<'p>(claims: &Object, profile: &'p TokenProfile) -> Result<&'p str, Error> {
    let issuer = claims.get("iss").ok_or(Error::MissingClaim("iss"))?;
    let issuer = issuer.as_str().ok_or(Error::MalformedClaim("iss"))?;
    profile
        .issuers
        .iter()
        .find(|allowed| ***allowed == *issuer)
        .map(|allowed| &**allowed)
        .ok_or(Error::IssuerNotAllowed)
}

fn check_audience(claims: &Object, profile: &TokenProfile) -> Result<(), Error> {
    let audience = claims.get("aud").ok_or(Error::MissingClaim("aud"))?;
    let is_well_formed = match audience {
        Value::String(_) => true,
        Value::Array(audiences) => audiences.iter().all(|audience| audience.as_str().is_some()),
        _ => false,
    };
    if !is_well_formed {
        return Err(Error::MalformedClaim("aud"));
    }
    let is_allowed = |audience: &str| {
        profile
            .audiences
            .iter()
            .any(|allowed| **allowed == *audience)
    };
    if audiences(claims).any(is_allowed) {
        Ok(())
    } else {
        Err(Error::AudienceNotAllowed)
    }
}

/// `aud` is one string or an array of them (RFC 7519 §4.1.3).
fn audiences(claims: &Object) -> impl Iterator<Item = &str> {
    let audience = claims.get("aud");
    let one = audience.and_then(Value::as_str);
    let many = audience.and_then(Value::as_array).unwrap_or_default();
    one.into_iter().chain(many.iter().filter_map(Value::as_str))
}

/// Claims that are strings where they are there: identity and revocation hang on them (RFC 7519 §4.1.2, §4.1.7;
/// RFC 8693 §4.3; `OpenID` Connect Core §2 and Back-Channel Logout §2.1).
const TEXT_CLAIMS: [&str; 5] = ["sub", "jti", "sid", "client_id", "azp"];

fn check_texts(claims: &Object) -> Result<(), Error> {
    let is_no_text = |name: &&str| {
        claims
            .get(name)
            .is_some_and(|value| value.as_str().is_none())
    };
    match TEXT_CLAIMS.into_iter().find(is_no_text) {
        Some(name) => Err(Error::MalformedClaim(name)),
        None => Ok(()),
    }
}

/// What a token is bound to is proved by somebody, or the token is not taken (RFC 7800 §3.1).
///
/// A resource that takes bearer tokens must not take a DPoP-bound one as such (RFC 9449 §7.2), and one bound to a
/// certificate is as good as stolen without the certificate (RFC 8705 §3).
fn check_confirmation(claims: &Object, profile: &TokenProfile) -> Result<(), Error> {
    let Some(confirmation) = claims.get("cnf") else {
        return Ok(());
    };
    let members = confirmation
        .as_object()
        .filter(|members| members.iter().next().is_some())
        .ok_or(Error::MalformedClaim("cnf"))?;
    let is_proved = |name: &str| profile.confirmed_upstream.iter().any(|it| **it == *name);
    if members.iter().all(|(name, _)| is_proved(name)) {
        Ok(())
    } else {
        Err(Error::Bound)
    }
}

/// The three times of a token (RFC 7519 §4.1.4 to §4.1.6).
#[derive(Clone, Copy, Debug)]
struct Times {
    expiration_time: Option<UnixTime>,
    not_before: Option<UnixTime>,
    issued_at: Option<UnixTime>,
}

impl Times {
    fn of(claims: &Object) -> Result<Self, Error> {
        let time = |name| match claims.get(name) {
            None => Ok(None),
            Some(value) => numeric_date(value)
                .map(Some)
                .ok_or(Error::MalformedClaim(name)),
        };
        Ok(Self {
            expiration_time: time("exp")?,
            not_before: time("nbf")?,
            issued_at: time("iat")?,
        })
    }

    fn check(self, profile: &TokenProfile, now: UnixTime) -> Result<(), Error> {
        let latest_now = now.saturating_add(profile.clock_skew);
        if self.expiration_time.is_none() && profile.require_expiration {
            return Err(Error::MissingClaim("exp"));
        }
        if let Some(expiration_time) = self.expiration_time
            && now >= expiration_time.saturating_add(profile.clock_skew)
        {
            return Err(Error::Expired {
                expiration_time,
                now,
            });
        }
        if let Some(not_before) = self.not_before
            && latest_now < not_before
        {
            return Err(Error::NotYetValid { not_before, now });
        }
        if let Some(issued_at) = self.issued_at
            && latest_now < issued_at
        {
            return Err(Error::IssuedInTheFuture { issued_at, now });
        }
        self.check_lifetime(profile)
    }

    fn check_lifetime(self, profile: &TokenProfile) -> Result<(), Error> {
        let Some(max_lifetime) = profile.max_lifetime else {
            return Ok(());
        };
        let expiration_time = self.expiration_time.ok_or(Error::MissingClaim("exp"))?;
        let issued_at = self.issued_at.ok_or(Error::MissingClaim("iat"))?;
        let lifetime = expiration_time.since(issued_at);
        if lifetime > max_lifetime {
            return Err(Error::LifetimeTooLong {
                lifetime,
                max_lifetime,
            });
        }
        Ok(())
    }
}

impl VerifiedClaims {
    /// Whether they still hold at `now`: what verification says of the times of this token once more.
    ///
    /// # Errors
    /// [`Error::Expired`], and what a clock that was set back makes of the other times.
    fn recheck(&self, profile: &TokenProfile, now: UnixTime) -> Result<(), Error> {
        self.times.check(profile, now)
    }

    /// Whether verification would still give them: by a key that is still in `keys`, with the times as they are at
    /// `now`. For callers that remember verified tokens.
    pub fn still_hold(&self, profile: &TokenProfile, keys: &KeySet, now: UnixTime) -> bool {
        let mut candidates = keys.candidates(self.key_id(), self.algorithm());
        candidates.any(|key| key.fingerprint() == self.key_fingerprint())
            && self.recheck(profile, now).is_ok()
    }

    /// What they take in memory beyond themselves, in bytes.
    pub(crate) fn heap_bytes(&self) -> u64 {
        block(self.issuer.len())
            + self.claims.heap_bytes()
            + self.scopes.heap_bytes()
            + block(self.key_id.as_ref().map_or(0, |key_id| key_id.len()))
    }

    /// The `iss`, one of the profile's issuers.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `sub`, if there is one.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// The `jti`, if there is one.
    pub fn token_id(&self) -> Option<&str> {
        self.text("jti")
    }

    /// The `sid`, if there is one.
    pub fn session_id(&self) -> Option<&str> {
        self.text("sid")
    }

    /// The `client_id` (RFC 9068 §2.2), or else the `azp` that Auth0 writes.
    pub fn client_id(&self) -> Option<&str> {
        self.text("client_id").or_else(|| self.text("azp"))
    }

    /// When the token ends, clock skew not added; `None` only where the profile does not require `exp`.
    pub fn expiration_time(&self) -> Option<UnixTime> {
        self.times.expiration_time
    }

    /// The `nbf`, if there is one.
    pub fn not_before(&self) -> Option<UnixTime> {
        self.times.not_before
    }

    /// The `iat`, if there is one.
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.times.issued_at
    }

    /// Whether `audience` is in `aud`, for rules that ask for more than their provider.
    pub fn has_audience(&self, audience: &str) -> bool {
        audiences(&self.claims).any(|it| it == audience)
    }

    /// The scopes, from the claims that the profile names.
    pub fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// The claim at `path`.
    pub fn claim(&self, path: &ClaimPath) -> Option<&Value> {
        path.find(&self.claims)
    }

    /// All claims.
    pub fn claims(&self) -> &Object {
        &self.claims
    }

    /// The algorithm of the signature.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` of the key that made the signature, as the key set names it.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The key that made the signature: these claims hold only as long as it is in the key set.
    pub fn key_fingerprint(&self) -> KeyFingerprint {
        self.key_fingerprint
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}

/// Shows who issued the claims and how they were signed, but no claim that says who somebody is.
impl fmt::Debug for VerifiedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedClaims")
            .field("issuer", &self.issuer)
            .field("times", &self.times)
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
