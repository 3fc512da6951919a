//! Documents: Markdown texts that belong to one subject and are nobody else's business.

mod create;
mod delete;
mod etag;
mod get;
mod id;
mod list;
pub mod model;
mod patch;
pub mod search;
pub mod store;
mod update;

pub use etag::ETag;
pub use id::DocumentId;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;

use crate::app::App;
use crate::body::MAX_DOCUMENT_BODY_BYTES;

/// The routes below `/api/v1/documents`.
pub fn router() -> Router<App> {
    Router::new()
        .route(
            "/api/v1/documents",
            get(list::handler).post(create::handler),
        )
        .route(
            "/api/v1/documents/{id}",
            get(get::handler)
                .put(update::handler)
                .patch(patch::handler)
                .delete(delete::handler),
        )
        .layer(DefaultBodyLimit::max(MAX_DOCUMENT_BODY_BYTES))
}
