//! `GET /api/v1/documents/{id}`

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, HeaderMap};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::auth::{Caller, ReadDocuments};
use crate::documents::DocumentId;
use crate::documents::etag::Precondition;
use crate::documents::model::Document;
use crate::documents::store;
use crate::error::{ApiError, Problem};
use crate::openapi;

/// The document with its `ETag`, or 304 for one the client already has.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}", operation_id = "getDocument", tag = "documents",
    params(openapi::DocumentId, openapi::IfNoneMatch), security(("bearer" = ["read:documents"])),
    responses(
        openapi::Bearer,
        (status = 200, description = "The document", body = Document, headers(("ETag" = String, description = "Names this version"))),
        (status = 304, description = "The client has it"),
        (status = 404, description = "There is no such document of the caller's", body = Problem,
            content_type = "application/problem+json")
    )
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<ReadDocuments>,
    id: DocumentId,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let known = Precondition::if_none_match(&headers)?;
    let document = store::read(&app.database, caller.subject(), &id)
        .await?
        .ok_or(ApiError::NotFound)?;
    let headers = [
        (ETAG, document.etag().to_header()),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    if known.is_some_and(|known| known.includes(document.etag())) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, Json(document)).into_response())
}
