//! A real Envoy: its bootstrap, its process, what its admin interface tells.

mod bootstrap;
mod process;
mod stats;

pub use bootstrap::{Bootstrap, Listener, WasmFilter};
pub use process::Envoy;
