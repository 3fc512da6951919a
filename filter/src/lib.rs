//! The proxy-wasm module that Envoy loads: callbacks in, decisions of `edge-auth-policy` out.
//!
//! Nothing is decided here. A plugin context (`plugin`) owns this worker's gateway and its ticks; a stream
//! context (`http`) asks it about one request; `host` is the only module that names a host call.
// Natively there is no host to call: `cargo build --workspace` leaves this crate empty.
#![cfg(target_arch = "wasm32")]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod asking;
mod host;
mod http;
mod metrics;
mod plugin;
mod service_health;
mod shared_data;
mod thread;
mod verifier;
mod waiting;

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::traits::RootContext;

use crate::host::LogLevel;
use crate::plugin::Plugin;

proxy_wasm::main! {{
    // A panic ends this VM and fails its requests: say where before Envoy reloads it. The payload is left
    // out, because it may hold what a client sent.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, ToString::to_string);
        host::log(LogLevel::Critical, &format!("edge-auth: panic at {place}"));
    }));
    proxy_wasm::set_root_context(|id| -> Box<dyn RootContext> {
        Box::new(Plugin::new(id, Rc::new(RefCell::new(None))))
    });
}}
