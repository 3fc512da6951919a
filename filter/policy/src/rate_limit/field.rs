//! What a client is told: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), and
//! `Retry-After` (RFC 9110 §10.2.3).
//!
//! Both fields are Structured Fields lists (RFC 9651 §3.1) of strings with parameters: the policy's name with
//! `q` (quota) and `w` (window, seconds), the name with `r` (remaining) and `t` (seconds until more). No partition
//! key `pk` is sent: ours would be an address or a subject. Limits on failed authentication are not
//! advertised: who tries passwords need not know how many are left.

use std::fmt::Write as _;
use std::time::Duration;

use super::service::{ServiceLimit, Status};
use super::{Counts, RateLimit, RateLimitSettings, Verdict};

/// The header fields that tell a client of the limits its request was checked against.
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

impl Fields {
    /// Adds a limit that was counted here.
    pub fn counted(&mut self, limit: &RateLimit, verdict: Verdict) {
        self.retry(!verdict.is_allowed(), verdict.reset_after);
        if matches!(limit.settings.counts, Counts::Requests) {
            let (name, policy) = (&limit.settings.name, &limit.policy_item);
            self.add(name, policy, verdict.remaining, verdict.reset_after);
        }
    }

    /// Adds a limit that the service counted. Where it does not say how many it allows there is nothing to tell.
    pub fn answered(&mut self, limit: &ServiceLimit, status: &Status) {
        self.retry(status.over_limit, status.reset_after);
        if let Some(quota) = status.quota {
            let policy = item(&limit.name, quota.requests, quota.per);
            self.add(&limit.name, &policy, status.remaining, status.reset_after);
        }
    }

    /// `RateLimit-Policy` and `RateLimit`, by their names in lower case; none where no limit is told.
    pub fn into_pairs(self) -> Vec<(&'static str, String)> {
        if self.policy.is_empty() {
            return Vec::new();
        }
        vec![("ratelimit-policy", self.policy), ("ratelimit", self.limit)]
    }

    fn retry(&mut self, is_denied: bool, reset_after: Duration) {
        if is_denied {
            let seconds = whole_seconds(reset_after);
            self.retry_after = Some(self.retry_after.unwrap_or(0).max(seconds).max(1));
        }
    }

    fn add(&mut self, name: &str, policy_item: &str, remaining: u32, reset_after: Duration) {
        for field in [&mut self.policy, &mut self.limit] {
            if !field.is_empty() {
                field.push_str(", ");
            }
        }
        self.policy.push_str(policy_item);
        push_string(&mut self.limit, name);
        let seconds = whole_seconds(reset_after);
        // Writing to a string does not fail.
        let _ = write!(self.limit, ";r={remaining};t={seconds}");
    }
}

/// The item of a limit that is counted here: the same for every response, so made once.
pub(super) fn policy_item(settings: &RateLimitSettings) -> String {
    item(&settings.name, settings.requests.get(), settings.per)
}

/// `"name";q=10;w=60`.
fn item(name: &str, quota: u32, window: Duration) -> String {
    let mut item = String::new();
    push_string(&mut item, name);
    let window = whole_seconds(window).max(1);
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
