//! `POST /api/v1/auth/logout`

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderMap};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::AuthError;
use crate::app::App;
use crate::audit::{self, Event};
use crate::client::Client;
use crate::openapi;
use crate::sessions::cookie;
use crate::sessions::store::{self, Which};

/// Where to go to be logged out at the provider too.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoggedOut {
    logout_url: Option<String>,
}

/// Ends the session here; without one there is nothing to end, and that is fine too. The page goes to `logoutUrl`
/// if it wants the provider's session ended as well.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", operation_id = "logout", tag = "login",
    security((), ("session" = [])),
    responses(
        (status = 200, description = "There is no session here any more", body = LoggedOut),
        openapi::Auth
    )
)]
pub(super) async fn handler(
    State(app): State<App>,
    headers: HeaderMap,
    client: Client,
) -> Result<Response, AuthError> {
    app.refuse_other_sites(&headers)?;
    let login = app.login()?;
    let (now, time) = (app.now(), app.clock.now());
    let mut id_token = None;
    if let Some(session) = cookie::session(&headers, login.keys(), time) {
        let ended = app
            .database
            .write(move |tx| {
                Box::pin(async move {
                    let stored = store::lock(tx, &session.session_id).await?;
                    let Some(stored) = stored.filter(|stored| stored.revoked_at.is_none()) else {
                        return Ok(None);
                    };
                    let record = audit::Record {
                        event: Event::Logout,
                        outcome: "success",
                        subject: Some(&stored.subject),
                        session_id: Some(&stored.id),
                        client: &client,
                    };
                    audit::record(tx, record, now).await?;
                    store::revoke(tx, Which::Id(&stored.id), "logout", now).await?;
                    Ok(Some(stored))
                })
            })
            .await
            .map_err(AuthError::Database)?;
        if let Some(stored) = ended {
            app.metrics.event(Event::Logout, "success");
            id_token = login.open(&stored, stored.id_token.as_deref(), time).ok();
        }
    }
    let logout_url = login
        .provider
        .logout_url(id_token.as_deref(), time)
        .await
        .map(String::from);
    let mut reply = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    cookie::clear(&mut reply, &headers, cookie::SESSION)?;
    Ok((reply, Json(LoggedOut { logout_url })).into_response())
}
