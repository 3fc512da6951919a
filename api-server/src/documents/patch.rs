//! `PATCH /api/v1/documents/{id}`

use axum::Json;
use axum::extract::State;
use axum::http::header::{ETAG, HeaderMap};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::auth::{Caller, WriteDocuments};
use crate::body::MergePatch;
use crate::documents::etag::Precondition;
use crate::documents::model::{Document, Draft};
use crate::documents::store;
use crate::documents::{DocumentId, MAX_BODY_BYTES};
use crate::error::ApiError;
use crate::merge_patch;
use crate::openapi;

/// Changes parts of a document (RFC 7396), if it still is the version the client read.
#[utoipa::path(
    patch, path = "/api/v1/documents/{id}", operation_id = "changeDocument", tag = "documents",
    params(openapi::DocumentId, openapi::IfMatch),
    request_body(content(
        (openapi::DocumentPatch = "application/merge-patch+json"), (openapi::DocumentPatch = "application/json")
    )),
    security(("bearer" = ["write:documents"])),
    responses(
        (status = 200, description = "The document as it is now", body = Document, headers(("ETag" = String, description = "Names this version"))),
        openapi::Bearer, openapi::WithBody, openapi::Conditional
    )
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<WriteDocuments>,
    id: DocumentId,
    headers: HeaderMap,
    MergePatch(patch): MergePatch<MAX_BODY_BYTES>,
) -> Result<Response, ApiError> {
    let precondition = Precondition::if_match(&headers)?;
    let owner = caller.into_subject();
    let now = app.now();
    let document = app
        .database
        .write(move |tx| {
            Box::pin(async move {
                // First, because it makes this owner's changes take turns: what is read next can't change.
                let change = store::next_change(tx, &owner, now).await?;
                let current = store::find(tx, &owner, &id)
                    .await?
                    .ok_or(ApiError::NotFound)?;
                precondition.permit(current.etag())?;
                let mut members = current.editable();
                merge_patch::apply(&mut members, patch);
                let draft = Draft::parse(members)?;
                Ok::<_, ApiError>(store::replace(tx, &owner, &id, &draft, change, now).await?)
            })
        })
        .await?;
    Ok(([(ETAG, document.etag().to_header())], Json(document)).into_response())
}
