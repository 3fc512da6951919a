//! The stream context: one request, from its headers to the decision carried out.

use edge_auth_policy::pipeline::ResponsePlan;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host;
use crate::plugin::SharedWorker;
use crate::worker::Progress;

/// One request. Holds nothing of it but what its answer will need: a decision is made from the header map, as
/// often as it takes.
pub(crate) struct Stream {
    id: u32,
    worker: SharedWorker,
    response: ResponsePlan,
}

impl Stream {
    pub(crate) fn new(id: u32, worker: SharedWorker) -> Self {
        Self {
            id,
            worker,
            response: ResponsePlan::default(),
        }
    }
}

impl Stream {
    fn hold_or_continue(&self) -> Action {
        let worker = self.worker.try_borrow();
        match worker.as_ref().map(|worker| worker.as_ref()) {
            Ok(Some(worker)) if !worker.is_waiting(self.id) => Action::Continue,
            _ => Action::Pause,
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        // Without a worker there is no configuration, and Envoy does not route requests to this filter; if it
        // does all the same, the request stays where it is rather than going on.
        let Ok(mut worker) = self.worker.try_borrow_mut() else {
            return Action::Pause;
        };
        let Some(worker) = worker.as_mut() else {
            return Action::Pause;
        };
        match worker.on_request(self.id, &mut self.response) {
            Progress::Continue => Action::Continue,
            Progress::Answered | Progress::Waiting => Action::Pause,
        }
    }

    /// A host may let the body of a held request through (`allow_on_headers_stop_iteration` in Envoy): it is held
    /// here as well.
    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.hold_or_continue()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        if let Ok(worker) = self.worker.try_borrow()
            && let Some(worker) = worker.as_ref()
        {
            worker.on_trailers();
        }
        self.hold_or_continue()
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if !self.response.is_empty()
            && let Ok(buffer) = host::response_headers()
        {
            for mutation in self.response.mutations(&buffer.fields()) {
                // What could not be set is missing from the answer; the answer itself is the upstream's.
                let _ = host::mutate_response(mutation);
            }
        }
        Action::Continue
    }
}

impl Drop for Stream {
    /// The client may leave while its request waits for keys (CVE-2026-48090 is a callback that came later).
    fn drop(&mut self) {
        if let Ok(mut worker) = self.worker.try_borrow_mut()
            && let Some(worker) = worker.as_mut()
        {
            worker.forget(self.id);
        }
    }
}
