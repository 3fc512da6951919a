//! `PATCH /api/v1/profile`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};

use super::model::{self, Profile, ProviderState};
use super::{get, outbox, store, sync};
use crate::app::App;
use crate::auth::{Caller, WriteProfile};
use crate::body::MergePatch;
use crate::error::ApiError;
use crate::management::Patch;
use crate::openapi;

/// A name and the URL of a picture.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Changes the caller's name and picture (RFC 7396). 200 once the provider has them too or has refused them; 202
/// where they are saved here and the provider can't be reached now: it is told later.
#[utoipa::path(
    patch, path = "/api/v1/profile", operation_id = "changeProfile", tag = "profile",
    request_body(content(
        (openapi::ProfilePatch = "application/merge-patch+json"), (openapi::ProfilePatch = "application/json")
    )),
    security(("bearer" = ["write:profile"])),
    responses(
        (status = 200, description = "The profile as it is now, here and at the provider", body = Profile),
        (status = 202, description = "Saved here; the provider can't be reached and is told later", body = Profile),
        openapi::Bearer, openapi::WithBody
    )
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<WriteProfile>,
    MergePatch(members): MergePatch<MAX_BODY_BYTES>,
) -> Result<Response, ApiError> {
    let patch = model::patch(members)?;
    if patch != Patch::default() {
        save(&app, caller.subject(), patch).await?;
    }
    let profile = get::read(&app, caller.identity()).await?;
    let status = match profile.provider {
        ProviderState::Pending => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    Ok((status, [(CACHE_CONTROL, "no-store")], Json(profile)).into_response())
}

/// Saves here, then tells the provider if it can be reached; nobody's edit waits for the provider to be saved.
async fn save(app: &App, subject: &str, patch: Patch) -> Result<(), ApiError> {
    let (owner, now) = (subject.to_owned(), app.now());
    let management = app.management.as_deref();
    let send_now = management.is_some_and(|management| !management.is_resting());
    let update = app
        .database
        .write(move |tx| {
            Box::pin(async move {
                store::edit(tx, &owner, &patch, now).await?;
                outbox::add(tx, &owner, &patch, send_now, now).await
            })
        })
        .await
        .map_err(ApiError::Database)?;
    if let (Some(management), Some(update)) = (management, update) {
        let outcome = management.update_patiently(subject, &update.patch()).await;
        sync::settle(&app.database, update, outcome, app.clock.as_ref()).await?;
    }
    Ok(())
}
