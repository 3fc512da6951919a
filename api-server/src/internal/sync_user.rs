//! `POST /internal/auth/sync-user`: the post-login Action tells of a user who logs in.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::Internal;
use crate::app::App;
use crate::body::JsonObject;
use crate::error::{ApiError, Invalid};
use crate::login::Profile;
use crate::openapi;
use crate::users;

/// The Action's own object has some hundred bytes.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Keeps what the Action sends; makes the user at first sight. 204, however often it is sent.
#[utoipa::path(
    post, path = "/internal/auth/sync-user", operation_id = "syncUser", tag = "internal",
    request_body = openapi::SyncUser, security(("internal" = [])),
    responses((status = 204, description = "Kept"), openapi::WithBody, openapi::InternalOnly)
)]
pub(super) async fn handler(
    State(app): State<App>,
    _: Internal,
    JsonObject(members): JsonObject<MAX_BODY_BYTES>,
) -> Result<StatusCode, ApiError> {
    let profile = profile(&members)?;
    let now = app.now();
    app.database
        .write(move |tx| Box::pin(async move { users::store::told(tx, &profile, now).await }))
        .await
        .map_err(ApiError::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Members beyond these are left alone: Auth0 adds some as it likes.
fn profile(members: &Map<String, Value>) -> Result<Profile, ApiError> {
    let mut errors = Vec::new();
    let mut text = |name: &str, longest: usize| match members.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text))
            if text.chars().count() <= longest && !text.contains(char::is_control) =>
        {
            Some(text.clone())
        }
        Some(_) => {
            errors.push(Invalid::new(
                format!("/{name}"),
                format!(
                    "must be a string of at most {longest} characters without control characters"
                ),
            ));
            None
        }
    };
    let subject = text("user_id", 255).filter(|subject| !subject.is_empty());
    let (email, name, picture) = (
        text("email", 320),
        text("name", 1_024),
        text("picture", 1_024),
    );
    let Some(subject) = subject else {
        errors.push(Invalid::new("/user_id", "is required"));
        return Err(ApiError::InvalidContent(errors));
    };
    if !errors.is_empty() {
        return Err(ApiError::InvalidContent(errors));
    }
    Ok(Profile {
        subject,
        provider_session: None,
        email,
        email_verified: members.get("email_verified") == Some(&Value::Bool(true)),
        name,
        picture,
    })
}
