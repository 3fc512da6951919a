//! What is told of a decision beside the decision: its name, its audit line, and the facts for Envoy's access log.
//!
//! It is made of what the steps found, after them. Where none of it is configured a decision costs a comparison more.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::trace::Event;
use super::{Gateway, Judgement, Request};
use crate::audit::{Auditor, Counts, Outcome, Record, StateField};
use crate::decision::Decision;
use crate::decision_id::HEADER;
use crate::rejection::{Fault, Reason};
use crate::request::RequestHead;
use crate::time::UnixTime;
use crate::token_cache::VerifiedToken;

/// What the steps found of a request, as far as they came.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The client's address, as far as it is known.
    pub(super) client: Option<IpAddr>,
    /// Whether a rule was looked for: without one the default decides.
    pub(super) routed: bool,
    /// The index of the rule that matched.
    pub(super) rule: Option<usize>,
    /// Why that rule, in shadow mode, would have denied the request.
    pub(super) would_deny: Option<Reason>,
    /// The provider that the token names.
    pub(super) provider: Option<usize>,
    /// The token, once it was verified.
    pub(super) token: Option<Arc<VerifiedToken>>,
}

impl Gateway {
    /// Adds to `judgement` what is told of it. A request that waits is told of when it is decided.
    pub(super) fn tell(
        &mut self,
        head: Option<&RequestHead<'_>>,
        seen: &Seen,
        now: UnixTime,
        judgement: &mut Judgement,
    ) {
        let outcome = match (&judgement.decision, judgement.would_deny) {
            (Decision::Wait(_), _) => return,
            (Decision::Forward(_), None) => Outcome::Allow,
            (Decision::Forward(_), Some(reason)) => Outcome::WouldDeny(reason),
            (Decision::Reply(reply), _) => Outcome::Deny {
                status: reply.status,
                reason: reply.reason,
            },
        };
        self.name(head, judgement);
        self.audit(outcome, seen, now, judgement);
    }

    /// Gives the decision its name, in the reply or upstream.
    fn name(&mut self, head: Option<&RequestHead<'_>>, judgement: &mut Judgement) {
        let Some(ids) = &mut self.ids else { return };
        let id = ids.next(head);
        judgement.id = Some(id);
        match &mut judgement.decision {
            Decision::Forward(mutations) if ids.settings().forward => {
                let value = id.as_str().as_bytes().to_vec();
                mutations.set.push((HEADER.into(), value));
            }
            Decision::Reply(reply) => {
                let value = Cow::Owned(id.as_str().to_owned());
                reply.headers.push((HEADER.into(), value));
            }
            Decision::Forward(_) | Decision::Wait(_) => {}
        }
    }

    fn audit(&mut self, outcome: Outcome, seen: &Seen, now: UnixTime, judgement: &mut Judgement) {
        let Some(auditor) = &mut self.audit else {
            return;
        };
        // A redirect or a preflight's answer is nobody's fault and no denial.
        if matches!(outcome, Outcome::Deny { reason, .. } if reason.row().fault == Fault::Nobody) {
            return;
        }
        let admitted = auditor.admits(outcome, now);
        let wanted = &auditor.settings().filter_state;
        if admitted.is_none() && wanted.is_empty() {
            return;
        }
        let rule = judgement
            .rule
            .and_then(|index| self.config.rules.get(index));
        let rule = rule
            .map(|rule| &*rule.name)
            .or_else(|| seen.routed.then_some("default"));
        let provider = seen
            .provider
            .and_then(|index| self.config.providers.get(index))
            .map(|provider| &*provider.name);
        let token = seen.token.as_ref();
        let subject = token.and_then(|token| auditor.subject(&token.claims));
        if let Some(suppressed) = admitted {
            let record = Record {
                time: now,
                outcome,
                rule,
                id: judgement.id,
                client: seen.client,
                provider,
                subject: subject.as_ref(),
                suppressed,
            };
            judgement.audit = Some(record.line());
        }
        let state = wanted.iter().filter_map(|&field| {
            let value = match field {
                StateField::Rule => rule.map(printable),
                StateField::Reason => match outcome {
                    Outcome::Deny { reason, .. } => Some(reason.code().to_owned()),
                    Outcome::Allow | Outcome::WouldDeny(_) => None,
                },
                StateField::WouldDeny => judgement.would_deny.map(|it| it.code().to_owned()),
                StateField::Provider => provider.map(printable),
                StateField::Subject => subject.as_ref().map(|subject| subject.text.clone()),
                StateField::DecisionId => judgement.id.map(|id| id.as_str().to_owned()),
            };
            Some((field, value?))
        });
        judgement.filter_state = state.collect();
    }

    /// The reply where the host failed in a way that must not happen, or the line of waiting requests is full.
    pub fn refuse(&mut self, reason: Reason, now: UnixTime) -> Judgement {
        let mut judgement = Judgement::of(self.refusal(reason));
        self.tell(None, &Seen::default(), now, &mut judgement);
        judgement
    }

    /// Whether there are audit lines at all.
    pub fn writes_audit_lines(&self) -> bool {
        let audit = self.audit.as_ref();
        audit.is_some_and(|audit| audit.settings().max_lines_per_second.is_some())
    }

    /// Whether the proxy's log keeps lines of the level that audit lines have; nothing is formatted otherwise.
    pub fn set_audit_read(&mut self, is_read: bool) {
        if let Some(auditor) = &mut self.audit {
            auditor.set_read(is_read);
        }
    }

    /// What the audit has counted since it was last asked.
    pub fn take_audit_counts(&mut self) -> Counts {
        self.audit
            .as_mut()
            .map_or_else(Counts::default, Auditor::take_counts)
    }
}

impl Request<'_> {
    /// Notes which provider the token names.
    pub(super) fn provider_found(&self, provider: usize) {
        self.provider.set(Some(provider));
        self.listener.tell(Event::Provider(provider));
    }
}

fn printable(name: &str) -> String {
    crate::audit::printable(name).into_owned()
}
