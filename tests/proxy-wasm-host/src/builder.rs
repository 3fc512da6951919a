//! How a proxy is configured before it starts.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::abi::{LogLevel, Status};
use crate::clock::Clock;
use crate::error::StartError;
use crate::http_calls::HttpRequest;
use crate::lock::lock;
use crate::log::Thread;
use crate::metrics::Metrics;
use crate::module;
use crate::plugin::{FailurePolicy, Plugin};
use crate::process::Process;
use crate::proxy::Proxy;
use crate::response::Response;
use crate::shared::{Cluster, Shared};
use crate::shared_data::SharedData;
use crate::shared_queue::SharedQueues;
use crate::worker::WorkerThread;

/// Far more than any sane callback uses: seconds of computing.
const DEFAULT_CALLBACK_FUEL: u64 = 2_000_000_000;
/// 2026-01-01T00:00:00Z.
const DEFAULT_START: Duration = Duration::from_hours(490_896);

/// A proxy that has not started yet. Names follow Envoy's `PluginConfig` and `VmConfig`.
#[derive(Debug)]
pub struct Builder {
    wasm: Vec<u8>,
    plugin: Plugin,
    workers: usize,
    main_thread: bool,
    start: Duration,
    clusters: BTreeMap<String, Cluster>,
    module_cache: Option<PathBuf>,
}

impl Builder {
    pub(crate) fn new(wasm: Vec<u8>) -> Self {
        Self {
            wasm,
            plugin: Plugin {
                name: String::new(),
                root_id: String::new(),
                vm_id: String::new(),
                vm_configuration: Vec::new(),
                configuration: Vec::new(),
                environment: Vec::new(),
                log_level: LogLevel::Info,
                failure_policy: FailurePolicy::FailClosed,
                foreign_functions: BTreeMap::new(),
                trusted_hops: 0,
                random_seed: 0,
                callback_fuel: DEFAULT_CALLBACK_FUEL,
            },
            workers: 1,
            main_thread: false,
            start: DEFAULT_START,
            clusters: BTreeMap::new(),
            module_cache: None,
        }
    }

    /// The plugin's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.plugin.name = name.into();
        self
    }

    /// The root id.
    #[must_use]
    pub fn root_id(mut self, root_id: impl Into<String>) -> Self {
        self.plugin.root_id = root_id.into();
        self
    }

    /// The VM id, the namespace of shared queues.
    #[must_use]
    pub fn vm_id(mut self, vm_id: impl Into<String>) -> Self {
        self.plugin.vm_id = vm_id.into();
        self
    }

    /// The VM configuration.
    #[must_use]
    pub fn vm_configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.plugin.vm_configuration = bytes.into();
        self
    }

    /// The plugin configuration.
    #[must_use]
    pub fn configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.plugin.configuration = bytes.into();
        self
    }

    /// Adds an environment variable of the VM.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.plugin.environment.push((name.into(), value.into()));
        self
    }

    /// The number of worker threads, at least 1 and 1 by default. Each has a VM of its own.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Runs the plugin on the main thread too, as Envoy does; off by default.
    ///
    /// Envoy first starts and configures a throw-away VM there to validate the configuration, whose writes
    /// to shared data stay and whose calls are cancelled. Then it starts one that ticks, makes calls and is
    /// told of queues, but gets no requests. A filter that fetches once per proxy has to get along with both.
    #[must_use]
    pub fn main_thread(mut self, runs: bool) -> Self {
        self.main_thread = runs;
        self
    }

    /// The wall clock at the start, since 1970; 2026-01-01 by default.
    #[must_use]
    pub fn now(mut self, since_1970: Duration) -> Self {
        self.start = since_1970;
        self
    }

    /// Adds a healthy cluster whose calls the test answers ([`Proxy::pending_http_calls`]).
    ///
    /// A call to a cluster nobody added is refused with `BadArgument`, as in Envoy.
    #[must_use]
    pub fn cluster(mut self, name: impl Into<String>) -> Self {
        self.clusters.insert(
            name.into(),
            Cluster {
                healthy: true,
                answer: None,
            },
        );
        self
    }

    /// Adds a healthy cluster that answers HTTP calls by itself, right after the callback that made the call.
    #[must_use]
    pub fn answering_cluster(
        mut self,
        name: impl Into<String>,
        answer: impl Fn(&HttpRequest) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.clusters.insert(
            name.into(),
            Cluster {
                healthy: true,
                answer: Some(Arc::new(answer)),
            },
        );
        self
    }

    /// Lends the module a foreign function, such as Envoy's `verify_signature`; others are `NotFound`.
    #[must_use]
    pub fn foreign_function(
        mut self,
        name: impl Into<String>,
        function: impl Fn(&[u8]) -> Result<Vec<u8>, Status> + Send + Sync + 'static,
    ) -> Self {
        self.plugin
            .foreign_functions
            .insert(name.into(), Arc::new(function));
        self
    }

    /// What `proxy_get_log_level` answers; `Info` by default. Every line is kept whatever this says.
    #[must_use]
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.plugin.log_level = level;
        self
    }

    /// What happens after a trap; `FailClosed` by default.
    #[must_use]
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.plugin.failure_policy = policy;
        self
    }

    /// Envoy's `xff_num_trusted_hops`: proxies in front whose `x-forwarded-proto` is believed; 0 by default.
    #[must_use]
    pub fn trusted_hops(mut self, hops: u32) -> Self {
        self.plugin.trusted_hops = hops;
        self
    }

    /// The seed of `random_get`; every VM draws another sequence from it, the same in every run.
    #[must_use]
    pub fn random_seed(mut self, seed: u64) -> Self {
        self.plugin.random_seed = seed;
        self
    }

    /// The fuel one callback may use, about one per instruction, before it is taken for an endless loop and
    /// traps; 2,000,000,000 by default. Envoy has no such limit: its worker would hang.
    #[must_use]
    pub fn callback_fuel(mut self, fuel: u64) -> Self {
        self.plugin.callback_fuel = fuel;
        self
    }

    /// Keeps compiled modules in this directory, so that other processes need not compile them again.
    ///
    /// Whoever can write there can make this process run any machine code: name a private directory.
    #[must_use]
    pub fn module_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.module_cache = Some(directory.into());
        self
    }

    /// Starts every VM and configures the plugin in it.
    ///
    /// # Errors
    ///
    /// [`StartError`], where Envoy would refuse the listener.
    pub fn start(self) -> Result<Proxy, StartError> {
        let module = module::load(&self.wasm, self.module_cache.as_deref())?;
        let plugin = Arc::new(self.plugin);
        let shared = Arc::new(Mutex::new(Shared {
            clock: Clock::starting_at(self.start),
            data: SharedData::default(),
            queues: SharedQueues::default(),
            metrics: Metrics::default(),
            logs: Vec::new(),
            refusals: Vec::new(),
            clusters: self.clusters,
            http_calls: Vec::new(),
            grpc_calls: Vec::new(),
            answerable: VecDeque::new(),
            requests: 0,
        }));
        let mut threads = Vec::new();
        if self.main_thread {
            let canary = WorkerThread::start((0, Thread::Main), &module, &plugin, &shared)?;
            drop(canary);
            lock(&shared).cancel_calls(0);
            threads.push(Thread::Main);
        }
        threads.extend((0..self.workers).map(Thread::Worker));
        let vms: Result<Vec<_>, _> = threads
            .into_iter()
            .enumerate()
            .map(|identity| {
                WorkerThread::start(identity, &module, &plugin, &shared).map(Mutex::new)
            })
            .collect();
        let first_worker = usize::from(self.main_thread);
        let process = Arc::new(Process {
            vms: vms?,
            shared,
            first_worker,
        });
        process.deliver();
        Ok(Proxy { process })
    }
}
