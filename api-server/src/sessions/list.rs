//! `GET /api/v1/auth/sessions`

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderMap};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::store::{self, Listed};
use crate::app::App;
use crate::login::AuthError;
use crate::openapi;

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Sessions {
    items: Vec<Item>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ListedSession)]
struct Item {
    #[serde(flatten)]
    session: Listed,
    /// Whether it is the one that asks.
    current: bool,
}

/// The caller's live sessions, newest first.
#[utoipa::path(
    get, path = "/api/v1/auth/sessions", operation_id = "listSessions", tag = "login",
    security(("session" = [])),
    responses((status = 200, description = "The caller's sessions, newest first", body = Sessions), openapi::Auth)
)]
pub(crate) async fn handler(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let current = app.live_session(&headers).await?;
    let idle_millis = app.login()?.idle_millis();
    let mut connection = app.database.read().await?;
    let listed = store::list(&mut connection, &current.subject, idle_millis, app.now()).await?;
    let items = listed
        .into_iter()
        .map(|session| Item {
            current: session.id == current.id,
            session,
        })
        .collect();
    Ok(([(CACHE_CONTROL, "no-store")], Json(Sessions { items })).into_response())
}
