//! `POST /internal/auth0/logs`: Auth0's log stream (custom webhook). Failed logins are counted, the rest is let go.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use super::Internal;
use super::failed_logins::{self, FailedLogin};
use crate::app::App;
use crate::body::Raw;
use crate::error::ApiError;
use crate::openapi;

/// Auth0's event types of a failed login, and what we call them: `f` failed, `fp` wrong password, `fu` wrong user name, `fcoa` failed
/// cross-origin authentication, `fepft` failed password exchange.
const FAILED_LOGIN_TYPES: [(&str, &str); 5] = [
    ("f", "failed"),
    ("fp", "wrong_password"),
    ("fu", "wrong_user_name"),
    ("fcoa", "cross_origin"),
    ("fepft", "password_exchange"),
];

/// A batch has some hundred events of some kilobytes.
const MAX_BODY_BYTES: usize = 4 << 20;

/// Reads a batch: a JSON array, or one JSON object per line. Sent again, it counts once: every event has an id.
#[utoipa::path(
    post, path = "/internal/auth0/logs", operation_id = "auth0Logs", tag = "internal",
    request_body(content = Value, description = "A JSON array of events, or one JSON object per line",
        content_type = "application/json"),
    security(("internal" = [])),
    responses((status = 204, description = "Counted"), openapi::InternalOnly)
)]
pub(super) async fn handler(
    State(app): State<App>,
    _: Internal,
    Raw(body): Raw<MAX_BODY_BYTES>,
) -> Result<StatusCode, ApiError> {
    let failed: Vec<_> = events(&body)?.iter().filter_map(failed_login).collect();
    if failed.is_empty() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let now = app.now();
    let counted = app
        .database
        .write(move |tx| Box::pin(async move { failed_logins::count(tx, &failed, now).await }))
        .await
        .map_err(ApiError::from)?;
    for (event, outcome) in counted {
        app.metrics.event(event, outcome);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn events(body: &[u8]) -> Result<Vec<Value>, ApiError> {
    let malformed = |error: serde_json::Error| ApiError::MalformedBody {
        line: error.line(),
        column: error.column(),
    };
    if body.trim_ascii().is_empty() {
        return Err(ApiError::MalformedBody { line: 1, column: 0 });
    }
    if body.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice(body).map_err(malformed);
    }
    serde_json::Deserializer::from_slice(body)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(malformed)
}

/// A failed login with everything that counting needs; anything else is `None`.
fn failed_login(event: &Value) -> Option<FailedLogin> {
    let data = event.get("data")?;
    let text = |value: Option<&Value>| {
        let text = value?.as_str()?;
        let fits = (1..=320).contains(&text.len()) && !text.contains(char::is_control);
        fits.then(|| text.to_owned())
    };
    let kind = data.get("type")?.as_str()?;
    let (_, outcome) = FAILED_LOGIN_TYPES
        .into_iter()
        .find(|(code, _)| *code == kind)?;
    let log_id = text(event.get("log_id")).or_else(|| text(data.get("log_id")))?;
    let address: IpAddr = text(data.get("ip"))?.parse().ok()?;
    Some(FailedLogin {
        log_id,
        email: text(data.get("user_name"))?,
        address: address.to_canonical(),
        subject: text(data.get("user_id")),
        user_agent: text(data.get("user_agent")).unwrap_or_default(),
        outcome,
    })
}
