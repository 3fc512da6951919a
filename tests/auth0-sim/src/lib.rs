//! A simulated Auth0: what a resource server sees of a tenant, and every way in which that can go wrong.
//!
//! Three parts, usable apart:
//!
//! - [`Key`] and [`TokenBuilder`] make tokens, good and hostile, without any server. Time is an argument.
//! - [`Auth0Sim`] serves the tenant's public face: `/.well-known/jwks.json`, `/.well-known/openid-configuration`,
//!   `/authorize` with its login page, `/oauth/token` (code, refresh token, client credentials), `/userinfo`, both
//!   logouts, and the users of the Management API ([`USER_PATH`]). Keys rotate, and what is published is independent
//!   of what signs.
//! - [`Fault`] breaks an endpoint on demand, from the test or through the control endpoints under `/sim/`, which are
//!   the simulation's own and have no counterpart at Auth0 (see `routes/control.rs`).
//!
//! The keys are fixed and stand in the repository ([`Key`]); a token signed here is worth nothing anywhere else.
//! Who can log in is fixed ([`User`]); which applications may ask for it is told at the start ([`Client`]).

mod algorithm;
mod client;
mod fault;
mod grants;
mod key;
mod key_ring;
mod routes;
mod server;
mod state;
mod stats;
mod token;
mod user;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use client::Client;
pub use fault::Fault;
pub use key::{Key, KeyError};
pub use key_ring::SigningKey;
pub use routes::login::{AUTHORIZE_PATH, LOGIN_PAGE_PATH};
pub use routes::management::USER_PATH;
pub use routes::oauth_token::{M2M_CLIENT_ID, M2M_CLIENT_SECRET, TOKEN_PATH};
pub use routes::userinfo::USERINFO_PATH;
pub use routes::well_known::{DISCOVERY_PATH, JWKS_PATH};
pub use server::{Auth0Sim, Options, Stopped};
pub use stats::PathStats;
pub use token::{DEFAULT_AUDIENCE, DEFAULT_SCOPE, DEFAULT_SUBJECT, ROLES_CLAIM, TokenBuilder};
pub use user::User;
