//! What a client is told: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), and
//! `Retry-After` (RFC 9110 §10.2.3).
//!
//! Both fields are Structured Fields lists (RFC 9651 §3.1) of strings with parameters: the policy's name with
//! `q` (quota) and `w` (window, seconds), the name with `r` (remaining) and `t` (seconds until more). No partition
//! key `pk` is sent: ours would be an address or a subject. Limits on failed authentication are not
//! advertised: who tries passwords need not know how many are left.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Counts, RateLimit, RateLimitSettings, Verdict};

/// The header fields that tell a client of its limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The value of `RateLimit-Policy`; empty: send none.
    pub policy: String,
    /// The value of `RateLimit`; empty: send none.
    pub limit: String,
    /// The value of `Retry-After`, in seconds: where a limit denied, the end of its window or block, which is
    /// never before the `t` beside it.
    pub retry_after: Option<u64>,
}

/// The fields for the limits a request was checked against.
pub fn fields<'a>(checked: impl IntoIterator<Item = (&'a RateLimit, Verdict)>) -> Fields {
    let mut fields = Fields::default();
    for (limit, verdict) in checked {
        let seconds = whole_seconds(verdict.reset_after);
        if !verdict.is_allowed() {
            let retry_after = fields.retry_after.unwrap_or(0).max(seconds).max(1);
            fields.retry_after = Some(retry_after);
        }
        if matches!(limit.settings.counts, Counts::FailedAuthentication { .. }) {
            continue;
        }
        for field in [&mut fields.policy, &mut fields.limit] {
            if !field.is_empty() {
                field.push_str(", ");
            }
        }
        fields.policy.push_str(&limit.policy_item);
        push_string(&mut fields.limit, &limit.settings.name);
        // Writing to a string does not fail.
        let _ = write!(fields.limit, ";r={};t={seconds}", verdict.remaining);
    }
    fields
}

/// `"name";q=10;w=60`: the same for every response, so made once.
pub(super) fn policy_item(settings: &RateLimitSettings) -> String {
    let mut item = String::new();
    push_string(&mut item, &settings.name);
    let (quota, window) = (settings.requests, whole_seconds(settings.per).max(1));
    let _ = write!(item, ";q={quota};w={window}");
    item
}

/// An sf-string (RFC 9651 §3.3.3): quoted printable ASCII; anything else has no place in it.
fn push_string(field: &mut String, text: &str) {
    field.push('"');
    for char in text.chars().filter(|char| matches!(char, ' '..='~')) {
        if matches!(char, '"' | '\\') {
            field.push('\\');
        }
        field.push(char);
    }
    field.push('"');
}

/// Rounded up: a client that waits so long finds the window ended.
fn whole_seconds(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0))
}
