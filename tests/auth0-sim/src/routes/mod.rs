//! The endpoints, one topic a file.

mod control;
mod cors;
pub(crate) mod login;
mod logout;
pub(crate) mod management;
pub(crate) mod oauth_token;
pub(crate) mod userinfo;
pub(crate) mod well_known;

use std::sync::Arc;

use axum::Router;

use crate::state::Tenant;

/// Every endpoint of the tenant and the simulation's own controls.
pub(crate) fn router(tenant: Arc<Tenant>) -> Router {
    Router::new()
        .merge(well_known::router())
        .merge(login::router())
        .merge(logout::router())
        .merge(cors::readable(oauth_token::router(), &tenant))
        .merge(cors::readable(userinfo::router(), &tenant))
        .merge(management::router())
        .merge(control::router())
        .with_state(tenant)
}
