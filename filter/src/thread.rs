//! One worker thread's gateway, and the effects of its decisions on the host.

mod rate_limit_service;

use std::collections::HashMap;
use std::time::Duration;

use edge_auth_policy::config::{Config, ConfigError};
use edge_auth_policy::decision::{Decision, LocalReply, Mutations};
use edge_auth_policy::metrics;
use edge_auth_policy::pipeline::{
    CacheFill, ConnectionNeeds, FetchEvent, FetchHandle, Gateway, Host, Judgement, Patience,
};
use edge_auth_policy::rejection::{Fault, Reason};
use edge_auth_policy::request::{HeaderField, RequestHead};
use edge_auth_policy::sampler::Sampler;
use edge_auth_policy::store::fetch::{Fetch, Response};
use edge_auth_policy::time::UnixTime;

use crate::asking::Asking;
use crate::host::{self, LogLevel};
use crate::metrics::Metrics;
use crate::service_health::ServiceHealth;
use crate::shared_data::SharedData;
use crate::verifier::Verifier;
use crate::waiting::{SharedStream, Waiting};

/// One worker's end of one configured filter.
pub(crate) struct Worker {
    plugin: u32,
    gateway: Gateway,
    shared: SharedData,
    needs: ConnectionNeeds,
    verifier: Verifier,
    waiting: Waiting,
    asking: Asking,
    service_health: ServiceHealth,
    metrics: Metrics,
    /// Which decisions are timed.
    timed: Sampler,
    /// The state machine's name for each HTTP call under way.
    calls: HashMap<u32, Call>,
    is_tick_short: bool,
}

/// An HTTP call under way.
#[derive(Clone, Copy, Debug)]
struct Call {
    handle: FetchHandle,
    /// Of a larger answer, one byte more than this is taken from the host.
    max_body_bytes: usize,
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on to the upstream.
    Continue,
    /// It was answered here.
    Answered,
    /// It waits for keys or revocations.
    Waiting,
    /// It waits for the rate limit service.
    Asking,
}

impl Worker {
    /// A worker for `config`, ticking from now on.
    ///
    /// `None` where the host has no randomness: the seed that keeps clients from choosing each other's
    /// counters needs some.
    pub(crate) fn start(plugin: u32, config: Config) -> Option<Self> {
        let Some(proposal) = host::random() else {
            host::log(
                LogLevel::Critical,
                "edge-auth: the host gives no random bytes",
            );
            return None;
        };
        let percent = config.histogram_sample_percent;
        let verifier = Verifier::prove(percent > 0);
        host::log(
            LogLevel::Info,
            &format!("edge-auth: {}", verifier.describe()),
        );
        let metrics = Metrics::new(&config.stat_prefix);
        let mut shared = SharedData::default();
        let gateway = match Gateway::new(config, proposal, &mut shared) {
            Ok(gateway) => gateway,
            Err(errors) => {
                report_errors(&errors);
                return None;
            }
        };
        // The first fetch is made by the first tick: HTTP calls can't be made while Envoy configures.
        host::set_tick_period(SHORT_TICK);
        Some(Self {
            plugin,
            needs: gateway.needs(),
            gateway,
            shared,
            verifier,
            waiting: Waiting::default(),
            asking: Asking::default(),
            service_health: ServiceHealth::default(),
            metrics,
            timed: Sampler::new(percent),
            calls: HashMap::new(),
            is_tick_short: true,
        })
    }

    /// Decides the request whose context is active and carries the decision out.
    pub(crate) fn on_request(&mut self, stream: u32, shared: &SharedStream) -> Progress {
        let now = host::now();
        let progress = self.take(stream, shared, now);
        let is_held = matches!(progress, Progress::Waiting | Progress::Asking);
        if !is_held && self.timed.takes() {
            let took = host::now().since(now);
            self.metrics.record(metrics::DECISION_MICROSECONDS, took);
        }
        progress
    }

    fn take(&mut self, stream: u32, shared: &SharedStream, now: UnixTime) -> Progress {
        let judgement = self.decide(Patience::MayWait, now, Some(shared));
        let is_for_keys = judgement.held.is_none();
        if matches!(judgement.decision, Decision::Wait(_)) && is_for_keys {
            if self.waiting.push(stream, shared, now) {
                self.metrics.decided(&judgement);
                self.tick_often(true);
                return Progress::Waiting;
            }
            return self.refuse(Reason::TooManyWaiting, now);
        }
        self.carry_out(stream, judgement, shared, now)
    }

    /// Refreshes keys, lets waiting requests go on, hands metrics over.
    pub(crate) fn on_tick(&mut self) {
        let now = host::now();
        let tick = self.gateway.on_tick(now, &mut self.shared);
        for (handle, fetch) in tick.fetches {
            self.dispatch(handle, &fetch, now);
        }
        self.decide_waiting(tick.decide_waiting, now);
        self.give_up_asking(now);
        self.report(now);
        let no_keys_yet = self
            .gateway
            .key_status(now)
            .any(|(_, status)| status.count == 0);
        self.tick_often(!self.waiting.is_empty() || no_keys_yet);
    }

    /// Hands an HTTP call's answer to the state machine that asked for it.
    pub(crate) fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize) {
        let Some(call) = self.calls.remove(&token) else {
            return;
        };
        let handle = call.handle;
        let now = host::now();
        // No headers at all is how the host says that no answer came.
        if headers == 0 {
            self.settle(handle, None, now);
            return;
        }
        let Ok(buffer) = host::http_call_headers() else {
            self.settle(handle, None, now);
            return;
        };
        let fields = buffer.fields();
        let status = fields
            .iter()
            .find(|(name, _)| *name == b":status")
            .and_then(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok());
        let body = host::http_call_body(body.min(call.max_body_bytes.saturating_add(1)));
        let response = status.map(|status| Response {
            status,
            headers: &fields,
            body: &body,
        });
        self.settle(handle, response.as_ref(), now);
    }

    /// Removes identity from the trailers of the request whose context is active: an upstream may read them as
    /// header fields.
    pub(crate) fn on_trailers(&self) {
        let Ok(buffer) = host::request_trailers() else {
            return;
        };
        for (name, _) in buffer.fields() {
            if self.gateway.is_identity(name) {
                let _ = host::remove_request_trailer(name);
            }
        }
    }

    /// The stream is gone; it waits no longer.
    pub(crate) fn forget(&mut self, stream: u32) {
        if !self.waiting.is_empty() {
            self.waiting.forget(stream);
        }
        self.asking.forget(stream);
    }

    fn decide(
        &mut self,
        patience: Patience,
        now: UnixTime,
        first: Option<&SharedStream>,
    ) -> Judgement {
        let Ok(buffer) = host::request_headers() else {
            return self.gateway.refuse(Reason::Internal, now);
        };
        let fields = buffer.fields();
        let head = self.head(&fields);
        if let Some(shared) = first {
            shared.response.replace(self.gateway.plan_response(&head));
        }
        let mut host = Host {
            now,
            store: &mut self.shared,
            verifier: &mut self.verifier,
        };
        self.gateway.on_request_headers(&head, patience, &mut host)
    }

    /// The head of the request whose context is active: its header fields, and what decisions need of its connection.
    fn head<'f>(&self, headers: &'f [HeaderField<'f>]) -> RequestHead<'f> {
        RequestHead {
            headers,
            source_address: self
                .needs
                .source_address
                .then(host::source_address)
                .flatten()
                .and_then(|text| socket_ip(&text)),
            tls: self.needs.tls && host::is_tls(),
        }
    }

    fn carry_out(
        &mut self,
        stream: u32,
        mut judgement: Judgement,
        shared: &SharedStream,
        now: UnixTime,
    ) -> Progress {
        match &judgement.decision {
            Decision::Forward(mutations) => {
                if apply(mutations).is_err() {
                    // Not all of a client's identity headers may be gone: the request must not go on.
                    return self.refuse(Reason::Internal, now);
                }
                tell(&judgement);
                let told = std::mem::take(&mut judgement.answer_fields);
                shared.response.borrow_mut().add(told);
                shared.released.set(true);
                self.metrics.decided(&judgement);
                Progress::Continue
            }
            Decision::Reply(reply) => {
                tell(&judgement);
                self.reply(reply)
            }
            Decision::Wait(_) => match judgement.held {
                Some(held) => self.ask(stream, held, shared, now),
                None => Progress::Waiting,
            },
        }
    }

    fn refuse(&mut self, reason: Reason, now: UnixTime) -> Progress {
        let refused = self.gateway.refuse(reason, now);
        tell(&refused);
        match &refused.decision {
            Decision::Reply(reply) => self.reply(reply),
            Decision::Forward(_) | Decision::Wait(_) => Progress::Waiting,
        }
    }

    fn reply(&mut self, reply: &LocalReply) -> Progress {
        self.metrics.replied(reply.reason);
        if reply.reason.row().fault == Fault::Ourselves {
            host::log(
                LogLevel::Error,
                "edge-auth: a request was denied because the host failed",
            );
        }
        // Where even this fails the stream stays paused until Envoy's own timeout: it does not go on.
        let _ = host::send_local_reply(reply);
        Progress::Answered
    }

    fn decide_waiting(&mut self, everybody: bool, now: UnixTime) {
        for waiter in self.waiting.take(everybody, now) {
            if host::set_effective_context(waiter.stream).is_err() {
                continue;
            }
            let patience = if waiter.is_due(now) {
                Patience::Exhausted
            } else {
                Patience::MayWait
            };
            let judgement = self.decide(patience, now, None);
            match self.carry_out(waiter.stream, judgement, &waiter.shared, now) {
                Progress::Continue => {
                    let _ = host::resume_request();
                }
                Progress::Answered | Progress::Asking => {}
                Progress::Waiting => self.waiting.keep(waiter),
            }
        }
        let _ = host::set_effective_context(self.plugin);
    }

    fn dispatch(&mut self, handle: FetchHandle, fetch: &Fetch, now: UnixTime) {
        if let Ok(token) = host::dispatch(fetch) {
            let call = Call {
                handle,
                max_body_bytes: fetch.max_body_bytes,
            };
            self.calls.insert(token, call);
            return;
        }
        let purpose = self.gateway.purpose(handle);
        host::log(
            LogLevel::Error,
            &format!(
                "edge-auth: {purpose}: Envoy has no cluster `{}` to fetch from, or it is not ready",
                fetch.cluster
            ),
        );
        self.settle(handle, None, now);
    }

    fn settle(&mut self, handle: FetchHandle, response: Option<&Response<'_>>, now: UnixTime) {
        let answer = self
            .gateway
            .on_fetch_answer(handle, response, now, &mut self.shared);
        let purpose = self.gateway.purpose(handle);
        match answer.event {
            FetchEvent::Changed => {
                let loaded = self.gateway.loaded(handle, now);
                host::log(
                    LogLevel::Info,
                    &format!("edge-auth: {purpose}: loaded {loaded}"),
                );
            }
            FetchEvent::Failed(failure) => {
                host::log(
                    LogLevel::Warn,
                    &format!("edge-auth: {purpose}: not fetched: {failure}"),
                );
            }
            FetchEvent::Unchanged | FetchEvent::Nothing => {}
        }
        match answer.event {
            FetchEvent::Changed | FetchEvent::Unchanged => self.metrics.fetched(true),
            FetchEvent::Failed(_) => self.metrics.fetched(false),
            FetchEvent::Nothing => {}
        }
        if let Some((handle, fetch)) = answer.next {
            self.dispatch(handle, &fetch, now);
        }
        self.decide_waiting(answer.decide_waiting, now);
    }

    fn report(&mut self, now: UnixTime) {
        let by_host = std::mem::take(&mut self.verifier.by_host);
        let by_module = std::mem::take(&mut self.verifier.by_module);
        self.metrics.verified(by_host, by_module);
        for (metric, took) in std::mem::take(&mut self.verifier.timings) {
            self.metrics.record(metric, took);
        }
        if self.gateway.writes_audit_lines() {
            let counts = self.gateway.take_audit_counts();
            self.metrics.audited(counts);
            self.gateway.set_audit_read(host::is_logged(LogLevel::Info));
        }
        for (provider, status) in self.gateway.key_status(now) {
            if let Some(age) = status.age {
                self.metrics
                    .gauge_of(metrics::KEYS_AGE_SECONDS, provider, age.as_secs());
            }
            for (metric, count) in [
                (metrics::KEYS_COUNT, status.count),
                (metrics::KEYS_SKIPPED, status.skipped),
            ] {
                let count = u64::try_from(count).unwrap_or(u64::MAX);
                self.metrics.gauge_of(metric, provider, count);
            }
        }
        if let Some((age, count)) = self.gateway.revocation_status(now) {
            if let Some(age) = age {
                self.metrics
                    .gauge(metrics::REVOCATIONS_AGE_SECONDS, age.as_secs());
            }
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.metrics.gauge(metrics::REVOCATIONS_COUNT, count);
        }
        let CacheFill { tokens, bytes } = self.gateway.token_cache_fill();
        let tokens = u64::try_from(tokens).unwrap_or(u64::MAX);
        self.metrics.gauge(metrics::TOKEN_CACHE_TOKENS, tokens);
        self.metrics.gauge(metrics::TOKEN_CACHE_BYTES, bytes);
        let waiting = self.waiting.len().saturating_add(self.asking.len());
        let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
        self.metrics.gauge(metrics::WAITING, waiting);
        self.metrics.flush();
    }

    /// A worker whose requests wait looks for keys more often: what another worker fetched cannot wake it.
    fn tick_often(&mut self, often: bool) {
        if often != self.is_tick_short {
            self.is_tick_short = often;
            host::set_tick_period(if often { SHORT_TICK } else { TICK });
        }
    }
}

/// Tells the log and the access log of a decision, as far as they are to know of it.
fn tell(judgement: &Judgement) {
    for (field, value) in &judgement.filter_state {
        // What could not be set is missing from the access log; the decision stands.
        let _ = host::set_filter_state(field.key(), value);
    }
    if let Some(line) = &judgement.audit {
        host::log(LogLevel::Info, line);
    }
}

/// Tells the operator every mistake of a configuration, with its place.
pub(crate) fn report_errors(errors: &[ConfigError]) {
    let count = errors.len();
    let plural = if count == 1 { "" } else { "s" };
    host::log(
        LogLevel::Critical,
        &format!("edge-auth: the configuration is refused, {count} error{plural}:"),
    );
    for error in errors {
        host::log(LogLevel::Critical, &format!("edge-auth:   {error}"));
    }
}

/// Removes first, sets after: a name that is in both ends with exactly the value set.
fn apply(mutations: &Mutations) -> Result<(), host::HostError> {
    for name in &mutations.remove {
        host::remove_request_header(name)?;
    }
    for (name, value) in &mutations.set {
        host::set_request_header(name, value)?;
    }
    // Identity fields that a client sent were all removed: adding spares the host the search.
    for (name, value) in mutations.identity.iter().flat_map(|fields| fields.iter()) {
        host::add_request_header(name, value)?;
    }
    Ok(())
}

/// The address of `address:port`, brackets and all.
fn socket_ip(text: &[u8]) -> Option<std::net::IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse::<std::net::SocketAddr>()
        .map(|socket| socket.ip())
        .or_else(|_| text.parse())
        .ok()
}

/// How often an idle worker looks at what the others share.
const TICK: Duration = Duration::from_millis(500);
/// How often it looks while requests wait, or no keys are there.
const SHORT_TICK: Duration = Duration::from_millis(20);
