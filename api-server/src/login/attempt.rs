//! A login under way, kept in the browser: a sealed cookie, so that any replica can finish what another began.

use edge_auth_policy::session::{Purpose, SessionKeys};
use edge_auth_policy::time::UnixTime;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::nonce;

/// How long a user may take to log in.
pub(super) const LIFETIME: Duration = Duration::from_mins(10);

/// What has to come back with the callback.
#[derive(Serialize, Deserialize)]
pub(super) struct Attempt {
    /// Binds the callback to this browser (RFC 6749 §10.12).
    pub(super) state: String,
    /// Binds the ID token to this attempt (OpenID Connect Core §3.1.2.1).
    pub(super) nonce: String,
    /// Binds the code to whoever began (RFC 7636); absent where a page keeps it itself.
    pub(super) code_verifier: Option<String>,
    /// Where on this site to go afterwards.
    pub(super) return_to: String,
    /// When it began, in milliseconds since the epoch.
    pub(super) begun_at: u64,
}

impl Attempt {
    pub(super) fn seal(&self, keys: &SessionKeys, now: UnixTime) -> Option<String> {
        let payload = serde_json::to_vec(self).ok()?;
        let expires_at = now.saturating_add(LIFETIME);
        keys.seal(Purpose::Login, b"", expires_at, &payload, nonce())
            .ok()
    }

    pub(super) fn open(sealed: &str, keys: &SessionKeys, now: UnixTime) -> Option<Self> {
        let (payload, _) = keys.open(Purpose::Login, b"", sealed, now).ok()?;
        serde_json::from_slice(&payload).ok()
    }
}

/// A place on this site, or `/`: never another origin, however it is spelled (CVE-2020-11053, CVE-2020-4037).
///
/// Browsers take `\` for `/` and drop tabs and line ends, so the result of their own parsing is what is judged.
pub(super) fn same_site_path(text: Option<&str>) -> String {
    let here = "https://this-site.invalid";
    let judged = || {
        let text = text.filter(|text| text.starts_with('/') && text.len() <= 1_024)?;
        let base = url::Url::parse(here).ok()?;
        let url = base.join(text).ok()?;
        (url.origin() == base.origin() && url.username().is_empty() && url.password().is_none())
            .then(|| url[url::Position::BeforePath..].to_owned())
            // `//host` after parsing: a path that would be an authority in the Location.
            .filter(|path| !path.starts_with("//"))
    };
    judged().unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2020_11053_a_login_returns_to_this_site_only() {
        for (text, expected) in [
            ("/", "/"),
            ("/documents/1?a=b#c", "/documents/1?a=b#c"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("\\/evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\n/evil.example", "/"),
            ("https://evil.example/", "/"),
            ("javascript:alert(1)", "/"),
            ("/..//evil.example", "/"),
            ("/.//evil.example/", "/"),
            ("", "/"),
            ("documents", "/"),
            ("/a\r\nset-cookie: x", "/aset-cookie:%20x"),
        ] {
            assert_eq!(same_site_path(Some(text)), expected, "{text:?}");
        }
        assert_eq!(same_site_path(None), "/");
        assert_eq!(
            same_site_path(Some(&format!("/{}", "x".repeat(1_024)))),
            "/"
        );
    }
}
