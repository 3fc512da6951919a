//! Who is at the other end, for audit events and session lists: told, not trusted.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use crate::app::App;
use crate::error::ApiError;

/// Address and user agent of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address, as far as proxies we trust have told it; empty if it isn't known.
    pub address: String,
    /// What the browser calls itself: at most 256 printable characters.
    pub user_agent: String,
}

impl FromRequestParts<App> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip());
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default();
        Ok(Self {
            address: forwarded(parts, app.trusted_hops)
                .or(peer)
                .map(|ip| ip.to_canonical().to_string())
                .unwrap_or_default(),
            user_agent: user_agent
                .chars()
                .filter(|c| !c.is_control())
                .take(256)
                .collect(),
        })
    }
}

/// The address the outermost trusted proxy saw: the `hops`-th from the right, for what is left of it anyone can write
/// (CVE-2026-40575: trust nobody by default).
fn forwarded(parts: &Parts, hops: usize) -> Option<IpAddr> {
    let from_the_right = hops.checked_sub(1)?;
    let values = parts.headers.get_all("x-forwarded-for").iter();
    let addresses: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    addresses
        .iter()
        .rev()
        .nth(from_the_right)?
        .trim()
        .parse()
        .ok()
}
