//! Login: authorization code with PKCE (RFC 6749, RFC 7636; OpenID Connect Core §3.1), behind which a browser gets a
//! session cookie and no token (the pattern of draft-ietf-oauth-browser-based-apps §6.1).
//!
//! Errors speak OAuth: `{"error", "error_description"}`.

mod attempt;
mod backchannel;
mod callback;
mod error;
mod logout;
mod provider;
mod refresh;
mod session;
mod start;

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::HeaderMap;
use edge_auth_policy::session::{NONCE_BYTES, Purpose, Session, SessionKeys};
use edge_auth_policy::time::UnixTime;
use rand::RngCore as _;
use rand::rngs::OsRng;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use error::AuthError;
pub(crate) use error::OAuthError;
pub use provider::{Profile, Provider, Tokens};

use crate::app::App;
use crate::config::LoginSettings;
use crate::sessions::store::{Fit, SealedTokens, Stored};
use crate::sessions::{self, cookie};
use crate::timestamp::Timestamp;

/// The routes below `/api/v1/auth`. Without login settings they answer 404.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start::handler))
        .routes(routes!(callback::redirect, callback::post))
        .routes(routes!(refresh::handler))
        .routes(routes!(logout::handler))
        .routes(routes!(backchannel::handler))
        .routes(routes!(session::handler))
        .routes(routes!(sessions::list::handler, sessions::revoke::all))
        .routes(routes!(sessions::revoke::one))
}

/// A callback or a logout token has some kilobytes.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Everything login needs.
#[derive(Debug)]
pub struct Login {
    pub(crate) provider: Provider,
    keys: SessionKeys,
    idle: Duration,
    absolute: Duration,
}

impl Login {
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(settings: &LoginSettings, issuer: &str, audience: &str) -> Result<Self, AuthError> {
        Ok(Self {
            provider: Provider::new(settings, issuer, audience)?,
            keys: settings.session_keys.clone(),
            idle: settings.session_idle,
            absolute: settings.session_absolute,
        })
    }

    /// The keys of cookies and stored tokens.
    pub fn keys(&self) -> &SessionKeys {
        &self.keys
    }

    /// How long a session may rest.
    pub fn idle_millis(&self) -> i64 {
        i64::try_from(self.idle.as_millis()).unwrap_or(i64::MAX)
    }

    /// When a session that begins now ends at the latest.
    pub fn absolute_end(&self, now: Timestamp) -> Timestamp {
        let absolute = i64::try_from(self.absolute.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(now.as_millis().saturating_add(absolute))
    }

    /// Asks the provider for new tokens, and checks that they are the same user's.
    ///
    /// # Errors
    /// [`AuthError::SessionOver`] where the provider refuses for good, else what may pass; then with the refresh token
    /// that is good from now on, if there is a new one.
    pub async fn refresh(
        &self,
        app: &App,
        subject: &str,
        refresh_token: String,
    ) -> Result<Tokens, Unfinished> {
        let tokens = self
            .provider
            .refresh(refresh_token, app.clock.now())
            .await?;
        let identity = app
            .verifier
            .verify(&tokens.access_token, app.clock.as_ref())
            .await;
        match identity {
            // CVE-2025-67490: never another user's tokens, whatever happened on the way.
            Ok(identity) if identity.subject() != subject => Err(AuthError::SessionOver.into()),
            Ok(_) => Ok(tokens),
            Err(reason) => {
                tracing::warn!(
                    reason = reason.code(),
                    "the access token of a refresh was refused"
                );
                Err(Unfinished {
                    error: AuthError::ProviderUnavailable,
                    rotated: tokens.refresh_token,
                })
            }
        }
    }

    /// Seals one token for the row of session `id`, and nothing else.
    ///
    /// # Errors
    /// None that a request could cause.
    pub fn seal_token(&self, id: &str, token: &str) -> Result<String, AuthError> {
        self.keys
            .seal(
                Purpose::StoredToken,
                id.as_bytes(),
                FOREVER,
                token.as_bytes(),
                nonce(),
            )
            .map_err(|_| AuthError::Internal("a token could not be sealed"))
    }

    /// Seals tokens for the row of session `id`, and nothing else.
    ///
    /// # Errors
    /// The access token does not say when it expires.
    pub fn seal_tokens(&self, id: &str, tokens: &Tokens) -> Result<SealedTokens, AuthError> {
        let seal = |text: &str| self.seal_token(id, text);
        Ok(SealedTokens {
            access_token: seal(&tokens.access_token)?,
            access_expires_at: tokens.access_expires_at.into(),
            refresh_token: tokens.refresh_token.as_deref().map(seal).transpose()?,
            id_token: tokens.id_token.as_deref().map(seal).transpose()?,
        })
    }

    /// # Errors
    /// [`AuthError::SessionOver`]: the key is gone, or there never was a token.
    pub fn open_refresh_token(&self, stored: &Stored, now: UnixTime) -> Result<String, AuthError> {
        self.open(stored, stored.refresh_token.as_deref(), now)
    }

    pub(crate) fn open(
        &self,
        stored: &Stored,
        sealed: Option<&str>,
        now: UnixTime,
    ) -> Result<String, AuthError> {
        let opened = self.keys.open(
            Purpose::StoredToken,
            stored.id.as_bytes(),
            sealed.ok_or(AuthError::SessionOver)?,
            now,
        );
        let (bytes, _) = opened.map_err(|_| AuthError::SessionOver)?;
        String::from_utf8(bytes).map_err(|_| AuthError::SessionOver)
    }

    /// Sets the session's cookie for what is stored now.
    ///
    /// # Errors
    /// The cookie can't be made.
    pub fn set_session_cookie(
        &self,
        reply: &mut HeaderMap,
        request: &HeaderMap,
        stored: &Stored,
        now: UnixTime,
    ) -> Result<(), AuthError> {
        let session = Session {
            session_id: stored.id.as_str().into(),
            generation: stored.generation.unsigned_abs(),
            access_token: self
                .open(stored, Some(&stored.access_token), now)?
                .into_boxed_str(),
        };
        let absolute = u64::try_from(stored.expires_at.as_millis() / 1_000).unwrap_or_default();
        let expires_at = now
            .saturating_add(self.idle)
            .min(UnixTime::from_secs(absolute));
        let sealed = self
            .keys
            .seal(
                Purpose::Session,
                b"",
                expires_at,
                &session.to_bytes(),
                nonce(),
            )
            .map_err(|_| AuthError::Internal("a cookie could not be sealed"))?;
        let max_age = expires_at.since(now).as_secs();
        Ok(cookie::set(
            reply,
            request,
            cookie::SESSION,
            &sealed,
            max_age,
        )?)
    }
}

/// A refresh that gave no session. Shows no token.
pub struct Unfinished {
    /// Why.
    pub error: AuthError,
    /// What the provider takes next time, if it rotated.
    pub rotated: Option<String>,
}

impl From<AuthError> for Unfinished {
    fn from(error: AuthError) -> Self {
        Self {
            error,
            rotated: None,
        }
    }
}

impl std::fmt::Debug for Unfinished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unfinished")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// Stored tokens end with their session, not by themselves.
const FOREVER: UnixTime = UnixTime::from_secs(u64::MAX);

pub(crate) fn nonce() -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    OsRng.fill_bytes(&mut nonce);
    nonce
}

/// 128 random bits, as text.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    edge_auth_policy::base64url::encode(bytes)
}

impl App {
    /// The login part, if it is configured.
    ///
    /// # Errors
    /// [`AuthError::NotConfigured`].
    pub(crate) fn login(&self) -> Result<&Arc<Login>, AuthError> {
        self.login.as_ref().ok_or(AuthError::NotConfigured)
    }

    /// The session of the request's cookie, if it still lives.
    ///
    /// # Errors
    /// [`AuthError::NoSession`] or [`AuthError::SessionOver`].
    pub(crate) async fn live_session(&self, headers: &HeaderMap) -> Result<Stored, AuthError> {
        let login = self.login()?;
        let now = self.clock.now();
        let session = cookie::session(headers, login.keys(), now).ok_or(AuthError::NoSession)?;
        let mut connection = self.database.read().await?;
        let stored = sessions::store::find(&mut connection, &session.session_id).await?;
        let generation = i64::try_from(session.generation).unwrap_or(i64::MAX);
        stored
            .filter(|stored| {
                stored.is_live(login.idle_millis(), now.into())
                    && stored.fits(generation, now.into()) != Fit::Replaced
            })
            .ok_or(AuthError::SessionOver)
    }

    /// Refuses a request a browser says comes from another site: `SameSite=Lax` keeps the cookie back already, and
    /// this holds where a browser is too old for it.
    ///
    /// # Errors
    /// [`AuthError::CrossSite`].
    pub(crate) fn refuse_other_sites(&self, headers: &HeaderMap) -> Result<(), AuthError> {
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let own = headers.get("origin").is_none_or(|origin| {
            let origin = origin.to_str().unwrap_or("null");
            self.login()
                .is_ok_and(|login| login.provider.is_own(origin))
        });
        match site {
            None | Some(b"same-origin" | b"none") if own => Ok(()),
            _ => Err(AuthError::CrossSite),
        }
    }
}
