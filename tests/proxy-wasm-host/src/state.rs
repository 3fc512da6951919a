//! The host's side of one VM: its contexts and what belongs to the callback that runs now.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use wasmtime::{Memory, TypedFunc};

use crate::abi::{LogLevel, Status};
use crate::clock::Timer;
use crate::headers::Headers;
use crate::lock::lock;
use crate::log::{Callback, LogEntry, Refusal, Thread};
use crate::metrics::MetricIds;
use crate::plugin::Plugin;
use crate::response::{LocalReply, Response};
use crate::shared::{CallId, Shared};
use crate::stream::StreamState;

/// The one root context of a VM.
pub(crate) const ROOT_CONTEXT: u32 = 1;

/// What the hostcalls of one VM work on.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct VmState {
    pub(crate) shared: Arc<Mutex<Shared>>,
    pub(crate) plugin: Arc<Plugin>,
    /// Position among the proxy's VMs.
    pub(crate) vm: usize,
    pub(crate) thread: Thread,
    pub(crate) generation: u64,
    pub(crate) memory: Option<Memory>,
    pub(crate) allocate: Option<TypedFunc<(u32,), u32>>,
    /// The module's allocator runs: only logging and the clock may be called.
    pub(crate) allocating: bool,

    pub(crate) streams: BTreeMap<u32, Arc<Mutex<StreamState>>>,
    pub(crate) has_root: bool,
    /// `proxy_on_done` answered false: `proxy_done` ends the root context.
    pub(crate) awaits_done: bool,
    pub(crate) last_context: u32,
    pub(crate) tick: Option<Timer>,
    pub(crate) metric_ids: MetricIds,
    pub(crate) last_http_call: u32,
    pub(crate) last_grpc_call: u32,
    pub(crate) random: u64,

    pub(crate) callback: &'static str,
    pub(crate) current: u32,
    pub(crate) effective: u32,
    pub(crate) configuring: bool,
    pub(crate) stop_iteration: bool,
    pub(crate) http_response: Option<Response>,
    /// The most bytes of an HTTP call's answer that the module took.
    pub(crate) largest_body_read: usize,
    pub(crate) grpc_message: Option<Vec<u8>>,
    pub(crate) grpc_initial_metadata: Option<Headers>,
    pub(crate) grpc_trailing_metadata: Option<Headers>,
    pub(crate) status: (u32, String),
    /// What the host does once the callback has returned.
    pub(crate) actions: VecDeque<Action>,
    pub(crate) callbacks: Vec<Callback>,
    pub(crate) hostcalls: BTreeMap<&'static str, u64>,
}

/// Something a hostcall asked for that Envoy does after the callback.
#[derive(Debug)]
pub(crate) enum Action {
    ContinueRequest(u32),
    ContinueResponse(u32),
    Reply(u32, LocalReply),
    Reset(u32),
    /// A gRPC call failed while it was made: the module is told although it has no token of it.
    GrpcFailed(u32, &'static str),
    DeleteRoot,
}

impl VmState {
    /// The state of a VM that has not run yet.
    pub(crate) fn new(
        shared: Arc<Mutex<Shared>>,
        plugin: Arc<Plugin>,
        (vm, thread, generation): (usize, Thread, u64),
    ) -> Self {
        let stream_seed = plugin.random_seed ^ (vm as u64) << 32 ^ generation;
        Self {
            shared,
            plugin,
            vm,
            thread,
            generation,
            memory: None,
            allocate: None,
            allocating: false,
            streams: BTreeMap::new(),
            has_root: false,
            awaits_done: false,
            last_context: 0,
            tick: None,
            metric_ids: MetricIds::default(),
            last_http_call: 0,
            last_grpc_call: 1,
            random: stream_seed,
            callback: "start",
            current: 0,
            effective: 0,
            configuring: false,
            stop_iteration: false,
            http_response: None,
            largest_body_read: 0,
            grpc_message: None,
            grpc_initial_metadata: None,
            grpc_trailing_metadata: None,
            status: (0, String::new()),
            actions: VecDeque::new(),
            callbacks: Vec::new(),
            hostcalls: BTreeMap::new(),
        }
    }

    /// The identity of one of this VM's calls.
    pub(crate) fn call_id(&self, token: u32) -> CallId {
        CallId {
            vm: self.vm,
            generation: self.generation,
            token,
        }
    }

    /// The process's state.
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }

    /// The context a hostcall works on: the one set with `proxy_set_effective_context`, if it still exists.
    pub(crate) fn context(&self) -> u32 {
        if self.effective != 0 && self.has_context(self.effective) {
            self.effective
        } else {
            self.current
        }
    }

    /// Whether there is such a context.
    pub(crate) fn has_context(&self, context: u32) -> bool {
        match context {
            0 => true,
            ROOT_CONTEXT => self.has_root,
            stream => self.streams.contains_key(&stream),
        }
    }

    /// The stream a hostcall works on, unless it works on the root context.
    pub(crate) fn stream(&self) -> Option<MutexGuard<'_, StreamState>> {
        self.streams.get(&self.context()).map(|stream| lock(stream))
    }

    /// Keeps a line.
    pub(crate) fn log(&self, level: LogLevel, message: String) {
        let (thread, context) = (self.thread, self.context());
        let mut shared = self.shared();
        let time = Duration::from_nanos(shared.clock.wall());
        shared.logs.push(LogEntry {
            thread,
            context,
            level,
            message,
            time,
        });
    }

    /// Keeps a broken rule.
    pub(crate) fn refuse(&self, hostcall: &'static str, status: Status) {
        let (thread, context, callback) = (self.thread, self.context(), self.callback);
        let refusal = Refusal {
            thread,
            context,
            callback,
            hostcall,
            status,
        };
        self.shared().refusals.push(refusal);
    }

    /// The next number of a deterministic sequence (`SplitMix64`).
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
