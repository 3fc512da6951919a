//! The extractor that stands before every handler of the API.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use edge_auth_policy::rejection::Reason;

use super::{Identity, RequiredScope};
use crate::app::App;
use crate::error::ApiError;

/// The subject of a verified token that grants the scope `S`.
pub struct Caller<S> {
    identity: Arc<Identity>,
    scope: PhantomData<S>,
}

impl<S> std::fmt::Debug for Caller<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Caller").field(&self.identity).finish()
    }
}

impl<S> Caller<S> {
    /// `sub`: the owner of everything this request touches.
    pub fn subject(&self) -> &str {
        self.identity.subject()
    }

    /// `sub`, owned.
    pub fn into_subject(self) -> String {
        self.identity.subject().to_owned()
    }

    /// The whole identity.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl<S: RequiredScope> FromRequestParts<App> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let rejected = |reason| ApiError::Rejected {
            reason,
            scope: Some(S::SCOPE),
        };
        let token = bearer(parts).map_err(rejected)?;
        let identity = app.verifier.verify(token, app.clock.as_ref()).await;
        let identity = identity.map_err(rejected)?;
        app.seen
            .ensure(&app.database, identity.subject(), app.now())
            .await?;
        if !identity.grants(S::SCOPE) {
            return Err(rejected(Reason::InsufficientScope));
        }
        Ok(Self {
            identity,
            scope: PhantomData,
        })
    }
}

/// `credentials = "Bearer" 1*SP b64token` (RFC 6750 §2.1); the scheme's case doesn't matter (RFC 9110 §11.1).
fn bearer(parts: &Parts) -> Result<&str, Reason> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Reason::MissingToken)?;
    if values.next().is_some() {
        return Err(Reason::SeveralTokens);
    }
    let value = value.to_str().map_err(|_| Reason::MalformedToken)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(token.trim_start_matches(' '))
        }
        _ => Err(Reason::MissingToken),
    }
}
