//! The simulation's own controls under `/sim/`, for people and for tests in other processes.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /sim/token` | [`MintRequest`]; `{}` is a valid token | `{"access_token", "token_type"}` |
//! | `POST /sim/rotate` | none | the new key's `{"kid"}` |
//! | `POST /sim/withdraw` | `{"kid"}` | `{"withdrawn": bool}` |
//! | `POST /sim/publish` | `{"key": "p256"}` | the key's `{"kid"}` |
//! | `POST /sim/fault` | `{"path", "fault", "times"}` | 204; `path` is the key set's by default, no `times` means always |
//! | `POST /sim/lifetime` | `{"seconds"}` | 204; how long access tokens of logins are good for from now on |
//! | `DELETE /sim/fault` | none | 204; every path works again |
//! | `GET /sim/stats` | – | `{"<path>": {"count", "at_ms"}}` |
//!
//! A real tenant has none of them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::well_known::JWKS_PATH;
use crate::{Algorithm, Fault, Key, PathStats, SigningKey, state::Tenant};

pub(super) fn router() -> Router<Arc<Tenant>> {
    Router::new()
        .route("/sim/token", post(mint))
        .route("/sim/rotate", post(rotate))
        .route("/sim/withdraw", post(withdraw))
        .route("/sim/publish", post(publish))
        .route("/sim/lifetime", post(lifetime))
        .route("/sim/fault", post(arm).delete(clear))
        .route("/sim/stats", get(stats))
}

/// What `POST /sim/token` changes in a valid token; everything is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MintRequest {
    /// `sub`.
    subject: Option<String>,
    /// `scope`.
    scope: Option<String>,
    /// How many seconds ago it expired.
    expired_by: Option<u64>,
    /// Claims to set, of any type.
    claims: Map<String, Value>,
    /// Claims to leave out.
    without: Vec<String>,
    /// Header parameters to set; null leaves one out.
    header: Map<String, Value>,
    /// Sign with this key instead of the tenant's.
    key: Option<Key>,
    /// Sign with this algorithm instead of the key's.
    algorithm: Option<Algorithm>,
    /// No signature, and `alg` `none`.
    unsigned: bool,
}

async fn mint(State(tenant): State<Arc<Tenant>>, Json(asked): Json<MintRequest>) -> Response {
    let mut signing = match asked.key {
        Some(key) => SigningKey::from(key),
        None => tenant.lock().keys.signing().clone(),
    };
    if let Some(algorithm) = asked.algorithm {
        signing = signing.with_algorithm(algorithm);
    }
    let mut token = tenant.token().signed_with(signing);
    if asked.unsigned {
        token = token.unsigned("none");
    }
    if let Some(seconds) = asked.expired_by {
        token = token.expired_by(seconds);
    }
    if let Some(subject) = &asked.subject {
        token = token.subject(subject);
    }
    if let Some(scope) = &asked.scope {
        token = token.scope(scope);
    }
    for (name, value) in asked.claims {
        token = token.claim(&name, value);
    }
    for name in &asked.without {
        token = token.without(name);
    }
    for (name, value) in asked.header {
        token = token.header(&name, value);
    }
    match token.try_build() {
        Ok(token) => Json(json!({"access_token": token, "token_type": "Bearer"})).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

async fn rotate(State(tenant): State<Arc<Tenant>>) -> Json<Value> {
    let new = tenant.lock().keys.rotate();
    Json(json!({"kid": new.kid}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithdrawRequest {
    kid: String,
}

async fn withdraw(
    State(tenant): State<Arc<Tenant>>,
    Json(asked): Json<WithdrawRequest>,
) -> Json<Value> {
    let withdrawn = tenant.lock().keys.withdraw(&asked.kid);
    Json(json!({"withdrawn": withdrawn}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishRequest {
    key: Key,
}

async fn publish(
    State(tenant): State<Arc<Tenant>>,
    Json(asked): Json<PublishRequest>,
) -> Json<Value> {
    tenant.lock().keys.publish(asked.key.into());
    Json(json!({"kid": asked.key.kid()}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LifetimeRequest {
    seconds: u64,
}

async fn lifetime(
    State(tenant): State<Arc<Tenant>>,
    Json(asked): Json<LifetimeRequest>,
) -> StatusCode {
    tenant.lock().access_token_lifetime = asked.seconds;
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultRequest {
    #[serde(default = "jwks_path")]
    path: String,
    fault: Fault,
    times: Option<u32>,
}

fn jwks_path() -> String {
    JWKS_PATH.into()
}

async fn arm(State(tenant): State<Arc<Tenant>>, Json(asked): Json<FaultRequest>) -> StatusCode {
    // A fault on the controls could never be cleared again.
    if asked.path.starts_with("/sim/") {
        return StatusCode::BAD_REQUEST;
    }
    tenant.lock().arm(&asked.path, asked.fault, asked.times);
    StatusCode::NO_CONTENT
}

async fn clear(State(tenant): State<Arc<Tenant>>) -> StatusCode {
    tenant.lock().clear_faults();
    StatusCode::NO_CONTENT
}

async fn stats(State(tenant): State<Arc<Tenant>>) -> Json<BTreeMap<String, PathStats>> {
    Json(tenant.lock().stats.all().clone())
}
