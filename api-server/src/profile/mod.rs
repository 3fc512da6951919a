//! The caller's profile: kept here, read from and written to the identity provider.
//!
//! An edit is saved here first, together with a row that says what the provider has yet to be told (an outbox). The
//! request that edits tries at once; what it can't finish, a task of any replica does later, also after a restart.

mod get;
mod model;
mod outbox;
mod patch;
mod store;
mod sync;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use outbox::count_pending;
pub use sync::run;

use crate::app::App;

/// The route `/api/v1/profile`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get::handler, patch::handler))
}
