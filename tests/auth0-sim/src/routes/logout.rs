//! The two ways out: Auth0's own `/v2/logout`, and `/oidc/logout` (OpenID Connect RP-Initiated Logout §2). Both end
//! the tenant's session, and go to an address the application registered, or nowhere.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use url::Url;

use super::login::{cookie, session_cookie};
use crate::state::Tenant;

pub(super) fn router() -> Router<Arc<Tenant>> {
    Router::new()
        .route("/v2/logout", get(auth0))
        .route(RP_INITIATED_PATH, get(rp_initiated))
}

/// What discovery names as `end_session_endpoint`.
pub(super) const RP_INITIATED_PATH: &str = "/oidc/logout";

#[derive(Deserialize)]
struct Auth0Logout {
    client_id: Option<String>,
    #[serde(rename = "returnTo")]
    return_to: Option<String>,
}

async fn auth0(
    State(tenant): State<Arc<Tenant>>,
    Query(asked): Query<Auth0Logout>,
    headers: HeaderMap,
) -> Response {
    let back = asked.return_to.as_deref();
    log_out(&tenant, asked.client_id.as_deref(), back, None, &headers)
}

#[derive(Deserialize)]
struct RpInitiatedLogout {
    client_id: Option<String>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

/// `id_token_hint` is not needed here: the cookie says whose session it is, and `client_id` who asks.
async fn rp_initiated(
    State(tenant): State<Arc<Tenant>>,
    Query(asked): Query<RpInitiatedLogout>,
    headers: HeaderMap,
) -> Response {
    let back = asked.post_logout_redirect_uri.as_deref();
    let state = asked.state.as_deref();
    log_out(&tenant, asked.client_id.as_deref(), back, state, &headers)
}

fn log_out(
    tenant: &Tenant,
    client_id: Option<&str>,
    back: Option<&str>,
    state: Option<&str>,
    headers: &HeaderMap,
) -> Response {
    let client = tenant.client(client_id);
    let registered =
        |back: &&str| client.is_some_and(|it| it.allowed_logout_urls.iter().any(|url| url == back));
    if back.is_some_and(|back| !registered(&back)) {
        let text = "The address to return to is not among the application's allowed_logout_urls";
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    if let Some(session) = cookie(headers) {
        tenant.lock().grants.log_out(session);
    }
    let gone = [(SET_COOKIE, session_cookie("", 0))];
    let Some(mut back) = back.and_then(|back| Url::parse(back).ok()) else {
        return (gone, "You are logged out").into_response();
    };
    if let Some(state) = state {
        back.query_pairs_mut().append_pair("state", state);
    }
    let location = [(LOCATION, String::from(back))];
    (StatusCode::FOUND, gone, location).into_response()
}
