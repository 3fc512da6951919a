//! `GET /api/v1/auth/callback` for full-page logins, `POST` for a page that logs in by itself.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, HeaderMap, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use edge_auth_policy::time::UnixTime;
use subtle::ConstantTimeEq as _;

use super::attempt::Attempt;
use super::provider::Profile;
use super::session::Info;
use super::{AuthError, Login, MAX_BODY_BYTES, Tokens, random_id};
use crate::app::App;
use crate::audit::{self, Event};
use crate::body::JsonObject;
use crate::client::Client;
use crate::error::Invalid;
use crate::openapi;
use crate::query::Query;
use crate::sessions::cookie;
use crate::sessions::store::{self, Stored};
use crate::users;

/// What the provider sent back with the browser. Every part is hostile (CVE-2023-27496).
#[derive(Default)]
struct Returned {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    code_verifier: Option<String>,
}

/// Finishes a full-page login and goes where it was begun from; a failure goes there too, with `auth_error`.
#[utoipa::path(
    get, path = "/api/v1/auth/callback", operation_id = "finishLogin", tag = "login",
    params(openapi::CallbackQuery),
    responses(
        (status = 302, description = "To where the login was begun; with `auth_error` where it failed"),
        openapi::Auth
    )
)]
pub(super) async fn redirect(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    client: Client,
) -> Result<Response, AuthError> {
    let login = app.login()?;
    let mut query = Query::parse(query.as_deref());
    let mut take = |name| {
        query
            .take(name, |text| Ok::<_, Invalid>(text.map(str::to_owned)))
            .flatten()
    };
    // What else providers send (`iss`, `session_state`, `error_description`) is not looked at.
    let returned = Returned {
        code: take("code"),
        state: take("state"),
        error: take("error"),
        code_verifier: None,
    };
    let mut reply = no_store();
    cookie::clear(&mut reply, &headers, cookie::LOGIN)?;
    let attempt = begun(login, &headers, &app);
    let return_to = attempt
        .as_ref()
        .map_or_else(|| "/".to_owned(), |attempt| attempt.return_to.clone());
    let location = match finish(&app, login, attempt, returned, &headers, &client).await {
        Ok(stored) => {
            login.set_session_cookie(&mut reply, &headers, &stored, app.clock.now())?;
            return_to
        }
        Err(error) => {
            error.log();
            let separator = if return_to.contains('?') { '&' } else { '?' };
            let (path, fragment) = return_to
                .split_once('#')
                .map_or((return_to.as_str(), String::new()), |(path, fragment)| {
                    (path, format!("#{fragment}"))
                });
            format!("{path}{separator}auth_error={}{fragment}", error.code())
        }
    };
    let location = HeaderValue::try_from(location)
        .map_err(|_| AuthError::Internal("a return path that is no header value"))?;
    reply.insert(LOCATION, location);
    Ok((StatusCode::FOUND, reply).into_response())
}

/// Finishes a login that a page began with its own `code_challenge`.
#[utoipa::path(
    post, path = "/api/v1/auth/callback", operation_id = "finishLoginOfPage", tag = "login",
    request_body = openapi::Callback,
    responses((status = 200, description = "The new session", body = Info), openapi::WithBody, openapi::Auth)
)]
pub(super) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    client: Client,
    JsonObject(mut members): JsonObject<MAX_BODY_BYTES>,
) -> Result<Response, AuthError> {
    app.refuse_other_sites(&headers)?;
    let login = app.login()?;
    let mut take = |name| match members.remove(name) {
        Some(serde_json::Value::String(text)) => Some(text),
        _ => None,
    };
    let returned = Returned {
        code: take("code"),
        state: take("state"),
        error: None,
        code_verifier: take("codeVerifier"),
    };
    let attempt = begun(login, &headers, &app);
    let mut reply = no_store();
    // Whatever comes of it: an attempt is good for one callback.
    cookie::clear(&mut reply, &headers, cookie::LOGIN)?;
    match finish(&app, login, attempt, returned, &headers, &client).await {
        Ok(stored) => {
            login.set_session_cookie(&mut reply, &headers, &stored, app.clock.now())?;
            Ok((reply, Json(Info::from(&stored))).into_response())
        }
        Err(error) => {
            let mut response = error.into_response();
            reply.remove(CACHE_CONTROL);
            response.headers_mut().extend(reply);
            Ok(response)
        }
    }
}

fn begun(login: &Login, headers: &HeaderMap, app: &App) -> Option<Attempt> {
    let sealed = cookie::read(headers, cookie::LOGIN)?;
    Attempt::open(&sealed, login.keys(), app.clock.now())
}

async fn finish(
    app: &App,
    login: &Login,
    attempt: Option<Attempt>,
    returned: Returned,
    headers: &HeaderMap,
    client: &Client,
) -> Result<Stored, AuthError> {
    let begun_at = attempt.as_ref().map(|attempt| attempt.begun_at);
    let checked = check(app, login, attempt, returned).await;
    let before = cookie::session(headers, login.keys(), app.clock.now());
    let (tokens, profile) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            let (client, outcome, now) = (client.clone(), error.code(), app.now());
            app.metrics.event(Event::Login, outcome);
            // Without an attempt it is nobody's login: whoever likes to can make as many as they want, and a row for
            // each would be theirs to fill our disk with. They are counted.
            if begun_at.is_none() {
                return Err(error);
            }
            app.database
                .write(move |tx| {
                    Box::pin(async move {
                        let record = audit::Record {
                            event: Event::Login,
                            outcome,
                            subject: None,
                            session_id: None,
                            client: &client,
                        };
                        audit::record(tx, record, now).await
                    })
                })
                .await?;
            return Err(error);
        }
    };
    let id = random_id();
    let sealed = login.seal_tokens(&id, &tokens)?;
    let now = app.now();
    let expires_at = login.absolute_end(now);
    let client = client.clone();
    let stored = app
        .database
        .write(move |tx| {
            Box::pin(async move {
                // GHSA-f24x-5g9q-753f: whoever was logged in in this browser no longer is.
                if let Some(before) = before {
                    let which = store::Which::Id(&before.session_id);
                    store::revoke(tx, which, "login", now).await?;
                }
                users::store::told(tx, &profile, now).await?;
                let new = store::New {
                    id: &id,
                    subject: &profile.subject,
                    provider_session: profile.provider_session.as_deref(),
                    expires_at,
                    user_agent: &client.user_agent,
                    address: &client.address,
                    tokens: &sealed,
                };
                store::insert(tx, new, now).await?;
                let record = audit::Record {
                    event: Event::Login,
                    outcome: "success",
                    subject: Some(&profile.subject),
                    session_id: Some(&id),
                    client: &client,
                };
                audit::record(tx, record, now).await?;
                let stored = store::lock(tx, &id).await?;
                stored.ok_or(AuthError::Internal("a session that is not there"))
            })
        })
        .await?;
    app.metrics.event(Event::Login, "success");
    if let Some(begun_at) = begun_at {
        let took = app.clock.now().since(UnixTime::from_millis(begun_at));
        app.metrics.login_took(took);
    }
    Ok(stored)
}

/// From what came back to tokens: state, then code, then both tokens, each for this client and this user.
async fn check(
    app: &App,
    login: &Login,
    attempt: Option<Attempt>,
    returned: Returned,
) -> Result<(Tokens, Profile), AuthError> {
    let attempt = attempt.ok_or(AuthError::StateMismatch)?;
    let state = returned
        .state
        .ok_or(AuthError::InvalidRequest("state is missing"))?;
    if !bool::from(state.as_bytes().ct_eq(attempt.state.as_bytes())) {
        return Err(AuthError::StateMismatch);
    }
    if let Some(error) = returned.error {
        return Err(AuthError::Denied(known_error(&error)));
    }
    let code = returned
        .code
        .ok_or(AuthError::InvalidRequest("code is missing"))?;
    let code_verifier = attempt
        .code_verifier
        .or(returned.code_verifier)
        .ok_or(AuthError::InvalidRequest("codeVerifier is missing"))?;
    let now = app.clock.now();
    let (tokens, profile) = login
        .provider
        .exchange(code, code_verifier, &attempt.nonce, now)
        .await?;
    let identity = app
        .verifier
        .verify(&tokens.access_token, app.clock.as_ref())
        .await
        .map_err(|reason| {
            tracing::warn!(
                reason = reason.code(),
                "the access token of a login was refused"
            );
            AuthError::ProviderUnavailable
        })?;
    if identity.subject() != profile.subject {
        return Err(AuthError::InvalidIdToken);
    }
    Ok((tokens, profile))
}

/// The provider's error codes we pass on (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6); any other is one of ours.
fn known_error(error: &str) -> &'static str {
    const KNOWN: [&str; 6] = [
        "access_denied",
        "login_required",
        "interaction_required",
        "consent_required",
        "temporarily_unavailable",
        "unauthorized",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == error)
        .unwrap_or("provider_error")
}

/// CVE-2025-48947: nothing that sets a cookie may be kept by a cache.
fn no_store() -> HeaderMap {
    HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("no-store"))])
}
