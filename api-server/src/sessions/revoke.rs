//! `DELETE /api/v1/auth/sessions/{id}` and `DELETE /api/v1/auth/sessions`

use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{CACHE_CONTROL, HeaderMap};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::cookie;
use super::store::{self, Which};
use crate::app::App;
use crate::audit::{self, Event};
use crate::client::Client;
use crate::login::AuthError;
use crate::openapi;

/// Ends one of the caller's sessions.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{id}", operation_id = "endSession", tag = "login",
    params(openapi::SessionId), security(("session" = [])),
    responses((status = 204, description = "It is over"), openapi::Auth)
)]
pub(crate) async fn one(
    State(app): State<App>,
    headers: HeaderMap,
    client: Client,
    SessionId(id): SessionId,
) -> Result<Response, AuthError> {
    app.refuse_other_sites(&headers)?;
    let current = app.live_session(&headers).await?;
    let now = app.now();
    let subject = current.subject.clone();
    let ends_own = id == current.id;
    let found = app
        .database
        .write(move |tx| {
            Box::pin(async move {
                // Not the caller's, or not there: the same answer, and nothing happens.
                let session = store::lock(tx, &id).await?;
                if session.is_none_or(|session| session.subject != subject) {
                    return Ok(false);
                }
                let record = audit::Record {
                    event: Event::SessionRevoked,
                    outcome: "success",
                    subject: Some(&subject),
                    session_id: Some(&id),
                    client: &client,
                };
                audit::record(tx, record, now).await?;
                store::revoke(tx, Which::Id(&id), "user", now).await?;
                Ok(true)
            })
        })
        .await
        .map_err(AuthError::Database)?;
    if !found {
        return Err(AuthError::NoSuchSession);
    }
    app.metrics.event(Event::SessionRevoked, "success");
    reply(&headers, ends_own)
}

/// Ends all of the caller's sessions, the one that asks too.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions", operation_id = "endAllSessions", tag = "login",
    security(("session" = [])),
    responses((status = 204, description = "They are over, this one too"), openapi::Auth)
)]
pub(crate) async fn all(
    State(app): State<App>,
    headers: HeaderMap,
    client: Client,
) -> Result<Response, AuthError> {
    app.refuse_other_sites(&headers)?;
    let current = app.live_session(&headers).await?;
    let now = app.now();
    app.database
        .write(move |tx| {
            Box::pin(async move {
                let record = audit::Record {
                    event: Event::SessionRevoked,
                    outcome: "everywhere",
                    subject: Some(&current.subject),
                    session_id: None,
                    client: &client,
                };
                audit::record(tx, record, now).await?;
                store::revoke(tx, Which::Subject(&current.subject), "user", now).await
            })
        })
        .await
        .map_err(AuthError::Database)?;
    app.metrics.event(Event::SessionRevoked, "everywhere");
    reply(&headers, true)
}

/// The id of a session in a path. What can't be one names no session, and is not for the database to choke on
/// (U+0000).
pub(crate) struct SessionId(String);

impl<S: Send + Sync> FromRequestParts<S> for SessionId {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| AuthError::NoSuchSession)?;
        let is_id = (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        is_id.then_some(Self(id)).ok_or(AuthError::NoSuchSession)
    }
}

fn reply(request: &HeaderMap, ends_own: bool) -> Result<Response, AuthError> {
    // CVE-2025-48947: nothing that sets a cookie may be kept by a cache.
    let mut headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    if ends_own {
        cookie::clear(&mut headers, request, cookie::SESSION)?;
    }
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}
