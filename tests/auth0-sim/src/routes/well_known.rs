//! The published key set (RFC 7517 §5) and discovery (OpenID Connect Discovery 1.0 §4).

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, header::CACHE_CONTROL},
    routing::get,
};
use serde_json::{Value, json};

use super::{
    login::AUTHORIZE_PATH, logout::RP_INITIATED_PATH, oauth_token::TOKEN_PATH,
    userinfo::USERINFO_PATH,
};
use crate::{fault::jwk_set, state::Tenant};

/// Where the key set is.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";
/// Where the discovery document is.
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

pub(super) fn router() -> Router<Arc<Tenant>> {
    Router::new()
        .route(JWKS_PATH, get(jwks))
        .route(DISCOVERY_PATH, get(discovery))
}

async fn jwks(State(tenant): State<Arc<Tenant>>) -> (HeaderMap, Json<Value>) {
    let cache_control = tenant
        .jwks_cache_control
        .as_deref()
        .and_then(|value| HeaderValue::from_str(value).ok());
    let headers = cache_control
        .map(|value| (CACHE_CONTROL, value))
        .into_iter()
        .collect();
    (headers, Json(jwk_set(tenant.lock().keys.published())))
}

/// The endpoints lie under the issuer, which ends in a slash, as Auth0 writes them.
async fn discovery(State(tenant): State<Arc<Tenant>>) -> Json<Value> {
    let issuer = &tenant.issuer;
    let base = issuer.trim_end_matches('/');
    Json(json!({
        "issuer": issuer,
        "jwks_uri": format!("{base}{JWKS_PATH}"),
        "authorization_endpoint": format!("{base}{AUTHORIZE_PATH}"),
        "token_endpoint": format!("{base}{TOKEN_PATH}"),
        "userinfo_endpoint": format!("{base}{USERINFO_PATH}"),
        "end_session_endpoint": format!("{base}{RP_INITIATED_PATH}"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}
