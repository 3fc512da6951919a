//! A reason with what its reply needs to know.

use std::borrow::Cow;

use crate::config::TokenRequirement;
use crate::decision::LocalReply;
use crate::rate_limit::Fields;
use crate::redirect::Redirect;
use crate::rejection::{Challenge, ErrorSettings, Reason, RejectionContext, reject};

/// A reason to deny, and what the client can do about it.
#[derive(Debug)]
pub(super) struct Denial {
    pub(super) reason: Reason,
    /// The scopes the rule asks for, space separated.
    pub(super) scope: Option<Box<str>>,
    /// The authentication context classes the rule asks for, space separated (RFC 9470 §3).
    pub(super) acr_values: Option<Box<str>>,
    /// The oldest authentication the rule allows, in seconds (RFC 9470 §3).
    pub(super) max_age: Option<u64>,
    /// The URL of the metadata of the resource the request was for (RFC 9728 §5.1).
    pub(super) resource_metadata: Option<Box<str>>,
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
            acr_values: None,
            max_age: None,
            resource_metadata: None,
            retry_after: None,
            headers: Vec::new(),
        }
    }

    /// Names the scopes of `required` in the challenge (RFC 6750 §3).
    pub(super) fn asking_for(self, required: &TokenRequirement) -> Self {
        Self {
            scope: required.challenge.clone(),
            ..self
        }
    }

    /// Tells the client of its limits.
    pub(super) fn telling(self, fields: Fields) -> Self {
        Self {
            retry_after: fields.retry_after,
            headers: fields.into_pairs(),
            ..self
        }
    }

    pub(super) fn reply(&self, settings: &ErrorSettings) -> LocalReply {
        let challenge = Challenge {
            scope: self.scope.as_deref(),
            acr_values: self.acr_values.as_deref(),
            max_age: self.max_age,
            resource_metadata: self.resource_metadata.as_deref(),
        };
        let context = RejectionContext {
            challenge,
            retry_after: self.retry_after,
            extra: &self.headers,
        };
        reject(self.reason, settings, context)
    }
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
