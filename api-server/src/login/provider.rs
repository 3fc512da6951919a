//! The identity provider: discovery, authorization URL, code and refresh exchange, through the `openidconnect` crate.

use std::sync::Arc;
use std::time::Duration;

use edge_auth_policy::base64url;
use edge_auth_policy::time::UnixTime;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreErrorResponseType};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse as _,
    PkceCodeVerifier, ProviderMetadataWithLogout, RedirectUrl, RefreshToken, RequestTokenError,
    Scope, TokenResponse as _,
};
use tokio::sync::Mutex;
use url::Url;

use super::AuthError;
use crate::config::LoginSettings;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider, with what it last said about itself.
#[derive(Debug)]
pub struct Provider {
    issuer: IssuerUrl,
    audience: String,
    client_id: String,
    client_secret: Option<ClientSecret>,
    public_url: Url,
    redirect: RedirectUrl,
    http: reqwest::Client,
    metadata: Mutex<Cached>,
}

/// What the provider last said about itself, and when it last said nothing.
#[derive(Debug, Default)]
struct Cached {
    metadata: Option<(Arc<ProviderMetadataWithLogout>, UnixTime)>,
    failed_at: Option<UnixTime>,
}

/// What a code or a refresh token was exchanged for.
pub struct Tokens {
    pub(crate) access_token: String,
    pub(crate) access_expires_at: UnixTime,
    pub(crate) refresh_token: Option<String>,
    pub(crate) id_token: Option<String>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

/// Who the ID token says logged in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub(crate) subject: String,
    pub(crate) provider_session: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) name: Option<String>,
    pub(crate) picture: Option<String>,
}

/// How long the provider's metadata and keys are used before they are asked for again.
const METADATA_LIFETIME: Duration = Duration::from_mins(10);
/// The least time between two fetches because a signature's key was not there.
const METADATA_COOLDOWN: Duration = Duration::from_secs(30);
/// How long a provider that did not answer is left alone: during an outage, those who log in don't wait in a line.
const METADATA_REST: Duration = Duration::from_secs(5);
/// How long one request to the provider may take.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Provider {
    /// # Errors
    /// No HTTP client can be made, or the URLs are none.
    pub(super) fn new(
        settings: &LoginSettings,
        issuer: &str,
        audience: &str,
    ) -> Result<Self, AuthError> {
        let http = reqwest::Client::builder()
            // A redirect would lead where nobody configured us to go (SSRF).
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .user_agent("edge-auth-api-server")
            .build()
            .map_err(|_| AuthError::Internal("no HTTP client"))?;
        let redirect = settings
            .public_url
            .join("/api/v1/auth/callback")
            .map_err(|_| AuthError::Internal("no redirect URL"))?;
        Ok(Self {
            issuer: IssuerUrl::new(issuer.to_owned())
                .map_err(|_| AuthError::Internal("no issuer URL"))?,
            audience: audience.to_owned(),
            client_id: settings.client_id.clone(),
            client_secret: settings
                .client_secret
                .as_ref()
                .map(|secret| ClientSecret::new(secret.expose().to_owned())),
            public_url: settings.public_url.clone(),
            redirect: RedirectUrl::from_url(redirect),
            http,
            metadata: Mutex::default(),
        })
    }

    /// Whether `origin` is the site we serve.
    pub(crate) fn is_own(&self, origin: &str) -> bool {
        self.public_url.origin().ascii_serialization() == origin
    }

    /// Our `client_id`, the audience of ID and logout tokens.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Where to send the browser to log in.
    pub(super) async fn authorization_url(
        &self,
        state: &str,
        nonce: &str,
        code_challenge: &str,
        now: UnixTime,
    ) -> Result<Url, AuthError> {
        let metadata = self.metadata(now, METADATA_LIFETIME).await?;
        let (state, nonce) = (state.to_owned(), nonce.to_owned());
        let (url, _, _) = self
            .client(&metadata)
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("audience", &self.audience)
            .add_extra_param("code_challenge", code_challenge)
            .add_extra_param("code_challenge_method", "S256")
            .url();
        Ok(url)
    }

    /// Exchanges a code; the ID token is verified in full.
    pub(super) async fn exchange(
        &self,
        code: String,
        code_verifier: String,
        nonce: &str,
        now: UnixTime,
    ) -> Result<(Tokens, Profile), AuthError> {
        let metadata = self.metadata(now, METADATA_LIFETIME).await?;
        let response = self
            .client(&metadata)
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| AuthError::ProviderUnavailable)?
            .set_pkce_verifier(PkceCodeVerifier::new(code_verifier))
            .request_async(&self.http)
            .await
            .map_err(|error| refused(error, AuthError::Denied("invalid_grant")))?;
        let id_token = response.id_token().ok_or(AuthError::InvalidIdToken)?;
        let nonce = Nonce::new(nonce.to_owned());
        let judged = match self.profile(&metadata, id_token, &nonce, now) {
            // The key may be newer than our copy of the key set.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let metadata = self.metadata(now, METADATA_COOLDOWN).await?;
                self.profile(&metadata, id_token, &nonce, now)
            }
            judged => judged,
        };
        let profile = judged.map_err(|error| {
            // The error's own text quotes claims.
            let reason = reason(&error);
            tracing::info!(reason, "an ID token was refused");
            AuthError::InvalidIdToken
        })?;
        let tokens = tokens_of(&response, now);
        Ok((tokens, profile))
    }

    /// Exchanges a refresh token.
    pub(super) async fn refresh(
        &self,
        refresh_token: String,
        now: UnixTime,
    ) -> Result<Tokens, AuthError> {
        let metadata = self.metadata(now, METADATA_LIFETIME).await?;
        let refresh_token = RefreshToken::new(refresh_token);
        let response = self
            .client(&metadata)
            .exchange_refresh_token(&refresh_token)
            .map_err(|_| AuthError::ProviderUnavailable)?
            .request_async(&self.http)
            .await
            .map_err(|error| refused(error, AuthError::SessionOver))?;
        let mut tokens = tokens_of(&response, now);
        // A provider that doesn't rotate answers without one: the old one stays good.
        tokens
            .refresh_token
            .get_or_insert_with(|| refresh_token.secret().clone());
        Ok(tokens)
    }

    /// Where to send the browser to log out at the provider too (OpenID Connect RP-Initiated Logout §2).
    pub(super) async fn logout_url(&self, id_token: Option<&str>, now: UnixTime) -> Option<Url> {
        let metadata = self.metadata(now, METADATA_LIFETIME).await.ok()?;
        let endpoint = metadata
            .additional_metadata()
            .end_session_endpoint
            .as_ref()?;
        let mut url = endpoint.url().clone();
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("client_id", &self.client_id);
            query.append_pair("post_logout_redirect_uri", self.public_url.as_str());
            if let Some(id_token) = id_token {
                query.append_pair("id_token_hint", id_token);
            }
        }
        Some(url)
    }

    fn profile(
        &self,
        metadata: &ProviderMetadataWithLogout,
        id_token: &openidconnect::core::CoreIdToken,
        nonce: &Nonce,
        now: UnixTime,
    ) -> Result<Profile, ClaimsVerificationError> {
        let client = self.client(metadata);
        let now = i64::try_from(now.as_secs())
            .ok()
            .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0))
            // A clock that far ahead finds every token expired.
            .unwrap_or(chrono::DateTime::<chrono::Utc>::MAX_UTC);
        let verifier = client.id_token_verifier().set_time_fn(move || now);
        let claims = id_token.claims(&verifier, nonce)?;
        let text = |value: Option<&str>| {
            value
                .filter(|text| text.len() <= 1_024 && !text.contains(char::is_control))
                .map(str::to_owned)
        };
        Ok(Profile {
            subject: claims.subject().as_str().to_owned(),
            provider_session: session_of(&id_token.to_string()),
            email: text(claims.email().map(|email| email.as_str())),
            email_verified: claims.email_verified() == Some(true),
            name: text(
                claims
                    .name()
                    .and_then(|names| names.get(None))
                    .map(|name| name.as_str()),
            ),
            picture: text(
                claims
                    .picture()
                    .and_then(|pictures| pictures.get(None))
                    .map(|picture| picture.as_str()),
            ),
        })
    }

    fn client(&self, metadata: &ProviderMetadataWithLogout) -> Client {
        CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.client_id.clone()),
            self.client_secret.clone(),
        )
        .set_redirect_uri(self.redirect.clone())
        // Auth0's default, and what all providers take.
        .set_auth_type(openidconnect::AuthType::RequestBody)
    }

    /// The provider's metadata, at most `max_age` old. One fetch at a time.
    async fn metadata(
        &self,
        now: UnixTime,
        max_age: Duration,
    ) -> Result<Arc<ProviderMetadataWithLogout>, AuthError> {
        let mut cached = self.metadata.lock().await;
        if let Some((metadata, fetched_at)) = &cached.metadata
            && now.since(*fetched_at) < max_age
        {
            return Ok(Arc::clone(metadata));
        }
        // What was true ten minutes ago serves better than an outage.
        let stale = cached
            .metadata
            .as_ref()
            .map(|(metadata, _)| Arc::clone(metadata));
        if cached
            .failed_at
            .is_some_and(|failed_at| now.since(failed_at) < METADATA_REST)
        {
            return stale.ok_or(AuthError::ProviderUnavailable);
        }
        match ProviderMetadataWithLogout::discover_async(self.issuer.clone(), &self.http).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *cached = Cached {
                    metadata: Some((Arc::clone(&metadata), now)),
                    failed_at: None,
                };
                Ok(metadata)
            }
            Err(error) => {
                tracing::warn!(%error, "the provider's metadata can't be fetched");
                cached.failed_at = Some(now);
                stale.ok_or(AuthError::ProviderUnavailable)
            }
        }
    }
}

fn tokens_of(response: &openidconnect::core::CoreTokenResponse, now: UnixTime) -> Tokens {
    let lifetime = response.expires_in().unwrap_or(DEFAULT_LIFETIME);
    Tokens {
        access_token: response.access_token().secret().clone(),
        access_expires_at: now.saturating_add(lifetime),
        refresh_token: response.refresh_token().map(|token| token.secret().clone()),
        id_token: response.id_token().map(ToString::to_string),
    }
}

/// What is asked for at every login: identity, a refresh token, and the API's scopes.
const SCOPES: [&str; 8] = [
    "profile",
    "email",
    "offline_access",
    "read:documents",
    "write:documents",
    "delete:documents",
    "read:profile",
    "write:profile",
];

/// Taken where a provider doesn't say how long a token lives; the token itself says so too, and that counts.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(5);

/// A refusal by the provider is final; anything else may pass.
fn refused<E: std::error::Error + 'static>(
    error: RequestTokenError<E, openidconnect::StandardErrorResponse<CoreErrorResponseType>>,
    if_final: AuthError,
) -> AuthError {
    match error {
        RequestTokenError::ServerResponse(response)
            if *response.error() == CoreErrorResponseType::InvalidGrant =>
        {
            if_final
        }
        RequestTokenError::ServerResponse(response) => {
            tracing::warn!(error = response.error().as_ref(), "the provider refused");
            AuthError::ProviderUnavailable
        }
        _ => AuthError::ProviderUnavailable,
    }
}

fn reason(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "expired",
        ClaimsVerificationError::InvalidAudience(_) => "audience",
        ClaimsVerificationError::InvalidIssuer(_) => "issuer",
        ClaimsVerificationError::InvalidNonce(_) => "nonce",
        ClaimsVerificationError::InvalidSubject(_) => "subject",
        ClaimsVerificationError::SignatureVerification(_) => "signature",
        _ => "other",
    }
}

/// `sid` (OpenID Connect Front-Channel Logout §3) of a token whose signature was verified already.
fn session_of(id_token: &str) -> Option<String> {
    let payload = base64url::decode(id_token.split('.').nth(1)?)?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    let sid = claims.get("sid")?.as_str()?;
    (!sid.contains(char::is_control) && sid.len() <= 255).then(|| sid.to_owned())
}
