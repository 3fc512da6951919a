//! Provider metadata (OpenID Connect Discovery 1.0 §4): only where the keys are, and only if it may be believed.
//!
//! The metadata comes from outside and names the next address to ask, so it is checked against the
//! configuration before anything is sent: same issuer, https, a host the configuration allows. The cluster the
//! request goes to is the configured one in any case.

use super::{FetchFailure, Location};
use crate::json::{self, Limits, Value};

/// Where the metadata in `body` says the keys are.
pub(super) fn jwks_location(
    body: &[u8],
    metadata: &Location,
    issuer: &str,
    allowed_hosts: &[String],
) -> Result<Location, FetchFailure> {
    let document = json::parse(body, METADATA_LIMITS).ok();
    let document = document.as_ref().and_then(Value::as_object);
    let text = |name| document?.get(name)?.as_str();
    let (Some(named), Some(jwks_uri)) = (text("issuer"), text("jwks_uri")) else {
        return Err(FetchFailure::MalformedMetadata);
    };
    if named != issuer {
        return Err(FetchFailure::IssuerMismatch);
    }
    let location = https_location(jwks_uri).ok_or(FetchFailure::JwksUriRefused)?;
    let same = |host: &str| same_authority(host, &location.authority);
    if same(&metadata.authority) || allowed_hosts.iter().any(|host| same(host)) {
        Ok(location)
    } else {
        Err(FetchFailure::JwksUriRefused)
    }
}

/// Splits `https://authority/path?query`; `None` for user information, fragments and what does not belong in
/// a URI. Nothing is decoded or normalised: the host is compared and the path is sent as it stands.
fn https_location(uri: &str) -> Option<Location> {
    if uri.len() > MAX_URI_BYTES || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (scheme, rest) = uri.split_once("://")?;
    let at = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(at)?;
    let is_path = path.starts_with('/') && !path.contains(['#', '\\']);
    if !scheme.eq_ignore_ascii_case("https") || !is_path || authority.contains('@') {
        return None;
    }
    Some(Location {
        authority: authority.to_owned(),
        path: path.to_owned(),
    })
}

fn same_authority(a: &str, b: &str) -> bool {
    let bare = |authority: &str| {
        authority
            .strip_suffix(":443")
            .unwrap_or(authority)
            .to_ascii_lowercase()
    };
    bare(a) == bare(b)
}

const MAX_URI_BYTES: usize = 2048;
/// Providers publish some dozens of members, with lists of some dozens of names.
const METADATA_LIMITS: Limits = Limits {
    depth: 6,
    values: 4096,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(issuer: &str, jwks_uri: &str, expected: Result<(&str, &str), FetchFailure>) {
        let body = serde_json::json!({
            "issuer": issuer, "jwks_uri": jwks_uri, "response_types_supported": ["code"],
        });
        let metadata = Location {
            authority: "tenant.example".to_owned(),
            path: "/.well-known/openid-configuration".to_owned(),
        };
        let allowed = ["keys.example".to_owned(), "keys.example:8443".to_owned()];
        let location = jwks_location(
            body.to_string().as_bytes(),
            &metadata,
            "https://tenant.example/",
            &allowed,
        );
        let location = location
            .as_ref()
            .map(|at| (&*at.authority, &*at.path))
            .map_err(|&failure| failure);
        assert_eq!(location, expected, "{jwks_uri}");
    }

    const ISSUER: &str = "https://tenant.example/";
    const REFUSED: Result<(&str, &str), FetchFailure> = Err(FetchFailure::JwksUriRefused);

    #[test]
    fn keys_may_be_on_the_same_host_or_an_allowed_one() {
        let same = Ok(("tenant.example", "/jwks.json"));
        check(ISSUER, "https://tenant.example/jwks.json", same);
        check(
            ISSUER,
            "HTTPS://Tenant.Example/k?v=1",
            Ok(("Tenant.Example", "/k?v=1")),
        );
        check(
            ISSUER,
            "https://tenant.example:443/k",
            Ok(("tenant.example:443", "/k")),
        );
        check(ISSUER, "https://keys.example/k", Ok(("keys.example", "/k")));
        check(
            ISSUER,
            "https://keys.example:8443/k",
            Ok(("keys.example:8443", "/k")),
        );
    }

    #[test]
    fn cve_2026_41413_jwks_uri_elsewhere_is_refused() {
        for uri in [
            "http://tenant.example/jwks.json",
            "https://evil.example/jwks.json",
            "https://169.254.169.254/latest/meta-data",
            "https://tenant.example.evil.example/k",
            "https://tenant.example@evil.example/k",
            "https://evil.example\\@tenant.example/k",
            "https://evil.example/#@tenant.example/k",
            "https://evil.example?@tenant.example/k",
            "https://tenant.example:8443/k",
            "https://tenant.example",
            "https://tenant.example/k#fragment",
            "https://tenant.example/k\r\nhost: evil",
            "https://tenant.example/\u{fc}",
            "//tenant.example/k",
            "file:///etc/passwd",
            "",
        ] {
            check(ISSUER, uri, REFUSED);
        }
        check(
            ISSUER,
            &format!("https://tenant.example/{}", "k".repeat(3000)),
            REFUSED,
        );
    }

    /// The host that is compared is never one with user information, whatever hosts a configuration allows.
    #[test]
    fn a_location_has_no_user_information() {
        assert!(https_location("https://tenant.example/k").is_some());
        assert_eq!(https_location("https://user@tenant.example/k"), None);
        assert_eq!(https_location("https://@tenant.example/k"), None);
    }

    #[test]
    fn metadata_of_another_issuer_is_refused() {
        let mismatch = Err(FetchFailure::IssuerMismatch);
        check(
            "https://tenant.example",
            "https://tenant.example/k",
            mismatch,
        );
        check(
            "https://evil.example/",
            "https://tenant.example/k",
            mismatch,
        );
    }

    #[test]
    fn what_is_not_metadata_is_refused() {
        let location = Location {
            authority: "a.example".to_owned(),
            path: "/".to_owned(),
        };
        let twice =
            br#"{"issuer":"i","jwks_uri":"https://a.example/k","jwks_uri":"https://b.example/k"}"#;
        for body in [
            &b""[..],
            b"<html>",
            b"{}",
            b"[]",
            br#"{"issuer":1,"jwks_uri":2}"#,
            twice,
        ] {
            let refused = jwks_location(body, &location, "i", &[]);
            assert_eq!(refused, Err(FetchFailure::MalformedMetadata));
        }
        let deep = "[".repeat(100_000);
        assert!(jwks_location(deep.as_bytes(), &location, "i", &[]).is_err());
    }
}
