//! From a reason to the bytes a client receives (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1).

use std::borrow::Cow;
use std::fmt::Write as _;

use super::Reason;
use crate::decision::LocalReply;

/// How error replies are dressed; the same for every reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorSettings {
    /// The `realm` of challenges: printable ASCII without `"` and `\`, at most 128 bytes.
    pub realm: Box<str>,
    /// `error_uri` is this followed by the reason code.
    pub error_uri_base: Option<Box<str>>,
    /// The URL of the RFC 9728 metadata named in challenges.
    pub resource_metadata: Option<Box<str>>,
}

impl Default for ErrorSettings {
    fn default() -> Self {
        Self {
            realm: "edge-auth".into(),
            error_uri_base: None,
            resource_metadata: None,
        }
    }
}

/// What a challenge adds to the table's row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Challenge<'a> {
    /// The scopes the request needs, space separated (RFC 6750 §3 `scope`).
    pub scope: Option<&'a str>,
    /// The authentication context classes that would do, space separated (RFC 9470 §3).
    pub acr_values: Option<&'a str>,
    /// The oldest authentication that would do, in seconds (RFC 9470 §3).
    pub max_age: Option<u64>,
    /// The URL of the resource's metadata (RFC 9728 §5.1), where the settings do not name one for all.
    pub resource_metadata: Option<&'a str>,
}

/// What a reply needs to know beyond its reason.
#[derive(Clone, Copy, Debug, Default)]
pub struct RejectionContext<'a> {
    /// The challenge's parameters.
    pub challenge: Challenge<'a>,
    /// Seconds after which trying again may help, for 429 and 503.
    pub retry_after: Option<u64>,
    /// Header fields of the caller's own, such as `RateLimit`.
    pub extra: &'a [(&'static str, String)],
}

/// The reply for `reason`.
pub fn reject(
    reason: Reason,
    settings: &ErrorSettings,
    context: RejectionContext<'_>,
) -> LocalReply {
    let row = reason.row();
    let mut headers: Vec<(Cow<'static, str>, Cow<'static, str>)> = Vec::with_capacity(8);
    headers.push(("content-type".into(), "application/json".into()));
    headers.push(("cache-control".into(), "no-store".into()));
    if matches!(row.status, 400 | 401 | 403) {
        headers.push((
            "www-authenticate".into(),
            www_authenticate(reason, settings, &context.challenge).into(),
        ));
    }
    if let (429 | 503, seconds) = (row.status, context.retry_after.unwrap_or(1)) {
        headers.push(("retry-after".into(), seconds.max(1).to_string().into()));
    }
    for (name, value) in context.extra {
        headers.push(((*name).into(), value.clone().into()));
    }
    LocalReply {
        status: row.status,
        headers,
        body: body(reason, settings),
        reason,
    }
}

/// `WWW-Authenticate` (RFC 6750 §3): no `error` where no credentials were sent (§3.1).
fn www_authenticate(reason: Reason, settings: &ErrorSettings, challenge: &Challenge<'_>) -> String {
    let row = reason.row();
    let mut value = format!("Bearer realm=\"{}\"", settings.realm);
    let mut parameter = |name: &str, text: &str| {
        let _ = write!(value, ", {name}=\"{text}\"");
    };
    if let Some(error) = row.error {
        parameter("error", error);
        parameter("error_description", row.description);
        if let Some(base) = &settings.error_uri_base {
            parameter("error_uri", &format!("{base}{}", reason.code()));
        }
    }
    if let Some(scope) = challenge.scope {
        parameter("scope", scope);
    }
    if let Some(acr_values) = challenge.acr_values {
        parameter("acr_values", acr_values);
    }
    if let Some(max_age) = challenge.max_age {
        parameter("max_age", &max_age.to_string());
    }
    let url = settings.resource_metadata.as_deref();
    if let Some(url) = url.or(challenge.resource_metadata) {
        parameter("resource_metadata", url);
    }
    value
}

/// The JSON body. Its texts come from the table and the configuration, which refuses `"` and `\` in both, so
/// nothing needs escaping.
fn body(reason: Reason, settings: &ErrorSettings) -> Vec<u8> {
    let row = reason.row();
    let error = row.error.unwrap_or("unauthorized");
    let mut body = format!(
        "{{\"error\":\"{error}\",\"error_description\":\"{}\"",
        row.description
    );
    if let Some(base) = &settings.error_uri_base {
        let _ = write!(body, ",\"error_uri\":\"{base}{}\"", reason.code());
    }
    body.push_str("}\n");
    body.into_bytes()
}
