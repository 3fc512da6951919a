//! The grants of users: `authorization_code` (RFC 6749 §4.1.3) and `refresh_token` (§6) with rotation.

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{TokenRequest, failed, issued, refuse};
use crate::{
    KeyError,
    grants::{Grant, random},
    routes::userinfo,
    state::{Tenant, now},
    token::ROLES_CLAIM,
};

pub(super) fn exchange_code(tenant: &Tenant, asked: &TokenRequest) -> Response {
    let Some(client_id) = authenticated(tenant, asked) else {
        return unauthorized();
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let code_text = text(&asked.code);
    let (code, refresh_token) = {
        let grants = &mut tenant.lock().grants;
        let redeemed = grants.redeem(
            &code_text,
            client_id,
            &text(&asked.redirect_uri),
            &text(&asked.code_verifier),
            now(),
        );
        match redeemed {
            Ok(code) => {
                let offline = code.grant.has("offline_access");
                let first = offline.then(|| grants.begin_family(&code_text, code.grant.clone()));
                (code, first)
            }
            Err(description) => return invalid_grant(description),
        }
    };
    answer(tenant, code.grant, code.nonce, refresh_token)
}

pub(super) fn refresh(tenant: &Tenant, asked: &TokenRequest) -> Response {
    let Some(client_id) = authenticated(tenant, asked) else {
        return unauthorized();
    };
    let refresh_token = asked.refresh_token.as_deref().unwrap_or_default();
    let rotated = tenant.lock().grants.rotate(refresh_token, client_id);
    match rotated {
        Ok((grant, next)) => answer(tenant, grant, None, Some(next)),
        Err(description) => invalid_grant(description),
    }
}

/// The client that asks, which knows its secret if it has one.
fn authenticated<'a>(tenant: &Tenant, asked: &'a TokenRequest) -> Option<&'a str> {
    let client = tenant.client(asked.client_id.as_deref())?;
    (client.client_secret == asked.client_secret).then_some(asked.client_id.as_deref()?)
}

fn unauthorized() -> Response {
    refuse(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized")
}

fn invalid_grant(description: &str) -> Response {
    refuse(StatusCode::FORBIDDEN, "invalid_grant", description)
}

fn answer(
    tenant: &Tenant,
    grant: Grant,
    nonce: Option<String>,
    refresh_token: Option<String>,
) -> Response {
    match tokens(tenant, grant, nonce, refresh_token) {
        Ok(body) => issued(&body),
        Err(error) => failed(&error),
    }
}

fn tokens(
    tenant: &Tenant,
    grant: Grant,
    nonce: Option<String>,
    refresh_token: Option<String>,
) -> Result<Value, KeyError> {
    let lifetime = tenant.lock().access_token_lifetime;
    let access_token = access_token(tenant, &grant, lifetime)?;
    let mut body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": grant.scope.join(" "),
    });
    if grant.has("openid") {
        body["id_token"] = id_token(tenant, &grant, nonce)?.into();
    }
    if let Some(refresh_token) = refresh_token {
        body["refresh_token"] = refresh_token.into();
    }
    tenant.lock().grants.issue(&access_token, grant);
    Ok(body)
}

/// A JWT for the API, also good for user info; opaque where no API was named.
fn access_token(tenant: &Tenant, grant: &Grant, lifetime: u64) -> Result<String, KeyError> {
    let Some(audience) = grant.audience.as_deref() else {
        return Ok(random());
    };
    let mut audiences = vec![audience.to_owned()];
    if grant.has("openid") {
        audiences.push(format!("{}userinfo", tenant.issuer));
    }
    tenant
        .token()
        .subject(&grant.session.user.user_id)
        .audience(audiences)
        .scope(&grant.scope.join(" "))
        .claim("exp", now() + lifetime)
        .claim("azp", grant.client_id.as_str())
        .claim("jti", random())
        .claim(ROLES_CLAIM, grant.session.user.roles.as_slice())
        .try_build()
}

/// OpenID Connect Core §2; the standard claims are in it too, as Auth0 writes them.
fn id_token(tenant: &Tenant, grant: &Grant, nonce: Option<String>) -> Result<String, KeyError> {
    let mut token = tenant
        .token()
        .without("scope")
        .without("azp")
        .audience(grant.client_id.as_str())
        .claim("exp", now() + ID_TOKEN_LIFETIME_SECONDS)
        .claim("sid", grant.session.sid.as_str())
        .claim("auth_time", grant.session.auth_time)
        .claim(ROLES_CLAIM, grant.session.user.roles.as_slice());
    for (name, value) in userinfo::claims(grant) {
        token = token.claim(&name, value);
    }
    if let Some(nonce) = nonce {
        token = token.claim("nonce", nonce);
    }
    token.try_build()
}

/// What Auth0 gives by default.
const ID_TOKEN_LIFETIME_SECONDS: u64 = 36_000;
