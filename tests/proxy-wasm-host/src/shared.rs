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
    pub(crate) answerable: VecDeque<(usize, u32)>,
    pub(crate) requests: u64,
}

/// An upstream cluster the proxy knows.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) healthy: bool,
    pub(crate) answer: Option<Answer>,
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
