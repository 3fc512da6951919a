//! The stream context: one request, from its headers to the decision carried out.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host;
use crate::plugin::SharedWorker;
use crate::thread::Progress;
use crate::waiting::SharedStream;

/// One request. Holds nothing of it but what its answer will need: a decision is made from the header map, as
/// often as it takes.
pub(crate) struct Stream {
    id: u32,
    worker: SharedWorker,
    /// Shared with the lines of requests that are held.
    shared: SharedStream,
}

impl Stream {
    pub(crate) fn new(id: u32, worker: SharedWorker) -> Self {
        Self {
            id,
            worker,
            shared: SharedStream::default(),
        }
    }
}

impl Stream {
    /// Only what was let go on goes on: not what waits, and not what was answered (CVE-2022-29228).
    fn continue_if_released(&self) -> Action {
        if self.shared.released.get() {
            Action::Continue
        } else {
            Action::Pause
        }
    }
}

impl Context for Stream {
    /// The SDK hands an answer to the context in whose callback the call was made.
    fn on_grpc_call_response(&mut self, token: u32, status: u32, size: usize) {
        if let Ok(mut worker) = self.worker.try_borrow_mut()
            && let Some(worker) = worker.as_mut()
        {
            worker.on_grpc_answer(token, status, size);
        }
    }
}

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
        match worker.on_request(self.id, &self.shared) {
            Progress::Continue => Action::Continue,
            Progress::Answered | Progress::Waiting | Progress::Asking => Action::Pause,
        }
    }

    /// A host may let the body of a held request through (`allow_on_headers_stop_iteration` in Envoy): it is held
    /// here as well.
    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.continue_if_released()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        if let Ok(worker) = self.worker.try_borrow()
            && let Some(worker) = worker.as_ref()
        {
            worker.on_trailers();
        }
        self.continue_if_released()
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let response = self.shared.response.borrow();
        if !response.is_empty()
            && let Ok(buffer) = host::response_headers()
        {
            for mutation in response.mutations(&buffer.fields()) {
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
