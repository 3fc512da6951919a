//! `GET /api/v1/auth/session`

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderMap};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::AuthError;
use crate::app::App;
use crate::openapi;
use crate::sessions::store::Stored;
use crate::timestamp::Timestamp;

/// What a page may know of its session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    id: String,
    subject: String,
    created_at: Timestamp,
    /// When the session ends at the latest.
    expires_at: Timestamp,
    /// When it must be refreshed.
    access_expires_at: Timestamp,
}

impl From<&Stored> for Info {
    fn from(stored: &Stored) -> Self {
        Self {
            id: stored.id.clone(),
            subject: stored.subject.clone(),
            created_at: stored.created_at,
            expires_at: stored.expires_at,
            access_expires_at: stored.access_expires_at,
        }
    }
}

/// The session of the cookie.
#[utoipa::path(
    get, path = "/api/v1/auth/session", operation_id = "getSession", tag = "login",
    security(("session" = [])),
    responses((status = 200, description = "The session", body = Info), openapi::Auth)
)]
pub(super) async fn handler(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let stored = app.live_session(&headers).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(Info::from(&stored))).into_response())
}
