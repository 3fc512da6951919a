//! Sync: a device pulls what changed and pushes what it changed while it was offline.
//!
//! Every change of an owner has a number, taken under the owner's lock (`documents::store::next_change`), so the
//! numbers become visible in their order. A cursor is the last number a device has seen: nothing can appear below
//! it later, whatever other writers and replicas do.

mod change;
mod cursor;
mod pull;
mod push;
mod store;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes below `/api/v1/sync`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pull::handler))
        .routes(routes!(push::handler))
}
