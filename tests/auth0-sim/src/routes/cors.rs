//! Which pages may read an answer: those on an application's `web_origins`, errors included (Fetch standard §3.3).

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
        },
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use crate::state::Tenant;

/// Answers preflights, and lets pages of known origins read what the routes answer.
pub(super) fn readable(router: Router<Arc<Tenant>>, tenant: &Arc<Tenant>) -> Router<Arc<Tenant>> {
    router.layer(middleware::from_fn_with_state(Arc::clone(tenant), allow))
}

async fn allow(State(tenant): State<Arc<Tenant>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let known = origin.filter(|origin| {
        let mut clients = tenant.clients.iter();
        clients.any(|client| client.web_origins.iter().any(|one| *one == *origin))
    });
    let mut response = if request.method() == Method::OPTIONS {
        (StatusCode::NO_CONTENT, preflight()).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = known {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

fn preflight() -> HeaderMap {
    [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, auth0-client",
        ),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ]
    .into_iter()
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
    .collect()
}
