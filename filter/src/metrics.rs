//! What this worker counts, and how the host learns of it.
//!
//! A counter is a number in this VM that is handed over on the next tick: a host call per request would cost
//! more than the counting. Names are `<stat_prefix>.<name>`; Envoy puts `wasmcustom.` in front.

use edge_auth_policy::decision::Decision;
use edge_auth_policy::pipeline::Judgement;
use edge_auth_policy::rejection::Reason;

use crate::host;

/// Counters and gauges of one worker.
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
    /// Gauges by full name, defined when first set.
    gauges: Vec<(String, u32)>,
}

/// A number that grows, and how much of it the host has not heard yet.
#[derive(Debug)]
struct Counter {
    name: &'static str,
    id: Option<u32>,
    pending: u64,
}

impl Counter {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            id: None,
            pending: 0,
        }
    }

    /// Hands over what is pending. A counter that never counted is never defined.
    fn flush(&mut self, prefix: &str, group: &str) {
        if self.pending == 0 {
            return;
        }
        let name = self.name;
        self.id = self
            .id
            .or_else(|| host::define_counter(&format!("{prefix}.{group}{name}")));
        if let Some(id) = self.id {
            host::increment_counter(id, std::mem::take(&mut self.pending));
        }
    }
}

impl Metrics {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            allowed: Counter::new("allowed"),
            would_deny: Counter::new("would_deny"),
            waited: Counter::new("waited"),
            replies: Reason::ALL
                .iter()
                .map(|reason| Counter::new(reason.code()))
                .collect(),
            verified_by_host: Counter::new("verified_by_host"),
            verified_by_module: Counter::new("verified_by_module"),
            fetches_ok: Counter::new("fetch_ok"),
            fetches_failed: Counter::new("fetch_failed"),
            gauges: Vec::new(),
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

    /// Takes over the counts of the signature verifier.
    pub(crate) fn verified(&mut self, by_host: u64, by_module: u64) {
        self.verified_by_host.pending += by_host;
        self.verified_by_module.pending += by_module;
    }

    /// Sets a gauge; `name` may hold a provider's name, which the configuration bounds.
    pub(crate) fn gauge(&mut self, name: &str, value: u64) {
        let known = self
            .gauges
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, id)| *id);
        let id = known.or_else(|| {
            let id = host::define_gauge(&format!("{}.{name}", self.prefix))?;
            self.gauges.push((name.to_owned(), id));
            Some(id)
        });
        if let Some(id) = id {
            host::set_gauge(id, value);
        }
    }

    /// Hands everything over to the host.
    pub(crate) fn flush(&mut self) {
        let prefix = self.prefix.clone();
        for counter in [
            &mut self.allowed,
            &mut self.would_deny,
            &mut self.waited,
            &mut self.verified_by_host,
            &mut self.verified_by_module,
            &mut self.fetches_ok,
            &mut self.fetches_failed,
        ] {
            counter.flush(&prefix, "");
        }
        for counter in &mut self.replies {
            counter.flush(&prefix, "reply.");
        }
    }
}
