//! A reason with what its reply needs to know.

use std::borrow::Cow;

use crate::decision::LocalReply;
use crate::redirect::Redirect;
use crate::rejection::{Challenge, ErrorSettings, Reason, RejectionContext, reject};
use crate::scope::{ScopeRequirement, ScopeToken};

/// A reason to deny, and what the client can do about it.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) reason: Reason,
    /// The scopes the rule asks for, space separated.
    pub(super) scope: Option<Box<str>>,
    /// Seconds after which trying again may help.
    pub(super) retry_after: Option<u64>,
    /// `RateLimit` and `RateLimit-Policy`.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Denial {
    pub(super) fn of(reason: Reason) -> Self {
        Self {
            reason,
            scope: None,
            retry_after: None,
            headers: Vec::new(),
        }
    }

    pub(super) fn reply(&self, settings: &ErrorSettings) -> LocalReply {
        let challenge = Challenge {
            scope: self.scope.as_deref(),
            ..Challenge::default()
        };
        let context = RejectionContext {
            challenge,
            retry_after: self.retry_after,
            extra: &self.headers,
        };
        reject(self.reason, settings, context)
    }
}

/// The `scope` of a challenge: every scope the rule names, as it may be asked for (RFC 6750 §3).
pub(super) fn challenge(scopes: &ScopeRequirement) -> Option<Box<str>> {
    let names: Vec<_> = scopes.all().map(ScopeToken::as_str).collect();
    (!names.is_empty()).then(|| names.join(" ").into())
}

/// The reply that sends a client to HTTPS. It may be cached: it says nothing about the caller.
pub(super) fn redirect(redirect: Redirect) -> LocalReply {
    LocalReply {
        status: redirect.status,
        headers: vec![("location".into(), Cow::Owned(redirect.location))],
        body: Vec::new(),
        reason: Reason::HttpsRedirect,
    }
}
