//! The proxy a test drives: its threads, its clock, and everything that can be seen from outside.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::builder::Builder;
use crate::clock::nanos;
use crate::grpc_calls::GrpcCall;
use crate::http_calls::HttpCall;
use crate::lock::lock;
use crate::log::{Callback, LogEntry, Refusal, Thread};
use crate::metrics::MetricValue;
use crate::process::Process;
use crate::request::Request;
use crate::response::Response;
use crate::shared_data::Versioned;
use crate::stream::{Outcome, StreamState};
use crate::worker::WorkerThread;

/// A running proxy with one plugin.
///
/// Cheap to clone; clones are the same proxy. Different workers may be driven from different threads.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub(crate) process: Arc<Process>,
}

/// One thread of the proxy.
#[derive(Clone, Debug)]
pub struct Worker {
    process: Arc<Process>,
    number: usize,
}

/// One HTTP stream. It stays open until [`Stream::finish`].
#[derive(Clone, Debug)]
pub struct Stream {
    process: Arc<Process>,
    vm: usize,
    state: Arc<Mutex<StreamState>>,
}

impl Proxy {
    /// Starts to configure a proxy for a module's bytes.
    pub fn builder(wasm: impl Into<Vec<u8>>) -> Builder {
        Builder::new(wasm.into())
    }

    /// A worker, counted from 0.
    ///
    /// # Panics
    ///
    /// If there are fewer workers.
    pub fn worker(&self, index: usize) -> Worker {
        assert!(
            index < self.workers(),
            "worker {index} of {}",
            self.workers()
        );
        Worker {
            process: Arc::clone(&self.process),
            number: self.process.first_worker + index,
        }
    }

    /// The number of workers.
    pub fn workers(&self) -> usize {
        self.process.vms.len() - self.process.first_worker
    }

    /// The main thread, if it runs the plugin too. It must not be given requests.
    pub fn main_thread(&self) -> Option<Worker> {
        (self.process.first_worker == 1).then(|| Worker {
            process: Arc::clone(&self.process),
            number: 0,
        })
    }

    /// The wall clock, since 1970.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(lock(&self.process.shared).clock.wall())
    }

    /// Moves the clock forward, stopping at each due tick and timeout on the way.
    ///
    /// At one instant timeouts come before ticks, and ticks in the order of the threads, main first.
    pub fn advance(&self, by: Duration) {
        let end = lock(&self.process.shared)
            .clock
            .elapsed()
            .saturating_add(nanos(by));
        while let Some((due, event)) = self.process.next_timer().filter(|(due, _)| *due <= end) {
            lock(&self.process.shared).clock.advance_to(due);
            self.process.fire(event);
        }
        lock(&self.process.shared).clock.advance_to(end);
    }

    /// Steps the wall clock to a time since 1970, also backwards. Timers run on.
    pub fn step_wall_clock(&self, to: Duration) {
        lock(&self.process.shared).clock.step_wall(to);
    }

    /// The HTTP calls that wait for an answer, oldest first.
    pub fn pending_http_calls(&self) -> Vec<HttpCall> {
        let calls = lock(&self.process.shared).http_calls.clone();
        let process = &self.process;
        calls
            .into_iter()
            .map(|call| HttpCall {
                process: Arc::clone(process),
                call,
            })
            .collect()
    }

    /// The gRPC calls that wait for an answer, oldest first.
    pub fn pending_grpc_calls(&self) -> Vec<GrpcCall> {
        let calls = lock(&self.process.shared).grpc_calls.clone();
        let process = &self.process;
        calls
            .into_iter()
            .map(|call| GrpcCall {
                process: Arc::clone(process),
                call,
            })
            .collect()
    }

    /// Marks a cluster's hosts healthy or not; a call to an unhealthy one fails at once.
    pub fn set_cluster_healthy(&self, name: &str, healthy: bool) {
        if let Some(cluster) = lock(&self.process.shared).clusters.get_mut(name) {
            cluster.healthy = healthy;
        }
    }

    /// The value of a counter or gauge, or how often a histogram was recorded; 0 if it is not defined.
    pub fn metric(&self, name: &str) -> u64 {
        match lock(&self.process.shared).metrics.find(name) {
            Some(MetricValue::Counter(value) | MetricValue::Gauge(value)) => *value,
            Some(MetricValue::Histogram(values)) => values.len() as u64,
            None => 0,
        }
    }

    /// Every metric by name.
    pub fn metrics(&self) -> BTreeMap<String, MetricValue> {
        lock(&self.process.shared).metrics.snapshot()
    }

    /// Every line logged, of all levels.
    pub fn logs(&self) -> Vec<LogEntry> {
        lock(&self.process.shared).logs.clone()
    }

    /// Every hostcall that broke a rule of the ABI. A correct filter leaves this empty.
    pub fn refusals(&self) -> Vec<Refusal> {
        lock(&self.process.shared).refusals.clone()
    }

    /// Everything in shared data.
    pub fn shared_data(&self) -> BTreeMap<Vec<u8>, Versioned> {
        lock(&self.process.shared).data.snapshot()
    }

    /// Writes shared data as another VM of the same `vm_id` would.
    pub fn set_shared_data(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        // An unconditional write can't fail.
        let _ = lock(&self.process.shared)
            .data
            .set(key.as_ref(), value.as_ref(), 0);
    }

    /// Makes the next `count` conditional writes to shared data fail with `CasMismatch`.
    pub fn fail_next_swaps(&self, count: u32) {
        lock(&self.process.shared).data.fail_next_swaps(count);
    }

    /// Removes the plugin: ends the root context of every thread.
    pub fn shut_down(&self) {
        for number in 0..self.process.vms.len() {
            self.process.with(number, WorkerThread::shut_down);
        }
    }
}

impl Worker {
    /// Receives a request and takes it as far as the module lets it go.
    #[expect(clippy::needless_pass_by_value, reason = "a request is built in place")]
    pub fn request(&self, request: Request) -> Stream {
        let state = self
            .process
            .with(self.number, |worker| worker.open(&request));
        Stream {
            process: Arc::clone(&self.process),
            vm: self.number,
            state,
        }
    }

    /// Receives a request, finishes its stream at once and says where it stood.
    pub fn decide(&self, request: Request) -> Outcome {
        let stream = self.request(request);
        let outcome = stream.outcome();
        stream.finish();
        outcome
    }

    /// The thread.
    pub fn thread(&self) -> Thread {
        lock(&self.process.vms[self.number]).thread
    }

    /// Why the VM no longer runs, if it trapped and was not reloaded.
    pub fn failure(&self) -> Option<String> {
        lock(&self.process.vms[self.number])
            .failure()
            .map(str::to_owned)
    }

    /// How often the VM has been reloaded after a trap.
    pub fn reloads(&self) -> u64 {
        lock(&self.process.vms[self.number]).generation()
    }

    /// The size of the VM's memory, in bytes.
    pub fn memory_bytes(&self) -> usize {
        lock(&self.process.vms[self.number]).vm.memory_bytes()
    }

    /// The most bytes of an HTTP call's answer that the module took at once, however many there were.
    pub fn largest_body_read(&self) -> usize {
        let worker = lock(&self.process.vms[self.number]);
        worker.vm.state().largest_body_read
    }

    /// Takes the record of every callback made since the last time, with its cost.
    pub fn take_callbacks(&self) -> Vec<Callback> {
        let mut worker = lock(&self.process.vms[self.number]);
        std::mem::take(&mut worker.vm.state_mut().callbacks)
    }

    /// Takes the count of every hostcall the module made since the last time, by name.
    pub fn take_hostcalls(&self) -> BTreeMap<&'static str, u64> {
        let mut worker = lock(&self.process.vms[self.number]);
        std::mem::take(&mut worker.vm.state_mut().hostcalls)
    }
}

impl Stream {
    /// Where the stream stands now.
    pub fn outcome(&self) -> Outcome {
        lock(&self.state).outcome()
    }

    /// The upstream answers; false if the request never reached it, or it answered before.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a response is built in place"
    )]
    pub fn respond(&self, response: Response) -> bool {
        self.process.with(self.vm, |worker| {
            worker.upstream_response(&self.state, &response)
        })
    }

    /// What the client was sent: the upstream's response or a local reply, after the response callbacks.
    pub fn client_response(&self) -> Option<Response> {
        lock(&self.state).client_response()
    }

    /// Ends the stream as a completed exchange or a client that went away ends it.
    pub fn finish(&self) {
        self.process
            .with(self.vm, |worker| worker.close(&self.state));
    }

    /// The filter state the module wrote with `proxy_set_property`, by the path it wrote to.
    pub fn filter_state(&self, path: &[&str]) -> Option<Vec<u8>> {
        lock(&self.state)
            .filter_state
            .get(path.join("\0").as_bytes())
            .cloned()
    }

    /// Every filter state the module wrote, keyed by its NUL-separated path.
    pub fn filter_states(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        lock(&self.state).filter_state.clone()
    }

    /// The fuel used so far by this stream's request and response callbacks.
    pub fn fuel(&self) -> u64 {
        lock(&self.state).fuel
    }
}
