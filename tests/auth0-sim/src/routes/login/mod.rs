//! `/authorize`: the authorization code flow (RFC 6749 §4.1, OpenID Connect Core §3.1.2) with PKCE S256, which is
//! required (RFC 9700 §2.1.1), and the page on which a user logs in.
//!
//! An error goes back to the application once it is sure where that is; before, it is a page here.

mod page;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, COOKIE, LOCATION},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use url::Url;

use crate::{
    Client, DEFAULT_AUDIENCE,
    grants::{Code, Grant, Session, random},
    state::{Tenant, now},
};

/// Where a browser is sent to log in.
pub const AUTHORIZE_PATH: &str = "/authorize";
/// Where the login page is.
pub const LOGIN_PAGE_PATH: &str = "/u/login";

pub(super) fn router() -> Router<Arc<Tenant>> {
    Router::new()
        .route(AUTHORIZE_PATH, get(authorize))
        .route(LOGIN_PAGE_PATH, get(page::show).post(page::submit))
}

#[derive(Debug, Default, Deserialize)]
struct AuthorizeQuery {
    client_id: Option<String>,
    redirect_uri: Option<String>,
    response_type: Option<String>,
    response_mode: Option<String>,
    scope: Option<String>,
    audience: Option<String>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    prompt: Option<String>,
    login_hint: Option<String>,
    /// Seconds since the password was given, at most.
    max_age: Option<u64>,
}

/// A request that was found in order; what is still to come is the user.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    client_id: String,
    redirect_uri: Url,
    /// The same as it was written: a URL without a path gets one when it is read.
    callback: String,
    scope: Vec<String>,
    audience: Option<String>,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: String,
    login_hint: String,
}

async fn authorize(
    State(tenant): State<Arc<Tenant>>,
    Query(mut asked): Query<AuthorizeQuery>,
    headers: HeaderMap,
) -> Response {
    let Some(client) = tenant.client(asked.client_id.as_deref()) else {
        return (StatusCode::BAD_REQUEST, "Unknown client").into_response();
    };
    let Some(redirect_uri) = registered(client, asked.redirect_uri.as_deref()) else {
        let text = "Callback URL mismatch: it is not among the application's callbacks";
        return (StatusCode::FORBIDDEN, text).into_response();
    };
    if let Err((error, description)) = in_order(&asked) {
        return refused(redirect_uri, asked.state.as_deref(), error, description);
    }
    let prompt = asked.prompt.take().unwrap_or_default();
    let max_age = asked.max_age;
    let request = AuthorizationRequest {
        client_id: client.client_id.clone(),
        redirect_uri,
        callback: asked.redirect_uri.unwrap_or_default(),
        scope: words(asked.scope.as_deref()),
        audience: asked.audience,
        state: asked.state,
        nonce: asked.nonce,
        code_challenge: asked.code_challenge.unwrap_or_default(),
        login_hint: asked.login_hint.unwrap_or_default(),
    };
    let session = cookie(&headers).and_then(|it| tenant.lock().grants.session(it).cloned());
    let fresh = |session: &Session| {
        max_age.is_none_or(|max_age| now().saturating_sub(session.auth_time) <= max_age)
    };
    match session.filter(|session| prompt != "login" && fresh(session)) {
        Some(session) => request.granted(&tenant, session),
        None if prompt == "none" => request.refused("login_required", "Login required"),
        None => {
            let state = random();
            tenant.lock().logging_in.insert(state.clone(), request);
            found(format!("{LOGIN_PAGE_PATH}?state={state}"))
        }
    }
}

impl AuthorizationRequest {
    /// Back to the application with a code.
    fn granted(self, tenant: &Tenant, session: Session) -> Response {
        let user = session.user;
        let standard = ["openid", "profile", "email", "offline_access"];
        let may =
            |scope: &str| standard.contains(&scope) || (self.audience.is_some() && user.may(scope));
        let code = Code {
            grant: Grant {
                client_id: self.client_id,
                session,
                scope: self.scope.into_iter().filter(|one| may(one)).collect(),
                audience: self.audience,
            },
            redirect_uri: self.callback,
            challenge: self.code_challenge,
            nonce: self.nonce,
            expires_at: now() + CODE_LIFETIME_SECONDS,
        };
        let code = tenant.lock().grants.hand_out(code);
        let answer = [("code", code.as_str())];
        back(self.redirect_uri, self.state.as_deref(), &answer)
    }

    fn refused(self, error: &str, description: &str) -> Response {
        refused(self.redirect_uri, self.state.as_deref(), error, description)
    }
}

/// The redirect URI, where it is one the application registered.
fn registered(client: &Client, redirect_uri: Option<&str>) -> Option<Url> {
    let redirect_uri = redirect_uri?;
    let known = client.callbacks.iter().any(|one| one == redirect_uri);
    known.then(|| Url::parse(redirect_uri).ok()).flatten()
}

fn in_order(asked: &AuthorizeQuery) -> Result<(), (&'static str, &'static str)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    if text(&asked.response_type) != "code" {
        return Err(("unsupported_response_type", "response_type must be code"));
    }
    if !["", "query"].contains(&text(&asked.response_mode).as_str()) {
        return Err(("invalid_request", "response_mode must be query"));
    }
    if text(&asked.code_challenge_method) != "S256" || text(&asked.code_challenge).len() != 43 {
        return Err(("invalid_request", "PKCE with S256 is required"));
    }
    match asked.audience.as_deref() {
        None | Some(DEFAULT_AUDIENCE) => Ok(()),
        Some(_) => Err(("access_denied", "Service not found")),
    }
}

fn words(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split(' ');
    words
        .filter(|one| !one.is_empty())
        .map(str::to_owned)
        .collect()
}

fn refused(redirect_uri: Url, state: Option<&str>, error: &str, description: &str) -> Response {
    let answer = [("error", error), ("error_description", description)];
    back(redirect_uri, state, &answer)
}

fn back(mut redirect_uri: Url, state: Option<&str>, answer: &[(&str, &str)]) -> Response {
    redirect_uri
        .query_pairs_mut()
        .extend_pairs(answer)
        .extend_pairs(state.map(|state| ("state", state)));
    found(redirect_uri.into())
}

/// 302, which no cache keeps: it can carry a code.
fn found(location: String) -> Response {
    let headers = [(LOCATION, location), (CACHE_CONTROL, "no-store".to_owned())];
    (StatusCode::FOUND, headers).into_response()
}

/// The value of the tenant's session cookie.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let fields = headers.get_all(COOKIE).into_iter();
    let mut pairs = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split("; "));
    pairs.find_map(|pair| pair.strip_prefix("auth0=").filter(|it| !it.is_empty()))
}

/// Sets the tenant's session cookie. Without `Secure`: the simulation speaks plain HTTP.
pub(super) fn session_cookie(value: &str, max_age_seconds: u64) -> String {
    format!("auth0={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax")
}

const CODE_LIFETIME_SECONDS: u64 = 60;
