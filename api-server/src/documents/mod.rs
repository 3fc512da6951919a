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

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes below `/api/v1/documents`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::handler, create::handler))
        .routes(routes!(
            get::handler,
            update::handler,
            patch::handler,
            delete::handler
        ))
}

/// Twice the document's own limit: JSON may spell a character with more bytes than it has.
const MAX_BODY_BYTES: usize = 2 << 20;
