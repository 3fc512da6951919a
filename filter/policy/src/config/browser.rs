//! `cors` and `security_headers`: what browsers are told.

use std::time::Duration;

use super::reader::{Boolean, Kind, List, Object, Parsed, Seconds, Text};
use crate::cors::{self, AllowedMethod, Cors, FieldName, MaxAge, OriginPattern};
use crate::security_headers::{SecurityHeader, SecurityHeaders};

pub(super) fn cors(o: &mut Object<'_>) -> Option<Cors> {
    let mut settings = cors::Settings::default();
    let origins = o.required(
        "allow_origins",
        list(OriginPattern::parse),
        "Origins whose pages may read answers: `https://app.example`, `https://*.example`, or `*`.",
    );
    let methods = o.optional(
        "allow_methods",
        list(AllowedMethod::parse),
        "Methods such pages may send; GET, HEAD, POST, PUT, PATCH and DELETE where left out.",
    );
    let headers = o.optional(
        "allow_headers",
        list(FieldName::parse),
        "Request header fields such pages may set; authorization, content-type, if-match, if-none-match and \
         idempotency-key where left out.",
    );
    let exposed = o.optional(
        "expose_headers",
        list(FieldName::parse),
        "Response header fields such pages may read; those of this filter's own replies, etag and location \
         where left out.",
    );
    settings.allow_credentials = o.default(
        "allow_credentials",
        Boolean,
        ("false", false),
        "Whether such pages may send cookies along.",
    );
    let max_age = o.optional(
        "max_age",
        Seconds {
            min: Duration::ZERO,
            max: cors::MAX_MAX_AGE,
        },
        "How long a browser may keep a preflight's answer, 0s to 24h; 2h where left out.",
    );
    settings.allow_origins = origins?;
    if let Some(methods) = methods {
        settings.allow_methods = methods;
    }
    if let Some(headers) = headers {
        settings.allow_headers = headers;
    }
    if let Some(exposed) = exposed {
        settings.expose_headers = exposed;
    }
    if let Some(max_age) = max_age.and_then(|max_age| MaxAge::new(max_age).ok()) {
        settings.max_age = max_age;
    }
    Cors::new(settings)
        .map_err(|error| o.fail_here(error.to_string()))
        .ok()
}

/// A list of texts, each parsed by `parse`.
fn list<T, E: std::fmt::Display>(
    parse: impl Fn(&str) -> Result<T, E>,
) -> impl Kind<Output = Vec<T>> {
    let with = move |text: Box<str>| parse(&text).map_err(|error| error.to_string());
    List {
        of: Parsed {
            of: Text { max: 512 },
            with,
        },
        min: 1,
        max: 64,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a section")]
pub(super) fn security_headers(o: &mut Object<'_>) -> Option<SecurityHeaders> {
    let mut headers = SecurityHeaders::default();
    for (header, name, description) in FIELDS {
        if let Some(value) = o.optional(name, Text { max: 4096 }, description) {
            if &*value == "off" {
                headers.omit(header);
            } else if let Err(error) = headers.set(header, &value) {
                o.fail(name, error.to_string());
            }
        }
    }
    let overwrite = o.default(
        "overwrite",
        Boolean,
        ("false", false),
        "Whether these replace what the upstream sends itself.",
    );
    headers.set_overwrite(overwrite);
    Some(headers)
}

/// `off` leaves a header to the upstream; a field that is left out has the secure default.
const FIELDS: [(SecurityHeader, &str, &str); 8] = [
    (
        SecurityHeader::StrictTransportSecurity,
        "strict_transport_security",
        "Strict-Transport-Security, over HTTPS only; `max-age=31536000` where left out, `off` for none.",
    ),
    (
        SecurityHeader::ContentSecurityPolicy,
        "content_security_policy",
        "Content-Security-Policy; none where left out, because only the application knows its scripts.",
    ),
    (
        SecurityHeader::ContentTypeOptions,
        "x_content_type_options",
        "X-Content-Type-Options; `nosniff` where left out, `off` for none.",
    ),
    (
        SecurityHeader::ReferrerPolicy,
        "referrer_policy",
        "Referrer-Policy; `strict-origin-when-cross-origin` where left out, `off` for none.",
    ),
    (
        SecurityHeader::FrameOptions,
        "x_frame_options",
        "X-Frame-Options; `DENY` where left out, `off` for none.",
    ),
    (
        SecurityHeader::PermissionsPolicy,
        "permissions_policy",
        "Permissions-Policy; camera, geolocation and microphone off where left out, `off` for none.",
    ),
    (
        SecurityHeader::CrossOriginOpenerPolicy,
        "cross_origin_opener_policy",
        "Cross-Origin-Opener-Policy; `same-origin-allow-popups` where left out, `off` for none.",
    ),
    (
        SecurityHeader::CrossOriginResourcePolicy,
        "cross_origin_resource_policy",
        "Cross-Origin-Resource-Policy; `same-origin` where left out, `off` for none.",
    ),
];
