//! The proxy a test drives: its threads, its clock, and everything that can be seen from outside.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::abi::LogLevel;
use crate::builder::Builder;
use crate::clock::nanos;
use crate::grpc_calls::{GrpcAnswer, GrpcCall};
use crate::http_calls::{HttpCall, timed_out};
use crate::lock::lock;
use crate::log::{Callback, LogEntry, Refusal, Thread};
use crate::metrics::MetricValue;
use crate::request::Request;
use crate::response::Response;
use crate::shared::Shared;
use crate::shared_data::Versioned;
use crate::stream::{Outcome, StreamState};
use crate::worker::WorkerThread;

/// Queue events and answers one operation may set off before the host takes it for a loop without end.
const MAX_EVENTS: u32 = 100_000;

/// A running proxy with one plugin.
///
/// Cheap to clone; clones are the same proxy. Different workers may be driven from different threads.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub(crate) inner: Arc<Inner>,
}

/// One thread of the proxy.
#[derive(Clone, Debug)]
pub struct Worker {
    inner: Arc<Inner>,
    number: usize,
}

/// One HTTP stream. It stays open until [`Stream::finish`].
#[derive(Clone, Debug)]
pub struct Stream {
    inner: Arc<Inner>,
    vm: usize,
    state: Arc<Mutex<StreamState>>,
}

/// What the handles share.
pub(crate) struct Inner {
    pub(crate) vms: Vec<Mutex<WorkerThread>>,
    pub(crate) shared: Arc<Mutex<Shared>>,
    /// The number of the first worker's VM: 1 if the main thread has one too.
    pub(crate) first_worker: usize,
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
            inner: Arc::clone(&self.inner),
            number: self.inner.first_worker + index,
        }
    }

    /// The number of workers.
    pub fn workers(&self) -> usize {
        self.inner.vms.len() - self.inner.first_worker
    }

    /// The main thread, if it runs the plugin too. It must not be given requests.
    pub fn main_thread(&self) -> Option<Worker> {
        (self.inner.first_worker == 1).then(|| Worker {
            inner: Arc::clone(&self.inner),
            number: 0,
        })
    }

    /// The wall clock, since 1970.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(lock(&self.inner.shared).clock.wall())
    }

    /// Moves the clock forward, stopping at each due tick and timeout on the way.
    ///
    /// At one instant timeouts come before ticks, and ticks in the order of the threads, main first.
    pub fn advance(&self, by: Duration) {
        let end = lock(&self.inner.shared)
            .clock
            .elapsed()
            .saturating_add(nanos(by));
        while let Some((due, event)) = self.inner.next_timer().filter(|(due, _)| *due <= end) {
            lock(&self.inner.shared).clock.advance_to(due);
            self.inner.fire(event);
        }
        lock(&self.inner.shared).clock.advance_to(end);
    }

    /// Steps the wall clock to a time since 1970, also backwards. Timers run on.
    pub fn step_wall_clock(&self, to: Duration) {
        lock(&self.inner.shared).clock.step_wall(to);
    }

    /// The HTTP calls that wait for an answer, oldest first.
    pub fn pending_http_calls(&self) -> Vec<HttpCall> {
        let calls = lock(&self.inner.shared).http_calls.clone();
        let proxy = &self.inner;
        calls
            .into_iter()
            .map(|call| HttpCall {
                proxy: Arc::clone(proxy),
                call,
            })
            .collect()
    }

    /// The gRPC calls that wait for an answer, oldest first.
    pub fn pending_grpc_calls(&self) -> Vec<GrpcCall> {
        let calls = lock(&self.inner.shared).grpc_calls.clone();
        let proxy = &self.inner;
        calls
            .into_iter()
            .map(|call| GrpcCall {
                proxy: Arc::clone(proxy),
                call,
            })
            .collect()
    }

    /// Marks a cluster's hosts healthy or not; a call to an unhealthy one fails at once.
    pub fn set_cluster_healthy(&self, name: &str, healthy: bool) {
        if let Some(cluster) = lock(&self.inner.shared).clusters.get_mut(name) {
            cluster.healthy = healthy;
        }
    }

    /// The value of a counter or gauge, or how often a histogram was recorded; 0 if it is not defined.
    pub fn metric(&self, name: &str) -> u64 {
        match lock(&self.inner.shared).metrics.find(name) {
            Some(MetricValue::Counter(value) | MetricValue::Gauge(value)) => *value,
            Some(MetricValue::Histogram(values)) => values.len() as u64,
            None => 0,
        }
    }

    /// Every metric by name.
    pub fn metrics(&self) -> BTreeMap<String, MetricValue> {
        lock(&self.inner.shared).metrics.snapshot()
    }

    /// Every line logged, of all levels.
    pub fn logs(&self) -> Vec<LogEntry> {
        lock(&self.inner.shared).logs.clone()
    }

    /// Every hostcall that broke a rule of the ABI. A correct filter leaves this empty.
    pub fn refusals(&self) -> Vec<Refusal> {
        lock(&self.inner.shared).refusals.clone()
    }

    /// Everything in shared data.
    pub fn shared_data(&self) -> BTreeMap<Vec<u8>, Versioned> {
        lock(&self.inner.shared).data.snapshot()
    }

    /// Writes shared data as another VM of the same `vm_id` would.
    pub fn set_shared_data(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        // An unconditional write can't fail.
        let _ = lock(&self.inner.shared)
            .data
            .set(key.as_ref(), value.as_ref(), 0);
    }

    /// Makes the next `count` conditional writes to shared data fail with `CasMismatch`.
    pub fn fail_next_swaps(&self, count: u32) {
        lock(&self.inner.shared).data.fail_next_swaps(count);
    }

    /// Removes the plugin: ends the root context of every thread.
    pub fn shut_down(&self) {
        for number in 0..self.inner.vms.len() {
            self.inner.with(number, WorkerThread::shut_down);
        }
    }
}

impl Worker {
    /// Receives a request and takes it as far as the module lets it go.
    #[expect(clippy::needless_pass_by_value, reason = "a request is built in place")]
    pub fn request(&self, request: Request) -> Stream {
        let state = self.inner.with(self.number, |worker| worker.open(&request));
        Stream {
            inner: Arc::clone(&self.inner),
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
        lock(&self.inner.vms[self.number]).thread
    }

    /// Why the VM no longer runs, if it trapped and was not reloaded.
    pub fn failure(&self) -> Option<String> {
        lock(&self.inner.vms[self.number])
            .failure()
            .map(str::to_owned)
    }

    /// How often the VM has been reloaded after a trap.
    pub fn reloads(&self) -> u64 {
        lock(&self.inner.vms[self.number]).generation()
    }

    /// The size of the VM's memory, in bytes.
    pub fn memory_bytes(&self) -> usize {
        lock(&self.inner.vms[self.number]).vm.memory_bytes()
    }

    /// Takes the record of every callback made since the last time, with its cost.
    pub fn take_callbacks(&self) -> Vec<Callback> {
        let mut worker = lock(&self.inner.vms[self.number]);
        std::mem::take(&mut worker.vm.state_mut().callbacks)
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
        self.inner.with(self.vm, |worker| {
            worker.upstream_response(&self.state, &response)
        })
    }

    /// What the client was sent: the upstream's response or a local reply, after the response callbacks.
    pub fn client_response(&self) -> Option<Response> {
        lock(&self.state).client_response()
    }

    /// Ends the stream as a completed exchange or a client that went away ends it.
    pub fn finish(&self) {
        self.inner.with(self.vm, |worker| worker.close(&self.state));
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

/// What a timer is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimerEvent {
    HttpTimeout(usize, u32),
    GrpcTimeout(usize, u32),
    Tick(usize),
}

impl Inner {
    /// Answers a pending call; false if it is no longer pending.
    pub(crate) fn answer_http(&self, vm: usize, token: u32, response: Option<Response>) -> bool {
        let mut shared = lock(&self.shared);
        let calls = &mut shared.http_calls;
        let position = calls
            .iter()
            .position(|call| (call.vm, call.token) == (vm, token));
        let Some(position) = position else {
            return false;
        };
        let call = calls.remove(position);
        drop(shared);
        self.with(vm, |worker| {
            if worker.generation() == call.generation {
                worker.http_response(token, response);
            }
        });
        true
    }

    /// Answers a pending call; false if it is no longer pending.
    pub(crate) fn answer_grpc(&self, vm: usize, token: u32, answer: GrpcAnswer) -> bool {
        let mut shared = lock(&self.shared);
        let calls = &mut shared.grpc_calls;
        let position = calls
            .iter()
            .position(|call| (call.vm, call.token) == (vm, token));
        let Some(position) = position else {
            return false;
        };
        let call = calls.remove(position);
        drop(shared);
        self.with(vm, |worker| {
            if worker.generation() == call.generation {
                worker.grpc_answer(token, answer);
            }
        });
        true
    }

    /// Does something on a thread, then delivers what it set off on the others.
    fn with<T>(&self, vm: usize, run: impl FnOnce(&mut WorkerThread) -> T) -> T {
        let result = run(&mut lock(&self.vms[vm]));
        self.deliver();
        result
    }

    /// Delivers queue events and the answers of clusters that answer by themselves, until there are none.
    pub(crate) fn deliver(&self) {
        for _ in 0..MAX_EVENTS {
            let mut shared = lock(&self.shared);
            if let Some(event) = shared.queues.pop_posted() {
                drop(shared);
                if let Some(vm) = self.vms.get(event.vm) {
                    lock(vm).queue_ready(event.context, event.token);
                }
            } else if let Some((vm, token)) = shared.answerable.pop_front() {
                let position = shared
                    .http_calls
                    .iter()
                    .position(|call| (call.vm, call.token) == (vm, token));
                let Some(call) = position.map(|position| shared.http_calls.remove(position)) else {
                    continue;
                };
                let cluster = shared.clusters.get(&call.request.cluster);
                let answer = cluster.and_then(|cluster| cluster.answer.clone());
                drop(shared);
                let response = answer.map(|answer| answer(&call.request));
                let mut worker = lock(&self.vms[vm]);
                if worker.generation() == call.generation {
                    worker.http_response(token, response);
                }
            } else {
                return;
            }
        }
        let mut shared = lock(&self.shared);
        let time = Duration::from_nanos(shared.clock.wall());
        shared.logs.push(LogEntry {
            thread: Thread::Main,
            context: 0,
            level: LogLevel::Critical,
            message: format!("gave up after {MAX_EVENTS} events of one operation"),
            time,
        });
    }

    fn next_timer(&self) -> Option<(u64, TimerEvent)> {
        let mut timers = Vec::new();
        {
            let shared = lock(&self.shared);
            for call in &shared.http_calls {
                timers.extend(
                    call.due
                        .map(|due| (due, TimerEvent::HttpTimeout(call.vm, call.token))),
                );
            }
            for call in &shared.grpc_calls {
                timers.extend(
                    call.due
                        .map(|due| (due, TimerEvent::GrpcTimeout(call.vm, call.token))),
                );
            }
        }
        for (number, vm) in self.vms.iter().enumerate() {
            timers.extend(
                lock(vm)
                    .tick_due()
                    .map(|due| (due, TimerEvent::Tick(number))),
            );
        }
        // The first of the earliest: `min_by_key` keeps the order above.
        timers.into_iter().min_by_key(|(due, _)| *due)
    }

    fn fire(&self, event: TimerEvent) {
        match event {
            TimerEvent::Tick(number) => self.with(number, WorkerThread::tick),
            TimerEvent::HttpTimeout(vm, token) => {
                self.answer_http(vm, token, Some(timed_out()));
            }
            TimerEvent::GrpcTimeout(vm, token) => {
                self.answer_grpc(vm, token, GrpcAnswer::timed_out());
            }
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("vms", &self.vms.len())
            .finish_non_exhaustive()
    }
}
