//! `GET /api/v1/profile`

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};

use super::model::{Profile, ProviderState, roles};
use super::store;
use crate::app::App;
use crate::auth::{Caller, Identity, ReadProfile};
use crate::error::ApiError;
use crate::openapi;
use crate::users;

/// The caller's profile. The provider is asked about a user it has never told of.
#[utoipa::path(
    get, path = "/api/v1/profile", operation_id = "getProfile", tag = "profile",
    security(("bearer" = ["read:profile"])),
    responses((status = 200, description = "The profile", body = Profile), openapi::Bearer)
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<ReadProfile>,
) -> Result<Response, ApiError> {
    let profile = match read(&app, caller.identity()).await? {
        profile if profile.provider == ProviderState::Unknown => {
            ask_provider(&app, caller.subject()).await?;
            read(&app, caller.identity()).await?
        }
        profile => profile,
    };
    Ok(([(CACHE_CONTROL, "private, no-cache")], Json(profile)).into_response())
}

/// What is known here.
pub(super) async fn read(app: &App, identity: &Identity) -> Result<Profile, ApiError> {
    let mut connection = app.database.read().await?;
    let user = store::find(&mut connection, identity.subject())
        .await?
        .ok_or(ApiError::Internal("a caller without a row"))?;
    let provider = match (user.unsent > 0, user.refused_status) {
        (true, Some(_)) => ProviderState::Refused,
        (true, None) if app.management.is_none() => ProviderState::Local,
        (true, None) => ProviderState::Pending,
        (false, _) if user.told_at == 0 => ProviderState::Unknown,
        (false, _) => ProviderState::Synced,
    };
    Ok(Profile {
        subject: identity.subject().to_owned(),
        email: user.email,
        email_verified: user.email_verified != 0,
        name: user.name,
        picture: user.picture,
        roles: roles(identity.claims(), &app.roles_claim),
        created_at: user.created_at,
        updated_at: user.updated_at.max(user.created_at),
        provider,
    })
}

/// Asks the provider about a user it never told of. An outage leaves it as it is: the next request asks again.
async fn ask_provider(app: &App, subject: &str) -> Result<(), ApiError> {
    let Some(management) = &app.management else {
        return Ok(());
    };
    if management.is_resting() {
        return Ok(());
    }
    let (now, subject) = (app.now(), subject.to_owned());
    match management.read_patiently(&subject).await {
        Ok(Some(profile)) => {
            app.database
                .write(move |tx| {
                    Box::pin(async move { users::store::told(tx, &profile, now).await })
                })
                .await?;
        }
        Ok(None) => {
            app.database
                .write(move |tx| {
                    Box::pin(async move { store::unknown_there(tx, &subject, now).await })
                })
                .await?;
        }
        // Logged and counted where it happened.
        Err(_) => {}
    }
    Ok(())
}
