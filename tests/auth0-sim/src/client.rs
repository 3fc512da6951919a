//! The applications that log users in at the tenant, in the words of Auth0's own configuration.

use serde::Deserialize;

/// An application with the authorization code and refresh token grants. Rotation is on, leeway is zero.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its identifier.
    pub client_id: String,
    /// Its secret, sent in the body; a public client has none.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Where a login may end, each compared exactly (RFC 9700 §2.1).
    pub callbacks: Vec<String>,
    /// Where a logout may end, each compared exactly.
    #[serde(default)]
    pub allowed_logout_urls: Vec<String>,
    /// Origins whose pages may read the answers of the token endpoint.
    #[serde(default)]
    pub web_origins: Vec<String>,
}
