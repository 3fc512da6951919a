//! Which values browsers understand. A misspelt one is silently ignored by them, so it is refused here.

use super::SecurityHeader;
use crate::token::is_token;

/// Longest value, in bytes.
const MAX_BYTES: usize = 4_096;
/// The least `max-age` that browsers' preload lists take, in seconds.
const MIN_PRELOAD_MAX_AGE: u64 = 31_536_000;

const REFERRER_POLICIES: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not printable ASCII, empty, or longer than 4096 bytes.
    #[error("must be 1 to {MAX_BYTES} printable ASCII characters")]
    Text,
    /// Not one of the values there are.
    #[error("must be one of {0}")]
    OneOf(&'static str),
    /// Not `name` or `name=value` directives separated by `;` (RFC 6797 §6.1).
    #[error("{directive:?} is no directive of RFC 6797, or appears twice")]
    HstsDirective {
        /// The offending directive.
        directive: String,
    },
    /// Without `max-age`, browsers ignore the header.
    #[error("needs max-age=<seconds>")]
    HstsMaxAge,
    /// `preload` with less than what browsers' preload lists take.
    #[error("preload needs includeSubDomains and a max-age of at least {MIN_PRELOAD_MAX_AGE}")]
    HstsPreload,
    /// A directive whose name is none, or that appears twice, of which browsers ignore the second.
    #[error("{directive:?} is no directive, or appears twice")]
    CspDirective {
        /// The offending directive.
        directive: String,
    },
    /// A comma, which would start another policy.
    #[error("must be a single policy, without commas")]
    CspComma,
    /// Not `feature=allowlist` members separated by commas.
    #[error("{member:?} is not feature=(allowlist), or appears twice")]
    PermissionsMember {
        /// The offending member.
        member: String,
    },
}

/// Checks `text` for `header` and returns it without white space around it.
pub(super) fn check(header: SecurityHeader, text: &str) -> Result<&str, Error> {
    let text = text.trim_matches(' ');
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if text.is_empty() || text.len() > MAX_BYTES || !printable {
        return Err(Error::Text);
    }
    match header {
        SecurityHeader::StrictTransportSecurity => check_hsts(text)?,
        SecurityHeader::ContentSecurityPolicy => check_csp(text)?,
        SecurityHeader::PermissionsPolicy => check_permissions(text)?,
        SecurityHeader::ReferrerPolicy => {
            // A list, of which a browser takes the last policy it knows.
            let known = |policy: &str| REFERRER_POLICIES.contains(&policy.trim());
            require(
                text.split(',').all(known),
                "the policies of the Referrer Policy standard",
            )?;
        }
        SecurityHeader::ContentTypeOptions => require(text == "nosniff", "nosniff")?,
        SecurityHeader::FrameOptions => {
            require(matches!(text, "DENY" | "SAMEORIGIN"), "DENY, SAMEORIGIN")?;
        }
        SecurityHeader::CrossOriginOpenerPolicy => require(
            matches!(
                text,
                "same-origin"
                    | "same-origin-allow-popups"
                    | "noopener-allow-popups"
                    | "unsafe-none"
            ),
            "same-origin, same-origin-allow-popups, noopener-allow-popups, unsafe-none",
        )?,
        SecurityHeader::CrossOriginResourcePolicy => require(
            matches!(text, "same-origin" | "same-site" | "cross-origin"),
            "same-origin, same-site, cross-origin",
        )?,
    }
    Ok(text)
}

fn require(holds: bool, choices: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::OneOf(choices))
    }
}

/// RFC 6797 §6.1: `[ directive ] *( ";" [ directive ] )`, names without case, each at most once.
fn check_hsts(text: &str) -> Result<(), Error> {
    let (mut max_age, mut subdomains, mut preload) = (None, false, false);
    for directive in text
        .split(';')
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
            None => (directive, None),
        };
        let seconds = value.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        let seconds = seconds.and_then(|value| value.parse::<u64>().ok());
        match (name.to_ascii_lowercase().as_str(), value, seconds) {
            ("max-age", _, Some(seconds)) if max_age.is_none() => max_age = Some(seconds),
            ("includesubdomains", None, _) if !subdomains => subdomains = true,
            ("preload", None, _) if !preload => preload = true,
            _ => {
                let directive = directive.to_owned();
                return Err(Error::HstsDirective { directive });
            }
        }
    }
    let max_age = max_age.ok_or(Error::HstsMaxAge)?;
    if preload && !(subdomains && max_age >= MIN_PRELOAD_MAX_AGE) {
        return Err(Error::HstsPreload);
    }
    Ok(())
}

/// CSP Level 3 §2.2.1: directives separated by `;`, the name first.
fn check_csp(text: &str) -> Result<(), Error> {
    if text.contains(',') {
        return Err(Error::CspComma);
    }
    let names = text
        .split(';')
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
        .map(|directive| directive.split(' ').next().unwrap_or_default());
    match first_bad(names, |name| name.bytes().all(is_name_byte)) {
        Some(directive) => Err(Error::CspDirective { directive }),
        None => Ok(()),
    }
}

/// Permissions Policy §5.2, a structured field dictionary: `feature=(…)`, `feature=*` or `feature=self`.
fn check_permissions(text: &str) -> Result<(), Error> {
    let mut features = Vec::new();
    for member in text.split(',').map(str::trim) {
        let feature = member.split_once('=').and_then(|(feature, list)| {
            let inner = list
                .strip_prefix('(')
                .and_then(|list| list.strip_suffix(')'));
            let known = match inner {
                Some(inner) => !inner.contains(['(', ')', ';']),
                None => matches!(list, "*" | "self"),
            };
            known.then_some(feature)
        });
        let Some(feature) = feature else {
            let member = member.to_owned();
            return Err(Error::PermissionsMember { member });
        };
        features.push(feature);
    }
    match first_bad(features.into_iter(), |name| name.bytes().all(is_name_byte)) {
        Some(member) => Err(Error::PermissionsMember { member }),
        None => Ok(()),
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// The first name that is none or came before.
fn first_bad<'a>(
    names: impl Iterator<Item = &'a str>,
    is_name: impl Fn(&str) -> bool,
) -> Option<String> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !is_token(name) || !is_name(name) || seen.contains(&name) {
            return Some(name.to_owned());
        }
        seen.push(name);
    }
    None
}
