//! Requests that the rate limit service is asked about: called, answered, given up.
//!
//! The service always has an end: it answers, its call times out, or it cannot be called; the failure mode decides
//! then. A request whose client has left is forgotten, and the answer to it finds nobody.

use edge_auth_policy::pipeline::Held;
use edge_auth_policy::rate_limit::service::{Answer, Failure, MAX_ANSWER_BYTES};
use edge_auth_policy::rejection::Reason;
use edge_auth_policy::time::UnixTime;

use super::{Progress, Worker};
use crate::asking::Asked;
use crate::host;
use crate::waiting::SharedStream;

impl Worker {
    /// Lets a request go on, or not, as the rate limit service says.
    pub(crate) fn on_grpc_answer(&mut self, token: u32, status: u32, size: usize) {
        let Some(asked) = self.asking.take(token) else {
            return;
        };
        let answer = if status == 0 {
            let most = size.min(MAX_ANSWER_BYTES.saturating_add(1));
            asked.held.read(&host::grpc_message(most))
        } else {
            Err(Failure::of_grpc_status(status))
        };
        self.answered(asked, answer, host::now());
    }

    /// Asks the rate limit service about the request whose context is active.
    pub(super) fn ask(
        &mut self,
        stream: u32,
        held: Box<Held>,
        shared: &SharedStream,
        now: UnixTime,
    ) -> Progress {
        let called = match self.gateway.rate_limit_service() {
            Some(service) if !self.asking.is_full() => {
                let (cluster, timeout) = (&service.cluster, service.timeout);
                // The host makes it the plugin's own call: it ends by itself where the stream ends first.
                let called = host::call_rate_limit_service(cluster, held.message(), timeout);
                called.map_err(|_| Failure::NotSent)
            }
            _ => Err(Failure::TooMany),
        };
        match called {
            Ok(token) => {
                self.asking.push(token, stream, shared, held, now);
                Progress::Asking
            }
            Err(failure) => self.conclude(stream, *held, Err(failure), shared, now),
        }
    }

    /// Decides a request that was held for the rate limit service, whose context is active.
    fn conclude(
        &mut self,
        stream: u32,
        held: Held,
        answer: Result<Answer, Failure>,
        shared: &SharedStream,
        now: UnixTime,
    ) -> Progress {
        self.metrics.asked(&answer);
        self.service_health.note(&answer);
        let Ok(buffer) = host::request_headers() else {
            return self.refuse(Reason::Internal, now);
        };
        let fields = buffer.fields();
        let head = self.head(&fields);
        let judgement = self.gateway.on_rate_limit_answer(&head, held, answer, now);
        self.carry_out(stream, judgement, shared, now)
    }

    fn answered(&mut self, asked: Asked, answer: Result<Answer, Failure>, now: UnixTime) {
        if host::set_effective_context(asked.stream).is_err() {
            return;
        }
        let progress = self.conclude(asked.stream, *asked.held, answer, &asked.shared, now);
        if progress == Progress::Continue {
            let _ = host::resume_request();
        }
    }

    pub(super) fn give_up_asking(&mut self, now: UnixTime) {
        let Some(service) = self.gateway.rate_limit_service() else {
            return;
        };
        let (timeout, mode) = (service.timeout, service.failure_mode);
        for asked in self.asking.take_overdue(timeout, now) {
            self.answered(asked, Err(Failure::NoAnswer), now);
        }
        let _ = host::set_effective_context(self.plugin);
        self.service_health.tell(mode);
    }
}
