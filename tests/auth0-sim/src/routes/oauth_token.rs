//! `/oauth/token` with `client_credentials` (RFC 6749 §4.4): the machine-to-machine tokens of tests.
//!
//! Body as form or as JSON, and errors with the status and wording of Auth0, which differ from the RFC's here and
//! there. The client's credentials are fixed: [`M2M_CLIENT_ID`] and [`M2M_CLIENT_SECRET`].

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

use super::management;
use crate::{DEFAULT_AUDIENCE, DEFAULT_SCOPE, state::Tenant, token::ROLES_CLAIM};

/// Where tokens are asked for.
pub const TOKEN_PATH: &str = "/oauth/token";
/// The machine-to-machine client.
pub const M2M_CLIENT_ID: &str = "test-m2m-client";
/// Its secret; test-only, as everything here.
pub const M2M_CLIENT_SECRET: &str = "test-only-m2m-secret";

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
}

async fn token(State(tenant): State<Arc<Tenant>>, request: Request) -> Response {
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    match asked.grant_type.as_deref() {
        Some("client_credentials") => client_credentials(&tenant, &asked),
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

fn client_credentials(tenant: &Tenant, asked: &TokenRequest) -> Response {
    if asked.client_id.as_deref() != Some(M2M_CLIENT_ID)
        || asked.client_secret.as_deref() != Some(M2M_CLIENT_SECRET)
    {
        return refuse(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized");
    }
    let Some(audience) = asked.audience.as_deref() else {
        return refuse(
            StatusCode::FORBIDDEN,
            "access_denied",
            "No audience parameter was provided, and no default audience has been configured",
        );
    };
    if audience == management::audience(tenant) {
        return management_token(tenant);
    }
    if audience != DEFAULT_AUDIENCE {
        return refuse(StatusCode::FORBIDDEN, "access_denied", "Service not found");
    }
    let granted: Vec<&str> = DEFAULT_SCOPE
        .split(' ')
        .filter(|scope| scope.contains(':'))
        .filter(|scope| {
            let asked = asked.scope.as_deref();
            asked.is_none_or(|asked| asked.split(' ').any(|one| one == *scope))
        })
        .collect();
    let scope = granted.join(" ");
    let token = tenant
        .token()
        .subject(&format!("{M2M_CLIENT_ID}@clients"))
        .scope(&scope)
        .claim("azp", M2M_CLIENT_ID)
        .claim("gty", "client-credentials")
        .without(ROLES_CLAIM);
    match token.try_build() {
        Ok(token) => issued(&json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": crate::token::LIFETIME_SECONDS,
            "scope": scope,
        })),
        Err(error) => refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            &error.to_string(),
        ),
    }
}

/// A token for the Management API: a day's worth, as Auth0 issues it.
fn management_token(tenant: &Tenant) -> Response {
    let scope = "read:users update:users";
    let number = {
        let mut changing = tenant.lock();
        changing.management_tokens_issued += 1;
        changing.management_tokens_issued
    };
    let token = tenant
        .token()
        .subject(&format!("{M2M_CLIENT_ID}@clients"))
        .audience(management::audience(tenant))
        .scope(scope)
        .claim("azp", M2M_CLIENT_ID)
        .claim("gty", "client-credentials")
        .claim("jti", number)
        .without(ROLES_CLAIM)
        .try_build();
    match token {
        Ok(token) => {
            let mut changing = tenant.lock();
            changing
                .management_tokens
                .insert(token.clone(), scope.to_owned());
            issued(&json!({
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": 86_400,
                "scope": scope,
            }))
        }
        Err(error) => refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            &error.to_string(),
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
