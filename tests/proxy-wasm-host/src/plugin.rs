//! What the operator configured: the same for every VM of a proxy.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::abi::{LogLevel, Status};

/// A function the host lends to the module through `proxy_call_foreign_function`.
pub(crate) type ForeignFunction = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>, Status> + Send + Sync>;

/// What happens to streams of a VM that trapped (Envoy's `failure_policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// Every stream is answered 503.
    FailClosed,
    /// Every stream goes on as if there were no filter.
    FailOpen,
    /// A new VM is started for the next stream, unless the last start is less than `backoff` ago; until
    /// then 503.
    FailReload {
        /// Envoy's default is one second.
        backoff: Duration,
    },
}

/// The configuration of a plugin.
pub(crate) struct Plugin {
    pub(crate) name: String,
    pub(crate) root_id: String,
    pub(crate) vm_id: String,
    pub(crate) vm_configuration: Vec<u8>,
    pub(crate) configuration: Vec<u8>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) log_level: LogLevel,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) foreign_functions: BTreeMap<String, ForeignFunction>,
    pub(crate) trusted_hops: u32,
    pub(crate) random_seed: u64,
    pub(crate) callback_fuel: u64,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name)
            .field("root_id", &self.root_id)
            .field("vm_id", &self.vm_id)
            .field("failure_policy", &self.failure_policy)
            .field("foreign_functions", &self.foreign_functions.keys())
            .finish_non_exhaustive()
    }
}
