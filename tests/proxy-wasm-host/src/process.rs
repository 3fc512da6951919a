//! The process all threads of a proxy live in: what one thread sets off on another, and timers.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::abi::LogLevel;
use crate::grpc_calls::GrpcAnswer;
use crate::http_calls::timed_out;
use crate::lock::lock;
use crate::log::{LogEntry, Thread};
use crate::response::Response;
use crate::shared::{CallId, Shared};
use crate::worker::WorkerThread;

/// Queue events and answers one operation may set off before the host takes it for a loop without end.
const MAX_EVENTS: u32 = 100_000;

/// What the handles share.
pub(crate) struct Process {
    pub(crate) vms: Vec<Mutex<WorkerThread>>,
    pub(crate) shared: Arc<Mutex<Shared>>,
    /// The number of the first worker's VM: 1 if the main thread has one too.
    pub(crate) first_worker: usize,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimerEvent {
    HttpTimeout(CallId),
    GrpcTimeout(CallId),
    Tick(usize),
}

impl Process {
    /// Answers a pending call; false if it is no longer pending.
    pub(crate) fn answer_http(&self, id: CallId, response: Option<Response>) -> bool {
        let pending = lock(&self.shared).take_http_call(id).is_some();
        if pending {
            self.with(id.vm, |worker| worker.http_response(id, response));
        }
        pending
    }

    /// Answers a pending call; false if it is no longer pending.
    pub(crate) fn answer_grpc(&self, id: CallId, answer: GrpcAnswer) -> bool {
        let pending = lock(&self.shared).take_grpc_call(id).is_some();
        if pending {
            self.with(id.vm, |worker| worker.grpc_response(id, answer));
        }
        pending
    }

    /// Does something on a thread, then delivers what it set off on the others.
    pub(crate) fn with<T>(&self, vm: usize, run: impl FnOnce(&mut WorkerThread) -> T) -> T {
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
                lock(&self.vms[event.vm]).queue_ready(event.context, event.token);
            } else if let Some(id) = shared.answerable.pop_front() {
                let Some(call) = shared.take_http_call(id) else {
                    continue;
                };
                let cluster = shared.clusters.get(&call.request.cluster);
                let answer = cluster.and_then(|cluster| cluster.answer.clone());
                drop(shared);
                let response = answer.map(|answer| answer(&call.request));
                lock(&self.vms[id.vm]).http_response(id, response);
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

    /// What happens next, and when. Of what happens at one instant, the first of this order.
    pub(crate) fn next_timer(&self) -> Option<(u64, TimerEvent)> {
        let mut timers = Vec::new();
        {
            let shared = lock(&self.shared);
            for call in &shared.http_calls {
                timers.push((call.due, TimerEvent::HttpTimeout(call.id)));
            }
            for call in &shared.grpc_calls {
                timers.push((call.due, TimerEvent::GrpcTimeout(call.id)));
            }
        }
        for (number, vm) in self.vms.iter().enumerate() {
            timers.push((lock(vm).tick_due(), TimerEvent::Tick(number)));
        }
        let due = |(due, event): (Option<u64>, _)| due.map(|due| (due, event));
        timers
            .into_iter()
            .filter_map(due)
            .min_by_key(|(due, _)| *due)
    }

    /// Makes it happen.
    pub(crate) fn fire(&self, event: TimerEvent) {
        match event {
            TimerEvent::Tick(number) => self.with(number, WorkerThread::tick),
            TimerEvent::HttpTimeout(id) => {
                self.answer_http(id, Some(timed_out()));
            }
            TimerEvent::GrpcTimeout(id) => {
                self.answer_grpc(id, GrpcAnswer::timed_out());
            }
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("vms", &self.vms.len())
            .finish_non_exhaustive()
    }
}
