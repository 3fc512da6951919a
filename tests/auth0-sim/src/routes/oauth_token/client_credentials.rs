//! `client_credentials` (RFC 6749 §4.4): the machine-to-machine tokens of tests, for the API and for the Management
//! API. The client's credentials are fixed: [`M2M_CLIENT_ID`] and [`M2M_CLIENT_SECRET`].

use axum::{http::StatusCode, response::Response};
use serde_json::json;

use super::{TokenRequest, failed, issued, refuse};
use crate::{
    DEFAULT_AUDIENCE, DEFAULT_SCOPE, routes::management, state::Tenant, token::LIFETIME_SECONDS,
    token::ROLES_CLAIM,
};

/// The machine-to-machine client.
pub const M2M_CLIENT_ID: &str = "test-m2m-client";
/// Its secret; test-only, as everything here.
pub const M2M_CLIENT_SECRET: &str = "test-only-m2m-secret";

pub(super) fn grant(tenant: &Tenant, asked: &TokenRequest) -> Response {
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
            "expires_in": LIFETIME_SECONDS,
            "scope": scope,
        })),
        Err(error) => failed(&error),
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
        Err(error) => failed(&error),
    }
}
