//! `rate_limits`: what is counted, and how many.

use std::num::NonZeroU32;
use std::time::Duration;

use super::provider::field_name;
use super::reader::{Integer, Kind, List, Object, Parsed, Path, Report, Seconds, Section, Text};
use crate::claims::ClaimPath;
use crate::json::Value;
use crate::rate_limit::{Counts, KeyPart, RateLimitSettings};

/// Reads one limit; its name comes from the map it stands in.
pub(super) fn rate_limit(o: &mut Object<'_>) -> Option<RateLimitSettings> {
    let key = key_parts(o);
    let requests = o.required(
        "requests",
        Integer {
            min: 1,
            max: 1_000_000,
        },
        "How many in one window, 1 to 1000000.",
    );
    let per = o.required(
        "per",
        Seconds::range(1, 24 * 3600),
        "How long a window lasts, from the first request in it, 1s to 24h.",
    );
    let max_keys = o.default(
        "max_keys",
        Integer { min: 256, max: 1_048_576 },
        ("65536", u64::from(RateLimitSettings::DEFAULT_MAX_KEYS)),
        "For how many keys at once counters are kept, 256 to 1048576; beyond that the one that ends soonest \
         gives way.",
    );
    let block = o.optional(
        "block_failed_authentication",
        Seconds::range(1, 24 * 3600),
        "Count refused credentials only, and after the last one allowed refuse everything for this long, \
         1s to 24h.",
    );
    let counts = match block {
        Some(block) => Counts::FailedAuthentication { block },
        None => Counts::Requests,
    };
    Some(RateLimitSettings {
        name: String::new(),
        key: key?,
        requests: NonZeroU32::new(u32::try_from(requests?).ok()?)?,
        per: per?.max(Duration::from_secs(1)),
        counts,
        max_keys: u32::try_from(max_keys).ok()?,
    })
}

/// The key of a limit, whoever counts it.
pub(super) fn key_parts(o: &mut Object<'_>) -> Option<Vec<KeyPart>> {
    o.required(
        "key",
        List {
            of: KeyPartKind,
            min: 1,
            max: 4,
        },
        "What is counted apart: `client_address` (IPv6 by /64), `route`, `host`, {claim: name}, \
         {claim_path: [names]}, {header: name}.",
    )
}

/// One part of a key: a word, or an object of one member.
struct KeyPartKind;

impl KeyPartKind {
    fn section() -> Section<impl Fn(&mut Object<'_>) -> Option<KeyPart>> {
        Section(|o: &mut Object<'_>| {
            let claim = o.optional(
                "claim",
                Text { max: 256 },
                "A claim of the token, by its one name.",
            );
            let path = o.optional(
                "claim_path",
                List {
                    of: Text { max: 256 },
                    min: 1,
                    max: 8,
                },
                "A claim of the token, by its path.",
            );
            let header = o.optional(
                "header",
                Parsed { of: Text { max: 64 }, with: |name: Box<str>| field_name(&name) },
                "A request header field. Clients choose its value: combine it with one they can't choose.",
            );
            let given = ["claim", "claim_path", "header"]
                .iter()
                .filter(|n| o.has(n))
                .count();
            if given != 1 {
                o.fail_here("needs exactly one of claim, claim_path and header");
                return None;
            }
            claim
                .and_then(|name| ClaimPath::new([name]).ok())
                .or_else(|| ClaimPath::new(path?).ok())
                .map(KeyPart::Claim)
                .or_else(|| Some(KeyPart::Header(header?.into())))
        })
    }
}

impl Kind for KeyPartKind {
    type Output = KeyPart;

    fn read(&self, value: &Value, at: &Path<'_>, report: &mut Report) -> Option<KeyPart> {
        match value.as_str() {
            Some("client_address") => Some(KeyPart::ClientAddress),
            Some("route") => Some(KeyPart::Route),
            Some("host") => Some(KeyPart::Host),
            None if value.as_object().is_some() => Self::section().read(value, at, report),
            _ => {
                report.fail(
                    at,
                    "must be client_address, route, host, or an object such as {claim: sub}",
                );
                None
            }
        }
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({
            "oneOf": [{ "enum": ["client_address", "route", "host"] }, Self::section().schema()],
        })
    }
}
