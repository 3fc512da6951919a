//! The plugin context: reads the configuration, ticks, and receives the answers to calls.

use std::cell::RefCell;
use std::rc::Rc;

use edge_auth_policy::config::Config;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::host;
use crate::http::Stream;
use crate::thread::{Worker, report_errors};

/// This worker's gateway; `None` until a configuration was accepted.
pub(crate) type SharedWorker = Rc<RefCell<Option<Worker>>>;

/// One configured filter on one worker thread.
pub(crate) struct Plugin {
    id: u32,
    worker: SharedWorker,
}

impl Plugin {
    pub(crate) fn new(id: u32, worker: SharedWorker) -> Self {
        Self { id, worker }
    }

    fn with_worker(&self, act: impl FnOnce(&mut Worker)) {
        if let Ok(mut worker) = self.worker.try_borrow_mut()
            && let Some(worker) = worker.as_mut()
        {
            act(worker);
        }
    }
}

impl Context for Plugin {
    fn on_http_call_response(
        &mut self,
        token: u32,
        header_count: usize,
        body_size: usize,
        _trailer_count: usize,
    ) {
        self.with_worker(|worker| worker.on_http_call_response(token, header_count, body_size));
        let _ = host::set_effective_context(self.id);
    }

    fn on_grpc_call_response(&mut self, token: u32, status: u32, size: usize) {
        self.with_worker(|worker| worker.on_grpc_answer(token, status, size));
        let _ = host::set_effective_context(self.id);
    }
}

impl RootContext for Plugin {
    /// `false` makes Envoy refuse the configuration; the reasons are in its log, all of them.
    fn on_configure(&mut self, size: usize) -> bool {
        let text = host::plugin_configuration(size).unwrap_or_default();
        let read = Config::from_plugin(&text);
        let config = match read.and_then(|config| config.with_secrets(&host::environment)) {
            Ok(config) => config,
            Err(errors) => {
                report_errors(&errors);
                return false;
            }
        };
        let Ok(mut worker) = self.worker.try_borrow_mut() else {
            return false;
        };
        *worker = Worker::start(self.id, config);
        worker.is_some()
    }

    fn on_tick(&mut self) {
        self.with_worker(Worker::on_tick);
        let _ = host::set_effective_context(self.id);
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, Rc::clone(&self.worker))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
