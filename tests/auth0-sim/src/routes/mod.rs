//! The endpoints, one topic a file.

mod control;
pub(crate) mod management;
pub(crate) mod oauth_token;
pub(crate) mod well_known;

use std::sync::Arc;

use axum::Router;

use crate::state::Tenant;

/// Every endpoint of the tenant and the simulation's own controls.
pub(crate) fn router(tenant: Arc<Tenant>) -> Router {
    Router::new()
        .merge(well_known::router())
        .merge(oauth_token::router())
        .merge(management::router())
        .merge(control::router())
        .with_state(tenant)
}
