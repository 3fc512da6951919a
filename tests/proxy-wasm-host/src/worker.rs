//! A thread with its VM: starts it, calls it, and decides what becomes of streams when it has trapped.

use std::sync::{Arc, Mutex};

use wasmtime::{Module, WasmParams, WasmResults};

use crate::abi::LogLevel;
use crate::clock::{Timer, nanos};
use crate::error::StartError;
use crate::grpc_calls::GrpcAnswer;
use crate::lock::lock;
use crate::log::Thread;
use crate::plugin::{FailurePolicy, Plugin};
use crate::response::Response;
use crate::shared::{CallId, Shared};
use crate::state::{ROOT_CONTEXT, VmState};
use crate::stream::StreamState;
use crate::vm::{Called, Export, Exports, Vm};

/// What a module is told when a call fails without a response (`BrokenConnection`).
const CALL_RESET: (u32, &str) = (11, "reset");

/// One of the proxy's threads.
pub(crate) struct WorkerThread {
    pub(crate) thread: Thread,
    number: usize,
    module: Module,
    plugin: Arc<Plugin>,
    shared: Arc<Mutex<Shared>>,
    pub(crate) vm: Vm,
    generation: u64,
    started_at: u64,
    failure: Option<String>,
}

/// An export to look up once the VM is known.
pub(crate) type Which<P, R> = fn(&Exports) -> Option<&Export<P, R>>;

impl WorkerThread {
    /// Starts the VM and configures the plugin in it.
    pub(crate) fn start(
        (number, thread): (usize, Thread),
        module: &Module,
        plugin: &Arc<Plugin>,
        shared: &Arc<Mutex<Shared>>,
    ) -> Result<Self, StartError> {
        let mut worker = Self {
            thread,
            number,
            module: module.clone(),
            plugin: Arc::clone(plugin),
            shared: Arc::clone(shared),
            vm: Vm::new(module, state(shared, plugin, (number, thread, 0)))?,
            generation: 0,
            started_at: lock(shared).clock.elapsed(),
            failure: None,
        };
        worker.boot()?;
        Ok(worker)
    }

    /// Why the VM no longer runs.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Which of this thread's VMs runs: each reload counts.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Starts a new VM in place of one that trapped, if the policy says so and the last start is long ago.
    pub(crate) fn reload_if_due(&mut self) {
        let FailurePolicy::FailReload { backoff } = self.plugin.failure_policy else {
            return;
        };
        let now = lock(&self.shared).clock.elapsed();
        if self.failure.is_none() || now < self.started_at.saturating_add(nanos(backoff)) {
            return;
        }
        self.started_at = now;
        let identity = (self.number, self.thread, self.generation + 1);
        let Ok(vm) = Vm::new(&self.module, state(&self.shared, &self.plugin, identity)) else {
            return;
        };
        self.generation += 1;
        self.vm = vm;
        self.failure = None;
        // The old VM's calls are cancelled with its root context.
        lock(&self.shared).cancel_calls(self.number);
        if let Err(error) = self.boot() {
            self.failure.get_or_insert(error.to_string());
        }
    }

    /// When the tick is due.
    pub(crate) fn tick_due(&self) -> Option<u64> {
        self.vm.state().tick.map(|timer| timer.due)
    }

    /// Ticks, and arms the timer again for a whole period from now.
    pub(crate) fn tick(&mut self) {
        self.call(
            |exports| exports.on_tick.as_ref(),
            ROOT_CONTEXT,
            (ROOT_CONTEXT,),
        );
        let now = lock(&self.shared).clock.elapsed();
        if let Some(Timer { period, due }) = &mut self.vm.state_mut().tick {
            *due = now.saturating_add(*period);
        }
        self.drain();
    }

    /// Tells the root context of an element in a queue it registered.
    pub(crate) fn queue_ready(&mut self, context: u32, token: u32) {
        if self.vm.state().has_context(context) {
            self.call(
                |exports| exports.on_queue_ready.as_ref(),
                context,
                (context, token),
            );
            self.drain();
        }
    }

    /// Hands over the answer to an HTTP call; `None` is a broken connection.
    pub(crate) fn http_response(&mut self, id: CallId, response: Option<Response>) {
        if id.generation != self.generation {
            return;
        }
        let token = id.token;
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (headers, body, trailers) = response.as_ref().map_or((0, 0, 0), |response| {
            (
                count(response.head().len()),
                count(response.body.len()),
                count(response.trailers.len()),
            )
        });
        let state = self.vm.state_mut();
        if response.is_none() {
            state.status = (CALL_RESET.0, CALL_RESET.1.to_owned());
        }
        state.http_response = response;
        self.call(
            |exports| exports.on_http_call_response.as_ref(),
            ROOT_CONTEXT,
            (ROOT_CONTEXT, token, headers, body, trailers),
        );
        let state = self.vm.state_mut();
        state.http_response = None;
        state.status.1.clear();
        self.drain();
    }

    /// Hands over the answer to a gRPC call.
    pub(crate) fn grpc_response(&mut self, id: CallId, answer: GrpcAnswer) {
        if id.generation == self.generation {
            self.grpc_answer(id.token, answer);
        }
    }

    /// The same for a call of the VM that runs now.
    pub(crate) fn grpc_answer(&mut self, token: u32, answer: GrpcAnswer) {
        match answer {
            GrpcAnswer::Message(message) => {
                let size = u32::try_from(message.len()).unwrap_or(u32::MAX);
                self.vm.state_mut().grpc_message = Some(message);
                let parameters = (ROOT_CONTEXT, token, size);
                self.call(
                    |exports| exports.on_grpc_receive.as_ref(),
                    ROOT_CONTEXT,
                    parameters,
                );
                self.vm.state_mut().grpc_message = None;
            }
            GrpcAnswer::Failure(code, message) => {
                self.vm.state_mut().status = (code, message);
                let parameters = (ROOT_CONTEXT, token, code);
                self.call(
                    |exports| exports.on_grpc_close.as_ref(),
                    ROOT_CONTEXT,
                    parameters,
                );
                self.vm.state_mut().status.1.clear();
            }
        }
        self.drain();
    }

    /// Ends the root context: `proxy_on_done`, then `proxy_on_delete` unless the module wants to wait.
    pub(crate) fn shut_down(&mut self) {
        let done = self.call(
            |exports| exports.on_done.as_ref(),
            ROOT_CONTEXT,
            (ROOT_CONTEXT,),
        );
        if done.is_some_and(|called| called.value == 0) {
            self.vm.state_mut().awaits_done = true;
        } else {
            self.delete_root();
        }
        self.drain();
    }

    /// Deletes the root context, after which nothing is called any more.
    pub(crate) fn delete_root(&mut self) {
        self.call(
            |exports| exports.on_delete.as_ref(),
            ROOT_CONTEXT,
            (ROOT_CONTEXT,),
        );
        let state = self.vm.state_mut();
        state.has_root = false;
        state.tick = None;
    }

    /// Calls the module, unless the VM has failed or does not export the callback.
    ///
    /// A trap ends the VM. The caller decides about the stream, then calls `drain`.
    pub(crate) fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        which: Which<P, R>,
        context: u32,
        parameters: P,
    ) -> Option<Called<R>> {
        if self.failure.is_some() {
            return None;
        }
        let exports = self.vm.exports();
        let export = which(&exports)?;
        match self.vm.call(export, context, parameters) {
            Ok(called) => Some(called),
            Err(trap) => {
                let message = format!("Function: {} failed: {trap}", export.name);
                self.vm.state().log(LogLevel::Error, message.clone());
                self.failure = Some(message);
                None
            }
        }
    }

    /// The stream of a context of the VM that runs now.
    pub(crate) fn stream(&self, context: u32) -> Option<Arc<Mutex<StreamState>>> {
        self.vm.state().streams.get(&context).cloned()
    }

    fn boot(&mut self) -> Result<(), StartError> {
        let exports = self.vm.exports();
        if exports.initialize.is_some() {
            self.must(|exports| exports.initialize.as_ref(), 0, ())?;
            self.must(|exports| exports.main.as_ref(), 0, (0, 0))?;
        } else {
            self.must(|exports| exports.start.as_ref(), 0, ())?;
        }
        let state = self.vm.state_mut();
        state.has_root = true;
        state.last_context = ROOT_CONTEXT;
        state.configuring = true;
        let parameters = (ROOT_CONTEXT, 0);
        self.must(
            |exports| exports.on_context_create.as_ref(),
            ROOT_CONTEXT,
            parameters,
        )?;
        self.vm.state_mut().configuring = false;
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let parameters = (ROOT_CONTEXT, size(&self.plugin.vm_configuration));
        let started = self.must(
            |exports| exports.on_vm_start.as_ref(),
            ROOT_CONTEXT,
            parameters,
        )?;
        if started == Some(0) {
            return Err(StartError::VmStartRefused { logs: self.logs() });
        }
        self.vm.state_mut().configuring = true;
        let parameters = (ROOT_CONTEXT, size(&self.plugin.configuration));
        let configured = self.must(
            |exports| exports.on_configure.as_ref(),
            ROOT_CONTEXT,
            parameters,
        )?;
        self.vm.state_mut().configuring = false;
        if configured == Some(0) {
            return Err(StartError::ConfigureRefused { logs: self.logs() });
        }
        self.drain();
        Ok(())
    }

    /// A callback without which the VM does not start.
    fn must<P: WasmParams, R: WasmResults>(
        &mut self,
        which: Which<P, R>,
        context: u32,
        parameters: P,
    ) -> Result<Option<R>, StartError> {
        let called = self.call(which, context, parameters);
        if let Some(trap) = self.failure.clone() {
            let exports = self.vm.exports();
            let callback = which(&exports).map_or("start", |export| export.name);
            return Err(StartError::Trap {
                callback,
                trap,
                logs: self.logs(),
            });
        }
        Ok(called.map(|called| called.value))
    }

    fn logs(&self) -> Vec<crate::log::LogEntry> {
        lock(&self.shared).logs.clone()
    }
}

fn state(
    shared: &Arc<Mutex<Shared>>,
    plugin: &Arc<Plugin>,
    identity: (usize, Thread, u64),
) -> VmState {
    VmState::new(Arc::clone(shared), Arc::clone(plugin), identity)
}
