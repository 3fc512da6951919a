//! `/userinfo` (OpenID Connect Core §5.3): what an access token's scopes allow to be told of its user.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Map, Value};

use crate::{grants::Grant, state::Tenant};

/// Where a user is told of.
pub const USERINFO_PATH: &str = "/userinfo";

pub(super) fn router() -> Router<Arc<Tenant>> {
    Router::new().route(USERINFO_PATH, get(userinfo).post(userinfo))
}

async fn userinfo(State(tenant): State<Arc<Tenant>>, headers: HeaderMap) -> Response {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let grant = token.and_then(|token| tenant.lock().grants.issued(token).cloned());
    match grant.filter(|grant| grant.has("openid")) {
        Some(grant) => Json(claims(&grant)).into_response(),
        None => (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")],
            "Unauthorized",
        )
            .into_response(),
    }
}

/// The standard claims of the grant's scopes (OpenID Connect Core §5.4), and `sub`.
pub(super) fn claims(grant: &Grant) -> Map<String, Value> {
    let user = grant.session.user;
    let mut claims = match user.profile() {
        Value::Object(profile) => profile,
        _ => Map::new(),
    };
    claims.retain(|name, _| {
        grant.has(if name.starts_with("email") {
            "email"
        } else {
            "profile"
        })
    });
    claims.insert("sub".into(), user.user_id.as_str().into());
    claims
}
