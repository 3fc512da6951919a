//! Unary gRPC calls of the module: pending until the test answers them.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::nanos;
use crate::headers::Headers;
use crate::log::Thread;
use crate::process::Process;
use crate::shared::CallId;

/// What the module sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcRequest {
    /// The cluster it was sent to.
    pub cluster: String,
    /// The full name of the service.
    pub service: String,
    /// The method.
    pub method: String,
    /// The initial metadata.
    pub metadata: Headers,
    /// The message, serialised.
    pub message: Vec<u8>,
    /// How long the module is willing to wait.
    pub timeout: Option<Duration>,
}

/// A call that waits for its answer. Each way to answer says whether the call was still pending.
#[derive(Clone, Debug)]
pub struct GrpcCall {
    pub(crate) process: Arc<Process>,
    pub(crate) call: PendingGrpcCall,
}

/// A call on its way.
#[derive(Clone, Debug)]
pub(crate) struct PendingGrpcCall {
    pub(crate) request: GrpcRequest,
    pub(crate) id: CallId,
    pub(crate) thread: Thread,
    pub(crate) due: Option<u64>,
}

/// How a call ends.
#[derive(Debug)]
pub(crate) enum GrpcAnswer {
    Message(Vec<u8>),
    Failure(u32, String),
}

impl GrpcCall {
    /// What the module sent.
    pub fn request(&self) -> &GrpcRequest {
        &self.call.request
    }

    /// The thread of the VM that called.
    pub fn thread(&self) -> Thread {
        self.call.thread
    }

    /// Answers with a serialised message (`proxy_on_grpc_receive`; Envoy calls no `proxy_on_grpc_close` then).
    pub fn respond(&self, message: impl Into<Vec<u8>>) -> bool {
        let answer = GrpcAnswer::Message(message.into());
        self.process.answer_grpc(self.call.id, answer)
    }

    /// Fails with a gRPC status other than 0 and a message (`proxy_on_grpc_close`).
    pub fn fail(&self, status: u32, message: impl Into<String>) -> bool {
        let answer = GrpcAnswer::Failure(status, message.into());
        self.process.answer_grpc(self.call.id, answer)
    }
}

impl GrpcAnswer {
    /// What Envoy's client makes of a timeout: a 504, which is `UNAVAILABLE`.
    pub(crate) fn timed_out() -> Self {
        Self::Failure(
            UNAVAILABLE,
            "upstream request timeout{response_timeout}".to_owned(),
        )
    }
}

/// The gRPC status of everything that keeps a call from an answer.
pub(crate) const UNAVAILABLE: u32 = 14;

impl PendingGrpcCall {
    pub(crate) fn new(request: GrpcRequest, id: CallId, thread: Thread, now: u64) -> Self {
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
