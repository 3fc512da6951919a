//! The login page: one form, with the field names of Auth0's own.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Query, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, SET_COOKIE},
    },
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

use super::session_cookie;
use crate::{
    User,
    state::{Tenant, now},
};

#[derive(Deserialize)]
pub(super) struct PageQuery {
    /// Names the request that the login is for.
    state: String,
}

#[derive(Deserialize)]
pub(super) struct Submitted {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    /// `cancel` refuses the login, as a user can; anything else logs in.
    #[serde(default)]
    action: String,
}

pub(super) async fn show(
    State(tenant): State<Arc<Tenant>>,
    Query(asked): Query<PageQuery>,
) -> Response {
    let request = tenant.lock().logging_in.get(&asked.state).cloned();
    match request {
        Some(request) => page(StatusCode::OK, &request.login_hint, ""),
        None => unknown(),
    }
}

pub(super) async fn submit(
    State(tenant): State<Arc<Tenant>>,
    Query(asked): Query<PageQuery>,
    Form(given): Form<Submitted>,
) -> Response {
    let Some(request) = tenant.lock().logging_in.get(&asked.state).cloned() else {
        return unknown();
    };
    if given.action == "cancel" {
        tenant.lock().logging_in.remove(&asked.state);
        return request.refused("access_denied", "The user did not log in");
    }
    let Some(user) = User::with_credentials(&given.username, &given.password) else {
        let said = "Wrong email or password";
        return page(StatusCode::BAD_REQUEST, &given.username, said);
    };
    let (session, cookie) = {
        let mut changing = tenant.lock();
        changing.logging_in.remove(&asked.state);
        changing.grants.log_in(user, now())
    };
    let cookie = session_cookie(&cookie, COOKIE_LIFETIME_SECONDS);
    ([(SET_COOKIE, cookie)], request.granted(&tenant, session)).into_response()
}

fn unknown() -> Response {
    let text = "This login is over; begin again at the application";
    (StatusCode::BAD_REQUEST, text).into_response()
}

fn page(status: StatusCode, username: &str, error: &str) -> Response {
    let html = include_str!("page.html")
        .replace("{{username}}", &escaped(username))
        .replace("{{error}}", &escaped(error));
    let headers = [
        // No form-action: browsers apply it to the redirect that follows, which leads to the application.
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(html)).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// A work day.
const COOKIE_LIFETIME_SECONDS: u64 = 12 * 3600;
