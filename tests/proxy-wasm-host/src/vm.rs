//! One VM: an instance of the module, its exports, and a callback into it.

use std::sync::Arc;

use wasmtime::{Instance, Linker, Memory, Module, Store, Trap, TypedFunc, WasmParams, WasmResults};

use crate::error::StartError;
use crate::log::Callback;
use crate::module::engine;
use crate::state::VmState;
use crate::{hostcalls, wasi};

/// A running instance.
pub(crate) struct Vm {
    store: Store<VmState>,
    exports: Arc<Exports>,
    memory: Option<Memory>,
}

/// An exported function.
pub(crate) struct Export<P, R> {
    pub(crate) name: &'static str,
    function: TypedFunc<P, R>,
}

/// What a callback returned.
pub(crate) struct Called<R> {
    pub(crate) value: R,
    /// It asked for a local reply, which overrules a Continue.
    pub(crate) replied: bool,
    pub(crate) fuel: u64,
}

macro_rules! exports {
    ($($field:ident: $name:literal, ($($parameter:ty),*) -> $result:ty;)*) => {
        /// The callbacks a module exports; each is optional.
        pub(crate) struct Exports {
            $(pub(crate) $field: Option<Export<($($parameter,)*), $result>>,)*
        }

        impl Exports {
            fn find(instance: &Instance, store: &mut Store<VmState>) -> Result<Self, StartError> {
                Ok(Self { $($field: find(instance, store, $name)?,)* })
            }
        }
    };
}

exports! {
    initialize: "_initialize", () -> ();
    start: "_start", () -> ();
    main: "main", (u32, u32) -> u32;
    allocate: "proxy_on_memory_allocate", (u32) -> u32;
    malloc: "malloc", (u32) -> u32;
    on_context_create: "proxy_on_context_create", (u32, u32) -> ();
    on_vm_start: "proxy_on_vm_start", (u32, u32) -> u32;
    on_configure: "proxy_on_configure", (u32, u32) -> u32;
    on_tick: "proxy_on_tick", (u32) -> ();
    on_queue_ready: "proxy_on_queue_ready", (u32, u32) -> ();
    on_request_headers: "proxy_on_request_headers", (u32, u32, u32) -> u32;
    on_request_body: "proxy_on_request_body", (u32, u32, u32) -> u32;
    on_request_trailers: "proxy_on_request_trailers", (u32, u32) -> u32;
    on_response_headers: "proxy_on_response_headers", (u32, u32, u32) -> u32;
    on_response_body: "proxy_on_response_body", (u32, u32, u32) -> u32;
    on_response_trailers: "proxy_on_response_trailers", (u32, u32) -> u32;
    on_http_call_response: "proxy_on_http_call_response", (u32, u32, u32, u32, u32) -> ();
    on_grpc_receive: "proxy_on_grpc_receive", (u32, u32, u32) -> ();
    on_grpc_close: "proxy_on_grpc_close", (u32, u32, u32) -> ();
    on_done: "proxy_on_done", (u32) -> u32;
    on_log: "proxy_on_log", (u32) -> ();
    on_delete: "proxy_on_delete", (u32) -> ();
}

fn find<P: WasmParams, R: WasmResults>(
    instance: &Instance,
    store: &mut Store<VmState>,
    name: &'static str,
) -> Result<Option<Export<P, R>>, StartError> {
    let Some(function) = instance.get_func(&mut *store, name) else {
        return Ok(None);
    };
    let function = function
        .typed(&*store)
        .map_err(|_| StartError::Signature { name })?;
    Ok(Some(Export { name, function }))
}

impl Vm {
    /// Instantiates the module; no callback has run yet.
    pub(crate) fn new(module: &Module, state: VmState) -> Result<Self, StartError> {
        let engine = engine()?;
        let link = |error: wasmtime::Error| StartError::Link(format!("{error:#}"));
        let mut linker = Linker::new(engine);
        hostcalls::link(&mut linker).map_err(link)?;
        wasi::link(&mut linker).map_err(link)?;
        let mut store = Store::new(engine, state);
        let fuel = store.data().plugin.callback_fuel;
        store.set_fuel(fuel).map_err(link)?;
        let instance = linker.instantiate(&mut store, module).map_err(link)?;
        let exports = Arc::new(Exports::find(&instance, &mut store)?);
        let memory = instance.get_memory(&mut store, "memory");
        let allocate = exports.allocate.as_ref().or(exports.malloc.as_ref());
        let allocate = allocate.map(|export| export.function.clone());
        let state = store.data_mut();
        state.memory = memory;
        state.allocate = allocate;
        Ok(Self {
            store,
            exports,
            memory,
        })
    }

    /// The module's exports.
    pub(crate) fn exports(&self) -> Arc<Exports> {
        Arc::clone(&self.exports)
    }

    /// The host's side of this VM.
    pub(crate) fn state(&self) -> &VmState {
        self.store.data()
    }

    /// The host's side of this VM, to change.
    pub(crate) fn state_mut(&mut self) -> &mut VmState {
        self.store.data_mut()
    }

    /// The size of the module's memory in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory
            .map_or(0, |memory| memory.data_size(&self.store))
    }

    /// Calls the module on behalf of `context`. An `Err` is a trap's account: the VM must not run again.
    pub(crate) fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        export: &Export<P, R>,
        context: u32,
        parameters: P,
    ) -> Result<Called<R>, String> {
        let state = self.store.data_mut();
        state.callback = export.name;
        state.current = context;
        state.effective = 0;
        state.stop_iteration = false;
        let limit = state.plugin.callback_fuel;
        let filled = self.store.set_fuel(limit);
        let outcome = filled.and_then(|()| export.function.call(&mut self.store, parameters));
        let fuel = limit - self.store.get_fuel().unwrap_or(limit);
        let state = self.store.data_mut();
        let replied = state.stop_iteration;
        state.callbacks.push(Callback {
            name: export.name,
            context,
            fuel,
        });
        state.callback = "none";
        state.effective = 0;
        let value = outcome.map_err(|error| match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => format!("{} ran for {limit} instructions", export.name),
            _ => format!("{error:?}"),
        })?;
        Ok(Called {
            value,
            replied,
            fuel,
        })
    }
}
