//! One function per kind of value: text to type, or what would have been right.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use edge_auth_policy::signature::{Algorithm, AlgorithmSet};
use url::{Host, Url};

use super::Secret;

pub(super) fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("is empty".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// The browser app's folder.
pub(super) fn app_folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if folder.join("index.html").is_file() {
        Ok(folder)
    } else {
        Err("is not a folder with an index.html, such as api-server/web/public".to_owned())
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "is not an address and port such as 127.0.0.1:8080".to_owned())
}

pub(super) fn number(range: RangeInclusive<u32>) -> impl FnOnce(&str) -> Result<u32, String> {
    move |text| {
        text.parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                format!(
                    "is not a whole number from {} to {}",
                    range.start(),
                    range.end()
                )
            })
    }
}

/// `250ms`, `30s`, `5m` or `24h`.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl FnOnce(&str) -> Result<Duration, String> {
    move |text| {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let unit = match text.get(digits.len()..) {
            Some("ms") => Some(1),
            Some("s") => Some(1_000),
            Some("m") => Some(60_000),
            Some("h") => Some(3_600_000),
            _ => None,
        };
        digits
            .parse::<u64>()
            .ok()
            .zip(unit)
            .and_then(|(count, unit)| count.checked_mul(unit))
            .map(Duration::from_millis)
            .filter(|duration| range.contains(duration))
            .ok_or_else(|| {
                format!(
                    "is not a duration from {:?} to {:?}, such as 30s, 5m or 24h",
                    range.start(),
                    range.end()
                )
            })
    }
}

/// An issuer as tokens spell it: an https URL. Auth0's end with a slash, and it is part of the name.
pub(super) fn issuer(text: &str) -> Result<String, String> {
    let url = provider_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment".to_owned());
    }
    Ok(text.to_owned())
}

/// A URL of the identity provider: https, or http on this very machine for development.
///
/// CVE-2026-41413: keys from wherever an attacker points to are no keys. The URL comes from the operator only, and
/// an address that is private or link-local is refused (169.254.169.254 hands out a cloud machine's credentials).
pub(super) fn provider_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "is not a URL".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("carries a user name or a password".to_owned());
    }
    let (loopback, internal) = match url.host() {
        Some(Host::Domain(name)) => (name == "localhost", false),
        Some(Host::Ipv4(ip)) => (
            ip.is_loopback(),
            ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
        ),
        Some(Host::Ipv6(ip)) => (
            ip.is_loopback(),
            ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified(),
        ),
        None => return Err("has no host".to_owned()),
    };
    match url.scheme() {
        _ if internal => Err("points to a private or link-local address".to_owned()),
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err("is not https (http is for this machine's own addresses only)".to_owned()),
    }
}

/// `RS256` or `RS256 ES256`: names of RFC 7518 §3.1 and RFC 8037 §3.1; never `none`, never HMAC.
pub(super) fn algorithms(text: &str) -> Result<AlgorithmSet, String> {
    let set = text
        .split([' ', ','])
        .filter(|name| !name.is_empty())
        .try_fold(AlgorithmSet::EMPTY, |set, name| {
            Algorithm::from_name(name).map(|algorithm| set.with(algorithm))
        });
    set.filter(|set| !set.is_empty()).ok_or_else(|| {
        let names = Algorithm::ALL.map(Algorithm::name).join(", ");
        format!("names an algorithm that is none of {names}")
    })
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    text.parse::<tracing_subscriber::EnvFilter>()
        .map(|_| text.to_owned())
        .map_err(|error| format!("is not a log filter: {error}"))
}

/// The site browsers see: https, or http on this machine for development; no path.
pub(super) fn site(text: &str) -> Result<Url, String> {
    let url = provider_url(text)?;
    if url.path() == "/" && url.query().is_none() && url.fragment().is_none() {
        Ok(url)
    } else {
        Err("has more than scheme, host and port".to_owned())
    }
}

/// A shared secret: 32 to 256 visible characters, so that nobody guesses it.
pub(super) fn token(text: &str) -> Result<Secret, String> {
    if (32..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Secret::new(text.to_owned()))
    } else {
        Err("is not 32 to 256 visible ASCII characters".to_owned())
    }
}
