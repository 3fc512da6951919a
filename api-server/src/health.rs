//! Whether the process lives, and whether it can serve.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::App;
use crate::openapi;

/// `GET /healthz`: the process answers. Nothing it depends on is asked, so that an outage elsewhere restarts nobody.
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "operation",
    responses((status = 200, description = "The process answers", body = Health), openapi::Plain)
)]
pub async fn healthz() -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(Health { status: "ok" })).into_response()
}

/// `GET /readyz`: 200 if requests can be served now, else 503 with what is missing.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "operation",
    responses(
        openapi::Plain,
        (status = 200, description = "Requests can be served", body = Readiness),
        (status = 503, description = "Something is missing", body = Readiness)
    )
)]
pub async fn readyz(State(app): State<App>) -> Response {
    let database = app.database.ping().await.is_ok();
    let keys = app.verifier.has_keys(app.clock.now());
    let stopping = app.is_stopping();
    let ready = database && keys && !stopping;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let readiness = Readiness {
        status: if ready { "ready" } else { "not_ready" },
        database,
        keys,
        stopping,
    };
    (status, [(CACHE_CONTROL, "no-store")], Json(readiness)).into_response()
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Health {
    status: &'static str,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Readiness {
    status: &'static str,
    /// The database answers.
    database: bool,
    /// The issuer's keys are there.
    keys: bool,
    /// The server was told to stop: send new requests elsewhere.
    stopping: bool,
}
