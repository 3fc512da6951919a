//! `POST /api/v1/auth/refresh`

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderMap};
use axum::response::{IntoResponse, Response};

use super::AuthError;
use super::session::Info;
use crate::app::App;
use crate::audit::Event;
use crate::client::Client;
use crate::openapi;
use crate::sessions::{cookie, refresh};

/// New tokens for the cookie's session; a session that is over takes its cookie with it.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", operation_id = "refreshSession", tag = "login",
    security(("session" = [])),
    responses((status = 200, description = "The session with new tokens in its cookie", body = Info), openapi::Auth)
)]
pub(super) async fn handler(
    State(app): State<App>,
    headers: HeaderMap,
    client: Client,
) -> Result<Response, AuthError> {
    app.refuse_other_sites(&headers)?;
    let login = app.login()?;
    let now = app.clock.now();
    let session = cookie::session(&headers, login.keys(), now).ok_or(AuthError::NoSession)?;
    let mut reply = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    match refresh::refresh(&app, login, &session, &client).await {
        Ok(stored) => {
            login.set_session_cookie(&mut reply, &headers, &stored, now)?;
            Ok((reply, Json(Info::from(&stored))).into_response())
        }
        Err(AuthError::SessionOver) => {
            cookie::clear(&mut reply, &headers, cookie::SESSION)?;
            let mut response = AuthError::SessionOver.into_response();
            response.headers_mut().extend(reply);
            Ok(response)
        }
        Err(error) => {
            if matches!(error, AuthError::TooManyRefreshes { .. }) {
                app.metrics.event(Event::Refresh, error.code());
            }
            Err(error)
        }
    }
}
