//! From the text of a token to an identity: the one place of this server where trust is made.

use std::sync::Arc;
use std::time::Duration;

use edge_auth_policy::jwt::{
    self, DEFAULT_SCOPE_CLAIMS, TokenProfile, UnverifiedToken, VerifiedClaims,
};
use edge_auth_policy::rejection::Reason;
use edge_auth_policy::signature::InModule;
use edge_auth_policy::time::UnixTime;

use super::Keys;
use super::seen::SeenTokens;
use crate::clock::Clock;
use crate::config::Settings;

/// Judges tokens of one issuer for one audience.
#[derive(Debug)]
pub struct Verifier {
    keys: Arc<Keys>,
    profile: TokenProfile,
    seen: SeenTokens,
}

/// Who a verified token says is asking. Made by [`Verifier::verify`] only.
pub struct Identity {
    subject: Box<str>,
    claims: VerifiedClaims,
}

/// Shows no claim.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl Identity {
    /// `sub`: 1 to `MAX_SUBJECT_BYTES` bytes, no control characters.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Everything else the token says.
    pub fn claims(&self) -> &VerifiedClaims {
        &self.claims
    }

    /// Whether the token has this scope.
    pub fn grants(&self, scope: &str) -> bool {
        self.claims.scopes().contains(scope)
    }
}

/// How old a logout token may be: it is sent when it is made.
pub const LOGOUT_TOKEN_AGE: Duration = Duration::from_mins(5);

/// Longer subjects are refused: they are keys in the database.
const MAX_SUBJECT_BYTES: usize = 255;

impl Verifier {
    /// A verifier that looks keys up in `keys`.
    pub fn new(keys: Arc<Keys>, settings: &Settings) -> Self {
        Self {
            keys,
            profile: TokenProfile {
                issuers: vec![settings.issuer.as_str().into()],
                audiences: vec![settings.audience.as_str().into()],
                algorithms: settings.algorithms,
                clock_skew: settings.clock_skew,
                require_expiration: true,
                max_lifetime: Some(settings.max_lifetime),
                types: ["JWT", "at+jwt"].map(TokenProfile::normalise_type).into(),
                scope_claims: DEFAULT_SCOPE_CLAIMS.map(Box::from).into(),
                confirmed_upstream: Vec::new(),
            },
            seen: SeenTokens::default(),
        }
    }

    /// Whether there are keys to verify with.
    pub fn has_keys(&self, now: UnixTime) -> bool {
        self.keys.usable(now).is_some()
    }

    /// Judges one token.
    ///
    /// # Errors
    /// The policy's reason.
    pub async fn verify(&self, token: &str, clock: &dyn Clock) -> Result<Arc<Identity>, Reason> {
        match self.judge(token, clock.now()) {
            Err(Reason::UnknownKeyId) if self.keys.await_unknown(clock.now()).await => {
                self.judge(token, clock.now())
            }
            judged => judged,
        }
    }

    /// Judges a logout token (OpenID Connect Back-Channel Logout §2.6) for `client_id`: everything any token is
    /// judged by, and its age. What makes it a logout token is the caller's to check.
    ///
    /// # Errors
    /// The policy's reason.
    pub async fn verify_logout_token(
        &self,
        token: &str,
        client_id: &str,
        clock: &dyn Clock,
    ) -> Result<VerifiedClaims, Reason> {
        let profile = TokenProfile {
            audiences: vec![client_id.into()],
            // Auth0 writes neither `exp` nor a `typ`.
            require_expiration: false,
            max_lifetime: None,
            types: ["JWT", "logout+jwt"]
                .map(TokenProfile::normalise_type)
                .into(),
            ..self.profile.clone()
        };
        let judge = |now: UnixTime| {
            let unverified = UnverifiedToken::parse(token.as_bytes())?;
            let keys = self.keys.usable(now).ok_or(Reason::KeysUnavailable)?;
            let claims = jwt::verify(unverified, &profile, &keys, &mut InModule, now)?;
            let issued_at = claims.issued_at().ok_or(Reason::InvalidClaims)?;
            if now.since(issued_at) > LOGOUT_TOKEN_AGE.saturating_add(profile.clock_skew) {
                return Err(Reason::Expired);
            }
            Ok(claims)
        };
        match judge(clock.now()) {
            Err(Reason::UnknownKeyId) if self.keys.await_unknown(clock.now()).await => {
                judge(clock.now())
            }
            judged => judged,
        }
    }

    fn judge(&self, token: &str, now: UnixTime) -> Result<Arc<Identity>, Reason> {
        if let Some(identity) = self.seen.get(token) {
            let keys = self.keys.usable(now).ok_or(Reason::KeysUnavailable)?;
            if identity.claims.still_hold(&self.profile, &keys, now) {
                return Ok(identity);
            }
            self.seen.forget(token);
        }
        let unverified = UnverifiedToken::parse(token.as_bytes())?;
        let keys = self.keys.usable(now).ok_or(Reason::KeysUnavailable)?;
        let claims = jwt::verify(unverified, &self.profile, &keys, &mut InModule, now)?;
        let subject = claims
            .subject()
            .filter(|subject| {
                (1..=MAX_SUBJECT_BYTES).contains(&subject.len())
                    && !subject.contains(char::is_control)
            })
            .ok_or(Reason::InvalidClaims)?
            .into();
        let identity = Arc::new(Identity { subject, claims });
        self.seen.remember(token, &identity);
        Ok(identity)
    }
}
