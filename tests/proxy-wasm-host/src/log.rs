//! What modules and the host itself log. Every line is kept, whatever the proxy's own level is.

use std::time::Duration;

use crate::abi::{LogLevel, Status};

/// The thread a VM runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thread {
    /// Envoy's main thread: validates the configuration and ticks, but serves no request.
    Main,
    /// A worker, counted from 0.
    Worker(usize),
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The thread of the VM that logged.
    pub thread: Thread,
    /// The context on whose behalf it logged; 0 is the VM itself.
    pub context: u32,
    /// The severity.
    pub level: LogLevel,
    /// The text, invalid UTF-8 replaced.
    pub message: String,
    /// Wall time since 1970.
    pub time: Duration,
}

/// A hostcall the host refused because the module broke a rule of the ABI.
///
/// `NotFound`, `Empty` and `CasMismatch` are answers, not broken rules, and are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The thread of the VM that called.
    pub thread: Thread,
    /// The context on whose behalf it called.
    pub context: u32,
    /// The callback during which it called, for instance `proxy_on_tick`.
    pub callback: &'static str,
    /// The hostcall, for instance `proxy_get_header_map_value`.
    pub hostcall: &'static str,
    /// What it was told.
    pub status: Status,
}

/// What a callback cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The export's name, for instance `proxy_on_request_headers`.
    pub name: &'static str,
    /// The context it was called for.
    pub context: u32,
    /// Wasmtime fuel used, about one per wasm instruction: the same figure on every machine.
    pub fuel: u64,
}
