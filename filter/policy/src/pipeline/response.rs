//! What browsers need on every answer: CORS and security headers, on the upstream's answers and on our own.
//!
//! A page can read the status and the body of a 401 only if the 401 says so itself (Fetch §3.2).

use std::borrow::Cow;

use super::trace::Step;
use super::{Gateway, Request, Stop};
use crate::cors::OWNED_RESPONSE_HEADERS;
use crate::decision::LocalReply;
use crate::rejection::Reason;
use crate::request::{HeaderField, RequestHead};

/// What to do to an upstream's answer, computed while the request was at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponsePlan {
    /// Fields to remove.
    remove: &'static [&'static str],
    /// Fields to set to exactly one value, and whether one of the upstream's own stays.
    set: Vec<(&'static str, Box<str>, Keep)>,
}

/// Whether a field that the upstream has set stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    Theirs,
    Ours,
    Both,
}

/// One change to an answer's header fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMutation<'p> {
    /// Remove every field of this name.
    Remove(&'static str),
    /// Set the field to exactly this value.
    Set(&'static str, &'p str),
    /// Add a field of this value.
    Add(&'static str, &'p str),
}

impl ResponsePlan {
    /// Whether the upstream's answer stays as it is.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty()
    }

    /// Adds fields that go beside the upstream's own of the same name.
    pub fn add(&mut self, fields: Vec<(&'static str, String)>) {
        let fields = fields.into_iter();
        self.set
            .extend(fields.map(|(name, value)| (name, value.into(), Keep::Both)));
    }

    /// The changes to an answer with these header fields, removals first.
    pub fn mutations<'p>(
        &'p self,
        headers: &[HeaderField<'_>],
    ) -> impl Iterator<Item = ResponseMutation<'p>> {
        let has = |name: &str| {
            headers
                .iter()
                .any(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
        };
        let removals: Vec<_> = self
            .remove
            .iter()
            .filter(|name| has(name))
            .map(|name| ResponseMutation::Remove(name))
            .collect();
        let additions: Vec<_> = self
            .set
            .iter()
            .filter_map(|(name, value, keep)| match keep {
                Keep::Theirs if has(name) => None,
                Keep::Both if lists(headers, name, value) => None,
                Keep::Both => Some(ResponseMutation::Add(name, value)),
                Keep::Theirs | Keep::Ours => Some(ResponseMutation::Set(name, value)),
            })
            .collect();
        removals.into_iter().chain(additions)
    }
}

/// Whether a field `name` already lists `value`. An answer made here passes the response path too.
fn lists(headers: &[HeaderField<'_>], name: &str, value: &str) -> bool {
    headers
        .iter()
        .filter(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
        .flat_map(|(_, list)| list.split(|byte| *byte == b','))
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(value.as_bytes()))
}

impl Gateway {
    /// What to do to the upstream's answer to this request.
    pub fn plan_response(&self, head: &RequestHead<'_>) -> ResponsePlan {
        let mut plan = ResponsePlan::default();
        // A preflight and metadata are answered here, with header fields that are their own.
        let cors = self
            .config
            .cors
            .as_ref()
            .filter(|cors| cors.preflight(head).is_none() && self.is_metadata(head).is_none());
        if let Some(cors) = cors {
            plan.remove = &OWNED_RESPONSE_HEADERS;
            for (name, value) in cors.headers(head) {
                let keep = if name == "vary" {
                    Keep::Both
                } else {
                    Keep::Ours
                };
                plan.set.push((name, value.into(), keep));
            }
        }
        if let Some(headers) = &self.config.security_headers {
            let keep = if headers.overwrite() {
                Keep::Ours
            } else {
                Keep::Theirs
            };
            let scheme = self.config.client_address.scheme(head);
            plan.set.extend(
                headers
                    .iter(scheme)
                    .map(|(name, value)| (name, value.into(), keep)),
            );
        }
        plan
    }

    /// Puts the same headers on an answer made here.
    pub(super) fn dress(&self, head: &RequestHead<'_>, mut reply: LocalReply) -> LocalReply {
        // The answers to a preflight and for metadata have their own.
        let has_own = matches!(reply.reason, Reason::Preflight | Reason::ResourceMetadata);
        if let (Some(cors), false) = (&self.config.cors, has_own) {
            let fields = cors.headers(head).into_iter();
            reply
                .headers
                .extend(fields.map(|(name, value)| (name.into(), Cow::Owned(value.into_owned()))));
        }
        if let Some(headers) = &self.config.security_headers {
            let scheme = self.config.client_address.scheme(head);
            for (name, value) in headers.iter(scheme) {
                reply
                    .headers
                    .push((name.into(), Cow::Owned(value.to_owned())));
            }
        }
        reply
    }

    /// Answers a CORS preflight, which carries no token by design.
    pub(super) fn preflight(&self, request: &Request<'_>) -> Result<(), Stop> {
        let answer = self
            .config
            .cors
            .as_ref()
            .and_then(|cors| cors.preflight(&request.head));
        let Some(answer) = answer else { return Ok(()) };
        request.listener.begin(Step::Preflight);
        let headers = answer
            .headers
            .into_iter()
            .map(|(name, value)| (name.into(), Cow::Owned(value.into_owned())))
            .collect();
        Err(Stop::Reply(LocalReply {
            status: answer.status,
            headers,
            body: Vec::new(),
            reason: Reason::Preflight,
        }))
    }
}
