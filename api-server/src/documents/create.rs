//! `POST /api/v1/documents`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{ETAG, LOCATION};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::auth::{Caller, WriteDocuments};
use crate::body::JsonObject;
use crate::documents::model::{Document, Draft};
use crate::documents::store;
use crate::documents::{DocumentId, MAX_BODY_BYTES};
use crate::error::ApiError;
use crate::openapi;

/// Adds a document under a new id: 201 with `Location` and `ETag`.
#[utoipa::path(
    post, path = "/api/v1/documents", operation_id = "createDocument", tag = "documents",
    request_body = openapi::DocumentContent, security(("bearer" = ["write:documents"])),
    responses(
        (status = 201, description = "The new document", body = Document, headers(
            ("ETag" = String, description = "Names this version"),
            ("Location" = String, description = "The document's path")
        )),
        openapi::Bearer, openapi::WithBody
    )
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<WriteDocuments>,
    JsonObject(members): JsonObject<MAX_BODY_BYTES>,
) -> Result<Response, ApiError> {
    let draft = Draft::parse(members)?;
    let owner = caller.into_subject();
    let now = app.now();
    let id = DocumentId::new();
    let document = app
        .database
        .write(move |tx| {
            Box::pin(async move {
                store::insert(tx, &owner, &id, &draft, now).await?;
                Ok::<_, ApiError>(Document::new(id, draft, now))
            })
        })
        .await?;
    let location = format!("/api/v1/documents/{}", document.id);
    let etag = document.etag().to_header();
    let headers = [
        (
            LOCATION,
            location
                .parse()
                .map_err(|_| ApiError::Internal("an id that is no header value"))?,
        ),
        (ETAG, etag),
    ];
    Ok((StatusCode::CREATED, headers, Json(document)).into_response())
}
