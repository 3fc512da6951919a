//! What this worker counts, and how the host learns of it.
//!
//! A counter is a number in this VM that is handed over on the next tick: a host call per request would cost
//! more than the counting. Names are `edge_auth_policy::metrics`' behind `<stat_prefix>.`; Envoy puts `wasmcustom.`
//! in front.

use std::time::Duration;

use edge_auth_policy::audit::Counts;
use edge_auth_policy::decision::Decision;
use edge_auth_policy::metrics as names;
use edge_auth_policy::pipeline::Judgement;
use edge_auth_policy::rate_limit::service::{Answer, Failure};
use edge_auth_policy::rejection::Reason;

use crate::host;

/// Counters, gauges and histograms of one worker.
#[derive(Debug)]
pub(crate) struct Metrics {
    prefix: String,
    allowed: Counter,
    would_deny: Counter,
    waited: Counter,
    replies: Vec<Counter>,
    verified_by_host: Counter,
    verified_by_module: Counter,
    fetches_ok: Counter,
    fetches_failed: Counter,
    asked: Counter,
    over_limit: Counter,
    unanswered: Vec<Counter>,
    audit_lines: Counter,
    audit_suppressed: Counter,
    /// Gauges and histograms by full name, defined when first set.
    defined: Vec<(String, u32)>,
}

/// A number that grows, and how much of it the host has not heard yet.
#[derive(Debug)]
struct Counter {
    name: &'static str,
    /// What stands for the part of the name in angle brackets.
    part: &'static str,
    id: Option<u32>,
    pending: u64,
}

impl Counter {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            part: "",
            id: None,
            pending: 0,
        }
    }

    /// Hands over what is pending. A counter that never counted is never defined.
    fn flush(&mut self, prefix: &str) {
        if self.pending == 0 {
            return;
        }
        let id = || host::define_counter(&full(prefix, self.name, self.part));
        self.id = self.id.or_else(id);
        if let Some(id) = self.id {
            host::increment_counter(id, std::mem::take(&mut self.pending));
        }
    }
}

impl Metrics {
    pub(crate) fn new(prefix: &str) -> Self {
        let reply = |reason: &Reason| Counter {
            part: reason.code(),
            ..Counter::new(names::REPLY)
        };
        let unanswered = |failure: &Failure| Counter {
            part: failure.code(),
            ..Counter::new(names::RATE_LIMIT_FAILED)
        };
        Self {
            prefix: prefix.to_owned(),
            allowed: Counter::new(names::ALLOWED),
            would_deny: Counter::new(names::WOULD_DENY),
            waited: Counter::new(names::WAITED),
            replies: Reason::ALL.iter().map(reply).collect(),
            verified_by_host: Counter::new(names::VERIFIED_BY_HOST),
            verified_by_module: Counter::new(names::VERIFIED_BY_MODULE),
            fetches_ok: Counter::new(names::FETCH_OK),
            fetches_failed: Counter::new(names::FETCH_FAILED),
            asked: Counter::new(names::RATE_LIMIT_ASKED),
            over_limit: Counter::new(names::RATE_LIMIT_OVER),
            unanswered: Failure::ALL.iter().map(unanswered).collect(),
            audit_lines: Counter::new(names::AUDIT_LINES),
            audit_suppressed: Counter::new(names::AUDIT_SUPPRESSED),
            defined: Vec::new(),
        }
    }

    /// Counts a decision that was carried out.
    pub(crate) fn decided(&mut self, judgement: &Judgement) {
        match &judgement.decision {
            Decision::Forward(_) => self.allowed.pending += 1,
            Decision::Wait(_) => self.waited.pending += 1,
            Decision::Reply(reply) => self.replied(reply.reason),
        }
        if judgement.would_deny.is_some() {
            self.would_deny.pending += 1;
        }
    }

    /// Counts a reply by its reason.
    pub(crate) fn replied(&mut self, reason: Reason) {
        if let Some(counter) = self.replies.get_mut(reason as usize) {
            counter.pending += 1;
        }
    }

    /// Counts a fetch of a key set or of the revocation feed.
    pub(crate) fn fetched(&mut self, ok: bool) {
        let counter = if ok {
            &mut self.fetches_ok
        } else {
            &mut self.fetches_failed
        };
        counter.pending += 1;
    }

    /// Counts a request that the rate limit service was asked about, or was to be, by what it said.
    pub(crate) fn asked(&mut self, answer: &Result<Answer, Failure>) {
        self.asked.pending += 1;
        match answer {
            Ok(answer) => self.over_limit.pending += u64::from(!answer.allowed),
            Err(failure) => {
                if let Some(counter) = self.unanswered.get_mut(*failure as usize) {
                    counter.pending += 1;
                }
            }
        }
    }

    /// Takes over the counts of the signature verifier.
    pub(crate) fn verified(&mut self, by_host: u64, by_module: u64) {
        self.verified_by_host.pending += by_host;
        self.verified_by_module.pending += by_module;
    }

    /// Takes over the counts of the audit.
    pub(crate) fn audited(&mut self, counts: Counts) {
        self.audit_lines.pending += counts.lines;
        self.audit_suppressed.pending += counts.suppressed;
    }

    /// Sets the gauge `name`.
    pub(crate) fn gauge(&mut self, name: &str, value: u64) {
        self.gauge_of(name, "", value);
    }

    /// Sets the gauge `name` of a provider; how many there are, the configuration bounds.
    pub(crate) fn gauge_of(&mut self, name: &str, provider: &str, value: u64) {
        if let Some(id) = self.id(name, provider, host::define_gauge) {
            host::set_gauge(id, value);
        }
    }

    /// Adds a time to the histogram `name`, in microseconds.
    pub(crate) fn record(&mut self, name: &str, took: Duration) {
        if let Some(id) = self.id(name, "", host::define_histogram) {
            host::record(id, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    fn id(&mut self, name: &str, part: &str, define: fn(&str) -> Option<u32>) -> Option<u32> {
        let name = full(&self.prefix, name, part);
        let known = self.defined.iter().find(|(known, _)| *known == name);
        if let Some((_, id)) = known {
            return Some(*id);
        }
        let id = define(&name)?;
        self.defined.push((name, id));
        Some(id)
    }

    /// Hands everything over to the host.
    pub(crate) fn flush(&mut self) {
        let counters = [
            &mut self.allowed,
            &mut self.would_deny,
            &mut self.waited,
            &mut self.verified_by_host,
            &mut self.verified_by_module,
            &mut self.fetches_ok,
            &mut self.fetches_failed,
            &mut self.asked,
            &mut self.over_limit,
            &mut self.audit_lines,
            &mut self.audit_suppressed,
        ];
        let by_reason = self.replies.iter_mut().chain(&mut self.unanswered);
        for counter in counters.into_iter().chain(by_reason) {
            counter.flush(&self.prefix);
        }
    }
}

/// `edge_auth.keys.auth0.count`.
fn full(prefix: &str, name: &str, part: &str) -> String {
    match (name.find('<'), name.find('>')) {
        (Some(start), Some(end)) => {
            let before = name.get(..start).unwrap_or_default();
            let after = name.get(end.saturating_add(1)..).unwrap_or_default();
            format!("{prefix}.{before}{part}{after}")
        }
        _ => format!("{prefix}.{name}"),
    }
}
