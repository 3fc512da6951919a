//! Request bodies: JSON within a limit, with errors that say what is wrong and where.
//!
//! Fields are checked by the route's own parsing, not by serde, so that all of them are reported at once.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::error::{ApiError, Invalid};

/// Bytes of a request body at most, on routes that take one document. Twice the document's own limit: JSON may
/// spell a character with more bytes than it has.
pub const MAX_DOCUMENT_BODY_BYTES: usize = 2 << 20;

/// A JSON object as the body (`application/json`).
#[derive(Debug)]
pub struct JsonObject(pub Map<String, Value>);

/// Bytes of a request body at most, on routes that take a batch.
pub const MAX_BATCH_BODY_BYTES: usize = 8 << 20;

/// A batch as the body (`application/json`).
#[derive(Debug)]
pub struct JsonBatch(pub Map<String, Value>);

/// A JSON object as a merge patch (RFC 7396; `application/json` is taken for it too).
#[derive(Debug)]
pub struct MergePatch(pub Map<String, Value>);

/// A body as it is.
#[derive(Debug)]
pub struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        read_bytes(request, state).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        read(
            request,
            state,
            &["application/json"],
            MAX_DOCUMENT_BODY_BYTES,
        )
        .await
        .map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBatch {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        read(request, state, &["application/json"], MAX_BATCH_BODY_BYTES)
            .await
            .map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        read(
            request,
            state,
            &["application/merge-patch+json", "application/json"],
            MAX_DOCUMENT_BODY_BYTES,
        )
        .await
        .map(Self)
    }
}

async fn read_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::BodyTooLarge,
            _ => ApiError::IncompleteBody,
        })
}

async fn read<S: Send + Sync>(
    request: Request,
    state: &S,
    accepted: &[&'static str],
    limit_bytes: usize,
) -> Result<Map<String, Value>, ApiError> {
    let media_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim)
        .unwrap_or_default();
    if !accepted.iter().any(|a| a.eq_ignore_ascii_case(media_type)) {
        return Err(ApiError::UnsupportedMediaType {
            accepted: accepted[0],
        });
    }
    let bytes = read_bytes(request, state)
        .await
        .map_err(|error| match error {
            ApiError::BodyTooLarge => ApiError::TooLarge { limit_bytes },
            error => error,
        })?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(ApiError::InvalidContent(vec![Invalid::new(
            "",
            "must be a JSON object",
        )])),
        // The parser's text may quote the body; its place does not.
        Err(error) => Err(ApiError::MalformedBody {
            line: error.line(),
            column: error.column(),
        }),
    }
}
