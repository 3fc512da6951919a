//! Request bodies: JSON within a limit, with errors that say what is wrong and where.
//!
//! The limit, in bytes, is part of the extractor's type: a handler can't be written without one, and a body that is
//! larger is refused with the very limit it was held to.
//!
//! Fields are checked by the route's own parsing, not by serde, so that all of them are reported at once.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::error::{ApiError, Invalid};

/// A JSON object as the body (`application/json`).
#[derive(Debug)]
pub struct JsonObject<const MAX_BYTES: usize>(pub Map<String, Value>);

/// A JSON object as a merge patch (RFC 7396; `application/json` is taken for it too).
#[derive(Debug)]
pub struct MergePatch<const MAX_BYTES: usize>(pub Map<String, Value>);

/// A body as it is.
#[derive(Debug)]
pub struct Raw<const MAX_BYTES: usize>(pub Bytes);

impl<S: Send + Sync, const MAX_BYTES: usize> FromRequest<S> for Raw<MAX_BYTES> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        read_bytes(request, state, MAX_BYTES).await.map(Self)
    }
}

impl<S: Send + Sync, const MAX_BYTES: usize> FromRequest<S> for JsonObject<MAX_BYTES> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        read(request, state, &["application/json"], MAX_BYTES)
            .await
            .map(Self)
    }
}

impl<S: Send + Sync, const MAX_BYTES: usize> FromRequest<S> for MergePatch<MAX_BYTES> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let accepted = ["application/merge-patch+json", "application/json"];
        read(request, state, &accepted, MAX_BYTES).await.map(Self)
    }
}

async fn read_bytes<S: Send + Sync>(
    mut request: Request,
    state: &S,
    limit_bytes: usize,
) -> Result<Bytes, ApiError> {
    DefaultBodyLimit::max(limit_bytes).apply(&mut request);
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge { limit_bytes },
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
    let bytes = read_bytes(request, state, limit_bytes).await?;
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
