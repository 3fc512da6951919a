//! `/api/v2/users/{id}` of the Management API: reading a user, and changing the attributes a test needs.
//!
//! Tokens come from `/oauth/token` with [`audience`]. Refusals have Auth0's status and shape: an attribute that does
//! not exist, a value out of bounds, a user of a social connection, whose attributes the connection owns.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Map, Value, json};

use crate::state::Tenant;

/// Where a user is, as faults and counts name it.
pub const USER_PATH: &str = "/api/v2/users/{id}";

pub(super) fn router() -> Router<Arc<Tenant>> {
    Router::new().route(USER_PATH, get(read).patch(update))
}

/// The Management API's identifier: the audience of its tokens.
pub(super) fn audience(tenant: &Tenant) -> String {
    format!("{}/api/v2/", tenant.issuer.trim_end_matches('/'))
}

async fn read(
    State(tenant): State<Arc<Tenant>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refusal(&tenant, &headers, "read:users") {
        return refused;
    }
    match tenant.lock().users.get(&id) {
        Some(user) => Json(user).into_response(),
        None => unknown_user(),
    }
}

async fn update(
    State(tenant): State<Arc<Tenant>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<Map<String, Value>>,
) -> Response {
    if let Some(refused) = refusal(&tenant, &headers, "update:users") {
        return refused;
    }
    for (name, value) in &patch {
        if !["name", "nickname", "picture"].contains(&name.as_str()) {
            return invalid(&format!("Additional properties not allowed: {name}"));
        }
        let length = value.as_str().map_or(0, |text| text.chars().count());
        if !(1..=300).contains(&length) && name != "picture" {
            return invalid(&format!("Invalid type or length of property {name}"));
        }
        if name == "picture" && !value.as_str().is_some_and(|text| text.starts_with("http")) {
            return invalid("Object didn't pass validation for format absolute-uri-or-empty");
        }
    }
    if !id.starts_with("auth0|") {
        let names: Vec<_> = patch.keys().map(String::as_str).collect();
        return refuse(
            StatusCode::BAD_REQUEST,
            "operation_not_supported",
            &format!(
                "The following user attributes cannot be updated: {}",
                names.join(", ")
            ),
        );
    }
    match tenant.lock().users.get_mut(&id) {
        Some(user) => {
            user.extend(patch);
            Json(&*user).into_response()
        }
        None => unknown_user(),
    }
}

/// The answer to a token that is not good for `scope`; `None` lets the request through.
fn refusal(tenant: &Tenant, headers: &HeaderMap, scope: &str) -> Option<Response> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let granted = token.and_then(|token| tenant.lock().management_tokens.get(token).cloned());
    let Some(granted) = granted else {
        let status = StatusCode::UNAUTHORIZED;
        return Some(refuse(status, "invalid_token", "Invalid token"));
    };
    if granted.split(' ').any(|one| one == scope) {
        return None;
    }
    Some(refuse(
        StatusCode::FORBIDDEN,
        "insufficient_scope",
        &format!("Insufficient scope, expected any of: {scope}"),
    ))
}

fn unknown_user() -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "inexistent_user",
        "The user does not exist.",
    )
}

fn invalid(what: &str) -> Response {
    refuse(
        StatusCode::BAD_REQUEST,
        "invalid_body",
        &format!("Payload validation error: '{what}'."),
    )
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({
        "statusCode": status.as_u16(),
        "error": status.canonical_reason(),
        "message": message,
        "errorCode": code,
    });
    (status, Json(body)).into_response()
}
