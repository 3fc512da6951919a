//! What all VMs of one proxy share, and what a test reads from it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::grpc_calls::PendingGrpcCall;
use crate::http_calls::{HttpRequest, PendingHttpCall};
use crate::log::{LogEntry, Refusal};
use crate::metrics::Metrics;
use crate::response::Response;
use crate::shared_data::SharedData;
use crate::shared_queue::SharedQueues;

/// State of the process rather than of one VM.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) data: SharedData,
    pub(crate) queues: SharedQueues,
    pub(crate) metrics: Metrics,
    pub(crate) logs: Vec<LogEntry>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) clusters: BTreeMap<String, Cluster>,
    pub(crate) http_calls: Vec<PendingHttpCall>,
    pub(crate) grpc_calls: Vec<PendingGrpcCall>,
    /// Calls to clusters that answer by themselves, in the order they were made.
    pub(crate) answerable: VecDeque<CallId>,
    pub(crate) requests: u64,
}

/// Which call of which VM: tokens start again when a VM is reloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId {
    pub(crate) vm: usize,
    pub(crate) generation: u64,
    pub(crate) token: u32,
}

/// An upstream cluster the proxy knows.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) healthy: bool,
    pub(crate) answer: Option<Answer>,
}

impl Shared {
    /// Takes a pending HTTP call.
    pub(crate) fn take_http_call(&mut self, id: CallId) -> Option<PendingHttpCall> {
        let position = self.http_calls.iter().position(|call| call.id == id)?;
        Some(self.http_calls.remove(position))
    }

    /// Takes a pending gRPC call.
    pub(crate) fn take_grpc_call(&mut self, id: CallId) -> Option<PendingGrpcCall> {
        let position = self.grpc_calls.iter().position(|call| call.id == id)?;
        Some(self.grpc_calls.remove(position))
    }

    /// Forgets the calls of a VM that is gone.
    pub(crate) fn cancel_calls(&mut self, vm: usize) {
        self.http_calls.retain(|call| call.id.vm != vm);
        self.grpc_calls.retain(|call| call.id.vm != vm);
        self.answerable.retain(|id| id.vm != vm);
    }
}

/// What a cluster that answers by itself says.
pub(crate) type Answer = Arc<dyn Fn(&HttpRequest) -> Response + Send + Sync>;

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("healthy", &self.healthy)
            .field("answers", &self.answer.is_some())
            .finish()
    }
}
