//! What can go wrong with a login or a session, and what the browser is told: OAuth's error format.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, HeaderMap, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::database;
use crate::error::ApiError;

/// Every way a login, a session or a logout can fail.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Login is not configured on this server.
    #[error("login is not configured")]
    NotConfigured,
    /// A parameter is missing or malformed.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// `state` is not that of a login this browser began: it expired, or another site began it.
    #[error("the state does not match")]
    StateMismatch,
    /// The provider did not log the user in.
    #[error("the provider refused: {0}")]
    Denied(&'static str),
    /// The ID token is not acceptable.
    #[error("the ID token is not acceptable")]
    InvalidIdToken,
    /// The logout token is not acceptable.
    #[error("the logout token is not acceptable: {0}")]
    InvalidLogoutToken(&'static str),
    /// There is no session cookie that opens.
    #[error("no session")]
    NoSession,
    /// The session has expired or was ended.
    #[error("the session has ended")]
    SessionOver,
    /// No session of that id is the caller's.
    #[error("no such session")]
    NoSuchSession,
    /// The request came from another site.
    #[error("the request came from another site")]
    CrossSite,
    /// The user refreshed too often.
    #[error("too many refreshes")]
    TooManyRefreshes {
        /// Seconds until it makes sense to ask again.
        retry_after: i64,
    },
    /// The provider can't be reached, or answers nonsense.
    #[error("the provider is unavailable")]
    ProviderUnavailable,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// An invariant does not hold.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl From<ApiError> for AuthError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Database(error) => Self::Database(error),
            ApiError::Internal(what) => Self::Internal(what),
            _ => Self::InvalidRequest("the request is malformed"),
        }
    }
}

/// An error in OAuth's format (RFC 6749 §5.2, RFC 6750 §3.1).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OAuthError {
    /// The code; its meaning never changes.
    error: &'static str,
    /// A text for developers.
    error_description: &'static str,
    /// Where to read more, if the realm has such a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error_uri: Option<&'static str>,
}

impl AuthError {
    /// The OAuth code; also the outcome in audit events and the `error` parameter of redirects.
    pub fn code(&self) -> &'static str {
        self.row().1
    }

    fn row(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotConfigured => (
                StatusCode::NOT_FOUND,
                "not_configured",
                "Login is not configured on this server",
            ),
            Self::InvalidRequest(what) => (StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::StateMismatch => (
                StatusCode::BAD_REQUEST,
                "invalid_state",
                "The login was not begun here or took too long; begin again",
            ),
            Self::Denied(code) => (
                StatusCode::FORBIDDEN,
                code,
                "The identity provider did not complete the login",
            ),
            Self::InvalidIdToken => (
                StatusCode::BAD_GATEWAY,
                "invalid_id_token",
                "The identity provider's answer is not acceptable",
            ),
            Self::InvalidLogoutToken(_) => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "The logout token is not acceptable",
            ),
            Self::NoSession => (
                StatusCode::UNAUTHORIZED,
                "no_session",
                "There is no session; sign in",
            ),
            Self::SessionOver => (
                StatusCode::UNAUTHORIZED,
                "invalid_session",
                "The session has ended; sign in",
            ),
            Self::NoSuchSession => (
                StatusCode::NOT_FOUND,
                "not_found",
                "There is no such session",
            ),
            Self::CrossSite => (
                StatusCode::FORBIDDEN,
                "access_denied",
                "The request came from another site",
            ),
            Self::TooManyRefreshes { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many refreshes",
            ),
            Self::ProviderUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "The identity provider can't be reached; try again shortly",
            ),
            Self::Database(error) if error.may_pass() => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "The service is busy; try again shortly",
            ),
            Self::Database(_) | Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "The server failed",
            ),
        }
    }

    pub(super) fn log(&self) {
        let (status, code, _) = self.row();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code, error = %self, "authentication failed");
        } else if status.is_server_error() {
            tracing::warn!(code, error = %self, "authentication failed");
        } else {
            tracing::info!(code, "authentication was refused");
        }
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.log();
        let (status, error, error_description) = self.row();
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match &self {
            Self::TooManyRefreshes { retry_after } => {
                headers.insert(RETRY_AFTER, (*retry_after).into());
            }
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        let body = OAuthError {
            error,
            error_description,
            error_uri: None,
        };
        (status, headers, Json(body)).into_response()
    }
}
