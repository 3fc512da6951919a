//! Why a proxy does not start.

use crate::log::LogEntry;

/// Why [`Builder::start`](crate::Builder::start) failed. Envoy would refuse the listener.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The bytes are not a module wasmtime can compile.
    #[error("the module does not compile: {0}")]
    Compile(String),
    /// The module does not export `proxy_abi_version_0_2_1` (or `_0_2_0`).
    #[error("the module exports no proxy-wasm ABI version this host knows")]
    AbiVersion,
    /// The module imports a function this host does not have.
    #[error("the module can't be linked: {0}")]
    Link(String),
    /// A callback is exported with other parameters or results than the ABI's.
    #[error("the module exports {name} with a wrong signature")]
    Signature {
        /// The export.
        name: &'static str,
    },
    /// The module trapped while it started.
    #[error("the module trapped in {callback}: {trap}{}", lines(logs))]
    Trap {
        /// The export that was called.
        callback: &'static str,
        /// Wasmtime's account.
        trap: String,
        /// What was logged until then.
        logs: Vec<LogEntry>,
    },
    /// `proxy_on_vm_start` answered false.
    #[error("proxy_on_vm_start refused to start{}", lines(logs))]
    VmStartRefused {
        /// What was logged until then.
        logs: Vec<LogEntry>,
    },
    /// `proxy_on_configure` answered false: the plugin configuration is refused.
    #[error("proxy_on_configure refused the configuration{}", lines(logs))]
    ConfigureRefused {
        /// What was logged until then; the filter's own account is in here.
        logs: Vec<LogEntry>,
    },
}

impl StartError {
    /// What the module logged before it failed.
    pub fn logs(&self) -> &[LogEntry] {
        match self {
            Self::Trap { logs, .. }
            | Self::VmStartRefused { logs }
            | Self::ConfigureRefused { logs } => logs,
            _ => &[],
        }
    }
}

fn lines(logs: &[LogEntry]) -> String {
    let line = |entry: &LogEntry| format!("\n  {:?}: {}", entry.level, entry.message);
    logs.iter().map(line).collect::<Vec<_>>().concat()
}
