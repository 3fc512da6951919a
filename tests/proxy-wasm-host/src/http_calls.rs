//! HTTP calls of the module: pending until the test, or the cluster itself, answers them.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::nanos;
use crate::headers::Headers;
use crate::log::Thread;
use crate::process::Process;
use crate::response::Response;
use crate::shared::CallId;

/// What the module sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The cluster it was sent to.
    pub cluster: String,
    /// The headers, pseudo headers among them.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Headers,
    /// How long the module is willing to wait.
    pub timeout: Option<Duration>,
}

/// A call that waits for its answer.
///
/// Each way to answer says whether the call was still pending: it may have timed out, or its VM may be
/// gone. Connection failures and timeouts reach the module as responses, because Envoy's client turns
/// them into 503 and 504 like a router would.
#[derive(Clone, Debug)]
pub struct HttpCall {
    pub(crate) process: Arc<Process>,
    pub(crate) call: PendingHttpCall,
}

/// A call on its way.
#[derive(Clone, Debug)]
pub(crate) struct PendingHttpCall {
    pub(crate) request: HttpRequest,
    pub(crate) id: CallId,
    pub(crate) thread: Thread,
    pub(crate) due: Option<u64>,
}

impl HttpRequest {
    /// The `:path`.
    pub fn path(&self) -> &str {
        self.headers.text(":path").unwrap_or_default()
    }
}

impl HttpCall {
    /// What the module sent.
    pub fn request(&self) -> &HttpRequest {
        &self.call.request
    }

    /// The thread of the VM that called.
    pub fn thread(&self) -> Thread {
        self.call.thread
    }

    /// Answers with a response.
    pub fn respond(&self, response: Response) -> bool {
        self.process.answer_http(self.call.id, Some(response))
    }

    /// The upstream can't be connected to: the module sees a 503 of Envoy's own.
    pub fn refuse_connection(&self) -> bool {
        let text = "upstream connect error or disconnect/reset before headers. \
                    reset reason: remote connection failure";
        self.respond(plain(503, text))
    }

    /// The upstream does not answer in time: the module sees a 504 of Envoy's own.
    ///
    /// Moving the clock past the call's timeout does the same.
    pub fn time_out(&self) -> bool {
        self.respond(timed_out())
    }

    /// The connection breaks within the response: the module is called with no headers and no body.
    pub fn reset(&self) -> bool {
        self.process.answer_http(self.call.id, None)
    }
}

impl PendingHttpCall {
    pub(crate) fn new(request: HttpRequest, id: CallId, thread: Thread, now: u64) -> Self {
        let due = request
            .timeout
            .map(|timeout| now.saturating_add(nanos(timeout)));
        Self {
            request,
            id,
            thread,
            due,
        }
    }
}

/// What Envoy's client makes of a timeout.
pub(crate) fn timed_out() -> Response {
    plain(504, "upstream request timeout")
}

fn plain(status: u16, text: &str) -> Response {
    Response::new(status)
        .header("content-length", text.len().to_string())
        .header("content-type", "text/plain")
        .body(text)
}
