//! `GET /api/v1/auth/login`

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, HeaderMap, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use edge_auth_policy::base64url;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::attempt::{Attempt, LIFETIME, same_site_path};
use super::{AuthError, random_id};
use crate::app::App;
use crate::error::Invalid;
use crate::openapi;
use crate::query::Query;
use crate::sessions::cookie;

/// Where a page that asked goes next.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = LoginBegun)]
#[serde(rename_all = "camelCase")]
struct Begun {
    authorization_url: String,
}

/// Begins a login: remembers what must come back, and sends the browser to the provider.
///
/// A page gets the URL as JSON instead: one that keeps its own PKCE verifier and passes `code_challenge`, and one that
/// accepts `application/json`, so that it can read an error too.
#[utoipa::path(
    get, path = "/api/v1/auth/login", operation_id = "beginLogin", tag = "login",
    params(openapi::LoginQuery),
    responses(
        (status = 200, description = "For a page: where to go", body = Begun),
        (status = 302, description = "To the identity provider"),
        openapi::Auth
    )
)]
pub(super) async fn handler(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, AuthError> {
    let login = app.login()?;
    let mut query = Query::parse(query.as_deref());
    let owned = |text: Option<&str>| Ok::<_, Invalid>(text.map(str::to_owned));
    let return_to = query.take("return_to", owned).flatten();
    let challenge = query.take("code_challenge", owned).flatten();
    query.finish()?;
    let by_page = challenge.is_some() || accepts_json(&headers);
    let (code_verifier, challenge) = match challenge {
        Some(challenge) if base64url::decode(&challenge).is_some_and(|hash| hash.len() == 32) => {
            (None, challenge)
        }
        Some(_) => return Err(AuthError::InvalidRequest("code_challenge is not S256")),
        None => {
            let verifier = format!("{}{}", random_id(), random_id());
            let challenge = base64url::encode(Sha256::digest(&verifier));
            (Some(verifier), challenge)
        }
    };
    let now = app.clock.now();
    let attempt = Attempt {
        state: random_id(),
        nonce: random_id(),
        code_verifier,
        return_to: same_site_path(return_to.as_deref()),
        begun_at: now.as_millis(),
    };
    let url = login
        .provider
        .authorization_url(&attempt.state, &attempt.nonce, &challenge, now)
        .await?;
    let sealed = attempt
        .seal(login.keys(), now)
        .ok_or(AuthError::Internal("a cookie could not be sealed"))?;
    let mut reply = HeaderMap::new();
    // CVE-2025-48947: nothing that sets a cookie may be kept by a cache.
    reply.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    cookie::set(
        &mut reply,
        &headers,
        cookie::LOGIN,
        &sealed,
        LIFETIME.as_secs(),
    )?;
    if by_page {
        let begun = Begun {
            authorization_url: url.into(),
        };
        return Ok((reply, Json(begun)).into_response());
    }
    let location = HeaderValue::try_from(url.as_str())
        .map_err(|_| AuthError::Internal("an authorization URL that is no header value"))?;
    reply.insert(LOCATION, location);
    Ok((StatusCode::FOUND, reply).into_response())
}

/// Whether JSON is what the request asks for. A browser that goes to a page asks for HTML and anything else.
fn accepts_json(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accepted| {
        accepted
            .as_bytes()
            .eq_ignore_ascii_case(b"application/json")
    })
}
