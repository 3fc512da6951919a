//! `DELETE /api/v1/documents/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::HeaderMap;

use crate::app::App;
use crate::auth::{Caller, DeleteDocuments};
use crate::documents::DocumentId;
use crate::documents::etag::Precondition;
use crate::documents::store;
use crate::error::ApiError;
use crate::openapi;

/// Deletes a document, if it still is the version the client read. A tombstone stays for devices that sync.
#[utoipa::path(
    delete, path = "/api/v1/documents/{id}", operation_id = "deleteDocument", tag = "documents",
    params(openapi::DocumentId, openapi::IfMatch), security(("bearer" = ["delete:documents"])),
    responses((status = 204, description = "Deleted"), openapi::Bearer, openapi::Conditional)
)]
pub(super) async fn handler(
    State(app): State<App>,
    caller: Caller<DeleteDocuments>,
    id: DocumentId,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let precondition = Precondition::if_match(&headers)?;
    let owner = caller.into_subject();
    let now = app.now();
    app.database
        .write(move |tx| {
            Box::pin(async move {
                // First, because it makes this owner's changes take turns: what is read next can't change.
                let change = store::next_change(tx, &owner, now).await?;
                let current = store::find(tx, &owner, &id).await?;
                precondition.permit(current.ok_or(ApiError::NotFound)?.etag())?;
                store::bury(tx, &owner, &id, change, now).await?;
                Ok::<_, ApiError>(())
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
