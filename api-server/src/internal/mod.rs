//! What the provider tells us, on the internal listener only: users as they log in, and its log stream.
//!
//! Every request proves itself by the internal token, compared in constant time. Without one configured these routes
//! answer 404.

mod auth0_logs;
mod failed_logins;
mod sync_user;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use edge_auth_policy::rejection::Reason;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use failed_logins::forget;

use crate::app::App;
use crate::error::ApiError;

/// The routes below `/internal` that take something.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sync_user::handler))
        .routes(routes!(auth0_logs::handler))
}

/// Proof that the request knows the internal token.
#[derive(Debug)]
struct Internal(());

impl FromRequestParts<App> for Internal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let expected = app.internal_token.as_ref().ok_or(ApiError::NotFound)?;
        let given = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        // Hashes are of one length, so the comparison tells nothing of the token's.
        let hash = |text: &[u8]| -> [u8; 32] { Sha256::digest(text).into() };
        let expected = hash(expected.expose().as_bytes());
        let reason = match given {
            Some(given) if bool::from(hash(given).ct_eq(&expected)) => return Ok(Self(())),
            Some(_) => Reason::BadSignature,
            None => Reason::MissingToken,
        };
        Err(ApiError::Rejected {
            reason,
            scope: None,
        })
    }
}
