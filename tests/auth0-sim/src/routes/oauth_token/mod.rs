//! `/oauth/token` (RFC 6749 §3.2): what a code, a refresh token or a client's own credentials are exchanged for.
//!
//! Body as form or as JSON, and errors with the status and wording of Auth0, which differ from the RFC's here and
//! there.

mod client_credentials;
mod user;

use std::sync::Arc;

use axum::{
    Form, Json, Router,
    extract::{FromRequest, Request, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::json;

pub use client_credentials::{M2M_CLIENT_ID, M2M_CLIENT_SECRET};

use crate::{KeyError, state::Tenant};

/// Where tokens are asked for.
pub const TOKEN_PATH: &str = "/oauth/token";

pub(super) fn router() -> Router<Arc<Tenant>> {
    Router::new().route(TOKEN_PATH, post(token))
}

#[derive(Debug, Default, Deserialize)]
struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    audience: Option<String>,
    scope: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
}

async fn token(State(tenant): State<Arc<Tenant>>, request: Request) -> Response {
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    match asked.grant_type.as_deref() {
        Some("client_credentials") => client_credentials::grant(&tenant, &asked),
        Some("authorization_code") => user::exchange_code(&tenant, &asked),
        Some("refresh_token") => user::refresh(&tenant, &asked),
        Some(_) => refuse(
            StatusCode::FORBIDDEN,
            "unsupported_grant_type",
            "Unsupported grant type",
        ),
        None => refuse(
            StatusCode::FORBIDDEN,
            "invalid_request",
            "Missing required parameter: grant_type",
        ),
    }
}

async fn read(request: Request) -> Result<TokenRequest, Response> {
    let is_json = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if is_json {
        let body = Json::from_request(request, &()).await;
        body.map(|Json(asked)| asked)
            .map_err(IntoResponse::into_response)
    } else {
        let body = Form::from_request(request, &()).await;
        body.map(|Form(asked)| asked)
            .map_err(IntoResponse::into_response)
    }
}

/// A response with a token in it is never cached (RFC 6749 §5.1).
fn issued(body: &serde_json::Value) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn refuse(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description});
    (status, Json(body)).into_response()
}

/// The key in use can't sign what was asked of it: a test set it up so.
fn failed(error: &KeyError) -> Response {
    refuse(
        StatusCode::INTERNAL_SERVER_ERROR,
        "server_error",
        &error.to_string(),
    )
}
