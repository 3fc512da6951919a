//! OAuth 2.0 Protected Resource Metadata (RFC 9728): where a client learns whom to ask for a token.
//!
//! The document is made of the configuration and the same for everybody, so any page and any cache may have it. It
//! stands where §3.1 puts it: the well-known path goes between the resource's host and its path.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::authority::{Authority, normal_host};
use crate::request::RequestHead;

/// The path of the metadata of a resource without a path (RFC 9728 §3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A resource identifier (RFC 9728 §1.2): an https URL without query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceIdentifier {
    url: Box<str>,
    scheme: &'static str,
    authority: Box<str>,
    host: Box<str>,
    port: u16,
    /// Empty where the resource is the whole host.
    path: Box<str>,
}

/// Why a URL is no resource identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Neither https, nor http to this very machine.
    #[error("is no https URL; http is for localhost only")]
    Scheme,
    /// No host name, or more than that and a port before the path.
    #[error("has no plain host name with an optional port")]
    Host,
    /// A query or fragment (RFC 9728 §1.2), or a path that no request can have.
    #[error("has a query, a fragment, or a path that is not in its plain form")]
    Path,
}

impl ResourceIdentifier {
    /// Parses a URL.
    ///
    /// # Errors
    /// [`IdentifierError`]
    pub fn parse(url: &str) -> Result<Self, IdentifierError> {
        let (scheme, rest, default_port) = match url.split_once("://") {
            Some(("https", rest)) => ("https", rest, 443),
            Some(("http", rest)) => ("http", rest, 80),
            _ => return Err(IdentifierError::Scheme),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let parsed = Authority::parse(authority.as_bytes()).map_err(|_| IdentifierError::Host)?;
        let host = normal_host(parsed.host());
        if scheme == "http" && !matches!(&*host, "localhost" | "127.0.0.1" | "[::1]") {
            return Err(IdentifierError::Scheme);
        }
        // §3.1: a slash that ends the URL right after the host is left out of the metadata's.
        let path = if path == "/" { "" } else { path };
        if !(path.is_empty() || crate::route::PathMatch::prefix(path).is_ok()) {
            return Err(IdentifierError::Path);
        }
        Ok(Self {
            url: url.into(),
            scheme,
            authority: authority.into(),
            host: host.as_ref().into(),
            port: parsed.port().unwrap_or(default_port),
            path: path.into(),
        })
    }

    fn metadata_path(&self) -> String {
        format!("{WELL_KNOWN}{}", self.path)
    }

    fn is_at(&self, authority: &Authority<'_>) -> bool {
        let default_port = if self.scheme == "https" { 443 } else { 80 };
        authority.normal_host() == *self.host
            && authority.port().unwrap_or(default_port) == self.port
    }

    /// Whether `path` is the resource's or below it, by whole segments.
    fn covers(&self, path: &str) -> bool {
        let own = self.path.strip_suffix('/').unwrap_or(&self.path);
        path.strip_prefix(own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// What the metadata says (RFC 9728 §2).
#[derive(Clone, Debug)]
pub struct Description {
    /// `resource`
    pub resource: ResourceIdentifier,
    /// `authorization_servers`: issuers.
    pub authorization_servers: Vec<Box<str>>,
    /// `scopes_supported`; left out where there is none.
    pub scopes_supported: Vec<Box<str>>,
    /// `bearer_methods_supported`: `header`, `body` and `query` as RFC 6750 §2 has them.
    pub bearer_methods_supported: Vec<&'static str>,
    /// Further members and their texts, as `resource_name`.
    pub texts: Vec<(&'static str, Box<str>)>,
    /// How long the document may be kept.
    pub cache_duration: Duration,
}

/// A resource and its metadata, ready to be served.
#[derive(Clone, Debug)]
pub struct ProtectedResource {
    resource: ResourceIdentifier,
    metadata_path: Box<str>,
    metadata_url: Box<str>,
    document: Box<[u8]>,
    cache_control: Box<str>,
}

impl ProtectedResource {
    /// Writes the document.
    pub fn new(description: Description) -> Self {
        let mut members = Map::new();
        let resource = description.resource;
        members.insert("resource".to_owned(), json!(resource.url));
        members.insert(
            "authorization_servers".to_owned(),
            json!(description.authorization_servers),
        );
        if !description.scopes_supported.is_empty() {
            members.insert(
                "scopes_supported".to_owned(),
                json!(description.scopes_supported),
            );
        }
        members.insert(
            "bearer_methods_supported".to_owned(),
            json!(description.bearer_methods_supported),
        );
        for (name, text) in description.texts {
            members.insert(name.to_owned(), json!(text));
        }
        let metadata_path = resource.metadata_path();
        let seconds = description.cache_duration.as_secs();
        Self {
            metadata_url: format!(
                "{}://{}{metadata_path}",
                resource.scheme, resource.authority
            )
            .into(),
            metadata_path: metadata_path.into(),
            resource,
            document: Value::Object(members).to_string().into_bytes().into(),
            cache_control: format!("public, max-age={seconds}").into(),
        }
    }

    /// Where the metadata is: the `resource_metadata` of challenges (RFC 9728 §5.1).
    pub fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    /// The metadata, as JSON.
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// `Cache-Control` of the metadata.
    pub fn cache_control(&self) -> &str {
        &self.cache_control
    }
}

/// The resource whose metadata this request asks for. The path must be spelled exactly as §3.1 makes it: any other
/// spelling is an ordinary path, for the rules to judge.
pub fn requested<'p>(
    resources: &'p [ProtectedResource],
    head: &RequestHead<'_>,
) -> Option<&'p ProtectedResource> {
    if resources.is_empty() {
        return None;
    }
    let path = head.only(":path").ok().flatten()?;
    let path = path.split(|byte| *byte == b'?').next()?;
    if !path.starts_with(WELL_KNOWN.as_bytes()) {
        return None;
    }
    let authority = Authority::of(head).ok().flatten()?;
    resources
        .iter()
        .find(|own| own.metadata_path.as_bytes() == path && own.resource.is_at(&authority))
}

/// The resource that a request for `path`, normalised, is part of: the one with the longest path.
pub fn covering<'p>(
    resources: &'p [ProtectedResource],
    head: &RequestHead<'_>,
    path: &str,
) -> Option<&'p ProtectedResource> {
    if resources.is_empty() {
        return None;
    }
    let authority = Authority::of(head).ok().flatten()?;
    resources
        .iter()
        .filter(|own| own.resource.is_at(&authority) && own.resource.covers(path))
        .max_by_key(|own| own.resource.path.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<&str, IdentifierError>) {
        let path = ResourceIdentifier::parse(url).map(|resource| resource.metadata_path());
        assert_eq!(path.as_deref().map_err(|error| *error), expected, "{url}");
    }

    /// RFC 9728 §3.1, with its own examples of where the suffix goes.
    #[test]
    fn the_well_known_path_goes_between_host_and_path() {
        check("https://resource.example.com", Ok(WELL_KNOWN));
        check("https://resource.example.com/", Ok(WELL_KNOWN));
        check(
            "https://resource.example.com/resource1",
            Ok("/.well-known/oauth-protected-resource/resource1"),
        );
        check(
            "https://resource.example.com:8443/a/b/",
            Ok("/.well-known/oauth-protected-resource/a/b/"),
        );
        check(
            "http://localhost:8080/mcp",
            Ok("/.well-known/oauth-protected-resource/mcp"),
        );
    }

    #[test]
    fn what_is_no_resource_identifier_is_refused() {
        check("api.example", Err(IdentifierError::Scheme));
        check("http://api.example", Err(IdentifierError::Scheme));
        check("ftp://api.example", Err(IdentifierError::Scheme));
        for url in [
            "https://",
            "https:///a",
            "https://u@h.example",
            "https://h.example:0",
            "https://a b",
        ] {
            check(url, Err(IdentifierError::Host));
        }
        for url in [
            "https://h.example/a?b",
            "https://h.example?b",
            "https://h.example/a#b",
            "https://h.example/a/../b",
            "https://h.example/a%2fb",
            "https://h.example//a",
        ] {
            check(url, Err(IdentifierError::Path));
        }
    }

    #[test]
    fn a_resource_covers_its_path_by_whole_segments() {
        let covers = |url: &str, path: &str| ResourceIdentifier::parse(url).unwrap().covers(path);
        assert!(covers("https://h.example", "/") && covers("https://h.example/", "/a/b"));
        assert!(covers("https://h.example/a", "/a") && covers("https://h.example/a", "/a/b"));
        assert!(covers("https://h.example/a/", "/a/b"));
        assert!(!covers("https://h.example/a", "/ab") && !covers("https://h.example/a", "/"));
    }
}
