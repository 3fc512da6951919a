//! `GET /api/v1/auth/sessions`

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderMap};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::store::{self, Listed};
use crate::app::App;
use crate::login::AuthError;

#[derive(Debug, Serialize)]
struct Sessions {
    items: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Item {
    #[serde(flatten)]
    session: Listed,
    /// Whether it is the one that asks.
    current: bool,
}

/// The caller's live sessions, newest first.
pub async fn handler(State(app): State<App>, headers: HeaderMap) -> Result<Response, AuthError> {
    let current = app.live_session(&headers).await?;
    let mut connection = app.database.read().await?;
    let listed = store::list(&mut connection, &current.subject, app.now()).await?;
    let items = listed
        .into_iter()
        .map(|session| Item {
            current: session.id == current.id,
            session,
        })
        .collect();
    Ok(([(CACHE_CONTROL, "no-store")], Json(Sessions { items })).into_response())
}
